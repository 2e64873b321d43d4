"""Two strategies: probability of improvement, effect sizes, and the seeds it takes to tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nassim.stats.bootstrap import LEVEL, MANY, RESAMPLES, Interval, limits, resample_counts
from nassim.stats.finding import Finding
from nassim.stats.rank_tests import EQUAL_RUNS, NO_RUN
from nassim.stats.samples import Floats, Seed


def probability_of_improvement(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    seed: Seed = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Finding[Interval]:
    """How likely a run of ``first`` ends below (better than) a run of ``second``; an equal end counts one half.

    A fraction: the statistic of Mann and Whitney over both numbers of runs, taken on each benchmark (one
    array of runs each) and averaged over them, with its stratified bootstrap interval (percentile method;
    both strategies' runs are drawn independently): Agarwal et al., NeurIPS 2021 (rliable), section 4.3.
    The limits are NaN where a strategy has a single run.
    """
    rng = np.random.default_rng(seed)
    wins = [resampled_wins([a, b], rng, resamples)[0, 1] for a, b in zip(first, second, strict=True)]
    return improvement(wins, level)


class Wins(NamedTuple):
    """On one benchmark, the share of pairs of runs that the first wins, and its bootstrap draws (resamples,)."""

    value: float  # NaN where one of the two has no run
    draws: Floats


def resampled_wins(
    samples: Sequence[ArrayLike], rng: np.random.Generator, resamples: int
) -> dict[tuple[int, int], Wins]:
    """For all strategies on one benchmark: `Wins` of each pair (i, j), i < j; each run is drawn once for all.

    Where all have `MANY` runs the draws are normal, about the share and with the standard error of the U statistic.
    """
    runs = [np.sort(np.asarray(x, dtype=np.float64)) for x in samples]
    if min(map(len, runs), default=0) >= MANY:
        return {
            (i, j): Wins(_won(a, b), _won(a, b) + _error(a, b) * rng.standard_normal(resamples))
            for (i, a), (j, b) in combinations(enumerate(runs), 2)
        }
    drawn = [resample_counts(len(x), rng, resamples).T if len(x) > 1 else np.full((1, 1), np.nan) for x in runs]
    # of each draw, how much lies among its lowest 0, 1, ... runs: shape (runs + 1, resamples)
    lowest = [np.pad(np.cumsum(x, axis=0), ((1, 0), (0, 0))) for x in drawn]
    found = {}
    for i, j in combinations(range(len(runs)), 2):
        a, b = runs[i], runs[j]
        value = _won(a, b)
        draws = np.full(resamples, np.nan)
        if min(len(a), len(b)) > 1:
            lost = lowest[j][np.searchsorted(b, a, side="left")] + lowest[j][np.searchsorted(b, a, side="right")]
            draws = 1 - np.einsum("ij,ij->j", drawn[i], lost) / (2 * len(a) * len(b))
        found[i, j] = Wins(value, draws)
    return found


def improvement(wins: Sequence[Wins], level: float = LEVEL) -> Finding[Interval]:
    """The probability of improvement averaged over benchmarks, with its interval."""
    if not wins or any(np.isnan(w.value) for w in wins):
        return Finding(None, NO_RUN)
    draws = np.mean([w.draws for w in wins], axis=0)
    return Finding(limits(float(np.mean([w.value for w in wins])), draws, level))


def _shares(a: Floats, b: Floats) -> Floats:
    """For each run of a the share of the runs of b, which are sorted, that lie above it; of equal ones half."""
    lost = np.searchsorted(b, a, side="left") + np.searchsorted(b, a, side="right")
    shares: Floats = 1 - lost / (2 * len(b))
    return shares


def _error(a: Floats, b: Floats) -> float:
    """The standard error of the share of pairs that a wins, both sorted (of a U statistic: Hoeffding 1948)."""
    return sqrt(sum(float(_shares(x, y).var(ddof=1)) / len(x) for x, y in ((a, b), (b, a))))


def _won(a: Floats, b: Floats) -> float:
    """The share of pairs in which a run of a lies below one of b, which are sorted; equal ones count half."""
    if not len(a) or not len(b):
        return float("nan")
    lost = int(np.searchsorted(b, a, side="left").sum() + np.searchsorted(b, a, side="right").sum())
    pairs = len(a) * len(b)
    return (2 * pairs - lost) / 2 / pairs


def a12(first: ArrayLike, second: ArrayLike) -> Finding[float]:
    """Vargha and Delaney's measure (2000) for values to be minimized: `probability_of_improvement` on one sample."""
    a, b = np.asarray(first, dtype=np.float64), np.sort(np.asarray(second, dtype=np.float64))
    return Finding(_won(a, b)) if len(a) and len(b) else Finding(None, NO_RUN)


def cliffs_delta(first: ArrayLike, second: ArrayLike) -> Finding[float]:
    """Cliff's delta (1993): how much likelier ``first`` is below ``second`` than above; from -1 to 1."""
    found = a12(first, second)
    return Finding(2 * found.value - 1) if found.value is not None else Finding(None, found.reason)


def magnitude(probability: float) -> str:
    """Vargha and Delaney's words for a probability of improvement, whichever side it favors.

    0.56 small, 0.64 medium, 0.71 large.
    """
    distance = abs(probability - 0.5)
    words = ((0.21, "large"), (0.14, "medium"), (0.06, "small"))
    return next((word for least, word in words if distance >= least - 1e-12), "negligible")


def cohens_d(first: ArrayLike, second: ArrayLike) -> Finding[float]:
    """Cohen's d: mean of ``second`` less mean of ``first``, in pooled standard deviations (n - 1).

    Positive where ``first`` is lower. For final regrets, which are skewed, prefer Cliff's delta.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if min(len(a), len(b)) < 2:
        return Finding(None, "a standard deviation needs two runs of each strategy.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return Finding(None, "a run has no answer, and infinite regret has no mean.")
    pooled = (a.var(ddof=1) * (len(a) - 1) + b.var(ddof=1) * (len(b) - 1)) / (len(a) + len(b) - 2)
    if pooled == 0:
        return Finding(None, "all runs of each strategy end alike, so there is no standard deviation to divide by.")
    return Finding(float((b.mean() - a.mean()) / np.sqrt(pooled)))


def seeds_to_separate(
    probability: float, *, alpha: float = 0.05, power: float = 0.8, tied: float = 0.0, benchmarks: int = 1
) -> Finding[int]:
    """Seeds of each strategy with which a two-sided Mann-Whitney test finds the difference.

    ``probability`` is the true probability of improvement; the test rejects at ``alpha`` (divide it by the
    number of pairs to allow for Holm's correction) with probability ``power``. ``tied`` is the sum of cubed
    shares of each distinct value in the pooled sample (`tied_share`). Noether, JASA 82, 1987, with equal
    numbers of runs: n = (z_alpha/2 + z_power)^2 (1 - tied) / (6 (probability - 1/2)^2); the correction for
    ties is that of Zhao, Rahardja & Qu, Statistics in Medicine 27, 2008. With several ``benchmarks`` (the
    stratified test; probability and tied are means over them) the seeds are on each. A normal
    approximation: in simulation exact up to a probability of 0.7, at 0.8 the power is 0.86, not 0.8.
    """
    if not 0 <= probability <= 1:
        return Finding(None, f"{probability} is not a probability.")
    if tied > 1 - 1e-9:
        return Finding(None, EQUAL_RUNS)
    if probability == 0.5:
        return Finding(None, "the two do not differ in the samples, so no number of seeds would separate them.")
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    seeds = z**2 * (1 - tied) / (6 * (probability - 0.5) ** 2 * benchmarks)
    return Finding(max(2, ceil(seeds)))


def tied_share(first: ArrayLike, second: ArrayLike) -> float:
    """The sum of cubed shares of each distinct value, both strategies weighing alike; 1 where all are equal."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    values, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    weights = np.concatenate([np.full(len(x), 0.5 / max(1, len(x))) for x in (a, b)])
    return float((np.bincount(places.reshape(-1), weights=weights, minlength=len(values)) ** 3).sum())
