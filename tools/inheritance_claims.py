"""What a study of `grown/DATA:training` says of the claims of docs/inheritance.md, with intervals over seeds."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from scipy.stats import t as student

from nassim.pareto import hypervolume
from nassim.study import Study

FIRST = 4  # networks that lemonade begins with
PAIRS = (
    ("nash", "nash[inherit=False]", "1. the gain of inheritance"),
    ("nash", "random_search", "2. nash above random morphs"),
    ("large_scale_evolution", "random_search", "2. large-scale evolution above random morphs"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    study = Study.open(parser.parse_args().folder)
    final: dict[str, dict[int, float]] = {}
    for run in study.runs:
        if run.curve and run.curve[-1].valid is not None:
            final.setdefault(run.strategy, {})[run.seed] = run.curve[-1].valid
    lines = [f"{name}: {100 * fmean(of.values()):.2f} % ({len(of)} seeds)" for name, of in sorted(final.items())]
    for first, second, claim in PAIRS:
        if first in final and second in final:
            lines.append(f"{claim}: {paired(final[first], final[second])}")
    lines += volumes(study)
    sys.stdout.write("\n".join(lines) + "\n")


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> str:
    """Mean difference over common seeds in percentage points, with a 95 % interval (Student's t)."""
    apart = [100 * (first[seed] - second[seed]) for seed in sorted(first.keys() & second.keys())]
    if len(apart) < 2:
        return "too few common seeds"
    half = float(student.ppf(0.975, len(apart) - 1)) * stdev(apart) / math.sqrt(len(apart))
    return f"{fmean(apart):+.2f} points, 95 % interval {fmean(apart) - half:+.2f} to {fmean(apart) + half:+.2f}"


def volumes(study: Study) -> list[str]:
    """Claim 3: what lemonade's first networks and all of them dominate, of error and the logarithm of parameters."""
    trials: dict[int, list[tuple[float, float]]] = {}
    for _, strategy, seed, _, row in study.trials():
        if strategy == "lemonade" and row.extras:
            trials.setdefault(seed, []).append((1.0 - row.value, math.log2(row.extras["parameters"]) / 25))
    found = []
    for seed, points in sorted(trials.items()):
        ends = [hypervolume(np.array(points[:end]), np.ones(2)) for end in (FIRST, len(points))]
        grew = all(b > a for a, b in pairwise(ends))
        found.append(f"3. lemonade, seed {seed}: {ends[0]:.4f} to {ends[1]:.4f} ({'grew' if grew else 'did not grow'})")
    return found


if __name__ == "__main__":
    main()
