"""Trainings that begin with another one's weights: what is kept, what is refused, what goes on after an accident."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import nassim  # noqa: E402
from nassim.benchmark import About, Noise  # noqa: E402
from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import CorruptData, InvalidQuery, MissingData  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.heritage import load_weights  # noqa: E402
from nassim.full_training.training.learner import Learner  # noqa: E402
from nassim.full_training.training.lineage import read_name  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.trained import Trained  # noqa: E402
from nassim.query import WAYS, Query, Result  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=4, batch=32, warmup=1.0, crop=0, flip=False)
ABOUT = About("tiny", "none", "none", "MIT", "none")
PARENT, OTHER = SPACE.parse("310423"), SPACE.parse("312423")


def stripes(seed: int = 0) -> ImageData:
    splits = {}
    for i, name in enumerate(("train", "valid", "test")):
        rng = np.random.default_rng(10 * seed + i)
        images = rng.integers(0, 160, (64, 1, 4, 4), dtype=np.uint8)
        labels = rng.integers(0, 2, 64)
        images[labels == 0, :, ::2] += 60
        splits[name] = Split(images, labels)
    return ImageData(f"stripes{seed}", 2, splits, {name: name for name in splits}, flip=False)


DATA = stripes()


def trained(folder: Path, noise: str = "draw", recipe: Recipe = TINY, data: ImageData = DATA) -> Trained:
    name = "nasbench201/stripes:training"
    return Trained(name, SPACE, data, recipe, ABOUT, noise=Noise.parse(noise), device="cpu", folder=folder)


def heir(bench: Trained, parent: Result, arch: nassim.Architecture = PARENT, epochs: int = 2, **of: str) -> Result:
    return bench.query(Query(arch, epochs, origin=parent.training, **{"inherit": "morph", **of}), random.Random(5))


@pytest.mark.parametrize("way", WAYS)
def test_an_heir_begins_with_the_weights_and_a_schedule_of_its_own(tmp_path: Path, way: str) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 3), random.Random(0))
    child = heir(bench, first, OTHER, inherit=way)
    assert child.epochs == child.paid == 2 and child.training != bench.name_of(OTHER, bench.seeds, 2)
    (key,), _ = read_name(child.training)
    lineage, kept = bench.kept.lineage(key), bench.kept.named(key)
    assert lineage is not None and (lineage.origin, lineage.inherit) == (first.training, way)
    assert kept is not None and kept.test_accuracy is not None  # its schedule is over
    rates = [replace(TINY, epochs=2, warmup=0.5).rate_at(2 * epoch, 2) for epoch in range(2)]
    assert list(kept.rate) == pytest.approx(rates)
    assert heir(bench, first, OTHER, inherit=way) == child  # kept, not made again
    assert bench.own_accuracies(child.training) == (child.value, kept.test_accuracy)
    assert bench.own_accuracies(first.training) is None
    assert np.isnan(bench.mean_accuracy(OTHER))  # no training from scratch is known


def test_an_equal_child_goes_on_where_its_parent_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rate of nothing it is its parent: the same accuracy as the last epoch's."""
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 3), random.Random(0))
    made = []
    learner = Learner.epoch

    def spied(self: object, epoch: int) -> object:
        made.append(self.evaluate(train_module.to_device(DATA, "valid", torch.device("cpu")))[0])  # type: ignore[attr-defined]
        return learner(self, epoch)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "epoch", spied)
    heir(bench, first)
    assert made[0] == first.value


@pytest.mark.slow
def test_weights_that_are_lost_are_trained_again(tmp_path: Path) -> None:
    """The parent's and the grandparent's, bit by bit; their records and what they cost stay."""
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 4), random.Random(0))
    second = heir(bench, first, OTHER)
    third = heir(bench, second, PARENT, inherit="match")
    (key,), epochs = read_name(second.training)
    path = bench.kept.weights(key, epochs)
    before, record = load_weights(path), bench.kept.named(key)
    for file in (tmp_path / "weights").iterdir():
        file.unlink()
    again = heir(bench, second, PARENT, inherit="norm")
    assert again.training != third.training
    after = load_weights(path)
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert bench.kept.named(key) == record


@pytest.mark.slow
def test_a_parent_that_went_on_gives_the_weights_that_were_named(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 2), random.Random(0))
    child = heir(bench, first)
    longer = bench.query(Query(PARENT, 4, origin=first.training), random.Random(0))
    assert heir(bench, longer).training != child.training
    for file in (tmp_path / "weights").iterdir():
        file.unlink()
    other = trained(tmp_path / "elsewhere")
    other.query(Query(PARENT, 2), random.Random(0))
    for each in (bench, other):  # lost, and in one the record has more epochs by now
        heir(each, first, OTHER, inherit="match")
    (key,), _ = read_name(first.training)
    lost, kept = (load_weights(b.kept.weights(key, 2)) for b in (trained(tmp_path), other))
    assert all(torch.equal(lost[name], kept[name]) for name in lost)


@pytest.mark.slow
def test_an_interrupted_distillation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 2), random.Random(0))
    whole = trained(tmp_path / "whole")
    whole.query(Query(PARENT, 2), random.Random(0))
    uninterrupted = heir(whole, first, OTHER, epochs=3, inherit="distill")
    heir(bench, first, OTHER, inherit="match")  # the parent's weights are there now
    learner, calls = Learner.epoch, []

    def killed(self: object, epoch: int) -> object:
        calls.append(epoch)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return learner(self, epoch)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        heir(bench, first, OTHER, epochs=3, inherit="distill")
    ended = heir(bench, first, OTHER, epochs=3, inherit="distill")
    assert calls == [0, 1, 1, 2] and ended.value == uninterrupted.value


@pytest.mark.slow
def test_distillation_is_another_training(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 4), random.Random(0))
    plain, taught = (heir(bench, first, OTHER, inherit=way) for way in ("norm", "distill"))
    losses = [bench.kept.named(read_name(r.training)[0][0]).train_loss for r in (plain, taught)]  # type: ignore[union-attr]
    assert losses[0][0] < losses[1][0]  # the teacher's part is in it


@pytest.mark.slow
def test_a_mean_inherits_from_each_training_of_a_mean(tmp_path: Path) -> None:
    bench = trained(tmp_path, "mean")
    first = bench.query(Query(PARENT, 2), random.Random(0))
    child = heir(bench, first, OTHER)
    keys, _ = read_name(child.training)
    origins = [bench.kept.lineage(key).origin for key in keys]  # type: ignore[union-attr]
    assert len(set(keys)) == 3 and sorted(f"{key}/2" for key in read_name(first.training)[0]) == sorted(origins)
    assert bench.own_accuracies(child.training)[0] == pytest.approx(child.value)  # type: ignore[index]


def refusals(bench: Trained, first: Result) -> Sequence[tuple[Query, str]]:
    elsewhere = "0" * 64 + "/2"
    return [
        (Query(PARENT, 2, origin="unnamed", inherit="morph"), "does not name a training"),
        (Query(PARENT, 2, origin=elsewhere, inherit="morph"), "names no training that is kept here"),
        (Query(PARENT, 2, origin=first.training, inherit="wish"), "no way to inherit"),
        (Query(PARENT, 9, origin=first.training, inherit="morph"), "not after 9"),
    ]


def test_what_cannot_be_inherited_is_one_line(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 2), random.Random(0))
    for query, said in refusals(bench, first):
        with pytest.raises(InvalidQuery, match=said) as caught:
            bench.query(query, random.Random(0))
        assert "\n" not in str(caught.value)
    with pytest.raises(InvalidQuery, match="by another recipe than tiny is here"):
        heir(trained(tmp_path, recipe=replace(TINY, rate=0.01)), first)
    with pytest.raises(InvalidQuery, match="on other images"):
        heir(trained(tmp_path, data=stripes(1)), first)
    child = heir(bench, first)
    with pytest.raises(InvalidQuery, match="names no training of"):  # an heir's schedule is over
        bench.query(Query(PARENT, 4, origin=child.training), random.Random(0))
    weights = bench.kept.weights(read_name(child.training)[0][0], 2)
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(b"no weights")
    with pytest.raises(CorruptData, match="are damaged"):
        heir(bench, child, OTHER)


def test_a_failed_training_has_no_heirs(tmp_path: Path) -> None:
    bench = trained(tmp_path, recipe=replace(TINY, rate=1e30, weight_decay=1.0))
    first = bench.query(Query(PARENT, 2), random.Random(0))
    with pytest.raises(InvalidQuery, match="it has no heirs"):
        heir(bench, first)


def test_a_job_takes_its_inheritance_along(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 2), random.Random(0))
    job = bench.job(Query(OTHER, 2, origin=first.training, inherit="morph"), random.Random(5))
    assert pickle.loads(pickle.dumps(job))() == heir(bench, first, OTHER)


@pytest.mark.slow
def test_the_incumbent_carries_its_own_accuracies(tmp_path: Path) -> None:
    @nassim.strategy(family="test", year=2020)
    def heirs(space: nassim.SearchSpace, rng: random.Random) -> nassim.Search:
        trial = yield from nassim.evaluate(PARENT, 2)
        for _ in range(3):
            trial = yield from nassim.evaluate(space.mutate(trial.arch, rng), 4, origin=trial, inherit="morph")

    bench = trained(tmp_path)
    run = nassim.run(heirs, bench, "9q")
    assert run.mode == "black-box" and run.restarted == 0 and len(run.trials) == 4
    assert [i.source for i in run.incumbents] == ["mean", *["own"] * (len(run.incumbents) - 1)]
    last = run.best
    trial = run.trials[last.queries - 1]
    assert (last.valid, last.test) == bench.own_accuracies(trial.result.training) and last.valid == last.observed


def test_lost_parents_are_said(tmp_path: Path) -> None:
    """A database from which the parent is gone (a folder that was tidied by hand)."""
    bench = trained(tmp_path)
    first = bench.query(Query(PARENT, 2), random.Random(0))
    second = heir(bench, first, OTHER)
    (key,), _ = read_name(first.training)
    with bench.kept._open() as db, db:
        db.execute("DELETE FROM trainings WHERE key = ?", (key,))
    for file in (tmp_path / "weights").iterdir():
        file.unlink()
    with pytest.raises(MissingData, match="is no longer kept here"):
        heir(bench, second, PARENT, inherit="match")
