"""A surrogate held against the whole table: how well it predicts, ranks strategies, and whether it beats a training.

    NASSIM_DATA=FOLDER python tools/surrogate_truth.py nasbench201/digits nasbench201/cifar10

Forests (`nassim.surrogates.trees`) are fitted to the first repeat of 300, 1,000 and 3,000 random cells of a table and
held against all others that compute something else; of these, the mean of the other repeats is the truth.
"""

from __future__ import annotations

import argparse
import random
import sys
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import nassim
from nassim.benchmark import Noise
from nassim.query import Query, Result
from nassim.registry import get_benchmark
from nassim.surrogates.quality import Quality
from nassim.surrogates.trees import Trees
from nassim.tabular_data.fitted import features_of
from nassim.tabular_data.tabulated import Tabulated

SIZES = (300, 1_000, 3_000)
STRATEGIES = {"rs": 20, "re": 20, "bo": 10}  # seeds
QUERIES, SHOWN = 100, 4_000  # of a run; cells over which Kendall's tau is taken


class Truth(NamedTuple):
    """Of cells that were not fitted to: predictions, the first repeat, and the mean of the others, (cells,)."""

    predicted: NDArray[np.float64]
    first: NDArray[np.float64]
    others: NDArray[np.float64]


def held_against(bench: Tabulated, count: int, seed: int = 0) -> tuple[Truth, NDArray[np.float64]]:
    """What a forest says that was fitted to the first repeat of some cells; and its predictions for the whole space."""
    space, repeats = bench.space, bench.repeats()
    features = features_of(space)
    classes = [space.canonical(space.at(row)) for row in range(space.size)]
    chosen = np.random.default_rng(seed).permutation(space.size)[:count]
    known = {classes[row] for row in chosen}
    trees = Trees.fit(features[chosen], repeats[chosen, 0], seed)
    predicted = trees.predict(features)
    later = repeats[:, 1:]
    others = np.where(np.isnan(later), 0.0, later).sum(axis=1) / np.maximum(1, (~np.isnan(later)).sum(axis=1))
    apart = np.array([each not in known for each in classes]) & ~np.isnan(later).all(axis=1)
    return Truth(predicted[apart], repeats[apart, 0], others[apart]), predicted


class Fitted(Tabulated):
    """The table, but that queries are answered by predictions; what an answer is worth, the table says."""

    predicted: NDArray[np.float64]

    def query(self, query: Query, rng: random.Random) -> Result:
        return super().query(query, rng)._replace(value=float(self.predicted[self.space.index(query.arch)]))


def worth(bench: Tabulated, name: str, seeds: int) -> list[float]:
    """The final answers' mean accuracies by the table, in percent."""
    found = []
    for seed in range(seeds):
        run = nassim.run(name, bench, f"{QUERIES}q", seed=seed)
        best = max(run.trials, key=lambda trial: trial.result.value)
        found.append(100 * bench.mean_accuracy(best.query.arch))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", nargs="+")
    parser.add_argument("--without-strategies", action="store_true")
    given, write = parser.parse_args(), sys.stdout.write
    for name in given.benchmarks:
        bench = get_benchmark(name, Noise.parse("repeat=1"))
        assert isinstance(bench, Tabulated)
        write(f"\n{name}\n\n")
        write(
            "| fitted to | R2 | tau | in the upper half | MAE | R2 of a training | its tau | upper half | its MAE |\n"
        )
        write("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
        rows, predictions = np.random.default_rng(1), {}
        for count in SIZES:
            truth, predictions[count] = held_against(bench, count)
            some = rows.permutation(len(truth.others))[:SHOWN]
            cells = []
            for values in (truth.predicted, truth.first):
                quality = Quality.of(values[some], truth.others[some])
                error = 100 * np.abs(values - truth.others).mean()
                cells += [f"{quality.r2:.3f}", f"{quality.tau:.3f}", f"{quality.tau_upper:.3f}", f"{error:.2f}"]
            write(f"| {count:,} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
        if given.without_strategies:
            continue
        write(f"\n| searched on, {QUERIES} queries | {' | '.join(STRATEGIES)} |\n|---|---:|---:|---:|\n")
        for count in (0, *SIZES):
            searched = bench
            if count:
                searched = get_benchmark(name, Noise.parse("repeat=1"))  # type: ignore[assignment]
                searched.__class__ = type("Fitted", (Fitted, type(bench)), {"predicted": predictions[count]})
            found = [worth(searched, strategy, seeds) for strategy, seeds in STRATEGIES.items()]
            cells = [f"{fmean(values):.2f} ± {stdev(values):.2f}" for values in found]
            write(f"| {f'{count:,} trainings' if count else 'the table'} | {' | '.join(cells)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
