"""Figures of a table that nassim trained: how well its repeats agree, and how far accuracies spread.

    python tools/table_figures.py nasbench201/digits [TABLE]

Over the cells that all seeds have trained; while a table is being built these are the pilot's.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.benchmarks.spaces.nasbench201_cost import flops
from nassim.full_training.tables.designs import get_design
from nassim.tabular_data.trained import open_trained, shipped


def agreement(repeats: NDArray[np.float64]) -> str:
    """Spearman's correlation between each two of the repeats (cells, repeats), and the mean."""
    pairs = combinations(range(repeats.shape[1]), 2)
    found = [float(spearmanr(repeats[:, i], repeats[:, j]).statistic) for i, j in pairs]
    return f"{np.mean(found):.3f} ({', '.join(f'{value:.3f}' for value in found)})"


def main() -> None:
    design = get_design(sys.argv[1] if len(sys.argv) > 1 else "nasbench201/digits")
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else shipped(design.file_name)
    table, space, task, data = open_trained(path, design.data_name), design.space, design.data_name, design.load_data()
    columns, recipe = table.columns, design.recipe
    classes = np.array([each.rows[0] for each in design.classes])
    valid = columns[f"{task}/valid_accuracy"]
    everywhere = ~np.isnan(valid).any(axis=1)
    chosen = classes[everywhere[classes]]
    mean = valid[chosen].mean(axis=1)
    test = columns[f"{task}/test_accuracy"][chosen].mean(axis=1)
    top = chosen[mean >= np.quantile(mean, 0.9)]
    upper = chosen[mean >= np.median(mean)]
    quantiles = np.quantile(mean, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    noise = np.sqrt(valid[chosen].var(axis=1, ddof=1).mean())
    cells_of_201 = design.gain is None
    if cells_of_201:
        sizes = flops(
            np.array([whole(each.trained).choices for each in design.classes]),
            classes=data.classes,
            side=data.side,
            channels=recipe.channels,
            cells=recipe.cells,
            image_channels=data.channels,
        )[everywhere[classes]]
    else:
        sizes = columns[f"{task}/flops"][chosen]
    seconds = columns[f"{task}/train_seconds"][chosen]
    lines = {
        f"classes with {valid.shape[1]} repeats": f"{len(chosen):,} ({int(everywhere.sum()):,} cells)",
        "Spearman between repeats, over classes": agreement(valid[chosen]),
        "... over their cells": agreement(valid[everywhere]),
        "... in the upper half": agreement(valid[upper]),
        f"... in the top 10 % ({len(top)} classes)": agreement(valid[top]),
        "mean accuracy [%]: 0, 5, 25, 50, 75, 95, 100 % quantiles": " ".join(f"{100 * q:.1f}" for q in quantiles),
        "standard deviation between classes / repeats [points]": f"{100 * mean.std():.2f} / {100 * noise:.2f}",
        "Spearman, validation against test": f"{spearmanr(mean, test)[0]:.3f}",
        "Spearman, FLOPs against validation": f"{spearmanr(sizes, mean)[0]:.3f}",
        "processor seconds of a training": f"{seconds.mean():.3f} (all: {seconds.sum() / 3600:.2f} hours)",
    }
    for epochs in table.header.epochs[:-1]:
        early = columns[f"{task}/valid_accuracy@{epochs}"][chosen].mean(axis=1)
        lines[f"Spearman, epoch {epochs} against the last"] = f"{spearmanr(early, mean)[0]:.3f}"
    cells = valid[everywhere].mean(axis=1)
    lines["mean and median over cells [%]"] = f"{100 * cells.mean():.2f}, {100 * np.median(cells):.2f}"
    if cells_of_201:
        skips = valid[space.index(space.parse("111111"))].mean()
        lines["cell of six skips [%]"] = f"{100 * skips:.2f}, above {100 * (cells < skips).mean():.0f} % of all"
    lines["best mean test accuracy [%]"] = f"{100 * test.max():.2f}"
    best = [str(space.at(int(chosen[i]))) + f" {100 * mean[i]:.2f} %" for i in np.argsort(-mean)[:5]]
    lines["best"] = "; ".join(best)
    for name, value in lines.items():
        sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    main()
