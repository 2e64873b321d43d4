"""The first rows of a user's file, to guess from: each column's role, its numbers and its different values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from nassim.errors import CorruptData, InvalidSetting
from nassim.tabular_data.recipes.csv_roles import role_of
from nassim.tabular_data.recipes.csv_rows import Source
from nassim.tabular_data.recipes.csv_spec import text_of
from nassim.tabular_data.table_header import printable

ROWS = 100_000  # that are looked at
_CELLS = 5_000_000  # if there are many columns, fewer rows
_COLUMNS = 5_000


class Head:
    """The first rows of a file, as text.

    path: of the file.
    table: column -> its cells, without rows that are empty.
    read: how many rows were read where there are more; else 0.
    roles: column -> what its name says.
    numbers: column -> its numbers, without empty cells; None where there are others.
    different: column -> its different cells, in order of appearance.
    unsure: sentences; `note` adds one.
    """

    def __init__(self, path: Path, table: Mapping[str, list[str]], read: int) -> None:
        self.path, self.table, self.read = path, table, read
        self.roles = {name: role_of(name) for name in table}
        self.numbers = {name: numbers_of(cells) for name, cells in table.items()}
        self.different = {name: list(dict.fromkeys(filter(None, cells))) for name, cells in table.items()}
        self.unsure: list[str] = []

    @classmethod
    def of(cls, path: Path) -> Head:
        """Read it; `CorruptData`, in one line, for what is no table."""
        source = Source(path)
        names = source.names()
        if len(names) > _COLUMNS:
            raise CorruptData(f"{path} has {len(names):,} columns: a specification is guessed of at most {_COLUMNS:,}.")
        most = min(ROWS, _CELLS // len(names))
        table: dict[str, list[str]] = {}
        with closing(source.read(names, at_a_time=most)) as parts:
            rows = next(parts, None)
            if rows is not None:
                table = {name: [text_of(_some(cell)) for cell in rows.columns[name]] for name in names}
            more = len(table.get(names[0], ())) == most and any(len(part.columns[names[0]]) for part in parts)
        if not printable(table):
            raise CorruptData(f"{path} has characters that cannot be printed.")
        there = [any(cells) for cells in zip(*table.values(), strict=True)]
        if not any(there):
            raise CorruptData(f"{path} has no rows: there is nothing to guess from.")
        kept = {
            name: [cell for cell, is_there in zip(cells, there, strict=True) if is_there]
            for name, cells in table.items()
        }
        return cls(path, kept, most if more else 0)

    def note(self, sentence: str) -> None:
        """Something that is unsure."""
        self.unsure.append(" ".join(sentence.split()))

    def error(self, what: str) -> InvalidSetting:
        """A line about the file, with its columns."""
        names = " ".join(", ".join(self.table).split())
        return InvalidSetting(f"{self.path}: {what} Its columns: {names:.200}.")

    def one(self, kind: str) -> str:
        """The column of that kind; nothing if there is none."""
        found = [name for name, role in self.roles.items() if role.kind == kind]
        if kind in ("epoch", "cost"):
            found = [name for name in found if self.numbers[name] is not None]
        if len(found) > 1:
            self.note(f"of {', '.join(found):.200} the first is taken ({kind}), the others are left out.")
        return found[0] if found else ""


def numbers_of(cells: Sequence[str]) -> list[float] | None:
    """The numbers of a column, without its empty cells; None if there are others, or none."""
    try:
        values = [float(cell) for cell in cells if cell]
    except ValueError:
        return None
    return values if values and all(map(math.isfinite, values)) else None


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def _some(cell: object) -> object:
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else cell
