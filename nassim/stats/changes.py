"""What changed between two studies: per benchmark and strategy, with a test.

The same seed in both studies starts the same random streams, so unchanged code repeats every run exactly
and changed code often repeats most: where both have the same seeds, runs are compared in pairs (Wilcoxon's
signed-rank test), else as independent samples (Mann-Whitney). Holm's correction runs over all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nassim.stats.bootstrap import RESAMPLES, Interval, bootstrap_difference
from nassim.stats.comparison import Scores
from nassim.stats.finding import Finding
from nassim.stats.rank_tests import RankTest, holm, rank_sum, signed_rank
from nassim.stats.samples import Floats, Summary, summarize

IDENTICAL = "identical"  # every run ends exactly as before
BETTER = "better"
WORSE = "worse"
NO_DIFFERENCE = "no difference found"  # which is not: no difference
UNTESTED = "not tested"
ONLY_OLD = "only in the old study"
ONLY_NEW = "only in the new study"


class Change(NamedTuple):
    """One strategy on one benchmark, before and after; regret in percentage points.

    ``difference`` of the interquartile means is new less old: negative is better. ``why`` completes the
    verdict in words.
    """

    benchmark: str
    strategy: str
    old: Summary
    new: Summary
    difference: Finding[Interval]
    test: Finding[RankTest]
    p_holm: float
    verdict: str
    why: str


def changes_between(
    old: Scores, new: Scores, *, alpha: float = 0.05, seed: int = 0, resamples: int = RESAMPLES
) -> list[Change]:
    """Compare two studies' final regrets, which must be of the same budget and taken on the same split.

    In the order of the new study; what only the old one has comes last.
    """
    keys = list(dict.fromkeys((name, s) for scores in (new, old) for name, of in scores.items() for s in of))
    runs = [(old.get(name, {}).get(s, {}), new.get(name, {}).get(s, {})) for name, s in keys]
    paired = [bool(before) and before.keys() == after.keys() for before, after in runs]
    values = [(_values(before, sorted(before)), _values(after, sorted(after))) for before, after in runs]
    tests = [
        signed_rank([after], [before]) if pair else rank_sum([after], [before])
        for (before, after), pair in zip(values, paired, strict=True)
    ]
    p_holm = holm([np.nan if test.value is None else test.value.p for test in tests])
    least = holm([np.nan if test.value is None else test.value.least_p for test in tests])
    found = []
    for i, (benchmark, strategy) in enumerate(keys):
        before, after = values[i]
        difference = bootstrap_difference([after], [before], paired=paired[i], seed=seed, resamples=resamples)
        same = paired[i] and np.array_equal(before, after)
        verdict, why = _verdict(before, after, same, tests[i], float(p_holm[i]), float(least[i]), alpha)
        change = (summarize(_answered(before)), summarize(_answered(after)), difference, tests[i], float(p_holm[i]))
        found.append(Change(benchmark, strategy, *change, verdict, why))
    return found


def _verdict(
    before: Floats, after: Floats, same: bool, test: Finding[RankTest], p: float, least: float, alpha: float
) -> tuple[str, str]:
    if not len(before) or not len(after):
        return (ONLY_NEW, "nothing to compare it with.") if len(after) else (ONLY_OLD, "it was left out.")
    if same:
        return IDENTICAL, f"all {len(after)} runs end exactly as before."
    if test.value is None:
        return NO_DIFFERENCE, test.reason
    how = f"{test.value.name}, p = {p:.2g} after Holm's correction"
    if p <= alpha:
        return (BETTER if test.value.lower == 1 else WORSE), f"{how}."
    if least > alpha:
        return UNTESTED, f"with {len(after)} new and {len(before)} old runs no difference could be significant ({how})."
    return NO_DIFFERENCE, f"{how}; a small difference may have stayed unseen."


def _values(runs: Mapping[int, float], seeds: list[int]) -> Floats:
    return np.array([runs[seed] for seed in seeds], dtype=np.float64)


def _answered(values: Floats) -> Floats:
    return values[np.isfinite(values)]
