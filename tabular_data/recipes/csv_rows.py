"""The rows of a user's file, a hundred thousand at a time: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, InvalidSetting, MissingData, MissingDependency

ROWS = 100_000  # at a time
_LONGEST = 1 << 24  # characters of a JSON record
_LONGEST_LINE = 1 << 24  # characters of a line of CSV
_KINDS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
_SUFFIXES = ".csv, .tsv, .json, .jsonl (each also with .gz) or .parquet"

Column = NDArray[Any]  # of objects: text, numbers, None where there is nothing


class Rows(NamedTuple):
    """Some rows: the number of the first one, as a user counts it, and the columns that were asked for."""

    first: int
    columns: Mapping[str, Column]


class Source:
    """A file of rows. Opened anew by each call, so that it can be gone through twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        suffixes = [suffix.lower() for suffix in path.suffixes]
        kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
        if kind not in _KINDS:
            raise InvalidSetting(f"{path}: what kind of file is that? It must end in {_SUFFIXES}.")
        if not path.is_file():
            raise MissingData(f"{path} is not there: nothing was imported.")
        self._kind, self._separator = _KINDS[kind], "\t" if kind == ".tsv" else ","

    def names(self) -> list[str]:
        """The names of the columns (JSON: the keys of the first record)."""
        with _errors(self.path):
            if self._kind == "csv":
                with self._text() as file:
                    names = next(csv.reader(_lines(file, self.path), delimiter=self._separator, strict=True), [])
            elif self._kind == "parquet":
                with _parquet(self.path) as file:
                    names = list(file.schema_arrow.names)
            else:
                names = [str(key) for key in next(self._records(), {})]
        if not names:
            raise CorruptData(f"{self.path} is empty: nothing was imported.")
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise CorruptData(f"{self.path} has two columns {twice!r:.80}: nothing was imported.")
        return names

    def read(self, names: Sequence[str], at_a_time: int = ROWS) -> Generator[Rows, None, None]:
        """All rows of some columns, in order, so many at a time; to be closed, as it holds the file open."""
        wanted = list(dict.fromkeys(names))
        with _errors(self.path):
            if self._kind == "csv":
                yield from self._read_csv(wanted, at_a_time)
            elif self._kind == "parquet":
                first = 1
                with _parquet(self.path) as file:
                    for batch in file.iter_batches(batch_size=at_a_time, columns=wanted):
                        values = {name: batch.column(i).to_pylist() for i, name in enumerate(batch.schema.names)}
                        yield Rows(first, {name: self._scalars(values[name], name, first) for name in wanted})
                        first += batch.num_rows
            else:
                yield from self._read_json(wanted, at_a_time)

    def _read_csv(self, wanted: list[str], at_a_time: int) -> Iterator[Rows]:
        with self._text() as file:
            reader = csv.reader(_lines(file, self.path), delimiter=self._separator, strict=True)
            header = next(reader)
            place_of = {name: i for i, name in enumerate(header)}
            places = [place_of[name] for name in wanted]
            first = 2  # the header is row 1
            while rows := list(islice(reader, at_a_time)):
                for i, row in enumerate(rows):
                    if len(row) != len(header):
                        if row:
                            what = f"{len(row)} cells, the header has {len(header)}"
                            raise CorruptData(f"{self.path}, row {first + i:,}: it has {what}. Nothing was imported.")
                        rows[i] = [""] * len(header)  # an empty line
                columns = list(zip(*rows, strict=True))
                yield Rows(first, {name: _objects(columns[i]) for name, i in zip(wanted, places, strict=True)})
                first += len(rows)

    def _text(self) -> TextIO:
        if self.path.suffix.lower() == ".gz":
            return cast(TextIO, gzip.open(self.path, "rt", encoding="utf-8-sig", newline=""))
        return self.path.open(encoding="utf-8-sig", newline="")

    def _read_json(self, wanted: list[str], at_a_time: int) -> Iterator[Rows]:
        first, records = 1, []
        for record in self._records():
            records.append(record)
            if len(records) == at_a_time:
                yield Rows(first, {name: self._scalars([r.get(name) for r in records], name, first) for name in wanted})
                first, records = first + at_a_time, []
        yield Rows(first, {name: self._scalars([r.get(name) for r in records], name, first) for name in wanted})

    def _scalars(self, values: Sequence[Any], name: str, first: int) -> Column:
        """The cells of a column, which may be texts, numbers and nothing; numbers that no float holds become texts."""
        cells = list(values)
        for i, value in enumerate(cells):
            if value is None or isinstance(value, (str, float)):
                continue
            if isinstance(value, (list, dict, tuple, set)):
                what = f"{_shown(value)} is no text and no number"
                raise CorruptData(f"{self.path}, row {first + i:,}, column {name:.60}: {what}. Nothing was imported.")
            if not isinstance(value, int) or abs(value) >= 2**53:
                cells[i] = _number_or_text(value)
        return _objects(cells)

    def _records(self) -> Iterator[dict[str, Any]]:
        """The objects of an array, or of one object after the other; never more than a part of the text in memory."""
        decoder = json.JSONDecoder()
        with self._text() as file:
            text, start, number = "", 0, 0
            in_array: bool | None = None
            while True:
                start = _skip(text, start, " \t\r\n,")
                if in_array is None and start < len(text):
                    in_array = text[start] == "["
                    start += in_array
                    continue
                if in_array and text[start : start + 1] == "]":
                    return
                try:
                    record, start = decoder.raw_decode(text, start)
                except RecursionError:
                    raise CorruptData(f"{self.path}: record {number + 1:,} is nested too deep.") from None
                except json.JSONDecodeError as error:
                    if len(text) - start > _LONGEST:
                        raise CorruptData(f"{self.path}: record {number + 1:,} is no JSON ({error}).") from error
                    more = _more(file)
                    if not more:
                        if start == len(text) and not in_array:
                            return
                        what = f"record {number + 1:,} is cut off or no JSON"
                        raise CorruptData(f"{self.path}: {what} ({error}).") from error
                    text, start = text[start:] + more, 0
                    continue
                number += 1
                if not isinstance(record, dict):
                    raise CorruptData(f"{self.path}: record {number:,} is no object, but {_shown(record)}.")
                yield record


def _number_or_text(value: Any) -> float | str:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):  # an integer of 400 digits, a date
        return str(value)


def _shown(value: Any) -> str:
    """A value for a message: what may be nested or long is only named."""
    return f"a {type(value).__name__}" if isinstance(value, (list, dict, tuple, set)) else f"{value!r:.60}"


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """The lines of a file, none so long that it fills the memory."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise CorruptData(f"{path} has a line of more than {_LONGEST_LINE:,} characters: that is no CSV.")
        yield line


def _more(file: TextIO) -> str:
    return file.read(1 << 20)


def _skip(text: str, start: int, what: str) -> int:
    while start < len(text) and text[start] in what:
        start += 1
    return start


def _objects(values: Sequence[Any]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependency(f"{path.name} is read by a package that is not here: pip install pyarrow") from error
    return parquet.ParquetFile(path)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (CorruptData, InvalidSetting, MissingData, MissingDependency):
        raise
    except UnicodeDecodeError as error:
        raise CorruptData(f"{path} is not text in UTF-8 ({error}).") from error
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:  # pyarrow's own are ValueErrors
        reason = " ".join(str(error).split())
        raise CorruptData(f"{path} is damaged, or not the kind of file that its name says: {reason:.200}") from error
