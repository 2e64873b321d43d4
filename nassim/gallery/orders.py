"""Who is ahead of whom, run again: the comparisons of docs/fewer-epochs.md, in a minute at their 50 seeds.

Each is a difference of two mean regrets (validation, percentage points, after all epochs) in equal simulated seconds,
with the one-sided p-value of the test of Mann, Whitney and Wilcoxon against random search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from statistics import fmean, variance
from typing import NamedTuple

from nassim.errors import NassimError
from nassim.gallery.row import CANNOT_TELL, NEEDS, PASS, Row
from nassim.registry import get_benchmark
from nassim.stats import rank_sum
from nassim.study import Study, compare

GROUP, BASELINE, SEEDS, ALPHA = "fewer-epochs", "random_search", 50, 0.05
STRATEGIES = ("sh", "hb", "asha[mode=promotion|stopping]", "bohb[kde=categorical|hpbandster]")
Progress = Callable[[int, int], None]


class Setting(NamedTuple):
    """Where a comparison is run: the name that the gallery's rows carry, a benchmark, a budget and workers."""

    name: str
    benchmark: str
    budget: str
    workers: int = 1


SETTINGS = (
    Setting("cifar10 (1)", "nasbench201/cifar10", "100000s"),
    Setting("cifar10 (8)", "nasbench201/cifar10", "30000s", 8),
    Setting("digits", "nasbench201/digits", "20s"),
    Setting("3ops-f", "nasbench201_3ops/fashion14", "60s"),
)


def fewer_epochs(seeds: int = SEEDS, progress: Progress | None = None) -> list[Row]:
    """The rows of the group, measured now with seeds 0 to ``seeds`` - 1; what needs a table says so."""
    return [row for setting in SETTINGS for row in _rows(setting, seeds, progress)]


def _rows(setting: Setting, seeds: int, progress: Progress | None) -> Iterator[Row]:
    try:
        there = len(get_benchmark(setting.benchmark).fidelities) > 1
    except NassimError:
        there = False
    if not there:
        yield Row(GROUP, setting.name, "< 0", None, None, None, NEEDS, "needs: nassim data get nasbench201")
        return
    study = compare(
        *(list(STRATEGIES), setting.benchmark, setting.budget),
        seeds=seeds,
        workers=setting.workers,
        regret="valid",
        progress=progress,
        trials=False,
    )
    baseline = regrets(study, setting.benchmark, BASELINE)
    for strategy in study.strategies:
        if strategy != BASELINE:
            yield judged(f"{strategy}: {setting.name}", regrets(study, setting.benchmark, strategy), baseline)


def regrets(study: Study, benchmark: str, strategy: str) -> list[float]:
    """Of every run's answer, in percentage points below the best mean validation accuracy; without one: left out."""
    best = study.facts[benchmark].best_valid
    ends = [run.curve[-1].valid for run in study.of(benchmark, strategy) if run.curve]
    return [100 * (best - end) for end in ends if best is not None and end is not None]


def judged(name: str, first: list[float], second: list[float]) -> Row:
    """The difference of two means, the second of which is the baseline's; pass: p below 0.05."""
    if min(len(first), len(second)) < 2:
        return Row(GROUP, name, "< 0", None, None, None, CANNOT_TELL, "fewer than two runs with an answer")
    less = fmean(first) - fmean(second)
    error = sqrt(variance(first) / len(first) + variance(second) / len(second))
    test = rank_sum([first], [second])
    p = 1.0 if test.value is None else test.value.p
    one_sided = p / 2 if less < 0 else 1 - p / 2
    verdict = PASS if one_sided < ALPHA else CANNOT_TELL
    return Row(GROUP, name, "< 0", less, error, less / error if error else None, verdict, f"p {one_sided:.1g}")
