"""The contract of a benchmark, and the policy for its noise."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidQuery, InvalidSetting, Unsupported
from nassim.metric import ACCURACY, Metric
from nassim.query import WAYS, Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.supernet import Supernets

MOST_LISTED = 50_000  # architectures that are looked at one by one
Columns = tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]  # what is measured of all, mean values by metric


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
    surrogate: str = ""  # where values are predictions: fitted to what; empty where they were measured
    learned: tuple[float, float] | None = None  # least and largest value that such a surrogate was fitted to


class Benchmark(ABC):
    """One task: a search space and what training each of its architectures gives.

    Subclasses set the attributes below. ``epochs`` is a full training; ``fidelities`` are all epochs
    that can be asked for. Strategies never see a benchmark; only the run does.
    """

    name: str
    space: SearchSpace
    epochs: int
    fidelities: tuple[int, ...]
    metric: Metric = ACCURACY  # what trainings are judged by
    metrics: tuple[str, ...] = ("valid_accuracy",)
    noise: Noise = Noise()
    about: About
    test_source: str = ""  # what the user can do to get a test split, where there is none
    epochs_source: str = ""  # what the user can do to get further epochs
    supernets: Supernets | None = None  # where runs of weight-sharing strategies come from
    search_metric: str = "valid_accuracy"  # what answers queries; that on test only where the name says so
    continues: bool = False  # whether a shorter training is the beginning of a longer one, so that it can go on
    inherits: bool = False  # whether a training can begin with another one's weights; else it is one from scratch
    trains: bool = False  # whether answers are trainings made now: looking one up costs nothing, asking does
    device: str = "auto"  # where such trainings are made: auto, cpu, cuda or mps
    cost_unit: str = "seconds"  # of `Result.cost`, hence of the clock; another one where costs are declared
    search_epochs: int | None = None  # of a query that names none, under a protocol; None: a full training

    @abstractmethod
    def query(self, query: Query, rng: random.Random) -> Result:
        """Answer a query; ``rng`` draws the recorded repeat. Raise `InvalidQuery` for unknown epochs."""

    @abstractmethod
    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """Mean value of the metric over the repeats after a full training: more is better, accuracies are fractions.

        ``metric`` is `Metric.on` of a split; the default is that on validation, whatever is measured. Only the run
        calls it.
        """

    def optimum(self, metric: str = "valid_accuracy") -> float | None:
        """The best `mean_accuracy` of the space, or None where it is not known."""
        return None

    @property
    def has_test(self) -> bool:
        """Whether there is a test split."""
        return False

    def test_accuracy(self, arch: Architecture) -> float:
        """Mean value of the metric on the test split after a full training. Only the run calls it."""
        if not self.has_test:
            raise Unsupported(f"{self.name} has no test split. {self.test_source}".rstrip())
        return self.mean_accuracy(arch, self.metric.on("test"))

    @property
    def regret_metric(self) -> str:
        """What regret is taken on: the metric on test where there is such a split, else on validation."""
        return self.metric.on("test" if self.has_test else "valid")

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of a query that names no epochs, over architectures of the space (for plans and axes)."""
        rng = random.Random("typical cost")
        sample = [self.space.sample(rng) for _ in range(200)]
        return sum(self.query(Query(arch), rng).cost for arch in sample) / len(sample)

    def cheapest_cost(self, epochs: int | None = None) -> float | None:
        """The least cost of a training in the space, for ``epochs`` (None: of a query that names none).

        None where it is not known, as where it would have to be trained.
        """
        return None

    def epochs_of(self, query: Query) -> int:
        """The epochs a query means, checked; also checks its metric, and the word for how it inherits."""
        if query.inherit and query.inherit not in WAYS:
            raise InvalidQuery(f"inherit={query.inherit!r:.40} is no way to inherit weights: use {', '.join(WAYS)}.")
        if query.inherit and not query.origin:
            raise InvalidQuery(f"inherit={query.inherit} without an origin, the training whose weights are meant.")
        if query.metric is not None and query.metric not in self.metrics:
            hint = " The test split is for reporting only." if query.metric.startswith("test") else ""
            raise InvalidQuery(f"{self.name} answers {', '.join(self.metrics)}, not {query.metric!r}.{hint}")
        if query.epochs is None:
            return self.search_epochs or self.epochs
        return self.check_epochs(query.epochs)

    def begins_from(self, query: Query) -> tuple[str, int] | None:
        """(repeat, epochs) of the training that a query continues; None where it is a whole training again.

        For benchmarks that name their trainings ``architecture/repeat/epochs``. `InvalidQuery` for an origin that
        cannot be continued to what is asked. One whose weights would be inherited is never continued.
        """
        wanted = self.epochs_of(query)
        if not self.continues or not query.origin or query.inherit:
            return None
        arch, repeat, epochs = (*query.origin.rsplit("/", 2), "", "")[:3]
        if not (epochs.isascii() and epochs.isdigit() and len(epochs) < 10):
            raise InvalidQuery(f"{self.name}: {query.origin!r:.100} names no training of it.")
        if arch != str(query.arch):
            raise InvalidQuery(f"{self.name}: {query.arch} cannot go on from a training of {arch:.100}.")
        if wanted <= int(epochs):
            raise InvalidQuery(
                f"{self.name}: a training of {epochs} epochs cannot go on to {wanted}: ask for more than it had."
            )
        return repeat, int(epochs)

    def epochs_to_pay(self, query: Query) -> int:
        """The epochs that answering a query would train, known before it is answered."""
        wanted = self.epochs_of(query)
        begun = self.begins_from(query)
        return wanted if begun is None else wanted - begun[1]

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        """What is known of an architecture without training it (parameters, FLOPs, latency ...): exact, free.

        Never an accuracy; the names and units are those of ``about.extras``. By default nothing is known.
        """
        return {}

    def columns(self, name: str, metrics: Sequence[str]) -> Columns | None:
        """Of all architectures what is measured under a name (NaN where it is not), and mean values by metric.

        For what is exact over a whole space, such as the best that keeps to a limit. None where it is too large.
        """
        if self.space.size > MOST_LISTED or not self.space.enumerable:
            return None
        archs = list(self.space.architectures())
        bounded = np.array([self.measure(arch).get(name, np.nan) for arch in archs], dtype=np.float64)
        return bounded, {m: np.array([self.mean_accuracy(arch, m) for arch in archs]) for m in metrics}

    def job(self, query: Query, rng: random.Random) -> Callable[[], Result]:
        """A query with its random draws made: what it returns gives the result, here or in another process.

        By default the answer is looked up now; where answering takes long (training), the job does the work.
        """
        return partial(_known, self.query(query, rng))

    def own_accuracies(self, training: str) -> tuple[float, float] | None:
        """Validation and test accuracy of a training that inherited weights, by its name; None for any other.

        Its architecture trained from scratch is another network, so that means over repeats say nothing of it. Only
        the run calls it.
        """
        return None

    def move(self, device: str) -> None:
        """Train there from now on; for a benchmark that trains nothing it means nothing."""
        self.device = device

    def devices(self) -> Sequence[Mapping[str, str]]:
        """What can train here at the same time: for each, the environment of a process that has it for itself."""
        return ()

    def check_epochs(self, epochs: int) -> int:
        """Return ``epochs``; `InvalidQuery` if there are no results after them."""
        if epochs not in self.fidelities:
            known = ", ".join(map(str, self.fidelities))
            text = f"{self.name} has results after {known} epochs, not after {epochs}. {self.epochs_source}"
            raise InvalidQuery(text.rstrip())
        return epochs


def _known(result: Result) -> Result:
    return result
