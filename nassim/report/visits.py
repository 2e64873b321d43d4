"""What the strategies tried: the architectures of every run, and all trials of one typical run of each strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nassim.packing import TrialRow
from nassim.report.analysis import Analysis
from nassim.report.runs import Part
from nassim.store import RunEnd

MOST_RUNS = 2000  # of a strategy on a benchmark, whose trials are read: fronts of more say the same
MOST_TRIALS, FEWEST_TRIALS = 2000, 100  # of a typical run; of more, evenly spread ones
TRIAL_BYTES, BYTES_EACH = 1_500_000, 40  # of all typical runs in the page


class Tried(NamedTuple):
    """One trial: when it finished on each axis, and the value that the strategy saw."""

    seconds: float
    queries: int
    epochs: int
    value: float
    architecture: str


class Visits:
    """The trials of a study, read once; of a strategy with more than `MOST_RUNS` runs, those of evenly spread ones.

    ``read`` says how many runs of how many, where they are not all.

    ``architectures`` lists a benchmark's distinct ones; ``of`` gives their places in the order in which a run tried
    them; ``trials`` are those of a strategy's typical run, ``rows`` all of them as the study keeps them.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.architectures: dict[str, list[str]] = {part.name: [] for part in analysis.parts}
        self.of: dict[tuple[str, str], dict[int, list[int]]] = {}
        self.trials: dict[tuple[str, str], list[Tried]] = {}
        self.rows: dict[tuple[str, str], list[TrialRow]] = {}
        known: dict[str, dict[str, int]] = {part.name: {} for part in analysis.parts}
        wanted = {(part.name, s): run.seed for part in analysis.parts for s, run in typical_runs(part).items()}
        spent: dict[tuple[str, str], int] = {}
        of, self.read = _some(analysis, wanted)
        for benchmark, strategy, seed, _, row in analysis.study.trials(of):
            key, places = (benchmark, strategy), known[benchmark]
            place = places.setdefault(row.architecture, len(places))
            self.of.setdefault(key, {}).setdefault(seed, []).append(place)
            if seed == wanted[key]:
                spent[key] = spent.get(key, 0) + row.paid
                trials = self.trials.setdefault(key, [])
                trials.append(Tried(row.finished_seconds, len(trials) + 1, spent[key], row.value, row.architecture))
                self.rows.setdefault(key, []).append(row)
        for name, places in known.items():
            self.architectures[name] = list(places)
        each = sum(BYTES_EACH + len(trials[0].architecture) for trials in self.trials.values())
        most = TRIAL_BYTES // max(1, each)
        for trials in self.trials.values():
            trials[:] = _thinned(trials, max(FEWEST_TRIALS, min(MOST_TRIALS, most)))


def _some(analysis: Analysis, typical: Mapping[tuple[str, str], int]) -> tuple[set[int] | None, str]:
    """The ids of the runs whose trials are read (None: all), and in words how many that are."""
    of: set[int] = set()
    most = few = 0
    for part in analysis.parts:
        for strategy, runs in part.runs.items():
            step = math.ceil(len(runs) / MOST_RUNS)
            kept = runs[::step]
            of.update(run.id for run in kept)
            of.update(run.id for run in runs if run.seed == typical[part.name, strategy])
            if step > 1:
                most, few = max(most, len(runs)), max(few, len(kept))
    return (of, f"{few:,} of {most:,}") if most else (None, "")


def typical_runs(part: Part) -> dict[str, RunEnd]:
    """Of each strategy the run whose final regret is the (lower) median: of equal ones, that of the smallest seed."""
    return {strategy: _typical(part.runs[strategy], regrets) for strategy, regrets in part.final_regrets().items()}


def _typical(runs: Sequence[RunEnd], regrets: Mapping[int, float]) -> RunEnd:
    order = sorted(runs, key=lambda run: (regrets[run.seed], run.seed))
    middle = regrets[order[(len(order) - 1) // 2].seed]
    return next(run for run in order if regrets[run.seed] == middle or math.isnan(middle))


def _thinned(trials: Sequence[Tried], most: int) -> list[Tried]:
    step = math.ceil(len(trials) / most) or 1
    return list(trials[::step])
