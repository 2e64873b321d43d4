"""From the cells of a user's file to numbers; what is wrong with one is said with its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.tabular_data.recipes.csv_rows import Column
from nassim.tabular_data.recipes.csv_spec import text_of

_MOST = 1000  # different repeats of a training
_LONGEST = 100  # characters of the name of one


class Place(NamedTuple):
    """Where a column of some rows is, for the errors."""

    path: Path
    first: int  # number of the first row
    column: str
    chosen: NDArray[np.intp] | None = None  # the rows that are looked at, counted from the first; None: all

    def error(self, row: int, what: str) -> CorruptData:
        """An error about one of the rows that are looked at."""
        number = self.first + (row if self.chosen is None else int(self.chosen[row]))
        return CorruptData(f"{self.path}, row {number:,}, column {self.column}: {what} Nothing was imported.")


def option_codes(cells: Column, options: Sequence[str], place: Place) -> NDArray[np.int16]:
    """The option that each cell names; -1 for an empty cell."""
    codes, different = _factorize(cells)
    known = {option: i for i, option in enumerate(options)}
    found = np.full(len(different) + 1, -1, dtype=np.int16)  # the last is that of empty cells
    for i, cell in enumerate(different):
        text = text_of(cell)
        if text == "":
            continue
        number = next((known[form] for form in _forms(text) if form in known), None)
        if number is None:
            row = int(np.flatnonzero(codes == i)[0])
            raise place.error(row, f"{text!r:.60} is not an option; they are {', '.join(options):.200}.")
        found[i] = number
    return found[codes]


def joined_codes(cells: Column, options: Sequence[Sequence[str]], separator: str, place: Place) -> NDArray[np.int16]:
    """The options, (rows, decisions), of cells that name one of each decision; -1 for an empty cell."""
    codes, different = _factorize(cells)
    texts = [text_of(cell) for cell in different]
    parts = [text.split(separator) if text else [None] * len(options) for text in texts]
    for i, (text, found) in enumerate(zip(texts, parts, strict=True)):
        if len(found) != len(options):
            what = f"{text!r:.80} has {len(found)} parts between {separator!r}; there are {len(options)} decisions."
            raise place.error(int(np.flatnonzero(codes == i)[0]), what)
    parts.append([None] * len(options))
    split = np.empty((len(parts), len(options)), dtype=object)
    split[:] = parts
    by_row = split[codes]
    return np.stack([option_codes(by_row[:, i], of, place) for i, of in enumerate(options)], axis=1)


def numbers(cells: Column, place: Place, *, may_be_empty: bool) -> NDArray[np.float64]:
    """The cells as finite numbers; an empty one is NaN, where it is allowed, and a NaN never is."""
    import pandas as pd

    values = np.asarray(pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce"), dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        text = text_of("" if cells[row] is None else cells[row])
        if text:
            raise place.error(row, f"{text!r:.60} is not a finite number.")
        if not may_be_empty:
            raise place.error(row, "there is no value.")
    return values


def whole_numbers(cells: Column, place: Place) -> NDArray[np.int64]:
    """The cells as positive whole numbers."""
    values = numbers(cells, place, may_be_empty=False)
    wrong = np.flatnonzero((values != np.rint(values)) | (values < 1) | (values > 10**6))
    if len(wrong):
        raise place.error(int(wrong[0]), f"{cells[wrong[0]]!r:.40} is not a number of epochs.")
    return values.astype(np.int64)


def label_codes(cells: Column, labels: list[str], place: Place) -> NDArray[np.int16]:
    """The place of each cell's text in ``labels``, which new texts are added to."""
    codes, different = _factorize(cells)
    texts = [text_of(cell) for cell in different]
    empty = np.flatnonzero((codes < 0) | np.isin(codes, [i for i, text in enumerate(texts) if not text]))
    if len(empty):
        raise place.error(int(empty[0]), "there is no value.")
    for i, text in enumerate(texts):
        if len(text) > _LONGEST or not text.isprintable():
            raise place.error(int(np.flatnonzero(codes == i)[0]), f"{text[:60]!r} is no short name of a repeat.")
    known = set(labels)
    labels += [text for text in dict.fromkeys(texts) if text not in known]
    if len(labels) > _MOST:
        what = f"column {place.column} has more than {_MOST:,} values: it does not name repeats."
        raise CorruptData(f"{place.path}: {what} Nothing was imported.")
    numbered = {text: i for i, text in enumerate(labels)}
    return np.array([numbered[text] for text in texts], dtype=np.int16)[codes]


def _factorize(cells: Column) -> tuple[NDArray[np.intp], list[Any]]:
    """Codes of the cells (-1: None or NaN) and the values that they stand for."""
    import pandas as pd

    codes, different = pd.factorize(cells)
    return codes, list(different)


def _forms(text: str) -> list[str]:
    """How an option may be written: as it is, as another form of the same number, or with capitals."""
    forms = [text]
    try:
        forms.append(text_of(float(text)))
    except ValueError:
        forms += [text.lower()] if text.lower() in ("true", "false") else []
    return forms
