"""Bootstrap intervals: percentile intervals, stratified by benchmark, from a seeded generator.

Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021
(rliable): runs are drawn with replacement within each benchmark, the statistic is taken over all of
them together, and the interval holds the middle 95 % of its values (percentile method). The intervals
speak of new seeds on the same benchmarks; with fewer than about ten runs they are too short.

Of `MANY` runs on a benchmark and more, the interval of an interquartile mean is the normal one, from the influence of
each run (`nassim.stats.samples.iqm_influence`): the two agree to a few percent of their width, and resampling 50,000
runs takes minutes.

SciPy's bootstrap knows no strata, and a widely used one documents a seed and draws from the global
generator. So it is written here: from the seed or generator that is passed in, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nassim.stats.curves import Curve, values_at
from nassim.stats.finding import Finding
from nassim.stats.samples import Floats, Seed, iqm, iqm_influence, quantiles

RESAMPLES = 2000
MANY = 2000  # runs, from which on an interquartile mean is normal for all that a figure or a table can show
LEVEL = 0.95
_BLOCK = 1 << 20  # values drawn at once: some 10 MB, whatever the size of the study
Statistic = Callable[[Floats], Floats]  # along the last axis


class Interval(NamedTuple):
    """An estimate with its confidence limits, in the sample's unit; ``level`` is a fraction."""

    value: float
    low: float
    high: float
    level: float = LEVEL


def bootstrap_interval(
    strata: Sequence[ArrayLike],
    statistic: Statistic = iqm,
    *,
    seed: Seed = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Finding[Interval]:
    """A statistic of runs with its interval; ``strata`` holds the values of one benchmark's runs each.

    Several benchmarks must be on one scale (ranks; regret divided by that of random search; ...).
    """
    samples = [np.asarray(x, dtype=np.float64) for x in strata]
    if lack := _lack(samples):
        return Finding(None, lack)
    if len(samples) == 1 and statistic is iqm and len(samples[0]) >= MANY:
        return Finding(_normal(float(iqm(samples[0])), iqm_influence(samples[0]), level))
    draws = [
        statistic(_taken(samples, places))
        for places in resampled([len(x) for x in samples], np.random.default_rng(seed), resamples)
    ]
    return Finding(limits(float(statistic(np.concatenate(samples))), np.concatenate(draws), level))


def bootstrap_difference(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    statistic: Statistic = iqm,
    *,
    paired: bool = False,
    seed: Seed = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Finding[Interval]:
    """A statistic of ``first`` less that of ``second``, with its interval; strata as in `bootstrap_interval`.

    ``paired``: the i-th runs of both belong together (the same seed) and are drawn together; lengths
    must agree.
    """
    a = [np.asarray(x, dtype=np.float64) for x in first]
    b = [np.asarray(x, dtype=np.float64) for x in second]
    if lack := _lack(a) or _lack(b):
        return Finding(None, lack)
    if not all(np.isfinite(x).all() for x in (*a, *b)):
        return Finding(None, "a run has no answer, and with infinite regret there is no difference.")
    lengths = [len(x) for x in a] if paired else [len(x) for x in (*a, *b)]
    if len(a) == len(b) == 1 and statistic is iqm and min(lengths) >= MANY:
        one, other = iqm_influence(a[0]), iqm_influence(b[0])
        return Finding(
            _normal(float(iqm(a[0]) - iqm(b[0])), one - other, level)
            if paired
            else _normal(float(iqm(a[0]) - iqm(b[0])), one, level, other)
        )
    draws = []
    for places in resampled(lengths, np.random.default_rng(seed), resamples):
        of_b = places if paired else places[len(a) :]
        draws.append(statistic(_taken(a, places[: len(a)])) - statistic(_taken(b, of_b)))
    value = float(statistic(np.concatenate(a)) - statistic(np.concatenate(b)))
    return Finding(limits(value, np.concatenate(draws), level))


class IntervalBand(NamedTuple):
    """An estimate over time with pointwise confidence limits, in the curves' unit."""

    at: Floats
    value: Floats
    low: Floats
    high: Floats


def bootstrap_band(
    curves: Sequence[Curve],
    at: ArrayLike,
    statistic: Statistic = iqm,
    *,
    seed: Seed = 0,
    resamples: int = 500,
    level: float = LEVEL,
) -> Finding[IntervalBand]:
    """A statistic of one benchmark's curves at the times ``at``, with pointwise intervals.

    Every time sees the same resamples of whole runs, so the limits move only where a curve does.
    A run without a value yet counts as infinitely bad.
    """
    matrix = values_at(curves, at)
    if lack := _lack([matrix[:, 0] if matrix.size else np.empty(len(matrix))]):
        return Finding(None, lack)
    times = np.asarray(at, dtype=np.float64)
    if statistic is iqm and len(matrix) >= MANY:
        normal: list[Interval] = []
        for i, column in enumerate(turned := np.ascontiguousarray(matrix.T)):
            unchanged = i > 0 and np.array_equal(column, turned[i - 1])
            normal.append(normal[-1] if unchanged else _normal(float(iqm(column)), iqm_influence(column), level))
        return Finding(IntervalBand(times, *[np.array([x[k] for x in normal]) for k in range(3)]))
    (places,) = next(resampled([len(matrix)], np.random.default_rng(seed), resamples, block=resamples * len(matrix)))
    found: list[Interval] = []
    for i, column in enumerate(matrix.T):
        unchanged = i > 0 and np.array_equal(column, matrix[:, i - 1])
        found.append(found[-1] if unchanged else limits(float(statistic(column)), statistic(column[places]), level))
    columns = [np.array([x[k] for x in found]) for k in range(3)]
    return Finding(IntervalBand(times, *columns))


def resampled(
    lengths: Sequence[int], rng: np.random.Generator, resamples: int, block: int = _BLOCK
) -> Iterator[list[NDArray[np.intp]]]:
    """Places drawn with replacement: per stratum an array (some resamples, its length), until all are drawn."""
    rows = max(1, block // max(1, sum(lengths)))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        yield [rng.integers(n, size=(count, n), dtype=np.intp) for n in lengths]


def resample_counts(n: int, rng: np.random.Generator, resamples: int) -> Floats:
    """How often each of n runs is drawn, shape (resamples, n): what sums and means over resamples need."""
    places = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(places.reshape(-1), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def limits(value: float, draws: Floats, level: float) -> Interval:
    """The percentile interval of bootstrap draws, shape (resamples,); infinite draws are allowed."""
    low, high = quantiles(draws[:, None], ((1 - level) / 2, (1 + level) / 2))
    return Interval(value, float(low[0]), float(high[0]), level)


def _normal(value: float, influence: Floats, level: float, other: Floats | None = None) -> Interval:
    """The normal interval of a mean; ``other``: the influence on an independent one that was subtracted."""
    variance = influence.var(ddof=1) / len(influence) if np.isfinite(influence).all() else 0.0
    if other is not None:
        variance += other.var(ddof=1) / len(other)
    half = NormalDist().inv_cdf((1 + level) / 2) * float(np.sqrt(variance))
    return Interval(value, value - half, value + half, level)


def _taken(samples: Sequence[Floats], places: Sequence[NDArray[np.intp]]) -> Floats:
    return np.concatenate([x[p] for x, p in zip(samples, places, strict=True)], axis=1)


def _lack(samples: Sequence[Floats]) -> str:
    """What keeps an interval from being computed; empty if nothing."""
    if not samples or any(len(x) == 0 for x in samples):
        return "there is no run."
    if all(len(x) == 1 for x in samples):
        return "one run a benchmark shows no spread: an interval needs more seeds."
    return ""


def resampled_sums(values: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """The sums over resamples of the rows of ``values``, shape (resamples, columns), whatever the number of runs."""
    rows = max(1, _BLOCK // max(1, len(values)))
    counts = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return np.concatenate([resample_counts(len(values), rng, count) @ values for count in counts])
