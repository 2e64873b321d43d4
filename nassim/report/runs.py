"""The runs of a study on one benchmark, as curves on simulated seconds, queries or epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from nassim.clock import Budget
from nassim.facts import Facts
from nassim.stats import Curve, common_budget, entrants
from nassim.stats.curves import regret_of
from nassim.stats.samples import Floats
from nassim.store import RunEnd
from nassim.summary import SPLITS, accuracy

AXES = ("seconds", "queries", "epochs")
SPLIT_NAMES = {"valid": "validation", "test": "test"}


class Clock(NamedTuple):
    """What a benchmark's clock counts: in words, as a unit behind a number, and as the title of an axis."""

    words: str
    unit: str
    title: str


SECONDS = Clock("simulated seconds", "s", "simulated time [s]")


class Reference(NamedTuple):
    """The value that regret is measured from, of accuracy a fraction.

    ``known``: it is the best mean value of the space; else the best that this study found.
    """

    value: float
    known: bool


class Source(Protocol):
    """What has runs: a finished study, or one that is being followed."""

    settings: dict[str, Any]
    facts: dict[str, Facts]

    @property
    def strategies(self) -> list[str]: ...

    def of(self, benchmark: str, strategy: str) -> list[RunEnd]: ...


class Part:
    """One benchmark of a study: its facts, its strategies and their runs.

    ``references`` holds the splits that have results, ``lacking`` the others with the reason; ``clock`` says what
    its times are, where they are not seconds the costs that the benchmark declares.
    """

    def __init__(self, study: Source, name: str) -> None:
        self.name = name
        self.facts: Facts = study.facts[name]
        self.metric = self.facts.metric
        self.workers = int(study.settings["workers"])
        self.budget = Budget.parse(str(study.settings["budget"]))
        cost = self.facts.cost_unit
        self.clock = SECONDS if cost == "seconds" else Clock(cost, cost, self.facts.time_axis)
        self.strategies = [s for s in study.strategies if study.of(name, s)]
        self.runs = {s: study.of(name, s) for s in self.strategies}
        self.references: dict[str, Reference] = {}
        self.lacking: dict[str, str] = {}
        for split in SPLITS:
            found = [accuracy(p, split) for runs in self.runs.values() for run in runs for p in run.curve]
            seen = [value for value in found if value is not None and not math.isnan(value)]
            best = self.facts.best(split)
            if not seen:
                any_answer = any(run.curve for runs in self.runs.values() for run in runs)
                why = f"no {SPLIT_NAMES[split]} split in this source" if any_answer else "no run has an answer"
                self.lacking[split] = f"{name}: {why}."
            else:
                self.references[split] = Reference(max(seen) if best is None else best, best is not None)
        wanted = self.facts.regret_split
        self.split = wanted if wanted in self.references else next(iter(self.references), wanted)
        self._regrets: dict[str, dict[str, list[Floats]]] = {}  # by split and strategy: the same on every axis
        self._kept: dict[str, dict[str, list[Curve]]] = {}  # the curves on the part's split, by axis: most ask for them

    @property
    def split_name(self) -> str:
        """The split that regret is taken on, in words."""
        return SPLIT_NAMES[self.split]

    @property
    def regret_name(self) -> str:
        """The regret in words: "test regret", "validation loss regret"."""
        return f"{self.split_name} {self.difference}"

    @property
    def difference(self) -> str:
        """What stands where regret does: of predictions no best is known, so that there is no regret."""
        reference = self.references.get(self.split)
        predicted = self.facts.surrogate and reference is not None and not reference.known
        return "gap to the highest prediction found" if predicted else self.metric.regret_name

    @cached_property
    def exponent(self) -> int:
        """The power of ten of the regret that counts as none (`Metric.regret_exponent`)."""
        curves = self.curves("seconds", self.split).values()
        seen = [float(value) for group in curves for c in group for value in c.value if math.isfinite(value)]
        return self.metric.regret_exponent(max(seen, default=0.0))

    @property
    def floor(self) -> float:
        """The regret that counts as none: 0.01 percentage points."""
        return float(f"1e{self.exponent}")

    def mode(self, strategy: str) -> str:
        """Where a strategy's runs come from: black-box, live, recorded or proxy."""
        return " and ".join(dict.fromkeys(run.mode for run in self.runs[strategy]))

    def curves(self, axis: str, split: str) -> dict[str, list[Curve]]:
        """The regret of every run in the metric's unit (percentage points); empty for a split without results.

        A strategy that made no queries (one that shares weights) has no curve on queries or epochs: it is left out.
        """
        reference = self.references.get(split)
        if reference is None:
            return {}
        if split == self.split and axis in self._kept:
            return dict(self._kept[axis])
        if split not in self._regrets:
            self._regrets[split] = {
                strategy: [self._regret(run, split, reference.value) for run in runs]
                for strategy, runs in self.runs.items()
            }
        found = {
            strategy: [
                Curve(_axis(run, axis, split), regret, spent(run, axis, self.budget))
                for run, regret in zip(self.runs[strategy], regrets, strict=True)
            ]
            for strategy, regrets in self._regrets[split].items()
            if axis == "seconds" or not counts_nothing(self.runs[strategy])
        }
        if split == self.split:
            self._kept[axis] = dict(found)
        return found

    def _regret(self, run: RunEnd, split: str, best: float) -> Floats:
        values = [value for p in run.curve if (value := accuracy(p, split)) is not None]
        return regret_of(values, best, self.metric.regret_factor)

    def blocks(self, axis: str, split: str) -> tuple[dict[str, list[Curve]], str]:
        """The curves of those who can be ranked, the i-th of all of the same seed; and in words who is left out."""
        curves = self.curves(axis, split)
        seeds = {s: {run.seed: curve for run, curve in zip(self.runs[s], curves[s], strict=True)} for s in curves}
        who = entrants({self.name: seeds})
        common = sorted(set.intersection(*(set(seeds[s]) for s in who.strategies))) if who.strategies else []
        lacks = [f"{s} ({why})" for s, why in who.left_out.items()]
        note = f"Left out of the ranks: {', '.join(lacks)}." if lacks else ""
        if who.uneven:
            note = f"Seeds differ: the ranks are over the {len(common)} that all strategies have."
        return {s: [seeds[s][seed] for seed in common] for s in who.strategies}, note

    def equal_time(self) -> float | None:
        """The simulated time that every run had, where strategies differ in it by more than a percent."""
        curves = self.curves("seconds", self.split)
        least = common_budget(curves.values()).value
        most = max((c.spent for group in curves.values() for c in group), default=0.0)
        return least if least is not None and len(curves) > 1 and 0 < least < 0.99 * most else None

    def open_times(self) -> dict[str, float]:
        """strategy -> mean simulated time, where a budget of queries on several workers leaves it open."""
        if self.workers == 1 or self.budget.seconds < math.inf:
            return {}
        return {s: sum(run.seconds for run in runs) / len(runs) for s, runs in self.runs.items()}

    def final_regrets(self) -> dict[str, dict[int, float]]:
        """strategy -> seed -> final regret on the part's split in the metric's unit; infinite without an answer."""
        curves = self.curves("seconds", self.split)
        return {
            strategy: {
                run.seed: float(curve.value[-1]) if len(curve.value) else math.inf
                for run, curve in zip(runs, curves.get(strategy, _nothing(runs)), strict=True)
            }
            for strategy, runs in self.runs.items()
        }


def _axis(run: RunEnd, axis: str, split: str) -> Floats:
    """Where a run's incumbents stand that have a value on a split."""
    return np.array([getattr(p, axis) for p in run.curve if accuracy(p, split) is not None], dtype=np.float64)


def counts_nothing(runs: Sequence[RunEnd]) -> bool:
    """Whether a strategy answered without a single query: its work shows on the clock alone."""
    return any(run.curve for run in runs) and all(run.trials == 0 for run in runs)


def spent(run: RunEnd, axis: str, budget: Budget) -> float:
    """What a run used up on an axis: the budget where that ended it, else its own total."""
    if axis == _ended_by(run, budget):
        limit = {"seconds": budget.seconds, "queries": budget.queries, "epochs": budget.epochs}[axis]
        return float(limit or 0)
    return float({"seconds": run.seconds, "queries": run.trials, "epochs": run.epochs}[axis])


def _ended_by(run: RunEnd, budget: Budget) -> str:
    """The axis whose limit ended a run; empty where none did, or where it may have been either of two."""
    if run.stopped != "budget":
        return ""
    if run.trials == budget.queries:
        return "queries"
    limits = ["seconds"] * (budget.seconds < math.inf) + ["epochs"] * (budget.epochs is not None)
    return limits[0] if len(limits) == 1 else ""


def budget_in_words(budget: Budget, runs: Sequence[RunEnd], clock: Clock = SECONDS) -> str:
    """What runs had to spend: "150 queries", or their own end where the strategy stopped by itself."""
    if runs and all(run.stopped == "finished" for run in runs):
        mean = sum(run.seconds for run in runs) / len(runs)
        return f"{mean:,.0f} {clock.words} (its own end)"
    parts = []
    if budget.seconds < math.inf:
        parts.append(f"{budget.seconds:,.0f} {clock.words}")
    if budget.queries is not None:
        parts.append(f"{budget.queries:,} queries")
    if budget.epochs is not None:
        parts.append(f"{budget.epochs:,} epochs")
    return " or ".join(parts)


def _nothing(runs: Sequence[RunEnd]) -> list[Curve]:
    empty = np.empty(0)
    return [Curve(empty, empty, run.seconds) for run in runs]
