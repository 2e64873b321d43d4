"""Statistics of anytime performance: pure functions on arrays, each with its source and its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Summary(NamedTuple):
    """Location and spread of a sample, in the sample's unit."""

    n: int
    mean: float
    std: float  # of the sample (n - 1); NaN for one value
    median: float
    q25: float
    q75: float
    iqr: float
    iqm: float


def summarize(values: ArrayLike) -> Summary:
    """Mean, standard deviation, median, quartiles and interquartile mean of a sample.

    Quartiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996).
    """
    x = np.asarray(values, dtype=np.float64)
    q25, median, q75 = (float(q) for q in np.quantile(x, [0.25, 0.5, 0.75]))
    std = float(x.std(ddof=1)) if x.size > 1 else float("nan")
    return Summary(x.size, float(x.mean()), std, median, q25, q75, q75 - q25, interquartile_mean(x))


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half: the lowest and the highest floor(n/4) values are left out.

    Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
    which takes SciPy's 25 % trimmed mean; this is the same estimate.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    cut = x.size // 4
    return float(x[cut : x.size - cut].mean())


def step_values(times: Sequence[float], values: Sequence[float], at: Floats, before: float) -> Floats:
    """A right-continuous step function read at the times ``at``: the last value that was reached.

    ``times`` ascend; ``before`` is the value before the first of them. Never interpolated: between two
    incumbents a search has what it found, no more (house rule g).
    """
    where = np.searchsorted(np.asarray(times, dtype=np.float64), at, side="right")
    return np.concatenate([[before], np.asarray(values, dtype=np.float64)])[where]


class Band(NamedTuple):
    """Curves of several runs at the same times: the share of runs with a value, and quantiles over runs."""

    at: Floats
    reached: Floats
    mean: Floats
    median: Floats
    q25: Floats
    q75: Floats


def band(curves: Sequence[tuple[Sequence[float], Sequence[float]]], end: float | None = None) -> Band:
    """Median, quartiles and mean of step curves at every time at which one of them changes.

    ``curves`` holds (times, values) of each run. Before its first value a run counts as infinitely
    bad, so the median appears when half of the runs have a value; the mean when all have. A run that
    has ended keeps its last value. ``end`` adds a last time.
    """
    every = np.concatenate([np.asarray(times, dtype=np.float64) for times, _ in curves])
    at = np.unique(every if end is None else np.append(every, end))
    matrix = np.stack([step_values(times, values, at, np.inf) for times, values in curves])
    reached = np.isfinite(matrix).mean(axis=0)
    q25, median, q75 = _quantiles(matrix, (0.25, 0.5, 0.75))
    return Band(at, reached, matrix.mean(axis=0), median, q25, q75)


def _quantiles(matrix: Floats, levels: tuple[float, ...]) -> list[Floats]:
    """Type 7 quantiles over the rows, with infinities: an interpolation that touches one is infinite."""
    rows = np.sort(matrix, axis=0)
    found = []
    for level in levels:
        position = level * (len(rows) - 1)
        low = int(position)
        weight = position - low
        lower, upper = rows[low], rows[min(low + 1, len(rows) - 1)]
        with np.errstate(invalid="ignore"):
            between = lower + weight * (upper - lower)
        found.append(np.where(np.isinf(upper) & (weight > 0), np.inf, np.where(weight == 0, lower, between)))
    return found
