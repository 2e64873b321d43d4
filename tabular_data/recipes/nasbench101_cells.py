"""What every table of NAS-Bench-101 holds of the cells, whatever the source of their accuracies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import Numbering, cells
from nassim.benchmarks.spaces.nasbench101.cost import parameters
from nassim.benchmarks.spaces.nasbench101.graph import PAIRS
from nassim.benchmarks.spaces.nasbench101.hashes import fingerprints
from nassim.errors import MissingData
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table import Table
from nassim.tabular_data.task_columns import wrong

COMPACT_TABLE, OFFICIAL_TABLE = "nasbench101.h5", "nasbench101-official.h5"  # in the data folder
VALID_SOURCE = (
    "Validation accuracy is in the official release: nassim data import nasbench101-official nasbench_full.tfrecord"
)
LICENCE_OF_RELEASE = "Apache-2.0 (google-research/nasbench)"
PAPER = (
    'C. Ying, A. Klein, E. Christiansen, E. Real, K. Murphy and F. Hutter, "NAS-Bench-101: Towards Reproducible '
    'Neural Architecture Search", ICML 2019, arXiv:1902.09635'
)
SPLITS = {
    "cifar10/valid_accuracy": "9,984 of 10,000 images of CIFAR-10's training set; trained on the other 40,000",
    "cifar10/test_accuracy": "9,984 of the 10,000 test images of CIFAR-10",
}
SPACE = "nasbench101"
EPOCHS = (4, 12, 36, 108)
FULL = 108
REPEATS = 3
# The lowest mean errors after a full training: nas_benchmarks (Klein & Hutter), tabular_benchmarks/nas_cifar10.py.
BEST_ERROR = {"valid_accuracy": 0.04944576819737756, "test_accuracy": 0.056824247042338016}


class Cells(NamedTuple):
    """The cells that a source is expected to hold, in the order of their numbers."""

    numbering: Numbering
    hashes: NDArray[np.uint8]  # (cells, 16), the names of the cells in the release
    parameters: NDArray[np.int64]  # (cells,), counted from the description of the network

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns of a table that are the same for every source."""
        return {
            "lookup/edges": self.numbering.lookup,
            "lookup/cells": self.numbering.places,
            "cifar10/parameters": self.parameters.astype(np.int32),
        }


def all_cells() -> Cells:
    """The 423,624 cells (15 seconds, most of them for the hashes)."""
    sizes, numbering = cells()
    hashes = np.concatenate([fingerprints(size) for size in sizes])
    return Cells(numbering, hashes, np.concatenate([parameters(size) for size in sizes]))


def open_table() -> Table:
    """The most complete table that is here; `MissingData` if there is none."""
    for name in (OFFICIAL_TABLE, COMPACT_TABLE):
        if (data_folder() / name).exists():
            table = Table.open(data_folder() / name)
            lookup, places = table.columns["lookup/edges"], table.columns["lookup/cells"]
            kinds = lookup.dtype == np.uint32 and places.dtype == np.int32
            if lookup.shape != (2 ** len(PAIRS),) or places.ndim != 1 or not kinds:
                raise wrong(table, "its lookup has another shape")
            return table
    raise MissingData(f"NAS-Bench-101 is not here: nassim data get nasbench101 (6 MB, test accuracy). {VALID_SOURCE}")
