"""The first pass over a user's file: which architectures, epochs and repeats there are, and which row is whose."""

from __future__ import annotations

from contextlib import closing
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.tabular_data.own_space import keys
from nassim.tabular_data.recipes.csv_cells import Place, joined_codes, label_codes, option_codes, whole_numbers
from nassim.tabular_data.recipes.csv_rows import Rows, Source
from nassim.tabular_data.recipes.csv_spec import Spec

MOST_EPOCHS = 10_000  # different ones


class Survey(NamedTuple):
    """Architectures in ascending order, and for each row of the file what it is about."""

    choices: NDArray[np.uint8]  # (architectures, decisions)
    epochs: list[int]  # ascending; of a column, else empty
    repeats: list[str]  # of a column, else empty
    arch: NDArray[np.int32]  # (rows,): place in ``choices``; -1: an empty row
    epoch: NDArray[np.int16]  # (rows,): place in ``epochs``; empty without a column
    repeat: NDArray[np.int16]  # (rows,): place in ``repeats``; empty without a column
    split: NDArray[np.int8]  # (rows,): 0 validation, 1 test, -1 another; empty without a column

    def part(self, start: int, end: int) -> Survey:
        """The same of some rows."""
        s = slice(start, end)
        return self._replace(arch=self.arch[s], epoch=self.epoch[s], repeat=self.repeat[s], split=self.split[s])


def survey(source: Source, spec: Spec) -> Survey:
    """Read the columns that say what a row is about; `CorruptData` names the row with a mistake."""
    options = tuple(spec.decisions.values())
    radices = [len(of) for of in options]
    said = [name for name in (spec.epoch, spec.repeat, spec.split) if name]
    places = [spec.architecture] if spec.architecture else list(spec.decision_columns)
    parts: list[NDArray[Any]] = []
    blanks: list[NDArray[np.bool_]] = []
    epochs: list[NDArray[np.int32]] = []
    repeats: list[NDArray[np.int16]] = []
    splits: list[NDArray[np.int8]] = []
    labels: list[str] = []
    words: list[str] = []
    with closing(source.read([*places, *said])) as all_rows:
        for rows in all_rows:
            codes = _codes(rows, source, spec)
            blank: NDArray[np.bool_] = np.all(codes < 0, axis=1)
            _refuse_gaps(codes, blank, rows, source, places)
            blanks.append(blank)
            parts.append(_pack(codes[~blank], radices))
            if spec.epoch:
                place = Place(source.path, rows.first, spec.epoch)
                epochs.append(_spread(whole_numbers(rows.columns[spec.epoch][~blank], place), blank).astype(np.int32))
            if spec.repeat:
                place = Place(source.path, rows.first, spec.repeat)
                repeats.append(_spread(label_codes(rows.columns[spec.repeat][~blank], labels, place), blank))
            if spec.split:
                place = Place(source.path, rows.first, spec.split)
                found = label_codes(rows.columns[spec.split][~blank], words, place)
                meaning = np.array([{spec.valid: 0, spec.test: 1}.get(word, -1) for word in words], dtype=np.int8)
                splits.append(_spread(meaning[found], blank))
    if not sum(map(len, parts)):
        raise CorruptData(f"{source.path} has no rows: nothing was imported.")
    if spec.split and spec.valid not in words:
        raise CorruptData(
            f"{source.path}: no row has {spec.valid!r} ({spec.judged}.valid) in column {spec.split}, only "
            f"{', '.join(words):.200}. Nothing was imported."
        )
    different, inverse = np.unique(np.concatenate(parts), return_inverse=True)
    blank = np.concatenate(blanks)
    all_epochs = np.concatenate(epochs) if epochs else np.zeros(0, dtype=np.int32)
    known = np.unique(all_epochs[~blank]) if epochs else np.zeros(0, dtype=np.int32)
    if len(known) > MOST_EPOCHS:
        raise CorruptData(f"{source.path}: column {spec.epoch} has {len(known):,} different values.")
    ordered = in_order(labels)
    rank = np.array([*map(ordered.index, labels), -1], dtype=np.int16)  # the last: of empty rows
    return Survey(
        choices=_unpack(different, radices),
        epochs=known.tolist(),
        repeats=ordered,
        arch=_spread(inverse.astype(np.int32), blank),
        epoch=np.searchsorted(known, all_epochs).astype(np.int16),
        repeat=rank[np.concatenate(repeats)] if repeats else np.zeros(0, dtype=np.int16),
        split=np.concatenate(splits) if splits else np.zeros(0, dtype=np.int8),
    )


def in_order(labels: list[str]) -> list[str]:
    """The names of repeats, numbers by their size, then texts."""
    return sorted(labels, key=lambda of: (0, int(of), "") if of.isdecimal() and len(of) < 20 else (1, 0, of))


def _codes(rows: Rows, source: Source, spec: Spec) -> NDArray[np.int16]:
    """The options of some rows, (rows, decisions); -1 for an empty cell."""
    options = tuple(spec.decisions.values())
    if spec.architecture:
        place = Place(source.path, rows.first, spec.architecture)
        return joined_codes(rows.columns[spec.architecture], options, spec.separator, place)
    codes = [
        option_codes(rows.columns[column], of, Place(source.path, rows.first, column))
        for column, of in zip(spec.decision_columns, options, strict=True)
    ]
    return np.stack(codes, axis=1)


def _refuse_gaps(
    codes: NDArray[np.int16], blank: NDArray[np.bool_], rows: Rows, source: Source, places: list[str]
) -> None:
    gaps = np.argwhere((codes < 0) & ~blank[:, None])
    if len(gaps):
        row, decision = gaps[0].tolist()
        column = places[decision] if len(places) > 1 else places[0]
        raise Place(source.path, rows.first, column).error(row, "there is no value.")


def _pack(codes: NDArray[np.int16], radices: list[int]) -> NDArray[Any]:
    """One value for each row, in the order of the choices: a number where there are few enough, else bytes."""
    if prod(radices) < 2**62:
        packed = np.zeros(len(codes), dtype=np.int64)
        for i, n in enumerate(radices):
            packed = packed * n + codes[:, i]
        return packed
    return keys(codes.astype(np.uint8))


def _unpack(packed: NDArray[Any], radices: list[int]) -> NDArray[np.uint8]:
    if packed.dtype.kind == "S":
        return packed.view(np.uint8).reshape(-1, len(radices))
    choices = np.empty((len(packed), len(radices)), dtype=np.uint8)
    rest = packed.astype(np.int64)
    for i, n in reversed(list(enumerate(radices))):
        rest, choices[:, i] = np.divmod(rest, n)
    return choices


def _spread(values: NDArray[Any], blank: NDArray[np.bool_]) -> NDArray[Any]:
    """Values of the rows that are not blank, with -1 for those that are."""
    spread = np.full(len(blank), -1, dtype=values.dtype)
    spread[~blank] = values
    return spread
