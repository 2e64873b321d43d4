"""The contract of a benchmark, and the policy for its noise."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nassim.errors import InvalidQuery, InvalidSetting, Unsupported
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.supernet import Supernets


@dataclass(frozen=True)
class Noise:
    """Which of the recorded repeats of a training answers a query.

    ``draw``: one at random, anew at every query; ``mean``: the mean of all; ``repeat=k``: always the
    k-th, counted from 1.
    """

    kind: str = "draw"
    repeat: int = 0

    @classmethod
    def parse(cls, text: str) -> Noise:
        """Read ``draw``, ``mean`` or ``repeat=k``."""
        word, equals, number = text.strip().partition("=")
        if word in ("draw", "mean") and not equals:
            return cls(word)
        if word == "repeat" and re.fullmatch(r"[0-9]{1,9}", number) and 1 <= int(number) <= 1000:
            return cls("repeat", int(number))
        raise InvalidSetting(f"{text!r:.80} is not a noise policy: use draw, mean or repeat=k (k from 1).")

    def __str__(self) -> str:
        return f"repeat={self.repeat}" if self.kind == "repeat" else self.kind


@dataclass(frozen=True)
class About:
    """What a user must know of a benchmark before quoting it."""

    title: str
    paper: str
    source: str
    licence: str
    citation: str
    splits: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, str] = field(default_factory=dict)  # what a result carries beside accuracy -> its unit
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    sha256: str = ""  # of the data; empty where it is computed by the code


class Benchmark(ABC):
    """One task: a search space and what training each of its architectures gives.

    Subclasses set the attributes below. ``epochs`` is a full training; ``fidelities`` are all epochs
    that can be asked for. Strategies never see a benchmark; only the run does.
    """

    name: str
    space: SearchSpace
    epochs: int
    fidelities: tuple[int, ...]
    metrics: tuple[str, ...] = ("valid_accuracy",)
    noise: Noise = Noise()
    about: About
    test_source: str = ""  # what the user can do to get a test split, where there is none
    epochs_source: str = ""  # what the user can do to get further epochs
    supernets: Supernets | None = None  # where runs of weight-sharing strategies come from
    search_metric: str = "valid_accuracy"  # what answers queries; the test accuracy only where the name says so
    cost_unit: str = "seconds"  # of `Result.cost`, hence of the clock; another one where costs are declared
    search_epochs: int | None = None  # of a query that names none, under a protocol; None: a full training

    @abstractmethod
    def query(self, query: Query, rng: random.Random) -> Result:
        """Answer a query; ``rng`` draws the recorded repeat. Raise `InvalidQuery` for unknown epochs."""

    @abstractmethod
    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """Mean over the repeats after a full training, as a fraction. Only the run calls it."""

    def optimum(self, metric: str = "valid_accuracy") -> float | None:
        """The best `mean_accuracy` of the space, or None where it is not known."""
        return None

    @property
    def has_test(self) -> bool:
        """Whether there is a test split."""
        return False

    def test_accuracy(self, arch: Architecture) -> float:
        """Mean test accuracy over the repeats after a full training, as a fraction. Only the run calls it."""
        if not self.has_test:
            raise Unsupported(f"{self.name} has no test split. {self.test_source}".rstrip())
        return self.mean_accuracy(arch, "test_accuracy")

    @property
    def regret_metric(self) -> str:
        """The split that regret is taken on: test where there is one, else validation."""
        return "test_accuracy" if self.has_test else "valid_accuracy"

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of a query that names no epochs, over architectures of the space (for plans and axes)."""
        rng = random.Random("typical cost")
        sample = [self.space.sample(rng) for _ in range(200)]
        return sum(self.query(Query(arch), rng).cost for arch in sample) / len(sample)

    def epochs_of(self, query: Query) -> int:
        """The epochs a query means, checked; also checks its metric."""
        if query.metric not in self.metrics:
            hint = " The test split is for reporting only." if query.metric.startswith("test") else ""
            raise InvalidQuery(f"{self.name} answers {', '.join(self.metrics)}, not {query.metric!r}.{hint}")
        if query.epochs is None:
            return self.search_epochs or self.epochs
        return self.check_epochs(query.epochs)

    def check_epochs(self, epochs: int) -> int:
        """Return ``epochs``; `InvalidQuery` if there are no results after them."""
        if epochs not in self.fidelities:
            known = ", ".join(map(str, self.fidelities))
            text = f"{self.name} has results after {known} epochs, not after {epochs}. {self.epochs_source}"
            raise InvalidQuery(text.rstrip())
        return epochs
