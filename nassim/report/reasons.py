"""What is read of a strategy that is brought back: whose child a query is, its probabilities, its acquisition.

Read are, of whatever strategy has them, the variables of its loop:

    parent or current; population, sample    trials: what was changed, who was alive, who took part in the tournament
    policy                                   with ``probabilities``, a row of options for each decision
    mean, deviation, scores; pool            arrays over the candidates: the whole space, or those of ``pool``
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nassim.errors import Unsupported
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.store import RunEnd
from nassim.strategy import Algorithm

NONE = 65535  # in place of a trial's number, where there is none
MOST_SAMPLE = 32  # members of a tournament that are shown
LINEAGE, POLICY, MODEL = {"parent", "current"}, {"policy"}, {"mean", "deviation", "scores"}


class Lineage(NamedTuple):
    """One row a query, numbers of earlier ones from 0, NONE where there is none.

    ``oldest`` and ``alive``: the population is so many queries from that one on; ``dies`` leaves it for the new one.
    """

    parent: list[int]
    oldest: list[int]
    alive: list[int]
    dies: list[int]
    sample: list[list[int]]  # each of at most MOST_SAMPLE


class Chances(NamedTuple):
    """The probability of every option of every decision in a row, at the queries ``at``."""

    at: list[int]
    rows: list[list[float]]


class Promise(NamedTuple):
    """What a model expects along the lines through the asked architecture, at the queries ``at``.

    On each line one decision takes all its options, the lines in a row; a score is NaN where the architecture was
    asked before, all are where it is no candidate. Mean and deviation are in standard deviations of the values seen.
    """

    at: list[int]
    mean: list[list[float]]
    deviation: list[list[float]]
    score: list[list[float]]
    called: str  # what the scores are


Why = Lineage | Chances | Promise


def reader(algorithm: Algorithm, run: RunEnd, space: SearchSpace, queries: int, most: int) -> Reader | None:
    """What reads the state of a loop with these variables; None where nothing is known of them."""
    code = getattr(algorithm.function, "__code__", None)
    names = set() if code is None else {*code.co_varnames, *code.co_cellvars}
    try:
        numbers = queries * sum(space.radices)
    except Unsupported:  # networks that grow have no decisions to draw
        return _Lineage() if names & LINEAGE else None
    if names >= MODEL:
        called = {"ei": "expected improvement", "ucb": "upper confidence bound"}
        return _Promises(
            space, -(-3 * numbers // most), called.get(str(run.hyperparameters.get("acquisition")), "acquisition")
        )
    if names >= POLICY:
        return _Chances(-(-numbers // most))
    return _Lineage() if names & LINEAGE else None


class Reader(ABC):
    found: Why

    @abstractmethod
    def look(self, trials: Sequence[Trial], i: int, names: Mapping[str, Any]) -> None:
        """Read the variables of a search that has asked for trial ``i`` and is not told it yet."""


class _Lineage(Reader):
    def __init__(self) -> None:
        self.found: Lineage = Lineage([], [], [], [], [])
        self._places: dict[int, int] = {}  # of trials, by identity: the search holds those that it was told

    def look(self, trials: Sequence[Trial], i: int, names: Mapping[str, Any]) -> None:
        """Whose child trial ``i`` is, and who is alive."""
        self._places = self._places or {id(trial): k for k, trial in enumerate(trials)}
        parent = self._place(next((names[name] for name in sorted(LINEAGE) if names.get(name) is not None), None))
        oldest = alive = 0
        dies, sample = NONE, []
        population = names.get("population")
        if isinstance(population, Sequence | deque) and population:
            places = [self._place(member) for member in population]
            if places == list(range(places[0], places[0] + len(places))):
                oldest, alive = places[0], len(places)
                if getattr(population, "maxlen", None) == alive:
                    dies = oldest
        if parent != NONE and isinstance(names.get("sample"), Sequence):
            sample = [self._place(member) for member in names["sample"][:MOST_SAMPLE]]
        self.found.parent.append(parent)
        self.found.oldest.append(oldest)
        self.found.alive.append(alive)
        self.found.dies.append(dies)
        self.found.sample.append(sample)

    def _place(self, trial: object) -> int:
        return self._places.get(id(trial), NONE)


class _Chances(Reader):
    def __init__(self, step: int) -> None:
        self.found: Chances = Chances([], [])
        self._step = step

    def look(self, trials: Sequence[Trial], i: int, names: Mapping[str, Any]) -> None:
        """The probabilities that trial ``i`` was drawn with."""
        rows = getattr(names.get("policy"), "probabilities", None)
        if i % self._step == 0 and rows is not None:
            self.found.at.append(i)
            self.found.rows.append([float(p) for row in rows for p in row])


class _Promises(Reader):
    def __init__(self, space: SearchSpace, step: int, called: str) -> None:
        self.found: Promise = Promise([], [], [], [], called)
        self._space, self._step = space, step

    def look(self, trials: Sequence[Trial], i: int, names: Mapping[str, Any]) -> None:
        """What the model expects on the lines through trial ``i``."""
        if i % self._step or any(not isinstance(names.get(name), np.ndarray) for name in MODEL):
            return
        pool = names.get("pool")
        known = None if pool is None else {arch: place for place, arch in enumerate(pool)}
        places = [self._place(arch, known) for arch in _lines(self._space, trials[i].arch)]
        self.found.at.append(i)
        for rows, name in (
            (self.found.mean, "mean"),
            (self.found.deviation, "deviation"),
            (self.found.score, "scores"),
        ):
            values = names[name]
            rows.append([float(values[p]) if p >= 0 and np.isfinite(values[p]) else float("nan") for p in places])

    def _place(self, arch: Architecture, known: Mapping[Architecture, int] | None) -> int:
        if known is not None:
            return known.get(arch, -1)
        return self._space.index(arch) if self._space.is_valid(arch) else -1


def _lines(space: SearchSpace, arch: Architecture) -> list[Architecture]:
    """All options of every decision in turn, the others as they are: neighbors beside each other, and itself."""
    name, c = arch.space, arch.choices
    options = ((i, option) for i, n in enumerate(space.radices) for option in range(n))
    return [Architecture(name, (*c[:i], option, *c[i + 1 :])) for i, option in options]
