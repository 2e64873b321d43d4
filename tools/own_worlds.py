"""The rows of docs/own-worlds.md: strategies against random search in spaces without a table.

    python tools/own_worlds.py STUDY [STUDY ...]

STUDY is the folder of a `nassim compare --algos STRATEGY,rs --benchmark SPACE/DATA:training`. Prints mean and standard
deviation of the answers' accuracies over seeds, the difference with the 95 % interval of Welch's t, and the mean
seconds of a training (a training that was kept is charged what it took when it was made).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy.stats import ttest_ind

from nassim.errors import NassimError
from nassim.grid import BASELINE
from nassim.study import Study

HEAD = "| strategy, space | split | strategy | random search | difference (95 %) | seconds a training |"


def rows(study: Study) -> list[str]:
    """A row a split and strategy, in percent and percentage points."""
    found = []
    for benchmark in study.benchmarks:
        for strategy in (name for name in study.strategies if name != BASELINE):
            ends = {name: study.of(benchmark, name) for name in (strategy, BASELINE)}
            seconds = sum(e.worker_seconds for runs in ends.values() for e in runs)
            trainings = sum(e.trials for runs in ends.values() for e in runs)
            for split in ("valid", "test"):
                a, b = (
                    100 * np.array([getattr(e.curve[-1], split) for e in ends[name]]) for name in (strategy, BASELINE)
                )
                low, high = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
                place = f"`{strategy}` on `{benchmark.partition('/')[0]}`" if split == "valid" else ""
                cost = f"{seconds / trainings:.1f}" if split == "valid" else ""
                difference = f"{a.mean() - b.mean():+.2f} ({low:+.2f} to {high:+.2f})"
                means = " | ".join(f"{x.mean():.2f} ± {x.std(ddof=1):.2f}" for x in (a, b))
                found.append(f"| {place} | {split} | {means} | {difference} | {cost} |")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", help="folders of studies")
    sys.stdout.write(f"{HEAD}\n")
    for folder in parser.parse_args().studies:
        try:
            sys.stdout.writelines(f"{line}\n" for line in rows(Study.open(folder)))
        except NassimError as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
