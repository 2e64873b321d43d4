"""The experiment behind docs/why-ageing.md: who should die when trainings are noisy? Prints its tables.

    python tools/why_ageing.py [BENCHMARK ...] [--factors 0 1 5] [--budgets 100 300] [--seeds 300]

`evolution` (the lowest dies) against `regularized_evolution` (the oldest dies), same sizes, same seeds. The noise of a
table is multiplied by a factor: 0 answers with the mean of the repeats, 1 draws a repeat (``--noise draw``), 5 draws
one and takes five times its distance from the mean. Where a table has one value a network (NAS-Bench-Macro), the noise
is normal with the standard deviation between its own trainings.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import nassim
from nassim.benchmark import Benchmark
from nassim.errors import NassimError
from nassim.query import Query, Result

BENCHMARKS = ("nasbench201/cifar10", "nasbench201/cifar100", "nasbench_macro/cifar10")
SIZES = {"population_size": 10, "sample_size": 3}  # the published ones of NAS-Bench-201, on all
LAST = 50  # trainings at the end of a run, whose mean says what the search breeds
HEAD = (
    "| noise | trainings | answer: ageing | lowest dies | difference (95 %) "
    "| last 50: ageing | lowest dies | difference (95 %) |"
)


class Inflated(Benchmark):
    """A benchmark whose answers lie ``factor`` times as far from their mean; what a run reports stays the mean."""

    def __init__(self, inner: Benchmark, factor: float) -> None:
        self.inner, self.factor = inner, factor
        self.name, self.space, self.about = inner.name, inner.space, inner.about
        self.epochs, self.fidelities = inner.epochs, inner.fidelities
        self.sigma = 0.0
        if inner.name.startswith("nasbench_macro"):
            self.sigma = factor * spread_of_trainings(inner)

    def query(self, query: Query, rng: random.Random) -> Result:
        result = self.inner.query(query, rng)
        mean = self.inner.mean_accuracy(query.arch)
        noise = rng.gauss(0.0, self.sigma) if self.sigma else self.factor * (result.value - mean)
        return result._replace(value=mean + noise)

    def mean_accuracy(self, arch: nassim.Architecture, metric: str = "valid_accuracy") -> float:
        return self.inner.mean_accuracy(arch, metric)


def spread_of_trainings(benchmark: Benchmark) -> float:
    """Standard deviation of one training, from the first and the mean of the other two; the middle half of networks.

    The variance of their difference is 1.5 times that of one training.
    """
    archs = [benchmark.space.at(i) for i in range(0, benchmark.space.size, 7)]
    gaps = np.array([benchmark.mean_accuracy(arch) - benchmark.test_accuracy(arch) for arch in archs])
    low, high = np.quantile(gaps, [0.25, 0.75])
    return float((high - low) / 1.349 / np.sqrt(1.5))


def measured(benchmark: Benchmark, optimum: float, name: str, budget: int, seeds: int) -> NDArray[np.float64]:
    """For each seed the regret of the answer and of the mean of the last trainings, percentage points, (seeds, 2)."""
    algorithm = nassim.get_algorithm(name).configured(**SIZES)
    rows = []
    for seed in range(seeds):
        run = nassim.run(algorithm, benchmark, nassim.Budget(queries=budget), seed=seed)
        last = np.mean([benchmark.mean_accuracy(trial.arch) for trial in run.trials[-LAST:]])
        rows.append((optimum - run.best.valid, optimum - last))
    return 100.0 * np.array(rows)


def table(name: str, factors: list[float], budgets: list[int], seeds: int, write: Callable[[str], object]) -> None:
    """One table of the page: regrets, and lowest dies minus ageing, paired by seed (both begin alike)."""
    inner = nassim.get_benchmark(name, "draw")
    optimum = inner.optimum()
    if optimum is None:
        sys.exit(f"the optimum of {name} is not known: there is no regret.")
    write(f"\n{name}\n\n{HEAD}\n|---|{'---:|' * 7}\n")
    for factor in factors:
        benchmark = Inflated(inner, factor)
        for budget in budgets:
            aged, lowest = (measured(benchmark, optimum, a, budget, seeds) for a in ("re", "evolution"))
            cells = []
            for column in (0, 1):
                gap = lowest[:, column] - aged[:, column]
                half = 1.96 * gap.std(ddof=1) / np.sqrt(seeds)
                cells += [f"{aged[:, column].mean():.3f}", f"{lowest[:, column].mean():.3f}"]
                cells += [f"{gap.mean():+.3f} ({gap.mean() - half:+.3f} to {gap.mean() + half:+.3f})"]
            write(f"| x {factor:g} | {budget} | {' | '.join(cells)} |\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Evolution with and without ageing under noise.")
    parser.add_argument("benchmarks", nargs="*", default=BENCHMARKS)
    parser.add_argument("--factors", type=float, nargs="+", default=[0.0, 1.0, 5.0])
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--seeds", type=int, default=300)
    options = parser.parse_args()
    if options.seeds < 2 or min(options.budgets) < 1 or not 0 <= min(options.factors) <= max(options.factors) < 1e6:
        sys.exit("two seeds, a budget of one training and factors from 0 are the least.")
    for name in options.benchmarks:
        try:
            table(name, options.factors, options.budgets, options.seeds, sys.stdout.write)
        except NassimError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
