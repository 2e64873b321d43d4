"""A table on disk: one file for a benchmark family, written once and then only mapped.

For other programs it is an HDF5 file: contiguous datasets ``task/name`` (what holds after fewer epochs than a full
training: ``task/name@epochs``), rows in the order of the space's `index`, and the header as attributes of the root.
HDF5 leaves a user block to its user. Here it is text: first lines with the format, the length and the checksums,
then the header and the places of the columns (`table_header`). nassim reads this text and maps the columns where it
says that they lie; it never hands a file to the HDF5 library, whose C code crashes on some altered files,
and follows links out of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData
from nassim.files import put_in_place
from nassim.tabular_data.table_header import Header, Place, from_text, to_text

__all__ = ["Header", "Table", "column_name", "digest", "read_header", "write_table"]

FORMAT = 2
_BLOCK = 512  # bytes: the smallest user block of HDF5, and more than the first lines take
_LONGEST_HEADER = 1 << 24  # bytes
_LARGEST = 1 << 36  # bytes of a file; those of NATS-Bench have 1 << 30
_PIECE = 1 << 20  # bytes that are read at once
_FIRST_LINE = re.compile(rb"nassim table (\d{1,9})\n")
_FIRST_LINES = re.compile(
    rb"nassim table 2\nbytes (?P<bytes>\d{1,18})\nheader (?P<header>\d{1,9}) (?P<header_sha256>[0-9a-f]{64})\n"
    rb"sha256 (?P<sha256>[0-9a-f]{64})\n"
)


@dataclass(frozen=True)
class Table:
    """An open table: its header, and read-only columns ``task/column`` of shape (rows,) or (rows, repeats)."""

    path: Path
    header: Header
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def open(cls, path: Path) -> Table:
        """Map a table; `MissingData` if there is none, `CorruptData` if it is not whole.

        To ask its ``columns`` for one that it does not have is `CorruptData` too.
        """
        with _opened(path) as file:
            begun = _begin(path, file)
            file.seek(begun.lines)
            sha256 = hashlib.sha256()
            while piece := file.read(_PIECE):  # read, not mapped: what is mapped and touched stays resident
                sha256.update(piece)
            if sha256.hexdigest() != begun.sha256:
                raise CorruptData(
                    f"the table {path} was altered: its sha256 is another than when it was written. {_REMEDY}"
                )
            content = np.memmap(file, mode="r").view(np.ndarray)
        columns = Columns(path, {name: _in_place(content, place) for name, place in begun.places.items()})
        return cls(path, begun.header, columns)


class Columns(dict[str, NDArray[Any]]):
    """Columns by name; one that is not there is `CorruptData`, as whoever asks for it knows what the table holds."""

    def __init__(self, path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(columns)
        self._path = path

    def __missing__(self, name: str) -> NDArray[Any]:
        raise CorruptData(f"the table {self._path} has no column {name!r:.80}. {_REMEDY}")


def read_header(path: Path) -> Header:
    """The header of a table, without looking at the rest; `MissingData` or `CorruptData` as `Table.open`."""
    with _opened(path) as file:
        return _begin(path, file).header


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

    The folder is made if need be. `OutputFailed` if it cannot be written or is full, `ValueError` for what no
    table can hold.
    """
    import h5py  # takes longer than opening a table, which needs it not

    header = replace(header, sha256=digest(columns))
    places = {name: Place(column.dtype.str, column.shape, 0) for name, column in columns.items()}
    # The places are known only when all is written: room for the longest numbers.
    room = len(to_text(header, {name: place._replace(start=2**47) for name, place in places.items()}))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=1 << (_BLOCK + room - 1).bit_length()) as file:
        for name, column in columns.items():
            dataset = file.create_dataset(name, data=column)
            places[name] = places[name]._replace(start=dataset.id.get_offset() or 0)  # one without rows has no place
        fields = {**asdict(header), "columns": list(columns)}
        file.attrs.update({name: json.dumps(value) for name, value in fields.items()})
    content = buffer.getbuffer()
    text = to_text(header, places)
    lines = first_lines(text, len(content), "0" * 64)
    content[len(lines) : len(lines) + len(text)] = text
    sha256 = hashlib.sha256(content[len(lines) :]).hexdigest()
    content[: len(lines)] = first_lines(text, len(content), sha256)
    with put_in_place(path, "Make room or choose another folder by the environment variable NASSIM_DATA.") as file:
        file.write(content)


def first_lines(text: bytes, length: int, sha256: str) -> bytes:
    """The lines before the header: its length and checksum, and those of the whole file (of what follows the lines)."""
    header = f"header {len(text)} {hashlib.sha256(text).hexdigest()}"
    return f"nassim table {FORMAT}\nbytes {length}\n{header}\nsha256 {sha256}\n".encode()


class _Begun(NamedTuple):
    lines: int  # bytes of the first lines
    sha256: str  # of all that follows them
    header: Header
    places: dict[str, Place]


def _begin(path: Path, file: BinaryIO) -> _Begun:
    """Read the first lines and the header; nothing else is taken from a file before it fits them."""
    block = file.read(_BLOCK)
    first = _FIRST_LINE.match(block)
    lines = _FIRST_LINES.match(block)
    if first and int(first[1]) != FORMAT:
        raise CorruptData(f"{path} has table format {int(first[1])}, this nassim reads format {FORMAT}. {_REMEDY}")
    if lines is None:
        raise CorruptData(f"{path} is not a nassim table or its first {_BLOCK} bytes were altered. {_REMEDY}")
    said, length = int(lines["bytes"]), path.stat().st_size
    if said != length or length > _LARGEST:
        raise CorruptData(f"the table {path} has {length:,} bytes instead of {said:,}. {_REMEDY}")
    size = int(lines["header"])
    file.seek(lines.end())
    text = file.read(min(size, _LONGEST_HEADER))
    if hashlib.sha256(text).hexdigest().encode() != lines["header_sha256"]:
        raise CorruptData(f"the header of the table {path} was altered. {_REMEDY}")
    try:
        header, places = from_text(text, length)
    except ValueError as error:
        raise CorruptData(f"{path} is no table that this nassim reads: {error!s:.200}. {_REMEDY}") from error
    return _Begun(lines.end(), lines["sha256"].decode(), header, places)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read; what goes wrong with it is one of our errors."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for a writer
            raise CorruptData(f"the table {path} cannot be read: it is no file. {_REMEDY}")
        with path.open("rb") as file:
            yield file
    except CorruptData:
        raise
    except FileNotFoundError as error:
        raise MissingData(f"the table {path} is not there.") from error
    except (OSError, ValueError) as error:
        raise CorruptData(f"the table {path} cannot be read: {error}. {_REMEDY}") from error


_REMEDY = "Delete it: it is rebuilt when it is next needed, or got or imported again (`nassim data`)."


def _in_place(content: NDArray[np.uint8], place: Place) -> NDArray[Any]:
    column: NDArray[Any] = content[place.start : place.start + place.size].view(place.dtype).reshape(place.shape)
    return column
