"""Two rank tests, exact under ties for small samples, and Holm's correction.

SciPy's `wilcoxon` and `mannwhitneyu` give an exact p-value only where no two values are equal; final
regrets on a table are full of equal values, so the exact distributions are computed here, given the ties
(for larger samples, the normal approximation with the variance given the ties; no continuity correction).
Both tests are two-sided and take strata (benchmarks): ranks are given within each, statistics summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nassim.stats.finding import Finding
from nassim.stats.samples import Floats, midranks

EXACT_PAIRS = 50  # the exact signed-rank test is used up to this many unequal pairs in all
EXACT_RUNS = 25  # the exact rank-sum test is used up to this many runs of each strategy in each stratum
NO_RUN = "one of the two has no run."
EQUAL_RUNS = "all runs are equal."


class RankTest(NamedTuple):
    """A two-sided rank test.

    ``runs`` of each of the two, over all strata; ``lower`` says which of them tends to lower (better)
    values: 1, 2 or 0 for neither. ``least_p`` is the smallest p-value that samples of this size with these
    ties can give at all (0 for the normal approximation).
    """

    name: str
    runs: tuple[int, int]
    lower: int
    p: float
    least_p: float


def signed_rank(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> Finding[RankTest]:
    """Wilcoxon's signed-rank test for pairs: the i-th values of both belong together.

    Equal pairs take part in the ranking and are dropped afterwards (Pratt, JASA 54, 1959). Two infinite
    values are equal.
    """
    ranks = []
    pairs = wins = 0.0
    for a, b in zip(_arrays(first), _arrays(second), strict=True):
        unequal = a != b
        apart = np.subtract(a, b, out=np.zeros(len(a)), where=unequal)
        rank = midranks(np.abs(apart))
        ranks.append(rank[unequal])
        wins += float(rank[apart > 0].sum())
        pairs += len(a)
    every = np.concatenate(ranks) if ranks else np.empty(0)
    if not pairs:
        return Finding(None, NO_RUN)
    if not every.size:
        return Finding(None, "all pairs of runs are equal.")
    runs = (int(pairs), int(pairs))
    above = wins - every.sum() / 2
    if every.size > EXACT_PAIRS:
        return Finding(_normal("Wilcoxon signed-rank", runs, above, (every**2).sum() / 4))
    counts = np.ones(1)
    for rank in np.rint(2 * every).astype(int):
        counts = np.convolve(counts, np.bincount([0, rank]).astype(np.float64))
    return Finding(_exact("Wilcoxon signed-rank", runs, above, counts))


def rank_sum(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> Finding[RankTest]:
    """Mann and Whitney's rank-sum test for independent runs (Annals of Mathematical Statistics 18, 1947).

    Over strata the statistics are added (van Elteren 1960, with equal weights a run pair).
    """
    a, b = _arrays(first), _arrays(second)
    runs = sum(map(len, a)), sum(map(len, b))
    if not a or any(len(x) == 0 or len(y) == 0 for x, y in zip(a, b, strict=True)):
        return Finding(None, NO_RUN)
    ranks = [midranks(np.concatenate(pair)) for pair in zip(a, b, strict=True)]
    if all(np.ptp(rank) == 0 for rank in ranks):
        return Finding(None, EQUAL_RUNS)
    above = sum(float(rank[: len(x)].sum() - len(x) * rank.mean()) for rank, x in zip(ranks, a, strict=True))
    if max(len(x) for x in (*a, *b)) > EXACT_RUNS:
        sizes = [(rank, len(x), len(rank)) for rank, x in zip(ranks, a, strict=True)]
        variance = sum(float(n * (total - n) / (total - 1) * rank.var()) for rank, n, total in sizes)
        return Finding(_normal("Mann-Whitney", runs, above, variance))
    counts = np.ones(1)
    for rank, x in zip(ranks, a, strict=True):
        counts = np.convolve(counts, _subset_sums(rank, len(x)))
    return Finding(_exact("Mann-Whitney", runs, above, counts))


def holm(p: ArrayLike) -> Floats:
    """P-values corrected for testing all of them: reject at alpha where the corrected one is at most alpha.

    Holm, Scandinavian Journal of Statistics 6, 1979: the i-th smallest of m times m - i + 1, made
    monotone, at most 1. NaN (no test) stays NaN and does not count.
    """
    raw = np.asarray(p, dtype=np.float64)
    corrected = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0)
    return corrected


def _arrays(strata: Sequence[ArrayLike]) -> list[Floats]:
    return [np.asarray(x, dtype=np.float64) for x in strata]


def _subset_sums(ranks: Floats, size: int) -> Floats:
    """How many subsets of ``size`` ranks have each doubled sum, indexed by it."""
    doubled = np.rint(2 * ranks).astype(int)
    ways = np.zeros((size + 1, int(doubled.sum()) + 1))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank]
    found: Floats = ways[size]
    return found


def _normal(name: str, runs: tuple[int, int], above: float, variance: float) -> RankTest:
    p = erfc(abs(above) / sqrt(2 * variance))
    return RankTest(f"{name}, normal approximation", runs, _lower(above), p, 0.0)


def _exact(name: str, runs: tuple[int, int], above: float, counts: Floats) -> RankTest:
    """The test by its null distribution: ``counts`` of the doubled statistic, ``above`` its mean by how much."""
    share = counts / counts.sum()
    values = np.arange(len(share))
    away = np.abs(values - share @ values)  # multiples of 1/2, so that a quarter absorbs rounding
    p = share[away > abs(2 * above) - 0.25].sum()
    least = share[away > away[share > 0].max() - 0.25].sum()
    return RankTest(f"{name}, exact", runs, _lower(above), min(1.0, float(p)), min(1.0, float(least)))


def _lower(above: float) -> int:
    return 0 if abs(above) < 0.1 else 1 if above < 0 else 2
