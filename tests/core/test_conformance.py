"""Everything registered, and everything broken on purpose, against the public conformance functions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from inspect import signature
from itertools import count, product
from typing import Any

import numpy as np
import pytest

import nassim
from nassim import Architecture, Search, SearchSpace, start, strategy
from nassim.errors import InvalidQuery, MissingData
from nassim.query import Query
from nassim.registry import algorithm_names, benchmark_names, space_names
from nassim.space import Decision
from nassim.strategy import Algorithm
from nassim.testing import check_benchmark, check_space, check_strategy
from nassim.testing.problems import Answers, ThreePoints


def _but_slow(names: list[str], slow: set[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]


@pytest.mark.parametrize("name", _but_slow(space_names(), {"cgp", "cgp-res", "hierarchical"}))
def test_space(name: str) -> None:
    check_space(nassim.get_space(name))


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1"])
@pytest.mark.parametrize("name", benchmark_names())
def test_benchmark(name: str, noise: str) -> None:
    check_benchmark(opened(name, noise))


def opened(name: str, noise: str = "draw") -> nassim.Benchmark:
    """The benchmark; one whose table has to be fetched is checked by the tests of that table."""
    try:
        return nassim.get_benchmark(name, noise)
    except MissingData as error:
        pytest.skip(str(error))


# Strategies that train a supernet need a real one, not these small problems: they have tests of their own.
BLACK_BOX = [n for n in algorithm_names() if "supernet" not in signature(nassim.get_algorithm(n).function).parameters]


@pytest.mark.parametrize("name", _but_slow(BLACK_BOX, {"autokeras", "bananas", "nasnet", "neural_architect", "pnas"}))
def test_strategy(name: str) -> None:
    check_strategy(nassim.get_algorithm(name))


def _repeats(name: str) -> Iterator[nassim.Benchmark]:
    with suppress(InvalidQuery):  # there is no further repeat
        for k in count(1):
            yield opened(name, f"repeat={k}")


@pytest.mark.parametrize("name", benchmark_names())
def test_the_noise_policies_speak_of_the_same_repeats(name: str) -> None:
    """``draw`` gives each repeat that ``repeat=k`` gives, and perhaps one more; ``mean`` gives their mean."""
    draw, mean = opened(name), opened(name, "mean")
    repeats = list(_repeats(name))
    rng = random.Random(0)
    assert repeats
    for _ in range(20):
        query = Query(draw.space.sample(rng))
        drawn = {draw.query(query, rng).value for _ in range(100)}
        assert {repeat.query(query, rng).value for repeat in repeats} <= drawn
        assert mean.query(query, rng).value == pytest.approx(draw.mean_accuracy(query.arch), abs=1e-12)
        # Equal repeats look like one: some count of each value drawn must make the mean.
        counts = [c for c in product(range(1, 4), repeat=len(drawn)) if len(repeats) <= sum(c) <= len(repeats) + 1]
        means = [np.average(list(drawn), weights=c) for c in counts]
        assert np.abs(np.array(means) - draw.mean_accuracy(query.arch)).min() < 1e-12


# -- the checks can fail ----------------------------------------------------------------------------


class OneWay(ThreePoints):
    def neighbors(self, arch: Architecture) -> list[Architecture]:
        return [self.at((self.index(arch) + 1) % 3)]


class Deaf(ThreePoints):
    def parse(self, text: str) -> Architecture:
        return self.at(0)


class Global(ThreePoints):
    def sample(self, rng: random.Random) -> Architecture:
        random.random()
        return super().sample(rng)


class Large(ThreePoints):
    size = 4


class Shrinking(ThreePoints):
    def complexity(self, arch: Architecture) -> int:
        return 5 - arch.choices[0]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (OneWay, "not the reverse"),
        (Deaf, "not three:"),
        (Global, "global random generator"),
        (Large, "index|size"),
        (Shrinking, "complexity"),
    ],
)
def test_broken_spaces_are_caught(broken: type[ThreePoints], message: str) -> None:
    check_space(ThreePoints())
    with pytest.raises(AssertionError, match=message):
        check_space(broken())


TOY = nassim.get_space("toy")


class Cheater(Answers):
    """Right but for what a keyword sets."""

    def __init__(self, **wrong: object) -> None:
        super().__init__("cheater", TOY, lambda arch: 0.1 * arch.choices[0])
        for name, value in wrong.items():
            setattr(self, name, value)

    def query(self, query: Query, rng: random.Random) -> nassim.Result:
        self.space.check(query.arch)
        result = super().query(query, rng)
        return result._replace(**getattr(self, "answer", {}))

    @property
    def has_test(self) -> bool:
        return hasattr(self, "test")

    def optimum(self, metric: str = "valid_accuracy") -> float | None:
        return getattr(self, "known", None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"answer": {"cost": 10.0}}, "costs"),
        ({"answer": {"value": 91.0}}, "fractions"),
        ({"answer": {"value": 0.5}}, "mean_accuracy"),
        ({"answer": {"epochs": 9}}, "says 9 epochs"),
        ({"metrics": ("valid_accuracy", "test_accuracy")}, "never test"),
        ({"metrics": ("accuracy",)}, "split"),
        ({"fidelities": (9, 3)}, "ascend"),
        ({"epochs": 5}, "is not in"),
        ({"test": True}, "another name"),
        ({"known": 0.15}, "best mean 0.2"),
        ({"known": 0.3}, "best mean 0.2"),
        ({"epochs_of": lambda query: 9}, "says 9 epochs|must raise"),
    ],
)
def test_broken_benchmarks_are_caught(wrong: dict[str, object], message: str) -> None:
    check_benchmark(Cheater())
    check_benchmark(Cheater(known=0.2))
    with pytest.raises(AssertionError, match=message):
        check_benchmark(Cheater(**wrong))


@strategy(family="test", year=2020)
def unseeded(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from start(space.at(random.randrange(space.size)))


@strategy(family="test", year=2020)
def by_the_hash(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from start(max((space.sample(rng) for _ in range(9)), key=lambda arch: hash(str(arch))))


@strategy(family="test", year=2020)
def outside(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from start(Architecture(space.name, (7,) * len(space.decisions)))


@strategy(family="test", year=2020)
def same(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from start(space.at(0))


@strategy(family="test", year=2020)
def silent(space: SearchSpace, rng: random.Random) -> Search:
    yield from ()


_seen: list[int] = []


@strategy(family="test", year=2020)
def remembering(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        _seen.append(rng.randrange(space.size))
        yield from start(space.at(sum(_seen) % space.size))


@strategy(family="test", year=2020)
def exploring(space: SearchSpace, rng: random.Random) -> Search:
    while True:
        yield from start(space.sample(rng))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (unseeded, "global random generator|asks for"),
        (by_the_hash, "another process"),
        (outside, "not in toy"),
        (same, "three seeds"),
        (silent, "without asking"),
        (remembering, "replay"),
    ],
)
def test_broken_strategies_are_caught(broken: Algorithm, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_strategy(broken)


@pytest.mark.slow
def test_an_outsiders_strategy_and_space_pass() -> None:
    check_strategy(exploring)
    check_space(SearchSpace("mine", [Decision("a", ("x",)), Decision("b", tuple(map(str, range(12))))]))
