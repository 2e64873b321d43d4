"""Bayesian optimization of two objectives against random search: hypervolume after a number of queries, over seeds.

    python tools/several_objectives.py nasbench201/cifar10 valid_accuracy,flops --queries 60 --seeds 30

The claim that it is held against (docs/hardware.md): in the median over seeds expected hypervolume improvement reaches
at least what ParEGO reaches, and ParEGO at least what random search reaches. Hypervolume of all that a run trained,
means over repeats, of error and cost, as a part of that of the table's true front, networks that guess left out; the
same with the cost's logarithm; and above the reference that gp_bo's acquisition counts from with that seed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import nassim
from nassim.algorithms.parts.beliefs import reference_of
from nassim.outlook import searched_for
from nassim.pareto import hypervolume, hypervolume_steps, scale_of
from nassim.report.true_fronts import table_points

STRATEGIES = ("random_search", "nsga2", "gp_bo[several=parego]", "gp_bo", "gp_bo[costs=known]")


def main() -> None:
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("benchmark")
    parser.add_argument("objectives")
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=30)
    options = parser.parse_args()
    benchmark = nassim.get_benchmark(options.benchmark)
    names, points, *_ = table_points(benchmark, options.objectives.split(","))
    places = {name: place for place, name in enumerate(names)}
    logarithms = np.column_stack([points[:, 0], np.log(points[:, 1])])
    scales = [scale_of(each[~np.isnan(each).any(axis=1)]) for each in (points, logarithms)]
    wanted, _ = searched_for(benchmark, options.objectives, "")
    for strategy in STRATEGIES:
        volumes: list[list[float]] = [[], [], []]
        for seed in range(options.seeds):
            run = nassim.run(strategy, benchmark, f"{options.queries}q", seed=seed, objectives=options.objectives)
            seen = [places[str(trial.arch)] for trial in run.trials if str(trial.arch) in places]
            seen = [place for place in seen if not np.isnan(points[place]).any()]
            for found, scale, of in zip(volumes, scales, (points, logarithms), strict=False):
                found.append(float(hypervolume_steps(of[seen], scale)[-1]))
            first = nassim.run("gp_bo", benchmark, "10q", seed=seed, objectives=options.objectives).trials
            costs = [wanted[1].cost(trial.result.extras) for trial in first]
            corner = reference_of(np.column_stack([[trial.value for trial in first], -np.log(costs)]))
            goals = np.column_stack([points[seen, 0] / 100 - 1, logarithms[seen, 1]])
            volumes[2].append(hypervolume(goals, -corner))
        medians = ", ".join(f"{np.median(each):.4f}" for each in volumes[1:])
        quartiles = np.quantile(volumes[0], [0.25, 0.5, 0.75])
        sys.stdout.write(
            f"{strategy:26} median {quartiles[1]:.4f} [{quartiles[0]:.4f}, {quartiles[2]:.4f}]; {medians}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
