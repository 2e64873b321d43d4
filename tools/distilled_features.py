"""What each block of features adds to the model of darts/cifar10, cross-validated, as docs/surrogates.md has it.

nassim data get nasbench301_distilled
.venv/bin/python tools/distilled_features.py
"""

from __future__ import annotations

import sys

import numpy as np

from nassim.benchmarks.spaces.darts_cells import adjacency_encoding
from nassim.benchmarks.spaces.darts_features import BLOCKS, features
from nassim.surrogates.quality import Quality, cross_validated
from nassim.tabular_data.download import fetch
from nassim.tabular_data.recipes.nasbench301_distilled import (
    EDGES_ALONE,
    FILES,
    FOLDS,
    NAME,
    PENALTIES,
    SEED,
    predictions,
)

EDGES_WITH = 30.0  # the penalty of edges beside all else


def main() -> None:
    """Print a row for edges alone, edges and each block, all blocks but each, all and edges, and all."""
    choices, values = predictions(fetch(NAME, FILES))
    known = np.concatenate([adjacency_encoding(choices), features(choices)], axis=1)
    sizes = {"edges": known.shape[1] - sum(BLOCKS.values()), **BLOCKS}
    rows = {"edges": {"edges": EDGES_ALONE}}
    rows |= {f"edges, {name}": {"edges": EDGES_ALONE, name: PENALTIES[name]} for name in BLOCKS}
    rows |= {f"all but {left}": {n: p for n, p in PENALTIES.items() if n != left} for left in BLOCKS}
    rows["all and edges"] = {"edges": EDGES_WITH, **PENALTIES}
    rows["all of these (what is shipped)"] = dict(PENALTIES)
    sys.stdout.write("| features | R2 | Kendall's tau | in the upper half |\n|---|---:|---:|---:|\n")
    for name, chosen in rows.items():
        there = np.repeat([block in chosen for block in sizes], list(sizes.values()))
        penalties = np.repeat([chosen.get(block, 1.0) for block in sizes], list(sizes.values()))
        held_out = cross_validated(known[:, there], values, penalties[there], folds=FOLDS, seed=SEED)
        found = Quality.of(held_out, values)
        sys.stdout.write(f"| {name} | {found.r2:.3f} | {found.tau:.3f} | {found.tau_upper:.3f} |\n")


if __name__ == "__main__":
    main()
