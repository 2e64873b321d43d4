"""NAS-Bench-101: test accuracy and parameters of all 423,624 cells, from FreeREA's files.

FreeREA (N. Cavagnero) keeps a line for each cell, but not the cell: lines are in ascending order of the graph
hash, by which the official release names its cells. So the cells are enumerated here with the same
hashes, and line i is that of the i-th hash. The join is checked on every cell: the parameters that
FreeREA counted must be those of the network that the cell describes. The accuracy is the mean of three
trainings on 9,984 test images each, hence a count over 29,952: the table holds the quotient.

Validation accuracy, single trainings, fewer epochs and training times are in the official release alone.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData, Unsupported
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.download import RemoteFile, fetch
from nassim.tabular_data.recipes import nasbench101_tfrecord
from nassim.tabular_data.recipes.nasbench101_cells import (
    BEST_ERROR,
    COMPACT_TABLE,
    FULL,
    PAPER,
    SPACE,
    SPLITS,
    all_cells,
)
from nassim.tabular_data.table import Header, Table, write_table

NAME = "nasbench101"
TABLE = COMPACT_TABLE
ADDS = (
    "NAS-Bench-101: mean test accuracy after 108 epochs and parameters of all cells (validation: nasbench101-official)"
)
LICENCE = "MIT (FreeREA by its README); the release it was read from: Apache-2.0"
SHA256 = "afa84e626fb5059ef4dd4272b480399d8018eedcdf6cd65749a33303ee67ddea"  # of the columns
CITATION = f"{PAPER}; as in FreeREA (N. Cavagnero et al., WACV 2023)"
_FOLDER = "cached_metrics/nasbench101/cifar10"
_FREEREA = ("NiccoloCavagnero/FreeREA", "9c2a726cd3adf526c43ae52a515a8fc5ea927fe7")
FILES = (
    RemoteFile(
        *_FREEREA,
        f"{_FOLDER}/accuracies.pkl.gz",
        1_844_769,
        "84bcca117040f6f499e81743baee1ffaa3865f014bc7489fb1833dc06905f55e",
    ),
    RemoteFile(
        *_FREEREA,
        f"{_FOLDER}/params.pkl.gz",
        4_105_386,
        "1b312e23917a312c6fc6f356e579ba1166870e6671f7cb1c093685a2558a1e6a",
    ),
)
IMAGES = 29_952  # three times 9,984
ERRATA = (
    "No validation accuracy: a search on this source would see the test images.",
    "The test accuracy is the mean of three trainings: less noisy than what a search on single ones sees.",
    "No training times: the cost is declared, every training counts 1.",
    "The release evaluates 9,984 of the 10,000 images (39 batches of 256).",
)
HEADER = Header(
    space=SPACE,
    tasks=("cifar10",),
    metrics=("test_accuracy",),
    splits={"cifar10/test_accuracy": f"{SPLITS['cifar10/test_accuracy']}; the mean of three runs"},
    repeats=1,
    seeds="not in the source; one value, the mean of three runs",
    epochs=(FULL,),
    units={"test_accuracy": "fraction", "parameters": "trainable parameters"},
    source=f"{_FREEREA[0]}@{_FREEREA[1][:7]}, {_FOLDER}, joined to the cells by the order of their hashes",
    licence=LICENCE,
    citation=CITATION,
    sources={
        "cifar10/test_accuracy": FILES[0].path,
        "cifar10/parameters": f"counted from the network's description; equal to {FILES[1].path} for every cell",
        "lookup/*": "the numbering of the cells: from a spelling to its row",
    },
    errata=ERRATA,
)


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Make the table; `CorruptData` if a file is not what is known of it or does not fit the cells."""
    accuracy = read_column(paths[FILES[0].path], "accuracy")
    counted = read_column(paths[FILES[1].path], "params")
    cells = all_cells()
    high, low = cells.hashes.view(">u8").astype(np.uint64).T
    order = np.lexsort((low, high))
    _require(
        accuracy.shape == counted.shape == order.shape, f"the files do not have a line for each of {len(order):,} cells"
    )
    different = int((np.rint(counted * 1e6) != cells.parameters[order]).sum())
    _require(not different, f"{different:,} cells have other parameters in FreeREA's order of the hashes")
    correct = np.rint(accuracy * IMAGES)
    _require(np.abs(accuracy * IMAGES - correct).max() < 0.01, f"accuracies are no multiples of 1/{IMAGES:,}")
    test = np.empty((len(order), 1))
    test[order, 0] = correct / IMAGES
    columns: dict[str, NDArray[Any]] = {**cells.columns(), "cifar10/test_accuracy": test}
    _check_best(columns)
    write_table(target, HEADER, columns)


def read_column(path: Path, name: str) -> NDArray[np.float64]:
    """A column of a frame that pandas 1 pickled and gzip compressed; `CorruptData` if there is no such thing."""
    try:
        with gzip.open(path) as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptData(f"{path} is not compressed by gzip or is cut off ({error}). Fetch it again.") from error
    _require(len(content) <= _LARGEST, f"{path} is larger than it can be")
    frame = safe_pickle.loads(content, name=str(path), stand_ins=_PANDAS)
    try:
        blocks, (names, _) = frame.state["_mgr"]
        for values, places in blocks:
            for place, row in zip(range(*places), values.content, strict=True):
                if names["data"].content[place] == name:
                    return np.asarray(row, dtype=np.float64)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise CorruptData(f"{path} is not a frame as FreeREA's files are ({error!r:.100}).") from error
    raise CorruptData(f"{path} has no column {name}.")


class _Frame:
    """Takes the place of a data frame: keeps what the pickle gives it."""

    def __setstate__(self, state: Any, /) -> None:
        self.state = state


class _NewBlock:
    """Takes the place of a partial function that makes a block from values and their places."""

    def __init__(self, function: object) -> None:
        pass

    def __setstate__(self, state: object, /) -> None:
        pass

    def __call__(self, *block: Any) -> tuple[Any, ...]:
        return block


class _Values:
    """Takes the place of an array: numbers as an array, objects as their list."""

    def __setstate__(self, state: Any, /) -> None:
        _, shape, kind, by_columns, content = state
        if isinstance(content, bytes):
            flat = np.frombuffer(content, dtype=kind.dtype)
            self.content: Any = flat.reshape(shape, order="F" if by_columns else "C")
        else:
            self.content = list(content)


_LARGEST = 15_000_000  # bytes of a frame; the larger one has 13.6 million
_PANDAS = {
    "pandas.core.frame.DataFrame": _Frame,
    "pandas.core.internals.managers.BlockManager": lambda blocks, axes: (blocks, axes),
    "pandas.core.internals.blocks.new_block": None,
    "pandas.core.indexes.base.Index": None,
    "pandas.core.indexes.range.RangeIndex": None,
    "pandas.core.indexes.base._new_Index": lambda _kind, contents: contents,
    "functools.partial": _NewBlock,
    "builtins.slice": lambda *bounds: bounds,
    "numpy._core.multiarray._reconstruct": lambda *_: _Values(),
}


def import_release(path: Path, target: Path) -> None:
    """Make the table from a folder that holds FreeREA's files; the official release has a table of its own."""
    if not path.is_dir() or any((path / name).is_file() for name in nasbench101_tfrecord.RELEASES):
        official = nasbench101_tfrecord.NAME
        raise Unsupported(f"{path} is not a folder of FreeREA's files. The release: nassim data import {official} PATH")
    convert(fetch(NAME, FILES, mirror=str(path)), target)


def check(path: Path) -> list[str]:
    """What `nassim data verify` says beside the checksums."""
    return [_check_best(Table.open(path).columns)]


def _check_best(columns: Mapping[str, NDArray[Any]]) -> str:
    error = 1.0 - float(columns["cifar10/test_accuracy"].max())
    published = BEST_ERROR["test_accuracy"]
    _require(abs(error - published) < 1e-8, f"the lowest mean test error is {error}, published is {published}")
    return f"cifar10: lowest mean test error {error:.9f}, as published"


def _require(holds: object, what: str) -> None:
    if not holds:
        raise CorruptData(f"nasbench101: {what}. The table was not made.")
