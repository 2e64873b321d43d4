"""The sweep behind reinforce's default learning rate: prints the table of docs/reinforce.md.

    python tools/sweep_reinforce.py [BENCHMARK] [--budget 150q] [--seeds 500]

Final regret of the incumbent in percentage points of mean validation accuracy. The seeds are not
those that `nassim compare` uses (0, 1, ...), so that nothing is tuned on what is reported.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import nassim

LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FIRST_SEED = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Sweep reinforce's learning rate.")
    parser.add_argument("benchmark", nargs="?", default="nasbench201/cifar10")
    parser.add_argument("--budget", default="150q")
    parser.add_argument("--seeds", type=int, default=500)
    options = parser.parse_args()

    reinforce = nassim.get_algorithm("reinforce")
    rows = {f"{rate:g}": reinforce.configured(learning_rate=rate) for rate in LEARNING_RATES}
    rows["random search"] = nassim.get_algorithm("random_search")
    benchmark = nassim.get_benchmark(options.benchmark)
    sys.stdout.write("| learning rate | mean regret, pp | standard error | median | 90th percentile |\n")
    sys.stdout.write("|---:|---:|---:|---:|---:|\n")
    for name, algorithm in rows.items():
        values = regrets(algorithm, benchmark, options.budget, options.seeds)
        error = values.std(ddof=1) / np.sqrt(len(values))
        low, high = np.quantile(values, [0.5, 0.9])
        sys.stdout.write(f"| {name} | {values.mean():.3f} | {error:.3f} | {low:.3f} | {high:.3f} |\n")


def regrets(algorithm: nassim.Algorithm, benchmark: nassim.Benchmark, budget: str, seeds: int) -> np.ndarray:
    """Final regret of each seed in percentage points of mean validation accuracy, shape (seeds,)."""
    optimum = benchmark.optimum()
    if optimum is None:
        sys.exit(f"the optimum of {benchmark.name} is not known: there is no regret.")
    runs = (nassim.run(algorithm, benchmark, budget, seed=FIRST_SEED + i) for i in range(seeds))
    return 100.0 * np.array([optimum - run.best.valid for run in runs])


if __name__ == "__main__":
    main()
