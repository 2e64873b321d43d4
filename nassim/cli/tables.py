"""Tables and texts that fit the terminal: no word and no number is broken, whatever its width.

A table that is too wide is wrapped at words first; then columns that may be missing are left out, and a line says so;
then the column of sentences goes below each row; what is still too wide becomes a block of lines for each row. Where
there is no terminal nothing is left out: programs read it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from nassim.cli.console import WIDE, console

GAP, BELOW = 2, 4  # spaces between columns, and before what stands below a row
LABELED = 20  # columns that a value needs beside its label; with less it stands below it
_NUMBER = "0123456789+-–<≤≥"  # what a column of numbers begins with
_SEAM = re.compile(r"(?<=[|+/:,-])")  # where a word that is longer than the line may go on in the next
_ITEM = re.compile(r"\s*(?:(?:\d+\.|-|\d+(?=  ))\s+)?")  # what the other lines of an item are aligned with


class Column(NamedTuple):
    """A column: its head, and what becomes of it where there is no room."""

    name: str
    drop: int = 0  # what has the highest is left out first; 0: never left out
    least: int = 16  # characters that its texts may be wrapped to
    below: bool = False  # may stand below the row


class _Part(NamedTuple):
    """A column with its texts."""

    column: Column
    texts: list[str]
    number: bool
    least: int  # the narrowest that it can be, in characters

    @property
    def longest(self) -> int:
        """The width at which none of its texts is wrapped."""
        return max(self.least, *map(cell_len, self.texts)) if self.texts else self.least


class Line(NamedTuple):
    """A line of a table; the head stands out."""

    text: str
    head: bool = False


def print_table(
    columns: Sequence[str | Column], rows: Iterable[Sequence[object]], *, elsewhere: str = "--json"
) -> None:
    """Print a table; numbers are aligned right, the first column is never wrapped.

    ``elsewhere``: what shows the columns that are left out.
    """
    out = console()
    for line in table_lines(columns, rows, _limit(out), elsewhere):
        _print(out, line.text, "bold" if line.head else "")


def table_lines(
    columns: Sequence[str | Column], rows: Iterable[Sequence[object]], width: int | None, elsewhere: str = "--json"
) -> list[Line]:
    """The lines of a table in so many characters; None: nobody looks at it, so that nothing is left out."""
    every = [Column(column) if isinstance(column, str) else column for column in columns]
    body = [[" ".join(str(value).split()) for value in row] for row in rows]
    parts = [_part(column, [row[i] for row in body], i == 0) for i, column in enumerate(every)]
    if width is None:
        width = max(WIDE, sum(part.least + GAP for part in parts))
    order = sorted((part for part in parts if part.column.drop), key=lambda part: -part.column.drop)
    for below in (False, True)[: 1 + any(part.column.below for part in parts)]:
        for count in range(len(order) + 1):
            kept = [part for part in parts if part not in order[:count]]
            beside = [part for part in kept if not (below and part.column.below)]
            if sum(part.least + GAP for part in beside) - GAP <= width:
                under = [part for part in kept if below and part.column.below]
                return [*_grid(beside, under, len(body), width), *_left_out(order[:count], width, elsewhere)]
    return [line for i in range(len(body)) for line in _stacked(parts, i, width)]


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names with values, the values below each other."""
    out = console()
    for line in _block([(name, str(value)) for name, value in pairs], _limit(out), 0):
        _print(out, line)


def say(text: str, style: str = "") -> None:
    """Print a text; on a terminal each of its lines is wrapped at words and goes on below its beginning."""
    out = console()
    _say(out, text, style, _limit(out), 0)


def print_section(heading: str, value: object) -> None:
    """Print what belongs to a heading, indented: a text, names with values, or a list; nothing where it is empty."""
    if isinstance(value, dict):
        value = "\n".join(f"{k}: {v}" for k, v in value.items())
    elif isinstance(value, (list, tuple)):
        value = "\n".join(f"- {v}" for v in value)
    elif isinstance(value, int) and not isinstance(value, bool):
        value = f"{value:,}"
    if value not in ("", None):
        out = console()
        _say(out, heading, "bold", None, 0)
        _say(out, str(value), "", out.width, GAP)


def flowing(text: str) -> str:
    """A text whose lines were broken by hand with a line for each paragraph and for each item (``1.`` or ``-``)."""
    lines: list[str] = []
    for line in text.splitlines():
        item = re.match(r"\s*(?:\d+\.|-)\s", line)
        if lines and lines[-1] and line.strip() and not item:
            lines[-1] += " " + line.strip()
        elif item and lines and not lines[-1]:
            lines[-1] = line.rstrip()
        else:
            lines.append(line.rstrip())
    return "\n".join(lines)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of so many characters.

    A word that is longer goes on in the next line after one of ``| + / : , -``; one without stands alone and whole.
    """
    lines, line = [], ""
    for word in text.split():
        pieces = [word] if cell_len(word) <= width else [piece for piece in _SEAM.split(word) if piece]
        for i, piece in enumerate(pieces):
            joined = line + (" " if line and i == 0 else "") + piece
            if line and cell_len(joined) > width:
                lines.append(line)
                line = piece
            else:
                line = joined
    return [*lines, line] if line or not lines else lines


def _limit(out: Console) -> int | None:
    """The characters of a line; None where nobody looks at them."""
    return out.width if out.is_terminal or "COLUMNS" in os.environ else None


def _print(out: Console, text: str, style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True)


def _say(out: Console, text: str, style: str, width: int | None, indent: int) -> None:
    for line in text.split("\n"):
        for piece in _hanging(line, width, indent):
            _print(out, piece, style)


def _hanging(line: str, width: int | None, indent: int) -> list[str]:
    begin = _ITEM.match(line)
    mark = begin[0] if begin else ""
    if width is None:
        return [" " * indent + line if line else ""]
    first, rest = " " * indent + mark, " " * (indent + len(mark))
    found = wrapped(line[len(mark) :], max(LABELED, width - len(rest)))
    return [((rest if i else first) + text).rstrip() for i, text in enumerate(found)]


def _part(column: Column, texts: list[str], first: bool) -> _Part:
    number = any(texts) and all(text[:1] in _NUMBER for text in texts if text)
    longest = max(map(cell_len, texts), default=0)
    if not first and not number:
        longest_word = max((cell_len(word) for text in texts for word in text.split()), default=0)
        longest = max(longest_word, min(longest, column.least))
    return _Part(column, texts, number, max([longest, *map(cell_len, column.name.split())]))


def _grid(parts: list[_Part], under: list[_Part], count: int, width: int) -> Iterator[Line]:
    """Rows of columns, with what stands below them."""
    widths = [part.least for part in parts]
    spare = width - sum(widths) - GAP * (len(widths) - 1)
    for wanted in ([part.longest for part in parts], [cell_len(part.column.name) for part in parts]):
        while spare > 0:  # a character to whoever would be wrapped most
            ratio, i = max((wanted[i] / max(1, widths[i]), i) for i in range(len(parts)))
            if ratio <= 1:
                break
            widths[i], spare = widths[i] + 1, spare - 1

    def line(texts: Sequence[str]) -> Iterator[str]:
        cells = [wrapped(text, size) for text, size in zip(texts, widths, strict=True)]
        for k in range(max(map(len, cells))):
            pieces = [cell[k] if k < len(cell) else "" for cell in cells]
            yield (" " * GAP).join(map(_aligned, pieces, widths, [part.number for part in parts])).rstrip()

    if any(part.column.name for part in parts):
        yield from (Line(text, head=True) for text in line([part.column.name for part in parts]))
        for part in under:
            yield from (Line(" " * BELOW + text, head=True) for text in wrapped(part.column.name, width - BELOW))
    for i in range(count):
        yield from map(Line, line([part.texts[i] for part in parts]))
        for part in under:
            yield from (Line(" " * BELOW + text) for text in wrapped(part.texts[i], width - BELOW) if text)


def _aligned(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _left_out(parts: list[_Part], width: int, elsewhere: str) -> Iterator[Line]:
    if parts:
        names = ", ".join(part.column.name for part in parts)
        text = f"left out at {width} columns: {names}; a wider terminal or {elsewhere} shows them"
        for i, piece in enumerate(wrapped(text, width - GAP)):
            yield Line(" " * GAP * (i > 0) + piece)


def _stacked(parts: list[_Part], row: int, width: int) -> Iterator[Line]:
    """A row as a block: what it is called, and a line or more for each column."""
    head, *rest = parts
    title = f"{head.column.name} {head.texts[row]}" if head.number else head.texts[row]
    yield from (Line(text, head=True) for text in wrapped(title, width))
    yield from map(Line, _block([(part.column.name, part.texts[row]) for part in rest], width, GAP))


def _block(pairs: list[tuple[str, str]], width: int | None, indent: int) -> Iterator[str]:
    size = max((cell_len(name) for name, _ in pairs), default=0)
    if width is not None:
        size = min(size, (width - indent) // 2)
    for name, value in pairs:
        if not value:
            continue
        if width is None:
            yield " " * indent + name + " " * (size + GAP - cell_len(name)) + value
            continue
        room = width - indent - size - GAP
        names, lines = wrapped(name, size), wrapped(value, room)
        if room >= LABELED and max(map(cell_len, names)) <= size and value.split() == " ".join(lines).split():
            for label, text in zip_longest(names, lines, fillvalue=""):
                yield (" " * indent + label + " " * (size + GAP - cell_len(label)) + text).rstrip()
        else:  # below its name, where there is more room
            yield from (" " * indent + text for text in wrapped(name, width - indent))
            yield from (" " * (indent + BELOW) + text for text in wrapped(value, width - indent - BELOW))
