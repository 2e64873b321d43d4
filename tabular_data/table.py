"""A table on disk: one HDF5 file for a benchmark family, written once and then only mapped.

The columns are contiguous HDF5 datasets, rows in the order of the space's `index`; they are used
in place, through a memory map at the datasets' offsets. The header is a set of root attributes (JSON).
A column is called ``task/name``; what holds after fewer epochs than a full training, ``task/name@epochs``.
HDF5 leaves a user block to its user: here it is a text of three lines, which names the format and
the sha256 of all that follows, so that a foreign, truncated or altered file is known before
HDF5 takes it apart. Other programs read the file as the HDF5 file that it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData
from nassim.files import put_in_place

FORMAT = 1
_BLOCK = 512  # bytes of the user block: HDF5's smallest
_PIECE = 1 << 20  # bytes that are read at once
_FIRST_LINES = re.compile(rb"nassim table (\d{1,9})\nbytes (\d{1,18})\nsha256 ([0-9a-f]{64})\n\0*")


@dataclass(frozen=True)
class Header:
    """What a table says of itself. ``sha256`` is of the columns alone and filled in by `write_table`."""

    space: str
    tasks: tuple[str, ...]
    metrics: tuple[str, ...]
    splits: Mapping[str, str]  # "task/metric" or "task/metric@epochs" -> the images that it was measured on
    repeats: int  # the most that a cell has; missing ones are NaN
    seeds: str  # what is known of the seeds of the repeats
    epochs: tuple[int, ...]
    units: Mapping[str, str]  # column name without the task -> unit
    source: str
    licence: str
    citation: str
    sha256: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)  # column, with * for any task -> where it comes from
    errata: tuple[str, ...] = ()  # what is known to be wrong or odd in the sources
    spec: Mapping[str, Any] = field(default_factory=dict)  # of a user's own table: its space, as specified


@dataclass(frozen=True)
class Table:
    """An open table: its header, and read-only columns ``task/column`` of shape (rows,) or (rows, repeats)."""

    path: Path
    header: Header
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def open(cls, path: Path) -> Table:
        """Map a table; `MissingData` if there is none, `CorruptData` if it is not whole."""
        content = _verified(path)
        with h5py.File(path, "r", locking=False) as file:
            header, names = _header(file)
            columns = {name: _in_place(content, file, name) for name in names}
        return cls(path, header, columns)


def read_header(path: Path) -> Header:
    """The header of a table, without looking at the rest; `CorruptData` if there is none to read."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return _header(file)[0]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CorruptData(f"{path} is not a nassim table or was damaged ({error}). {_REMEDY}") from error


def _header(file: h5py.File) -> tuple[Header, list[str]]:
    fields = {name: json.loads(text) for name, text in file.attrs.items()}
    names = fields.pop("columns")
    for name in {"tasks", "metrics", "epochs", "errata"} & fields.keys():
        fields[name] = tuple(fields[name])
    return Header(**fields), names


def column_name(task: str, name: str, epochs: int, full: int) -> str:
    """The name of a column: ``task/name`` after a full training, else ``task/name@epochs``."""
    return f"{task}/{name}" if epochs == full else f"{task}/{name}@{epochs}"


def digest(columns: Mapping[str, NDArray[Any]]) -> str:
    """The sha256 of columns: their names, types, shapes and values, whatever the file around them."""
    sha256 = hashlib.sha256()
    for name, column in sorted(columns.items()):
        sha256.update(f"{name} {column.dtype.str} {column.shape}\n".encode())
        sha256.update(np.ascontiguousarray(column).data)
    return sha256.hexdigest()


def write_table(path: Path, header: Header, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write a table so that ``path`` is at any time absent, the old table or the whole new one.

    The folder is made if need be. `OutputFailed` if it cannot be written or is full.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=_BLOCK) as file:
        for name, column in columns.items():
            file.create_dataset(name, data=column)
        fields = {**asdict(replace(header, sha256=digest(columns))), "columns": list(columns)}
        file.attrs.update({name: json.dumps(value) for name, value in fields.items()})
    content = buffer.getbuffer()
    sha256 = hashlib.sha256(content[_BLOCK:]).hexdigest()
    first_lines = f"nassim table {FORMAT}\nbytes {len(content)}\nsha256 {sha256}\n".encode()
    content[: len(first_lines)] = first_lines
    with put_in_place(path, "Make room or choose another folder by the environment variable NASSIM_DATA.") as file:
        file.write(content)


def _verified(path: Path) -> NDArray[np.uint8]:
    """The bytes of a file that is a whole table, mapped."""
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            content = np.memmap(file, mode="r").view(np.ndarray)
            file.seek(_BLOCK)
            while piece := file.read(_PIECE):  # read, not mapped: what is mapped and touched stays resident
                sha256.update(piece)
    except FileNotFoundError as error:
        raise MissingData(f"the table {path} is not there.") from error
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise CorruptData(f"the table {path} cannot be read: {error}. {_REMEDY}") from error
    match = _FIRST_LINES.fullmatch(content[:_BLOCK].tobytes())
    if match is None:
        raise CorruptData(f"{path} is not a nassim table or its first {_BLOCK} bytes were altered. {_REMEDY}")
    if int(match[1]) != FORMAT:
        raise CorruptData(f"{path} has table format {int(match[1])}, this nassim reads format {FORMAT}. {_REMEDY}")
    if int(match[2]) != len(content):
        raise CorruptData(f"the table {path} has {len(content):,} bytes instead of {int(match[2]):,}. {_REMEDY}")
    if sha256.hexdigest().encode() != match[3]:
        raise CorruptData(f"the table {path} was altered: its sha256 is another than when it was written. {_REMEDY}")
    return content


_REMEDY = "Delete it: it is rebuilt when it is next needed."


def _in_place(content: NDArray[np.uint8], file: h5py.File, name: str) -> NDArray[Any]:
    dataset = h5py.h5d.open(file.id, name.encode())  # h5py's own objects take three times as long to open
    start, dtype, shape = dataset.get_offset(), dataset.dtype, dataset.shape
    column: NDArray[Any] = content[start : start + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
    return column
