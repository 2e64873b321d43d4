"""Does MnasNet's soft reward visit a wider front than the hard one, as its paper found? docs/mobile.md has the answer.

    python tools/reward_fronts.py [--seeds 12] [--queries 300] [--limit 40M]

On `nasbench_macro/cifar10` (`nassim data get nasbench_macro`), multiply-adds as latency. A front is that of all that a
run trained (validation error, multiply-adds); its width is the natural logarithm of its largest multiply-adds over its
least.
"""

from __future__ import annotations

import argparse
import math
import sys
from statistics import fmean, stdev

import numpy as np

import nassim
from nassim.pareto import fronts

REWARDS = ("soft", "hard")


def width(reward: str, seed: int, queries: int, limit: str) -> float:
    """Of the front of a run's trials."""
    algorithm = nassim.get_algorithm("mnasnet").configured(reward=reward)
    bench = nassim.get_benchmark("nasbench_macro/cifar10")
    run = nassim.run(algorithm, bench, f"{queries}q", seed=seed, constraint=f"flops<={limit}")
    points = np.array([[1.0 - trial.value, trial.result.extras["flops"]] for trial in run.trials])
    flops = points[fronts(points) == 0, 1]
    return math.log(flops.max() / flops.min())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--limit", default="40M")
    given = parser.parse_args()
    found = {r: [width(r, seed, given.queries, given.limit) for seed in range(given.seeds)] for r in REWARDS}
    for reward, widths in found.items():
        error = stdev(widths) / math.sqrt(len(widths)) if len(widths) > 1 else math.nan
        sys.stdout.write(f"{reward}: {fmean(widths):.2f} +- {error:.2f}\n")
    wider = sum(a > b for a, b in zip(*(found[r] for r in REWARDS), strict=True))
    sys.stdout.write(f"soft wider in {wider} of {given.seeds} seeds\n")


if __name__ == "__main__":
    main()
