"""`grown/DATA:training`: every strategy that inherits, on trainings that are over in a moment."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import nassim  # noqa: E402
from nassim.full_training.images import own  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import learner as learner_module  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.lineage import read_name  # noqa: E402
from nassim.morph_space import MorphSpace  # noqa: E402
from nassim.query import Query  # noqa: E402
from nassim.registry import get_benchmark  # noqa: E402
from nassim.report.family import ancestry  # noqa: E402
from nassim.report.write import write_report  # noqa: E402
from nassim.spelling import NO_CHANGE  # noqa: E402
from nassim.study import Study, compare  # noqa: E402

SPACE = nassim.get_space("grown")
assert isinstance(SPACE, MorphSpace)
STRATEGIES = ("nash", "lemonade", "autokeras", "large_scale_evolution", "codeepneat", "neural_architect", "netadapt")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    splits = {}
    for i, name in enumerate(("train", "valid", "test")):
        rng = np.random.default_rng(i)
        pixels, labels = rng.integers(0, 160, (64, 1, 8, 8), dtype=np.uint8), np.arange(64) % 2
        pixels[labels == 0, :, ::2] += 60
        splits[name] = Split(pixels, labels.astype(np.int64))
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(ImageData("lines", 2, splits, {s: s for s in splits}, flip=False), ("rows", "columns"))
    return tmp_path


def opened() -> Any:
    bench: Any = get_benchmark("grown/lines:training")
    bench.use(replace(bench.recipe, channels=4, epochs=2, epochs_a_pass=1, warmup=0.0, batch=32))
    bench.move("cpu")
    return bench


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_training_runs_each_strategy(name: str) -> None:
    run = nassim.run(name, opened(), "22q")
    assert len(run.trials) == 22 and run.mode == "black-box" and run.restarted == 0
    inherits = name not in ("codeepneat",)
    assert any(t.query.inherit for t in run.trials) == inherits
    assert np.isfinite([i.valid for i in run.incumbents]).all()
    assert all((i.source == "own") == bool(run.trials[i.queries - 1].query.inherit) for i in run.incumbents)


def test_a_child_before_training_is_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole of the back-end: after exact morphs the first evaluation gives the parent's accuracy."""
    bench = opened()
    rng, arch = random.Random(3), SPACE.seed
    parent = bench.query(Query(arch), rng)
    before: list[float] = []
    epoch = learner_module.Learner.epoch

    def spied(self: Any, number: int) -> Any:
        before.append(self.evaluate(learner_module.to_device(bench.data, "valid", torch.device("cpu")))[0])
        return epoch(self, number)

    monkeypatch.setattr(learner_module.Learner, "epoch", spied)
    for _ in range(5):
        arch = SPACE.random_morph(arch, rng) or arch
    bench.query(Query(arch, origin=parent.training, inherit="morph"), rng)
    assert SPACE.transfer(SPACE.seed, arch).exact and before[0] == parent.value


def test_genes_reach_the_trainer() -> None:
    bench = opened()
    faster = nassim.Architecture("grown", (NO_CHANGE + 2, 0, *SPACE.seed.choices[2:]))
    rates = []
    for arch in (SPACE.seed, faster):
        (key,), _ = read_name(bench.query(Query(arch), random.Random(0)).training)
        rates.append(bench.kept.named(key).rate)
    assert rates[1] == pytest.approx([2 * rate for rate in rates[0]])


def test_weights_of_networks_that_grow_are_kept() -> None:
    bench = opened()
    result = bench.query(Query(SPACE.seed), random.Random(0))
    (key,), epochs = read_name(result.training)
    assert bench.kept.weights(key, epochs).exists()


@pytest.mark.slow
def test_the_report_has_the_family_of_an_answer_and_opens_without_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = opened()
    compare(["nash", "codeepneat"], [bench], "26q", seeds=1, out=tmp_path / "study").close()
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained"))
    study = Study.open(tmp_path / "study")
    write_report(study, tmp_path / "study", figures=False)
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "Where its weights came from" in page
    section = page[page.index('<section id="family">') :]
    section = section[: section.index("</section>")]
    assert "<h3>nash, seed 0</h3>" in section and "codeepneat, seed" not in section
    (run,) = [run for run in study.runs if run.strategy == "nash"]
    rows = [row for _, strategy, _, _, row in study.trials() if strategy == "nash"]
    assert all(row.extras == bench.measure(SPACE.parse(row.architecture)) for row in rows[:3])
    line = ancestry(rows, run.curve[-1].queries - 1)
    assert len(line) > 1 and section.count("<details>") == len(line)
    assert section.count("Trained from scratch.") == 1 and "It computed what its parent did" in section
    for a, b in pairwise(line):
        assert rows[b].origin == rows[a].training and f"Inherits (morph) from query {a + 1}." in section
    study.close()
