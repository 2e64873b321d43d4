"""Trainings that go on: what is paid, what is kept, and what is a whole training again."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

import nassim
from nassim.benchmark import Noise
from nassim.errors import InvalidQuery
from nassim.query import UNNAMED, Query, Trial
from nassim.registry import get_benchmark
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate, evaluate_all, start, strategy


@strategy(family="test", year=2026)
def halving(space: SearchSpace, rng: random.Random) -> Search:
    """Three for one epoch, the best of them on to three, and then to nine."""
    trials = yield from evaluate_all([space.sample(rng) for _ in range(3)], 1)
    best = max(trials, key=lambda trial: trial.value)
    again = yield from evaluate(best.arch, 3, origin=best)
    yield from start(again.arch, 9, origin=again)


def test_only_what_is_trained_is_paid() -> None:
    run = nassim.run(halving, "toy/additive", "100q", seed=4)
    assert [trial.result.epochs for trial in run.trials] == [1, 1, 1, 3, 9]
    assert [trial.result.paid for trial in run.trials] == [1, 1, 1, 2, 6]
    assert run.epochs == 11
    last = run.trials[-1]
    seconds = 9 * (10.0 + sum(last.arch.choices))
    chain = [t for t in run.trials if t.arch == last.arch and t.result.training.split("/")[1] == _repeat(last)]
    assert sum(trial.result.cost for trial in chain[-3:]) == pytest.approx(seconds)
    assert {_repeat(trial) for trial in chain[-3:]} == {_repeat(last)}  # the same training, not another draw


def _repeat(trial: Trial) -> str:
    return trial.result.training.split("/")[1]


@pytest.mark.parametrize(("budget", "epochs"), [("11ep", 11), ("10ep", 5), ("5ep", 5), ("4ep", 3)])
def test_a_budget_of_epochs_is_charged_what_was_paid(budget: str, epochs: int) -> None:
    assert nassim.run(halving, "toy/additive", budget, seed=4).epochs == epochs


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_going_on_gives_the_training_that_was_begun(noise: str) -> None:
    benchmark = get_benchmark("nasbench201/digits", noise)
    rng = random.Random(1)
    for _ in range(20):
        arch = benchmark.space.sample(rng)
        first = benchmark.query(Query(arch, 1), rng)
        state = rng.getstate()
        second = benchmark.query(Query(arch, 3, origin=first.training), rng)
        third = benchmark.query(Query(arch, origin=second.training), rng)
        assert rng.getstate() == state
        assert (second.paid_epochs, third.paid_epochs) == (2, 1)
        whole = {r.training: r for r in (benchmark.query(Query(arch), rng) for _ in range(30))}[third.training]
        assert third.value == whole.value
        assert first.cost + second.cost + third.cost == pytest.approx(whole.cost)


def test_a_schedule_of_its_own_is_a_whole_training_again() -> None:
    benchmark = get_benchmark("nasbench201/cifar10")
    arch = benchmark.space.sample(random.Random(0))
    first = benchmark.query(Query(arch), random.Random(1))
    assert first.training.startswith(f"{arch}/")
    again = benchmark.query(Query(arch, origin=first.training), random.Random(1))
    assert again == first and again.paid == benchmark.epochs


def test_what_cannot_be_continued_is_one_line() -> None:
    benchmark = get_benchmark("toy/additive")
    rng = random.Random(0)
    arch, other = benchmark.space.at(0), benchmark.space.at(1)
    first = benchmark.query(Query(arch, 3), rng)
    for query, said in (
        (Query(other, 9, origin=first.training), "cannot go on from a training of"),
        (Query(arch, 3, origin=first.training), "cannot go on to 3"),
        (Query(arch, 1, origin=first.training), "cannot go on to 1"),
        (Query(arch, 9, origin=UNNAMED), "names no training"),
        (Query(arch, 9, origin="a/b/c/d"), "names no training"),
        (Query(arch, 9, origin=f"{arch}/1/{'9' * 400}"), "names no training"),
    ):
        with pytest.raises(InvalidQuery, match=said) as caught:
            benchmark.query(query, rng)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    with pytest.raises(InvalidQuery, match="'wish' is no way to inherit weights: use morph, match, norm, distill"):
        benchmark.query(Query(other, 9, origin=first.training, inherit="wish"), rng)
    with pytest.raises(InvalidQuery, match="without an origin, the training whose"):
        benchmark.query(Query(other, 9, inherit="morph"), rng)


class _Counting:
    """A benchmark that counts how often it was asked."""

    def __init__(self) -> None:
        self.benchmark = get_benchmark("toy/additive", Noise("draw"))
        self.asked = 0
        ask = self.benchmark.query

        def query(query: Query, rng: random.Random) -> object:
            self.asked += 1
            return ask(query, rng)

        self.benchmark.query = query  # type: ignore[method-assign, assignment]


@strategy(family="test", year=2026)
def fours(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from evaluate_all([space.sample(rng) for _ in range(4)])


@pytest.fixture
def counting() -> Iterator[_Counting]:
    yield _Counting()


@pytest.mark.parametrize(("budget", "asked"), [("5q", 5), ("20ep", 2), ("27ep", 3), ("5q,18ep", 2)])
def test_limits_are_looked_at_before_a_query_is_answered(counting: _Counting, budget: str, asked: int) -> None:
    run = nassim.run(fours, counting.benchmark, budget)
    assert counting.asked == len(run.trials) == asked
