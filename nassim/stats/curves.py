"""Anytime curves: right-continuous steps on simulated seconds, queries or epochs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nassim.stats.finding import Finding
from nassim.stats.samples import Floats, quantiles

AT_ONCE, BLOCK = 100, 2000  # curves from which on they are read together, and how many at a time
DECIMALS = 9  # of a regret; in percentage points the least real difference is that of one image, above 1e-5


class Curve(NamedTuple):
    """What one run had found when: ``value[i]`` holds from ``at[i]`` until ``at[i + 1]``.

    ``at`` ascends, in seconds, queries or epochs; of several values at one time the last counts.
    ``spent``, in the same unit, is what the run used up: its budget where that ended it, else its own
    total. A run without an answer has empty arrays.
    """

    at: Floats
    value: Floats
    spent: float


def regret_curve(at: ArrayLike, values: ArrayLike, best: float, spent: float, factor: float = 100.0) -> Curve:
    """The regret of a run, as `regret_of`, at the times of its incumbents."""
    return Curve(np.asarray(at, dtype=np.float64), regret_of(values, best, factor), float(spent))


def regret_of(values: ArrayLike, best: float, factor: float = 100.0) -> Floats:
    """The best value of the space less the incumbents', times ``factor`` (`Metric.regret_factor`).

    More of a value is better: accuracies are fractions, and their regret is in percentage points; losses are negative,
    and their regret has the unit of the loss. Regret can rise again where the incumbent was chosen by a
    noisy value and is scored by the mean over repeats. It is rounded to 1e-9 points: accuracies that differ by
    rounding dust (3e-16) are equal, so that an optimum counts as reached and equal ends share a rank.
    """
    regret: Floats = np.round(factor * (best - np.asarray(values, dtype=np.float64)), DECIMALS) + 0.0  # no -0
    return regret


def step_values(times: ArrayLike, values: ArrayLike, at: Floats, before: float) -> Floats:
    """A right-continuous step function read at the times ``at``: the last value that was reached.

    ``times`` ascend; ``before`` is the value before the first of them. Never interpolated: between two
    incumbents a search has what it found, no more (house rule g).
    """
    where = np.searchsorted(np.asarray(times, dtype=np.float64), at, side="right")
    return np.concatenate([[before], np.asarray(values, dtype=np.float64)])[where]


def values_at(curves: Sequence[Curve], at: ArrayLike, before: float = np.inf) -> Floats:
    """The values of all runs at the times ``at``, shape (runs, times); ``before`` where there is none yet.

    A run that has ended keeps its last value: see `common_budget` where runs differ in what they had.
    """
    times = np.asarray(at, dtype=np.float64)
    if len(curves) < AT_ONCE or not len(times) or (np.diff(times) < 0).any():
        rows = [step_values(curve.at, curve.value, times, before) for curve in curves]
        return np.stack(rows) if rows else np.empty((0, len(times)))
    values = np.empty((len(curves), len(times)))
    for begin in range(0, len(curves), BLOCK):
        values[begin : begin + BLOCK] = _read_together(curves[begin : begin + BLOCK], times, before)
    return values


def _read_together(curves: Sequence[Curve], times: Floats, before: float) -> Floats:
    """Each change is written where it is first seen, the last of several there, and holds from then on."""
    first = np.searchsorted(times, np.concatenate([curve.at for curve in curves]), side="left")
    row, seen = np.repeat(np.arange(len(curves)), [len(curve.at) for curve in curves]), first < len(times)
    found = np.full((len(curves), 1 + len(times)), before)  # in the first column what was before
    held = np.zeros(found.shape, dtype=np.intp)
    found[row[seen], 1 + first[seen]] = np.concatenate([curve.value for curve in curves])[seen]
    held[row[seen], 1 + first[seen]] = 1 + first[seen]
    np.maximum.accumulate(held, axis=1, out=held)
    values: Floats = np.take_along_axis(found, held, axis=1)[:, 1:]
    return values


def final_values(curves: Sequence[Curve], at: float | None = None) -> Floats:
    """The value of each run at its end, or at one moment; infinite for a run without an answer until then."""
    if at is None:
        return np.array([curve.value[-1] if len(curve.value) else np.inf for curve in curves], dtype=np.float64)
    return values_at(curves, [at])[:, 0]


def common_budget(groups: Iterable[Sequence[Curve]]) -> Finding[float]:
    """The most that every run of every strategy had to spend: where they may be compared."""
    spent = [curve.spent for group in groups for curve in group]
    return Finding(min(spent)) if spent else Finding(None, "there is no run.")


def log_times(curves: Sequence[Curve], count: int = 200, end: float | None = None) -> Floats:
    """``count`` times, evenly on a logarithmic axis, from the first positive change to ``end``.

    ``end`` is by default the most that a run spent. For figures with many runs: a step curve read at
    these times is exact there. Empty where no run has an answer after time 0.
    """
    changes = np.concatenate([curve.at for curve in curves]) if curves else np.empty(0)
    last = max((curve.spent for curve in curves), default=0.0) if end is None else end
    changes = changes[(changes > 0) & (changes <= last)]
    if not changes.size:
        return np.empty(0)
    return np.geomspace(changes.min(), last, count)


class Band(NamedTuple):
    """Curves of several runs at the same times: the share of runs with a value, and quantiles over runs."""

    at: Floats
    reached: Floats
    mean: Floats
    median: Floats
    q25: Floats
    q75: Floats


def band(curves: Sequence[tuple[ArrayLike, ArrayLike]], end: float | None = None) -> Band:
    """Median, quartiles and mean of step curves at every time at which one of them changes.

    ``curves`` holds (times, values) of each run. Before its first value a run counts as infinitely
    bad, so the median appears when half of the runs have a value; the mean when all have. A run that
    has ended keeps its last value. ``end`` adds a last time.
    """
    every = [np.asarray(times, dtype=np.float64) for times, _ in curves]
    at = np.unique(np.concatenate([*every, np.empty(0) if end is None else [end]]))
    if not curves:
        return Band(at, *[np.full(len(at), np.nan)] * 5)
    return _band(at, np.stack([step_values(times, values, at, np.inf) for times, values in curves]))


def band_at(curves: Sequence[Curve], at: ArrayLike) -> Band:
    """`band` at chosen times only, such as those of `log_times`; all NaN where there is no run."""
    times = np.asarray(at, dtype=np.float64)
    if not curves:
        return Band(times, *[np.full(len(times), np.nan)] * 5)
    return _band(times, values_at(curves, times))


def _band(at: Floats, matrix: Floats) -> Band:
    q25, median, q75 = quantiles(matrix, (0.25, 0.5, 0.75))
    return Band(at, np.isfinite(matrix).mean(axis=0), matrix.mean(axis=0), median, q25, q75)


def rises(values: ArrayLike) -> bool:
    """Whether a curve of regret (points, in the order of time) gets worse somewhere; infinities are no answer yet."""
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    return bool((np.diff(x) > 10.0**-DECIMALS).any())


class MeanBand(NamedTuple):
    """Mean and standard deviation (n - 1) over runs at the same times, in the curves' unit."""

    at: Floats
    mean: Floats
    std: Floats


def mean_band(curves: Sequence[Curve], at: ArrayLike) -> MeanBand:
    """Mean and standard deviation of step curves at the times ``at``.

    The mean is infinite until every run has a value; the deviation is NaN until then, and for one run.
    """
    times = np.asarray(at, dtype=np.float64)
    matrix = values_at(curves, times)
    if not len(matrix):
        return MeanBand(times, np.full(len(times), np.nan), np.full(len(times), np.nan))
    std = np.full(len(times), np.nan)
    complete = np.isfinite(matrix).all(axis=0)
    if len(matrix) > 1:
        std[complete] = matrix[:, complete].std(axis=0, ddof=1)
    return MeanBand(times, matrix.mean(axis=0), std)
