"""nassim train, validate, data build and data verify --retrain, as a user types them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks import nasbench201  # noqa: E402
from nassim.cli.main import main  # noqa: E402
from nassim.full_training.tables import shards  # noqa: E402
from nassim.full_training.tables.builder import build  # noqa: E402
from nassim.full_training.tables.classes import cell_classes  # noqa: E402
from nassim.full_training.tables.designs import DESIGNS, SEEDS, Design  # noqa: E402
from nassim.full_training.tables.shards import Shard  # noqa: E402
from nassim.full_training.training import device  # noqa: E402
from nassim.full_training.training.recipe import RECIPES, Recipe  # noqa: E402
from nassim.grid import open_once  # noqa: E402
from nassim.query import Query, Result  # noqa: E402
from nassim.study import compare  # noqa: E402
from nassim.tabular_data import digits  # noqa: E402

DIGITS = DESIGNS["nasbench201/digits"]


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A data folder of its own, and a recipe for digits that is trained in a moment."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    recipe = Recipe("digits", channels=2, cells=1, epochs=2, batch=1000, rate=0.1, crop=0, flip=False)
    monkeypatch.setitem(RECIPES, "digits", recipe)
    return recipe


def nassim(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    out, err = capsys.readouterr()
    assert (left.value.code or 0) == code, err
    return out, err


@pytest.mark.slow
def test_train_says_what_it_does_and_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = nassim(capsys, "train", "310423", "--device", "cpu", "--seeds", "2")
    assert "device: cpu" in err and "recipe digits, 2 epochs" in err and "seed 1, epoch 2/2" in err
    assert "x-valid %" in out and "standard deviation" in out
    out, err = nassim(capsys, "train", "nasbench201:3-1-0-4-2-3", "--device", "cpu", "--seeds", "2", "--json")
    assert "epoch" not in err.replace("2 epochs", ""), "trained again"
    first = json.loads(out)
    assert [training["seed"] for training in first] == [0, 1] and len(first[0]["valid_accuracy"]) == 2
    assert [len(first[1][name]) for name in ("train_loss", "valid_loss", "rate")] == [2, 2, 2]
    _, err = nassim(capsys, "train", "310423", "--again", "--device", "cpu")
    assert "epoch 2/2" in err
    out, _ = nassim(capsys, "train", "310423", "--epochs", "1", "--device", "cpu", "--json")
    assert len(json.loads(out)[0]["valid_accuracy"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("310429",), "is not an architecture"),
        (("310423", "--data", "svhn"), "is not a data set"),
        (("310423", "--recipe", "imagenet"), "is not a recipe"),
        (("310423", "--recipe", "nasbench201-12ep"), "mirrored image of digits"),
        (("310423", "--device", "gpu"), "is not a device"),
        (("310423", "--data", "cifar10"), "cifar-10-binary.tar.gz"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    out, err = nassim(capsys, "train", *arguments, code=2)
    assert not out and message in err and "Traceback" not in err and err.count("error:") == 1


def test_without_torch_the_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    for command in (("train", "310423"), ("validate", "x"), ("data", "build", "nasbench201/digits")):
        assert "pip install nassim[train]" in nassim(capsys, *command, code=2)[1]


@pytest.mark.slow
def test_no_other_command_loads_torch() -> None:
    script = (
        "import sys; import nassim.cli.main, nassim.registry as r; r.benchmark_names(); "
        "import nassim.benchmarks.nasbench201; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# -- a table of a few cells -------------------------------------------------------------------------------


@pytest.fixture
def small_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A build of two classes and three seeds; its table is the shipped one, here and in no other test."""
    open_once.cache_clear()
    plan = [Shard(n, seed, (5, 900)) for n, seed in enumerate(SEEDS)]
    for module in ("shards", "builder", "assemble"):
        monkeypatch.setattr(f"nassim.full_training.tables.{module}.plan", lambda design: plan)
    monkeypatch.setitem(DESIGNS, DIGITS.name, replace(DIGITS, pilot=0))
    monkeypatch.setattr("nassim.tabular_data.trained.FOLDER", tmp_path / "build")
    monkeypatch.setattr(digits, "PATH", tmp_path / "build" / "nasbench201-digits.h5")
    monkeypatch.setattr(nasbench201, "TASKS", tuple(dict.fromkeys((*nasbench201.TASKS, "digits"))))
    yield tmp_path / "build"
    open_once.cache_clear()


@pytest.mark.slow
def test_build_and_verify(capsys: pytest.CaptureFixture[str], small_table: Path) -> None:
    _, err = nassim(capsys, "data", "build", "nasbench201/digits", "--out", str(small_table), "--limit", "1")
    assert "2 of 6 trainings" in err
    out, err = nassim(capsys, "data", "build", "nasbench201/digits", "--out", str(small_table))
    assert "6 of 6 trainings" in err and "Incomplete: 2 of 4,930 classes" in out
    out, err = nassim(capsys, "data", "verify", "nasbench201/digits", "--retrain", "2")
    assert "2 cells retrained: all within the noise" in out and err.count("recorded") == 2
    answer = json.loads(nassim(capsys, "data", "verify", "nasbench201/digits", "--json")[0])
    assert answer["retrained"] == []
    row = cell_classes()[900].rows[0]
    arch = f"nasbench201:{'-'.join(str(row // 5**k % 5) for k in range(5, -1, -1))}"
    query = json.loads(nassim(capsys, "query", "nasbench201/digits", arch, "--epochs", "1", "--json")[0])
    assert query["epochs"] == 1 and 0 < query["valid_accuracy"] < 1 and query["cost_seconds"] > 0
    _, err = nassim(capsys, "query", "nasbench201/digits", "333333", code=2)
    assert "no training of nasbench201:3-3-3-3-3-3" in err
    assert "not built here" in nassim(capsys, "data", "build", "nasbench101", code=2)[1]
    assert "--retrain is for" in nassim(capsys, "data", "verify", "nasbench201", "--retrain", "1", code=2)[1]


@pytest.mark.slow
def test_parallel_jobs_build_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with the real recipe are too slow for a test: what they are given is what one is given."""
    given: list[Shard] = []

    class Pool(Executor):
        def submit(self, work, *arguments):
            _, (_, shards_of_it) = arguments[0].value
            given.extend(shards_of_it)
            done: Future[object] = Future()
            done.set_result(work(*arguments))
            return done

    @contextmanager
    def pool(jobs: int):
        assert jobs == 2
        yield Pool()

    plan = [Shard(n, SEEDS[0], (n + 5,)) for n in range(3)]
    for module in ("shards", "builder"):
        monkeypatch.setattr(f"nassim.full_training.tables.{module}.plan", lambda design: plan)
    monkeypatch.setattr("nassim.full_training.tables.builder.processes", pool)
    build(DIGITS, tmp_path / "two", jobs=2, tell=lambda progress: None)
    build(DIGITS, tmp_path / "one", jobs=1, tell=lambda progress: None)
    assert given == plan
    for shard in plan:
        one, two = (shards.read(tmp_path / name, DIGITS, shard, shards.made(DIGITS)) for name in ("one", "two"))
        assert one is not None and two is not None
        assert one.valid.tolist() == two.valid.tolist() and one.test.tolist() == two.test.tolist()


@pytest.mark.slow
def test_validate_retrains_what_a_study_found(
    capsys: pytest.CaptureFixture[str], small_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nassim(capsys, "data", "build", "nasbench201/digits", "--out", str(small_table))
    rows = [row for i in (5, 900) for row in cell_classes()[i].rows]
    space = nasbench201.SPACE

    class Few(type(space)):  # a space of the cells that are in the table
        def sample(self, rng):
            return self.at(rows[int(rng.random() * len(rows))])

    monkeypatch.setattr(nasbench201, "SPACE", Few())
    study = compare(["random_search"], ["nasbench201/digits"], "3q", seeds=3, out=tmp_path / "study")
    study.close()
    out, err = nassim(capsys, "validate", str(tmp_path / "study"), "--top", "2", "--seeds", "2", "--device", "cpu")
    assert "nasbench201/digits" in out and "Kendall's tau" in out
    assert "Nothing can be told apart" in out or "the retraining tells" in out
    assert "Retrained on nasbench201/digits" in (tmp_path / "study" / "report.md").read_text(encoding="utf-8")
    assert "Training curves" in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "seed 1" in err and "seed 2" in err
    assert (tmp_path / "study" / "figures" / "validation-nasbench201-digits.png").stat().st_size > 5000
    answer = json.loads(nassim(capsys, "validate", str(tmp_path / "study"), "--top", "1", "--seeds", "2", "--json")[0])
    (found,) = answer["nasbench201/digits"]["architectures"]
    assert len(found["measured"]) == 2 and found["found_by"] == ["random_search"]
    assert [len(losses) for losses in found["train_loss"] + found["valid_loss"] + found["rate"]] == [2] * 6
    assert answer["nasbench201/digits"]["text"] == "One architecture has no ranking."


def test_studies_that_cannot_be_validated(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    compare(["random_search"], ["toy/additive"], "3q", seeds=1, out=tmp_path / "toy").close()
    assert "nothing in" in nassim(capsys, "validate", str(tmp_path / "toy"), code=2)[1]
    assert "error:" in nassim(capsys, "validate", str(tmp_path / "none"), code=2)[1]


@pytest.mark.slow
def test_a_strategy_runs_on_the_training_back_end(capsys: pytest.CaptureFixture[str]) -> None:
    command = ("run", "random_search", "nasbench201/digits:training", "--budget", "2q", "--json")
    first, again = (json.loads(nassim(capsys, *command)[0]) for _ in range(2))
    assert first == again
    assert isinstance(Query(nasbench201.SPACE.at(0)), Query) and Result._fields[0] == "value"


@pytest.fixture
def pilot(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A design whose pilot are 24 classes of three operations on digits; called with how far two seeds differ."""
    design = replace(DIGITS, space_name="nasbench201_3ops", pilot=24)
    monkeypatch.setitem(DESIGNS, design.name, design)

    def trains(noise: int) -> None:
        def train_shard(design: Design, shard: Shard) -> tuple[Shard, shards.Results]:
            rng, count = random.Random(f"{shard.number} {shard.seed}"), len(shard.classes)
            valid = np.array([[10 * i, 1000 + 10 * i + rng.randrange(noise)] for i in shard.classes], np.int32)
            seconds, latency = np.ones((count, 2), np.float32), np.full(count, 1e-3, np.float32)
            failed = np.array([""] * count)
            return shard, shards.Results(valid, valid, valid[:, 1], seconds, latency, failed, "a machine")

        monkeypatch.setattr("nassim.full_training.tables.builder.train_shard", train_shard)

    return trains


def test_a_pilot_comes_first(capsys: pytest.CaptureFixture[str], pilot: Callable[[int], None], tmp_path: Path) -> None:
    pilot(30)
    name, folder = "nasbench201_3ops/digits", tmp_path / "data" / "builds" / "nasbench201_3ops-digits"
    out, err = nassim(capsys, "data", "build", name, "--pilot")
    assert not out and "over 24 classes two seeds agree by 0.9" in err and "48 of 48 trainings" in err
    assert len(list((folder / "shards").iterdir())) == 2
    out, err = nassim(capsys, "data", "build", "nasbench201-3ops/digits", "--limit", "1", "--json")
    answer = json.loads(out)
    assert answer["pilot"]["spearman"] > 0.9 and "Incomplete" in answer["notes"][3] and "72 of 234" in err
    out, err = nassim(capsys, "data", "build", name)
    assert str(folder / "nasbench201_3ops-digits.h5") in out and "Incomplete" not in out and "234 of 234" in err
    assert nassim(capsys, "data", "build", name)[0] == out


def test_nothing_is_built_on_noise(
    capsys: pytest.CaptureFixture[str], pilot: Callable[[int], None], tmp_path: Path
) -> None:
    pilot(100_000)
    name, folder = "nasbench201_3ops/digits", tmp_path / "build"
    _, err = nassim(capsys, "data", "build", name, "--out", str(folder), "--limit", "1")
    assert "24 of 48 trainings" in err and "seeds agree" not in err and "The pilot is not finished" in err
    _, err = nassim(capsys, "data", "build", name, "--out", str(folder), code=2)
    assert "is not built: over the pilot's 24 classes two seeds agree by" in err and "less than 0.7" in err
    assert len(list((folder / "shards").iterdir())) == 2 and not (folder / "nasbench201_3ops-digits.h5").exists()


def test_a_build_is_not_continued_with_another_recipe(
    capsys: pytest.CaptureFixture[str],
    pilot: Callable[[int], None],
    tiny: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pilot(30)
    name, folder = "nasbench201_3ops/digits", str(tmp_path / "build")
    nassim(capsys, "data", "build", name, "--out", folder, "--pilot")
    before = {path.name: path.read_bytes() for path in (tmp_path / "build" / "shards").iterdir()}
    monkeypatch.setitem(RECIPES, "digits", replace(tiny, rate=0.2))
    _, err = nassim(capsys, "data", "build", name, "--out", folder, code=2)
    assert "is of another build (recipe differ)" in err and err.count("error:") == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "build" / "shards").iterdir()} == before
