"""Small problems that trip careless strategies."""

from __future__ import annotations

import random
from collections.abc import Callable

from nassim.benchmark import About, Benchmark
from nassim.query import Query, Result
from nassim.space import Architecture, Decision, Graph, SearchSpace


class ThreePoints(SearchSpace):
    """The smallest space in which there is something to find."""

    def __init__(self) -> None:
        super().__init__("three", [Decision("only", ("off", "narrow", "wide"))])

    def graph(self, arch: Architecture) -> Graph:
        return Graph(("in", "out"), ((0, 1, self.decisions[0].options[arch.choices[0]]),))

    def smallest(self) -> list[Architecture]:
        return [self.at(0)]

    def grow(self, arch: Architecture) -> list[Architecture]:
        return [self.at(1), self.at(2)] if arch.choices == (0,) else []

    def complexity(self, arch: Architecture) -> int:
        return int(arch.choices[0] > 0)


class Answers(Benchmark):
    """A noiseless benchmark whose accuracy is a function of the architecture; ten seconds an epoch."""

    epochs = 9
    fidelities = (1, 3, 9)

    def __init__(self, name: str, space: SearchSpace, accuracy: Callable[[Architecture], float]) -> None:
        self.name = name
        self.space = space
        self.about = About(name, "none", "computed by nassim", "MIT", "none", synthetic=True)
        self._accuracy = accuracy

    def query(self, query: Query, rng: random.Random) -> Result:
        epochs = self.epochs_of(query)
        return Result(self._accuracy(query.arch), epochs, 10.0 * epochs, {})

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        return self._accuracy(arch)
