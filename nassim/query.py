"""What crosses the border between a strategy and a benchmark: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nassim.space import Architecture

# Named tuples and not dataclasses: a frozen dataclass of five fields costs three times as much to make,
# and a comparison makes millions of trials.

make = (
    tuple.__new__
)  # make(Trial, (...)) skips the Python function behind Trial(...): half its time, for the inner loop

# How a training begins with another one's weights: `nassim.morphs.inherited` says what each passes on.
WAYS = ("morph", "match", "norm", "distill")
UNNAMED = "unnamed"  # the origin that is a training to which its benchmark gave no name


class Query(NamedTuple):
    """A strategy's request: train ``arch`` for ``epochs`` (None: the benchmark's full training).

    With an ``origin``, the name of an earlier training (`Result.training`), it begins from that one: the same
    architecture continues; another one, or one that begins anew with those weights, says how it inherits them.
    """

    arch: Architecture
    epochs: int | None = None
    metric: str | None = None  # None: what the benchmark answers by
    origin: str = ""
    inherit: str = ""  # morph, match, norm or distill; empty: the training of `origin` goes on


class Result(NamedTuple):
    """A benchmark's answer. There is no test field: a strategy cannot see the test split."""

    value: float  # the metric, more is better; accuracies are fractions
    epochs: int  # epochs that this value was reached after
    cost: float  # seconds of training and validation that were paid
    extras: Mapping[str, float]  # parameters, flops, latency, ... where the benchmark has them
    training: str = ""  # names this training, so that another query can begin from it
    paid_epochs: int = -1  # epochs that were trained for this answer; -1: all of them

    @property
    def paid(self) -> int:
        """The epochs that a budget is charged."""
        return self.epochs if self.paid_epochs < 0 else self.paid_epochs


class Trial(NamedTuple):
    """A query, its result, and when it ran on the simulated clock (seconds)."""

    query: Query
    result: Result
    started: float
    finished: float
    worker: int

    @property
    def arch(self) -> Architecture:
        """The architecture that was trained."""
        return self.query.arch

    @property
    def value(self) -> float:
        """The metric's value."""
        return self.result.value


class Batch(NamedTuple):
    """Queries handed out together; ``wait`` says whether for all of them or for a free worker only."""

    queries: tuple[Query, ...]
    wait: bool = True


class Report(NamedTuple):
    """ "I worked ``cost`` seconds by myself; now I would answer ``arch``" (one-shot strategies)."""

    arch: Architecture
    cost: float
    scores: tuple[tuple[float, ...], ...] = ()  # of every option of every decision, where the strategy has such
    seen: tuple[tuple[str, float], ...] = ()  # what was measured beside the search, by name: nothing depends on it
