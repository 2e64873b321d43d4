"""The published orders of controllers, judged on two studies (docs/controllers.md says which and by what rule).

python tools/controller_orders.py orders-1000 orders-200
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import sqrt
from statistics import fmean, variance
from typing import NamedTuple

from nassim.registry import get_benchmark
from nassim.study import Study

EARLY, LATE, FEW = 150, 1000, 200  # trainings
EQUAL = 0.1  # percentage points


class Difference(NamedTuple):
    """Mean regret of one less that of another, in percentage points, and its 95 % interval."""

    mean: float
    low: float
    high: float

    def below(self) -> str:
        """Whether the first is ahead."""
        return "pass" if self.high < 0 else "fail" if self.low > 0 else "cannot tell"

    def equal(self) -> str:
        """Whether both are about equal."""
        if self.low > -EQUAL and self.high < EQUAL:
            return "pass"
        return "fail" if self.low > EQUAL or self.high < -EQUAL else "cannot tell"


def main() -> None:
    short, *longer = (Study.open(folder) for folder in sys.argv[1:])
    for long, name in ((study, name) for study in longer for name in study.benchmarks):
        line(f"\n{name}: mean regret in percentage points, seeds {len(long.of(name, 'random_search'))}")
        known = {(s, n): regrets(long, name, s, n) for s in long.strategies for n in (EARLY, LATE)}
        known["pnas", FEW] = regrets(short, name, "pnas", FEW)
        for (strategy, trainings), values in known.items():
            line(f"  {strategy} after {trainings}: {fmean(values):.3f} +- {sqrt(variance(values) / len(values)):.3f}")
        re, rs = "regularized_evolution", "random_search"
        for controller in ("nasnet", "nasrl"):
            for when, judged in ((EARLY, "below"), (LATE, "equal")):
                found = difference(known[re, when], known[controller, when])
                say(f"1. {re} less {controller} after {when}", found, getattr(found, judged)())
        found = difference(known["pnas", FEW], known["nasnet", LATE])
        say(f"2. pnas with {FEW} less nasnet with {LATE}", found, found.below())
        for controller in ("nasnet", "nasrl"):
            found = difference(known[controller, LATE], known[rs, LATE])
            say(f"3. {controller} less {rs} after {LATE}", found, found.below())


def regrets(study: Study, benchmark: str, strategy: str, trainings: int) -> list[float]:
    """Of each run, of its answer after so many trainings."""
    bench = get_benchmark(benchmark)
    best = bench.optimum(bench.regret_metric)
    assert best is not None
    found = []
    for run in study.of(benchmark, strategy):
        answer = [point for point in run.curve if point.queries <= trainings][-1]
        value = answer.test if bench.has_test else answer.valid
        assert value is not None
        found.append(100 * (best - value))
    return found


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """The normal interval with the variances of both."""
    mean = fmean(first) - fmean(second)
    reach = 1.96 * sqrt(variance(first) / len(first) + variance(second) / len(second))
    return Difference(mean, mean - reach, mean + reach)


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def say(what: str, found: Difference, verdict: str) -> None:
    line(f"  {what}: {found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}] {verdict}")


if __name__ == "__main__":
    main()
