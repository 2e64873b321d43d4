"""Training behind the query interface, and validation of what a study found."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from nassim.benchmark import About, Noise  # noqa: E402
from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.clock import Budget  # noqa: E402
from nassim.errors import InvalidQuery, MissingData, UnknownName, Unsupported  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402
from nassim.full_training.training.trained import SEEDS, Trained  # noqa: E402
from nassim.full_training.training.validation import retrain  # noqa: E402
from nassim.query import Query  # noqa: E402
from nassim.registry import benchmark_names, get_algorithm, get_benchmark, trainable_names  # noqa: E402
from nassim.run import run  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=2, batch=32, crop=0, flip=False)
ABOUT = About("tiny", "none", "none", "MIT", "none")
ARCH = SPACE.parse("310423")


def stripes() -> ImageData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 120, (64, 1, 4, 4), dtype=np.uint8)
    labels = rng.integers(0, 2, 64)
    images[labels == 0, :, ::2] += 120
    splits = {name: Split(images, labels) for name in ("train", "valid", "test")}
    return ImageData("stripes", 2, splits, {name: name for name in splits}, flip=False)


DATA = stripes()


def trained(folder: Path, noise: str = "draw", recipe: Recipe = TINY) -> Trained:
    name = "nasbench201/stripes:training"
    return Trained(name, SPACE, DATA, recipe, ABOUT, noise=Noise.parse(noise), device="cpu", folder=folder)


def test_queries_are_trainings(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    alone = [train(ARCH, DATA, TINY, seed).valid_accuracy for seed in SEEDS]
    rng = random.Random(0)
    seen = {(bench.query(Query(ARCH, 1), rng).value, bench.query(Query(ARCH), rng).value) for _ in range(12)}
    assert {value for _, value in seen} <= {curve[-1] for curve in alone}
    assert {value for value, _ in seen} <= {curve[0] for curve in alone}
    assert len(bench.kept.all_of(DATA.sha256, TINY.sha256)) == len(SEEDS)
    kept = bench.kept.find(str(ARCH), DATA.sha256, TINY.sha256, SEEDS[1])
    fixed = trained(tmp_path, "repeat=2")
    assert fixed.query(Query(ARCH), rng).cost == sum(kept.seconds)
    assert fixed.query(Query(ARCH, 1), rng).cost == kept.seconds[0]
    mean = trained(tmp_path, "mean").query(Query(ARCH), rng).value
    assert mean == pytest.approx(sum(curve[-1] for curve in alone) / 3)
    assert bench.mean_accuracy(ARCH) == pytest.approx(mean)
    assert 0 <= bench.test_accuracy(ARCH) <= 1
    for query, message in ((Query(ARCH, 3), "not after 3"), (Query(ARCH, metric="test_accuracy"), "reporting only")):
        with pytest.raises(InvalidQuery, match=message):
            bench.query(query, rng)
    with pytest.raises(InvalidQuery, match="3 seeds"):
        trained(tmp_path, "repeat=4")
    with pytest.raises(Unsupported, match="f1"):
        bench.mean_accuracy(ARCH, "f1")


def test_a_failed_training_answers_zero_and_says_so(tmp_path: Path) -> None:
    wild = Recipe("wild", channels=2, cells=1, epochs=1, batch=32, rate=1e30, weight_decay=1.0, crop=0, flip=False)
    bench = trained(tmp_path, recipe=wild)
    result = bench.query(Query(ARCH), random.Random(0))
    assert result.value == 0 and dict(result.extras) == {"failed": 1.0}
    assert bench.mean_accuracy(ARCH) == bench.test_accuracy(ARCH) == 0


def test_a_strategy_runs_on_it_and_nothing_is_trained_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = get_algorithm("random_search")
    first = run(strategy, trained(tmp_path, "repeat=1"), Budget(queries=4), seed=3)

    def none(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(train_module, "train", none)
    again = run(strategy, trained(tmp_path, "repeat=1"), Budget(queries=4), seed=3)
    assert first.trials == again.trials and len(first.trials) == 4
    assert trained(tmp_path).typical_cost == pytest.approx(sum(t.result.cost for t in again.trials) / 4)


def test_ids_of_the_back_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    bench = get_benchmark("nasbench201/digits:training", "mean")
    assert isinstance(bench, Trained) and bench.name == "nasbench201/digits:training" and bench.noise.kind == "mean"
    assert bench.fidelities == tuple(range(1, bench.epochs + 1)) and bench.has_test
    assert "nasbench201/cifar10:training" in trainable_names()
    assert not set(trainable_names()) & set(benchmark_names())
    with pytest.raises(MissingData, match=r"cifar-10-binary.tar.gz"):
        get_benchmark("nasbench201/cifar10:training")
    for wrong in ("nasbench201/digits:trained", "toy/additive:training", "nasbench201/mnist:training"):
        with pytest.raises(UnknownName, match="is not a benchmark"):
            get_benchmark(wrong)


# -- validation -----------------------------------------------------------------------------------------


def test_retraining_uses_fresh_seeds(tmp_path: Path) -> None:
    told: list[str] = []
    (found,) = retrain([(ARCH, 0.5, ("rs",))], trained(tmp_path), 2, tell=told.append)
    assert found.measured == tuple(train(ARCH, DATA, TINY, seed).valid_accuracy[-1] for seed in (1, 2))
    assert found.tabulated == 0.5 and found.difference == pytest.approx(found.mean - 0.5) and len(told) == 2
    assert not {1, 2} & set(SEEDS)
