"""Location and spread of a sample, and the shared pieces that the other statistics are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Seed = int | np.random.Generator  # what numpy's default_rng takes; the same seed gives the same numbers


class Summary(NamedTuple):
    """Location and spread of a sample, in the sample's unit; NaN where a statistic is not defined."""

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

    Quartiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996). An empty
    sample gives NaN everywhere, an infinite value (a run without an answer) infinities.
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size:
        return Summary(0, *[float("nan")] * 7)
    q25, median, q75 = (float(q[0]) for q in quantiles(x[:, None], (0.25, 0.5, 0.75)))
    with np.errstate(invalid="ignore"):
        std = float(x.std(ddof=1)) if x.size > 1 else float("nan")
        iqr = float(np.subtract(q75, q25))
    return Summary(x.size, float(x.mean()), std, median, q25, q75, iqr, interquartile_mean(x))


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half: the lowest and the highest floor(n/4) values are left out; NaN if empty.

    Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
    which takes SciPy's 25 % trimmed mean; this is the same estimate.
    """
    return float(iqm(np.asarray(values, dtype=np.float64)))


def iqm(x: Floats) -> Floats:
    """`interquartile_mean` along the last axis; NaN where that axis is empty."""
    n = x.shape[-1]
    if not n:
        return np.full(x.shape[:-1], np.nan)
    cut = n // 4
    middle: Floats = np.sort(x, axis=-1)[..., cut : n - cut].mean(axis=-1)
    return middle


def iqm_influence(x: Floats) -> Floats:
    """What each value of a sample adds to its interquartile mean, per n-th: its influence, of mean 0.

    The standard error of the mean is the deviation of these over the root of n (Tukey & McLaughlin 1963: that of the
    Winsorized sample over the share that is kept). NaN or infinite where the middle half holds an infinity.
    """
    n = len(x)
    ordered = np.sort(x)
    cut = n // 4
    kept = np.clip(x, ordered[cut], ordered[n - 1 - cut])
    with np.errstate(invalid="ignore"):
        influence: Floats = (kept - kept.mean()) * (n / (n - 2 * cut))
    return influence


def quantiles(matrix: Floats, levels: Sequence[float]) -> list[Floats]:
    """Type 7 quantiles over the rows, with infinities: an interpolation that touches one is infinite.

    numpy's own gives NaN there, since it computes inf - inf.
    """
    last = len(matrix) - 1
    places = {place for level in levels for place in (int(level * last), min(int(level * last) + 1, last))}
    rows = np.partition(matrix, sorted(places), axis=0)
    found = []
    for level in levels:
        position = level * (len(rows) - 1)
        low = int(position)
        weight = position - low
        lower, upper = rows[low], rows[min(low + 1, len(rows) - 1)]
        with np.errstate(invalid="ignore"):
            between = lower + weight * (upper - lower)
        found.append(np.where(np.isinf(upper) & (weight > 0), upper, np.where(weight == 0, lower, between)))
    return found


def midranks(values: ArrayLike) -> Floats:
    """Ranks of a sample from 1, the lowest value first; equal values share the mean of their ranks."""
    _, places, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places.reshape(-1)]
