"""Targets: expected running time, success rates and empirical distributions of running times.

Hansen, Auger, Ros, Mersmann, Tusar & Brockhoff, "COCO: a platform for comparing continuous optimizers in a
black-box setting", Optimization Methods and Software 36(1), 2021, and Hansen et al., "COCO: Performance
Assessment", arXiv:1605.03560, 2016. There running time counts evaluations; here it is whatever the curves
are on (simulated seconds, queries, epochs), and it is never rounded to whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nassim.stats.bootstrap import resampled_sums
from nassim.stats.curves import Curve
from nassim.stats.finding import Finding
from nassim.stats.samples import Floats, Seed, quantiles

TARGETS = 51


def log_targets(groups: Sequence[Sequence[Curve]], count: int = TARGETS, floor: float = 0.01) -> Finding[Floats]:
    """``count`` regret targets, evenly on a logarithmic axis, from the easiest to the hardest.

    They span what the curves of all strategies show: from the largest finite regret down to the smallest
    positive one, not below ``floor`` (in the curves' unit: on 10,000 validation images 0.01 percentage
    points are one image). Compare strategies on the same targets only.
    """
    shown = [curve.value for group in groups for curve in group]
    values = np.concatenate(shown) if shown else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return Finding(None, "no run has an answer, so there are no targets.")
    highest = float(values.max())
    if highest <= floor:
        return Finding(None, f"no regret is above {floor:g}, so every target would be hit at once.")
    lowest = float(values[values > 0].min())
    return Finding(np.geomspace(highest, max(lowest, floor), count))


def first_hits(curves: Sequence[Curve], targets: ArrayLike) -> Floats:
    """When each run's value was first at most each target, shape (runs, targets); infinite if never.

    A run that later answers worse again (see `regret_curve`) has still hit the target.
    """
    wanted = np.asarray(targets, dtype=np.float64)
    hits = np.full((len(curves), len(wanted)), np.inf)
    for row, curve in zip(hits, curves, strict=True):
        if len(curve.value):
            place = np.searchsorted(-np.minimum.accumulate(curve.value), -wanted, side="left")
            row[:] = np.append(curve.at, np.inf)[place]
    return hits


def spent_of(curves: Sequence[Curve]) -> Floats:
    """What each run spent in all, shape (runs,)."""
    return np.array([curve.spent for curve in curves], dtype=np.float64)


class RunningTime(NamedTuple):
    """Expected running time to each target, in the unit of the hits; infinite where no run succeeded."""

    expected: Floats
    low: Floats  # limits of the bootstrap interval; NaN for a single run
    high: Floats
    successes: Floats
    success_rate: Floats  # fraction of runs


def expected_running_time(
    hits: Floats, spent: ArrayLike, *, seed: Seed = 0, resamples: int = 1000, level: float = 0.95
) -> Finding[RunningTime]:
    """Expected running time: all that was spent, by successful and failed runs, over the successes.

    ``hits`` (runs, targets) is infinite where a run failed; each failed run is charged its own
    ``spent`` (runs,). Restarting the strategy until it succeeds would take this long on average. The
    interval draws runs with replacement (percentile method).
    """
    charged = np.asarray(spent, dtype=np.float64)
    if not len(hits):
        return Finding(None, "there is no run.")
    success = np.isfinite(hits)
    cost = np.where(success, hits, charged[:, None])
    successes = success.sum(axis=0).astype(np.float64)
    low = high = np.full(hits.shape[1], np.nan)
    if len(hits) > 1:
        sums = resampled_sums(np.hstack([cost, success]), np.random.default_rng(seed), resamples)
        ratio = _ratio(*np.hsplit(sums, 2))
        low, high = quantiles(ratio, ((1 - level) / 2, (1 + level) / 2))
    expected = _ratio(cost.sum(axis=0), successes)
    return Finding(RunningTime(expected, low, high, successes, successes / len(hits)))


def _ratio(total: Floats, successes: Floats) -> Floats:
    found: Floats = np.divide(total, successes, out=np.full(total.shape, np.inf), where=successes > 0)
    return found


def running_time_quantiles(hits: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles over runs of the time to each target, shape (levels, targets); NaN without runs.

    A run that failed counts as infinite, so that a quantile is infinite where too few runs succeeded: restarts are not
    simulated. Wang, Vermetten, Ye, Doerr & Baeck, "IOHanalyzer", ACM TELO 2(1), 2022, list them for each target.
    """
    if not len(hits):
        return np.full((len(levels), hits.shape[1]), np.nan)
    return np.stack(quantiles(hits, levels))


def simulated_restarts(hits: Floats, spent: ArrayLike, draws: int, seed: Seed = 0) -> Floats:
    """Running times of a strategy that is restarted until it hits the target, shape (draws, targets).

    Runs are drawn with replacement up to the first that succeeded: what the failed ones spent, plus the
    time to the hit. Infinite where no run succeeded.
    """
    rng = np.random.default_rng(seed)
    charged = np.asarray(spent, dtype=np.float64)
    times = np.full((draws, hits.shape[1]), np.inf)
    for column, to_hit in zip(times.T, hits.T, strict=True):
        success = np.isfinite(to_hit)
        if not success.any():
            continue
        column[:] = rng.choice(to_hit[success], size=draws)
        if not success.all():
            failures = rng.geometric(success.mean(), size=draws) - 1
            picked = rng.choice(charged[~success], size=failures.sum())
            column += np.bincount(np.repeat(np.arange(draws), failures), weights=picked, minlength=draws)
    return times


def ecdf(
    hits: Floats, spent: ArrayLike, at: ArrayLike, *, restarts: bool = True, draws: int = 1000, seed: Seed = 0
) -> Finding[Floats]:
    """The share of (run, target) pairs that are solved by the times ``at``, shape (times,).

    With ``restarts``, pairs are of `simulated_restarts`, and ``at`` may go beyond the budget (COCO's
    plots go to ten times it and more); without, of the runs as they are.
    """
    if not hits.size:
        return Finding(None, "there is no run." if not len(hits) else "there are no targets.")
    times = simulated_restarts(hits, spent, draws, seed) if restarts else hits
    solved = np.searchsorted(np.sort(times, axis=None), np.asarray(at, dtype=np.float64), side="right")
    return Finding(solved / times.size)


class ProfileBand(NamedTuple):
    """A performance profile over several benchmarks with pointwise limits (NaN for single runs); shares of runs."""

    value: Floats
    low: Floats
    high: Floats


def profile_band(
    strata: Sequence[ArrayLike], targets: ArrayLike, *, seed: Seed = 0, resamples: int = 1000, level: float = 0.95
) -> Finding[ProfileBand]:
    """`performance_profile` in the mean over benchmarks, with its stratified bootstrap interval (percentile method).

    ``strata`` holds the final values of one benchmark's runs each, all on one scale; Agarwal et al. 2021, section 4.3.
    """
    samples, wanted = [np.asarray(x, dtype=np.float64) for x in strata], np.asarray(targets, dtype=np.float64)
    if not samples or not all(len(x) for x in samples):
        return Finding(None, "there is no run.")
    value = np.mean([performance_profile(x, wanted) for x in samples], axis=0)
    if max(map(len, samples)) < 2:
        nothing = np.full(len(wanted), np.nan)
        return Finding(ProfileBand(value, nothing, nothing))
    rng = np.random.default_rng(seed)
    draws = [resampled_sums((x[:, None] <= wanted).astype(np.float64), rng, resamples) / len(x) for x in samples]
    low, high = quantiles(np.mean(draws, axis=0), ((1 - level) / 2, (1 + level) / 2))
    return Finding(ProfileBand(value, low, high))


def performance_profile(values: ArrayLike, targets: ArrayLike) -> Floats:
    """The share of runs whose final value is at most each target, shape (targets,); NaN without runs.

    Run-score distributions of Agarwal et al. 2021 (rliable), for values to be minimized.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    if not x.size:
        return np.full(np.shape(targets), np.nan)
    return np.searchsorted(x, np.asarray(targets, dtype=np.float64), side="right") / x.size
