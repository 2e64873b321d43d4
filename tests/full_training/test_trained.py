"""Training behind the query interface, and validation of what a study found."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from nassim.benchmark import About, Noise  # noqa: E402
from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.clock import Budget  # noqa: E402
from nassim.errors import CorruptData, InvalidQuery, InvalidSetting, MissingData, UnknownName, Unsupported  # noqa: E402
from nassim.full_training.images.data import ImageData, Split, load_data  # noqa: E402
from nassim.full_training.training import loader  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.named import Named  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402
from nassim.full_training.training.trained import SEEDS, Trained  # noqa: E402
from nassim.full_training.training.validation import retrain  # noqa: E402
from nassim.query import Query  # noqa: E402
from nassim.registry import get_algorithm, get_benchmark  # noqa: E402
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


@pytest.mark.slow
def test_queries_are_trainings(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    alone = [train(ARCH, DATA, TINY, seed).valid_accuracy for seed in SEEDS]
    rng = random.Random(0)
    seen = {(bench.query(Query(ARCH, 1), rng).value, bench.query(Query(ARCH), rng).value) for _ in range(12)}
    assert {value for _, value in seen} <= {curve[-1] for curve in alone}
    assert {value for value, _ in seen} <= {curve[0] for curve in alone}
    assert len(bench.kept.all_of(DATA.sha256, TINY.sha256, SPACE.name)) == len(SEEDS)
    kept = bench.kept.find(bench.lineage(ARCH, SEEDS[1]))
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
    assert result.value == 0 and result.extras["failed"] == 1.0
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
    with pytest.raises(MissingData, match=r"cifar-10-binary.tar.gz"):
        get_benchmark("nasbench201/cifar10:training")
    for wrong, what in (
        ("nasbench201/digits:trained", "benchmark"),
        ("toy/additive:training", "set of images"),
        ("nasbench/digits:training", "search space"),
    ):
        with pytest.raises(UnknownName, match=f"is not a {what}"):
            get_benchmark(wrong)


def test_training_on_cifar10_says_what_its_test_accuracy_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authors train another network, on all 50,000 images, for the test set; a training now makes only the one."""
    pixels = np.zeros((25_000, 3, 32, 32), np.uint8)  # nothing is written to it: it takes no memory
    split = Split(pixels, np.zeros(25_000, np.int64))
    names = {"train": "train", "valid": "x-valid", "test": "ori-test"}
    data = ImageData("cifar10", 10, dict.fromkeys(names, split), names, flip=True)
    data.__dict__["sha256"] = "made up"
    monkeypatch.setattr(loader, "load_data", lambda task: data)
    bench = get_benchmark("nasbench201/cifar10:training")
    assert bench.epochs == 200 and bench.about.paper.endswith("arXiv:2001.00326")
    assert "of the network trained on 25,000 images" in bench.about.splits["test_accuracy"]
    assert any("50,000" in note and "published" in note for note in bench.about.notes)


def test_a_shorter_training_is_a_prefix_of_a_longer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In either order: what was trained further answers a shorter query without training, at the price of that."""
    longer = replace(TINY, epochs=4)
    bench, other = trained(tmp_path / "a", "repeat=1", longer), trained(tmp_path / "b", "repeat=1", longer)
    rng = random.Random(0)
    up = [bench.query(Query(ARCH, epochs), rng) for epochs in (1, 2, 3, 4)]
    whole = other.query(Query(ARCH), rng)
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained again"))
    down = [other.query(Query(ARCH, epochs), rng) for epochs in (1, 2, 3)]
    assert [result.value for result in up] == [result.value for result in (*down, whole)]
    assert [result.epochs for result in up] == [1, 2, 3, 4]
    seconds = other.kept.find(other.lineage(ARCH, SEEDS[0])).seconds
    assert [result.cost for result in down] == [sum(seconds[:epochs]) for epochs in (1, 2, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=3"])
def test_a_named_training_continues_and_charges_the_difference(tmp_path: Path, noise: str) -> None:
    bench = trained(tmp_path, noise, replace(TINY, epochs=4))
    seeds = bench.draw(random.Random(1))
    assert len(seeds) == (3 if noise == "mean" else 1)
    first = bench.query(Query(ARCH, 1), random.Random(1))
    assert first.training == bench.name_of(ARCH, seeds, 1) and first.paid == 1
    asked = Query(ARCH, 3, origin=first.training)
    assert bench.begins_from(asked) == (first.training.removesuffix("/1"), 1) and bench.epochs_to_pay(asked) == 2
    second = bench.query(asked, drawing := random.Random(2))
    assert drawing.getstate() == random.Random(2).getstate(), "it keeps its seeds"
    at_once = bench.query(Query(ARCH, 3), random.Random(1))
    assert second.paid_epochs == 2 and second[:2] == at_once[:2] and second.training == at_once.training
    assert first.cost + second.cost == pytest.approx(at_once.cost)
    for arch, origin, epochs, message in (
        (ARCH, bench.name_of(ARCH, seeds, 3), 3, "a training of 3 epochs cannot go on to 3"),
        (ARCH, bench.name_of(ARCH, seeds, 3), 5, "not after 5"),
        (ARCH, bench.name_of(ARCH, seeds, 9), 4, "not after 9"),
        (SPACE.at(3), first.training, 4, "only the same architecture continues"),
        (ARCH, "toy:1-2/1/3", 4, "names no training of nasbench201:3-1-0-4-2-3"),
        (ARCH, "unnamed", 4, "does not name a training"),
    ):
        with pytest.raises(InvalidQuery, match=message):
            bench.query(Query(arch, epochs, origin=origin), random.Random(0))


def test_a_job_trains_where_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = trained(tmp_path)
    job = pickle.loads(pickle.dumps(bench.job(Query(ARCH), rng := random.Random(4))))
    assert rng.getstate() != random.Random(4).getstate(), "the seed is drawn"
    assert not bench.kept.path.exists(), "and nothing trained"
    result = job()
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained again"))
    assert bench.query(Query(ARCH), random.Random(4)) == result == job()


def test_images_with_a_name_do_not_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    bench = get_benchmark("nasbench201/digits:training")
    job = bench.job(Query(ARCH), random.Random(0))
    assert len(pickle.dumps(job)) < 50_000 < len(pickle.dumps(bench.data))  # type: ignore[attr-defined]
    assert job.images().sha256 == bench.data.sha256  # type: ignore[attr-defined]
    with pytest.raises(CorruptData, match="digits is not what the training was asked for on"):
        Named(load_data, "digits", "another")()


def test_a_recipe_that_only_fails_has_no_typical_cost(tmp_path: Path) -> None:
    wild = Recipe("wild", channels=2, cells=1, epochs=1, batch=32, rate=1e30, weight_decay=1.0, crop=0, flip=False)
    bench = trained(tmp_path, recipe=wild)
    bench.query(Query(ARCH), random.Random(0))
    assert np.isnan(bench.typical_cost)


def test_every_training_goes_to_the_device_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    bench = get_benchmark("nasbench201/digits:training")
    with pytest.raises(InvalidSetting, match="is not a device"):
        bench.move("gpu")  # type: ignore[attr-defined]
    bench = trained(tmp_path)
    seen: list[object] = []
    made = train(ARCH, DATA, TINY, SEEDS[0])
    monkeypatch.setattr(train_module, "train", lambda *_, **options: seen.append(options["device"]) or made)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    bench.move("cuda:1")
    bench.query(Query(ARCH), random.Random(0))
    bench.training(ARCH, 5)
    bench.query(Query(SPACE.at(1), 1), random.Random(0))
    assert seen == [torch.device("cuda:1")] * 3


# -- validation -----------------------------------------------------------------------------------------


def test_retraining_uses_fresh_seeds(tmp_path: Path) -> None:
    told: list[str] = []
    (found,) = retrain([(ARCH, 0.5, ("rs",))], trained(tmp_path), 2, tell=told.append)
    assert found.measured == tuple(train(ARCH, DATA, TINY, seed).valid_accuracy[-1] for seed in (1, 2))
    assert found.tabulated == 0.5 and found.difference == pytest.approx(found.mean - 0.5) and len(told) == 2
    assert not {1, 2} & set(SEEDS)
