"""A study of twelve strategies on three data sets: what it takes, by strategy, estimated from few seeds."""

from __future__ import annotations

from collections.abc import Iterator

from speed_row import Row

import nassim

STRATEGIES = "rs,evolution,re,reinforce,smbo,bo,bananas,pnas,ls,nsga2,asha,bohb"
TASKS = ("cifar10", "cifar100", "imagenet16-120")
MEASURED, SEEDS, CORES = 2, 100, 2
GROUP = f"twelve strategies x {len(TASKS)} data sets, 150 queries a run, estimated from {MEASURED} seeds"


def large_study_rows(name: str) -> Iterator[Row]:
    """CPU seconds a run of each strategy, and the minutes of all with 100 seeds on two cores.

    ``name`` does not count. Strategies of fewer epochs are left out, with the reason, where the table has one fidelity.
    """
    benchmarks = [f"nasbench201/{task}" for task in TASKS]
    study = nassim.compare(STRATEGIES.split(","), benchmarks, "150q", seeds=MEASURED, jobs=1)
    total = sum(map(sum, study.cpu_seconds.values())) * SEEDS / MEASURED
    note = f"without {len(study.settings['left_out'])} pairs that cannot run here" if study.settings["left_out"] else ""
    yield Row(GROUP, f"all with {SEEDS} seeds on {CORES} cores", total / CORES / 60, "min", 15.0, note)
    for strategy, seconds in study.cpu_seconds.items():
        yield Row(GROUP, strategy, sum(seconds) / len(seconds), "s")
    study.close()
