"""Published rows of NAS-Bench-201 held against its table: which cell a row is, if it is one.

A row without a spread over runs (or with a spread of 0.00) ought to be one cell, whose mean accuracies after 200 epochs
are its figures, rounded to the digits that are printed. Found from the table: every cell is compared with every figure.
Source of the table: Dong & Yang, ICLR 2020, arXiv:2001.00326, as `nassim data get nasbench201` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import Unsupported
from nassim.gallery.row import FAIL, PASS, REFUSED
from nassim.registry import get_benchmark, get_space
from nassim.reproduction import SPLITS, TASKS

HALF_DIGIT = 0.005 + 1e-6  # points: two digits are printed, and a mean may lie exactly between two of them
Figure = tuple[str, str, float]  # data set, split, percent

_VALID, _TEST = SPLITS
_TESTS = tuple((task, _TEST) for task in TASKS)
_BOTH = tuple((task, split) for task in TASKS for split in SPLITS)


class PublishedRow(NamedTuple):
    """A row as it is printed somewhere: percent of each data set and split, and what it is said to be."""

    name: str
    said: str
    source: str
    figures: tuple[Figure, ...]


class Identity(NamedTuple):
    """What a published row is in the table.

    ``parts`` holds the figures with the cells that have all of them: one part where the row is one cell, several where
    it is put together of cells, none where a figure is refused.
    """

    row: PublishedRow
    verdict: str
    parts: tuple[tuple[tuple[Figure, ...], tuple[str, ...]], ...]
    sentence: str


def _row(name: str, said: str, source: str, places: Sequence[tuple[str, str]], *values: float) -> PublishedRow:
    figures = tuple((task, split, value) for (task, split), value in zip(places, values, strict=True))
    return PublishedRow(name, said, source, figures)


_TABLE_5 = "Dong & Yang 2020, arXiv:2001.00326, Table 5"
_QUOTED = "quoted without a source that was looked up"
ROWS = (
    _row(
        *("DrNAS", "one cell: its spread is 0.00", "DrNAS' repository, README", _BOTH),
        *(91.55, 94.36, 73.49, 73.51, 46.37, 46.34),
    ),
    _row(
        *("DARTS", "one cell: its spread is 0.00", _TABLE_5, _BOTH),
        *(39.77, 54.30, 15.03, 15.61, 16.43, 16.32),
    ),
    _row("DARTS, quoted", "one cell", _QUOTED, _TESTS, 54.30, 38.97, 18.41),
    _row("95.31 on cifar10", "a result on NAS-Bench-201", _QUOTED, _TESTS[:1], 95.31),
)


def identities(rows: Sequence[PublishedRow] = ROWS) -> list[Identity]:
    """What each row is; `Unsupported` without a test split, or the errors of a table that is not here."""
    columns = _columns()
    return [identity(row, columns) for row in rows]


def _columns() -> dict[tuple[str, str], NDArray[np.float64]]:
    """Mean accuracies of all cells after 200 epochs, percent, by data set and split; in the order of the space."""
    found = {}
    for task in TASKS:
        benchmark = get_benchmark(f"nasbench201/{task}", "mean")
        if not benchmark.has_test:
            raise Unsupported(f"published rows need the test split. {benchmark.test_source}")
        columns = benchmark.columns("parameters", SPLITS)
        assert columns is not None, "the space is small"
        for split in SPLITS:
            found[task, split] = 100.0 * columns[1][split]
    return found


def identity(row: PublishedRow, columns: Mapping[tuple[str, str], NDArray[np.float64]]) -> Identity:
    """What a row is in a table of mean accuracies (percent, one array over all cells for each data set and split)."""
    for task, split, value in row.figures:
        best = float(np.nanmax(columns[task, split]))
        if value > best + HALF_DIGIT:
            sentence = (
                f"{value:.2f} % lies above the optimum of the table, {best:.2f} % ({_named(task, split)}): no cell has "
                "it, so that it is no result on NAS-Bench-201."
            )
            return Identity(row, REFUSED, (), sentence)
    parts = _parts(row.figures, columns)
    if not parts:
        return Identity(row, FAIL, (), "no cell of the table has these figures, nor do several together.")
    if len(parts) == 1:
        figures, cells = parts[0]
        many = f"{len(cells)} cells have" if len(cells) > 1 else f"one cell, {cells[0]}, has"
        return Identity(row, PASS, parts, f"{many} all {len(figures)} figures{_optima(parts[0], columns)}.")
    said = " and ".join(f"{_listed(figures)} of {' or '.join(cells[:2])}" for figures, cells in parts)
    return Identity(row, FAIL, parts, f"no cell has all of them: it mixes {len(parts)} cells, {said}.")


def _parts(
    figures: tuple[Figure, ...], columns: Mapping[tuple[str, str], NDArray[np.float64]]
) -> tuple[tuple[tuple[Figure, ...], tuple[str, ...]], ...]:
    """The fewest groups of figures of which each is some cell's, the largest first; empty where there are none."""
    if not figures:
        return ()
    space = get_space("nasbench201")
    for size in range(len(figures), 0, -1):
        for group in combinations(figures, size):
            close = [np.abs(columns[task, split] - value) <= HALF_DIGIT for task, split, value in group]
            cells = np.flatnonzero(np.logical_and.reduce(close))
            if cells.size:
                rest = tuple(figure for figure in figures if figure not in group)
                others = _parts(rest, columns)
                if rest and not others:
                    continue
                return ((group, tuple(str(space.at(int(i))) for i in cells)), *others)
    return ()


def _optima(
    part: tuple[tuple[Figure, ...], tuple[str, ...]], columns: Mapping[tuple[str, str], NDArray[np.float64]]
) -> str:
    """Of which data sets and splits the figures are the best of the table."""
    best = [
        _named(task, split)
        for task, split, value in part[0]
        if abs(float(np.nanmax(columns[task, split])) - value) <= HALF_DIGIT
    ]
    return f"; the best of the table in {' and '.join(best)}" if best else ""


def _named(task: str, split: str) -> str:
    return f"{task} {'validation' if split == _VALID else 'test'}"


def _listed(figures: Sequence[Figure]) -> str:
    return ", ".join(f"{value:.2f} ({_named(task, split)})" for task, split, value in figures)
