"""What a table says of itself, as text at its beginning; every word of it is checked before it is used.

The text is a JSON object: ``header`` with the fields of `Header`, and ``columns``, which gives for each name
the type, the shape, and the byte of the file at which the values begin.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from nassim.errors import InvalidSetting
from nassim.metric import Metric

MOST_COLUMNS = 100_000
MOST_EPOCHS = 1_000_000  # of a training
_MOST_DIMENSIONS = 4
_LONGEST_NAME = 300  # characters
_DTYPE = re.compile(r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


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
    metric: Mapping[str, str] = field(default_factory=dict)  # its record (`Metric.of`); empty: accuracy


class Place(NamedTuple):
    """Where the values of a column lie in the file, and what they are."""

    dtype: str  # numpy's name with the byte order: numbers of fixed size and nothing else
    shape: tuple[int, ...]
    start: int  # byte of the file

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def to_text(header: Header, places: Mapping[str, Place]) -> bytes:
    """The text of a header; `ValueError` if it is none that would be read again."""
    fields_of = {name: value for name, value in asdict(header).items() if name != "metric" or value}
    text = json.dumps({"header": fields_of, "columns": places}, separators=(",", ":")).encode()
    from_text(text, math.inf)
    return text


def from_text(text: bytes, length: float) -> tuple[Header, dict[str, Place]]:
    """The header and the places of the columns in a file of so many bytes; `ValueError` says what is wrong."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("its header is nested too deep") from None
    _require(isinstance(content, dict) and content.keys() == {"header", "columns"}, "its header has other parts")
    header, columns = content["header"], content["columns"]
    _require(isinstance(header, dict), "its header is no object")
    _require(isinstance(columns, dict) and len(columns) <= MOST_COLUMNS, "its columns are no object")
    return _header(header), {name: _place(name, place, length) for name, place in columns.items()}


def _header(given: dict[str, Any]) -> Header:
    given.setdefault("metric", {})  # most tables are of accuracies, and say nothing of it
    known = {f.name: str(f.type) for f in fields(Header)}
    for name in (known.keys() | given.keys()) - (known.keys() & given.keys()):
        raise ValueError(f"its header {'lacks' if name in known else 'has an unknown'} {name!r:.40}")
    _require(printable(given), "its header has texts that cannot be printed")
    for name, kind in known.items():
        value = given[name]
        _require(_KINDS[kind](value), f"{name} in its header is {value!r:.40}")
        given[name] = tuple(value) if isinstance(value, list) else value
    _require(given["epochs"], "its header names no epochs")
    try:
        Metric.of(given["metric"])
    except InvalidSetting as error:
        raise ValueError(f"in its header {error}") from None
    return Header(**given)


def printable(value: Any) -> bool:
    """Whether no text in a value of JSON or TOML moves a cursor or is no Unicode."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str) and _UNPRINTABLE.search(value):
            return False
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
    return True


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MOST_EPOCHS


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


_KINDS: dict[str, Callable[[Any], bool]] = {  # the types of `Header`, as JSON has them
    "str": lambda value: isinstance(value, str),
    "int": _is_count,
    "tuple[str, ...]": lambda value: isinstance(value, list) and _are_texts(value),
    "tuple[int, ...]": lambda value: isinstance(value, list) and all(map(_is_count, value)),
    "Mapping[str, str]": lambda value: isinstance(value, dict) and _are_texts(value.values()),
    "Mapping[str, Any]": lambda value: isinstance(value, dict),
}


def _place(name: str, given: Any, length: float) -> Place:
    what = f"its column {name!r:.60}"
    _require(len(name) <= _LONGEST_NAME and not _UNPRINTABLE.search(name), f"{what} has no name that can be printed")
    _require(isinstance(given, list) and len(given) == 3, f"{what} has no place")
    dtype, shape, start = given
    _require(isinstance(dtype, str) and _DTYPE.fullmatch(dtype), f"{what} is of type {dtype!r:.40}, not of numbers")
    _require(isinstance(shape, list) and 1 <= len(shape) <= _MOST_DIMENSIONS, f"{what} has the shape {shape!r:.40}")
    sizes = [*shape, start]
    _require(all(type(n) is int and 0 <= n < 2**48 for n in sizes), f"{what} has the sizes {sizes!r:.60}")
    place = Place(dtype, tuple(shape), start)
    _require(start + place.size <= length, f"{what} does not lie inside the file")
    return place


def _require(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)
