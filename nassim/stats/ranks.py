"""Ranks of strategies within blocks, Friedman's test, and what a critical-difference diagram shows.

A block is one row of a matrix (blocks, strategies) of values to be minimized: a benchmark, or a seed on a
benchmark (`nassim.stats.comparison` says which and why). Demšar, "Statistical Comparisons of Classifiers
over Multiple Data Sets", JMLR 7, 2006. Written here because the known diagram makers fix alpha at 0.05
whatever they are asked for, or draw bars over strategies that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nassim.stats.curves import BLOCK, Curve, values_at
from nassim.stats.finding import Finding
from nassim.stats.samples import Floats


def block_ranks(values: ArrayLike) -> Floats:
    """Ranks along the last axis, 1 for the lowest value; equal values share the mean of their ranks."""
    x = np.asarray(values, dtype=np.float64)
    below = (x[..., None, :] < x[..., :, None]).sum(axis=-1)
    equal = (x[..., None, :] == x[..., :, None]).sum(axis=-1)
    found: Floats = below + (equal + 1) / 2
    return found


def ranks_over_time(groups: Sequence[Sequence[Curve]], at: ArrayLike) -> Finding[Floats]:
    """Mean rank of each strategy at the times ``at``, shape (strategies, times); 1 is best.

    ``groups`` holds each strategy's curves; the i-th curves of all belong to one block (same benchmark,
    same seed). Strategies without an answer yet share the last ranks.
    """
    if not groups or not all(groups):
        return Finding(None, "a strategy has no run.")
    if len({len(curves) for curves in groups}) > 1:
        return Finding(None, "the strategies have different numbers of runs, so ranks have no common blocks.")
    runs = len(groups[0])
    total = sum(  # of halves, hence exact; some runs at a time, as all their comparisons would take gigabytes
        block_ranks(np.stack([values_at(curves[begin : begin + BLOCK], at) for curves in groups], axis=-1)).sum(axis=0)
        for begin in range(0, runs, BLOCK)
    )
    return Finding((total / runs).T)


class Friedman(NamedTuple):
    """Friedman's test that all strategies are equally good, and the sharper F test of Iman & Davenport (1980)."""

    chi_squared: float
    p: float
    f: float  # infinite where every block ranks the strategies alike
    f_p: float
    mean_ranks: Floats  # (strategies,), 1 is best
    blocks: int


def friedman(values: ArrayLike) -> Finding[Friedman]:
    """Friedman's test (JASA 32, 1937), corrected for ties, by SciPy; ``values`` has shape (blocks, strategies)."""
    from scipy.stats import f as f_distribution
    from scipy.stats import friedmanchisquare

    ranked = block_ranks(values)
    if ranked.ndim != 2 or ranked.shape[1] < 3:
        return Finding(None, "Friedman's test compares three strategies or more.")
    blocks, k = ranked.shape
    if blocks < 2:
        return Finding(None, f"Friedman's test needs two blocks (seeds or benchmarks) or more, not {blocks}.")
    if (np.ptp(ranked, axis=1) == 0).all():
        return Finding(None, "all strategies are equal in every block.")
    test = friedmanchisquare(*ranked.T)
    chi, most = float(test.statistic), blocks * (k - 1)
    f = (blocks - 1) * chi / (most - chi) if most - chi > 1e-9 * most else float("inf")
    f_p = float(f_distribution.sf(f, k - 1, (k - 1) * (blocks - 1)))
    return Finding(Friedman(chi, float(test.pvalue), f, f_p, ranked.mean(axis=0), blocks))


def nemenyi(mean_ranks: ArrayLike, blocks: int) -> Floats:
    """P-values of Nemenyi's test for all pairs, corrected for testing all, shape (strategies, strategies).

    The difference of mean ranks over sqrt(k(k+1)/(6 blocks)), times sqrt(2), against the studentized range
    of k values with infinite degrees of freedom. Like Friedman's test, an approximation for many blocks.
    """
    from scipy.stats import studentized_range

    mean = np.asarray(mean_ranks, dtype=np.float64)
    k = len(mean)
    p = np.ones((k, k))
    upper = np.triu_indices(k, 1)
    if k > 1:
        q = np.abs(mean[upper[0]] - mean[upper[1]]) / sqrt(k * (k + 1) / (12 * blocks))
        p[upper] = np.clip(studentized_range.sf(q, k, np.inf), 0, 1)
    both: Floats = np.minimum(p, p.T)
    return both


def critical_difference(strategies: int, blocks: int, alpha: float = 0.05) -> float:
    """Mean ranks that differ by at least this much differ significantly (Nemenyi; Demšar 2006, section 3.2.2)."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - alpha, strategies, np.inf)) / sqrt(2)
    return q * sqrt(strategies * (strategies + 1) / (6 * blocks))


def cliques(mean_ranks: ArrayLike, different: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """The bars of a critical-difference diagram: maximal runs of neighbors without a significant pair.

    ``different`` (strategies, strategies) says which pairs differ significantly. Neighbors are taken in
    the order of their mean ranks; a bar holds two strategies or more, as their indices, the best first.
    """
    order = np.argsort(np.asarray(mean_ranks, dtype=np.float64), kind="stable").tolist()
    found: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and not any(different[order[end], i] for i in order[start:end]):
            end += 1
        if end - start > 1 and end > reached:
            found.append(tuple(order[start:end]))
            reached = end
    return found


class Ranking(NamedTuple):
    """Mean ranks over blocks, and what a critical-difference diagram needs.

    ``blocks`` says what a block is, "benchmarks", "seeds" or "seeds of 2 benchmarks", and so what conclusions extend
    to. The bars (see `cliques`) join what Nemenyi's test, or pairwise tests with Holm's correction, cannot tell apart;
    the latter do not depend on who else takes part (Benavoli, Corani & Mangili, JMLR 17, 2016).
    """

    blocks: str
    number_of_blocks: int
    mean_ranks: Finding[Floats]
    friedman: Finding[Friedman]
    critical_difference: Finding[float]
    nemenyi_p: Finding[Floats]
    nemenyi_bars: list[tuple[int, ...]]
    holm_bars: list[tuple[int, ...]]


def ranking(values: ArrayLike, blocks: str, different: NDArray[np.bool_], alpha: float = 0.05) -> Ranking:
    """The ranking of strategies from ``values`` (blocks, strategies); ``different``: see `cliques`."""
    matrix = np.asarray(values, dtype=np.float64)
    count, k = matrix.shape
    test = friedman(matrix)
    if not count or not k:
        nothing = f"no {blocks.removesuffix('s')} has runs of all strategies, so there are no common ranks."
        lack: Finding[Any] = Finding(None, nothing)
        return Ranking(blocks, 0, lack, lack, lack, lack, [], [])
    mean = block_ranks(matrix).mean(axis=0)
    holm_bars = cliques(mean, different)
    if test.value is None:
        lack = Finding(None, test.reason)
        return Ranking(blocks, count, Finding(mean), test, lack, lack, [], holm_bars)
    p = nemenyi(mean, count)
    cd = Finding(critical_difference(k, count, alpha))
    return Ranking(blocks, count, Finding(mean), test, cd, Finding(p), cliques(mean, p <= alpha), holm_bars)
