"""Toy benchmarks for tests, doctests and first steps. Synthetic: no network was trained for them.

Four decisions of three options (81 architectures): option 0 is "off". ``additive``: every decision adds
its own gain; ``deceptive``: the best architecture is surrounded by poor ones. Three "repeats" per
architecture, epochs 1, 3 and 9; ten seconds an epoch and a little more for larger architectures.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping
from functools import cache

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import InvalidQuery
from nassim.query import Query, Result
from nassim.space import Architecture, Decision, Graph, SearchSpace

TASKS = ("additive", "deceptive")
REPEATS = 3
FIDELITIES = (1, 3, 9)
GAINS = ((0.00, 0.09, 0.05), (0.00, 0.03, 0.08), (0.00, 0.06, 0.02), (0.00, 0.01, 0.07))


class ToySpace(SearchSpace):
    """A chain of four optional layers, each off, narrow or wide."""

    def __init__(self) -> None:
        super().__init__("toy", [Decision(f"layer{i}", ("off", "narrow", "wide")) for i in range(4)])

    def graph(self, arch: Architecture) -> Graph:
        names = [d.options[c] for d, c in zip(self.decisions, arch.choices, strict=True)]
        return Graph(tuple("01234"), tuple((i, i + 1, name) for i, name in enumerate(names)))

    def smallest(self) -> list[Architecture]:
        return [Architecture(self.name, (0, 0, 0, 0))]

    def grow(self, arch: Architecture) -> list[Architecture]:
        return [a for a in self.neighbors(arch) if self.complexity(a) == self.complexity(arch) + 1]

    def complexity(self, arch: Architecture) -> int:
        return sum(c > 0 for c in arch.choices)


SPACE = ToySpace()


class Toy(Benchmark):
    """A synthetic task on `ToySpace`."""

    space = SPACE
    epochs = 9
    fidelities = FIDELITIES
    has_test = True
    continues = True

    def __init__(self, task: str, noise: Noise) -> None:
        self.name = f"toy/{task}"
        self.task = task
        self.noise = noise
        self.about = About(
            title=f"toy benchmark, {task} (synthetic)",
            paper="none",
            source="computed by nassim; no network was trained",
            licence="MIT",
            citation="none: not for publication",
            splits={"valid_accuracy": "synthetic, three repeats", "test_accuracy": "synthetic, mean of repeats"},
            extras={"parameters": "made up"},
            synthetic=True,
        )
        if noise.kind == "repeat" and noise.repeat > REPEATS:
            raise InvalidQuery(f"{self.name} has {REPEATS} repeats, there is no repeat={noise.repeat}.")

    def query(self, query: Query, rng: random.Random) -> Result:
        epochs = self.epochs_of(query)
        self.space.check(query.arch)
        begun = self.begins_from(query)
        if begun is not None:
            repeat = begun[0]
        elif self.noise.kind == "draw":
            repeat = str(1 + int(rng.random() * REPEATS))
        else:
            repeat = "mean" if self.noise.kind == "mean" else str(self.noise.repeat)
        value = _value(self.task, query.arch, epochs, repeat)
        seconds, paid = 10.0 + sum(query.arch.choices), epochs - (begun[1] if begun else 0)
        return Result(value, epochs, paid * seconds, self.measure(query.arch), f"{query.arch}/{repeat}/{epochs}", paid)

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        return {"parameters": 1000.0 * sum(arch.choices)}

    def cheapest_cost(self, epochs: int | None = None) -> float:
        return 10.0 * (epochs or self.search_epochs or self.epochs)

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        shift = -0.01 if metric == "test_accuracy" else 0.0
        return _mean(self.task, arch, self.epochs) + shift

    def optimum(self, metric: str = "valid_accuracy") -> float:
        return _best(self.task) + (-0.01 if metric == "test_accuracy" else 0.0)


def load(task: str, noise: Noise) -> Toy:
    """The toy benchmark of a task."""
    return Toy(task, noise)


def _accuracy(task: str, arch: Architecture, epochs: int, repeat: int) -> float:
    gain = sum(row[c] for row, c in zip(GAINS, arch.choices, strict=True))
    if task == "deceptive" and arch.choices == (1, 2, 1, 1):
        gain += 0.1
    elif task == "deceptive":
        gain -= 0.02 * sum(a == b for a, b in zip(arch.choices, (1, 2, 1, 1), strict=True))
    learned = 1.0 - 0.5 / epochs
    digest = hashlib.sha256(f"{task}/{arch}/{epochs}/{repeat}".encode()).digest()
    noise = (digest[0] - 127.5) / 127.5 * 0.01 / math.sqrt(epochs)
    return 0.5 + learned * gain + noise


def _value(task: str, arch: Architecture, epochs: int, repeat: str) -> float:
    return _mean(task, arch, epochs) if repeat == "mean" else _accuracy(task, arch, epochs, int(repeat) - 1)


def _mean(task: str, arch: Architecture, epochs: int) -> float:
    return sum(_accuracy(task, arch, epochs, repeat) for repeat in range(REPEATS)) / REPEATS


@cache
def _best(task: str) -> float:
    return max(_mean(task, arch, FIDELITIES[-1]) for arch in SPACE.architectures())
