"""The columns of one task of a table, held against each other before a benchmark answers from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.metric import ACCURACY, Metric
from nassim.tabular_data.table import Table, column_name

SECONDS = "train_seconds"


def task_columns(table: Table, task: str) -> dict[tuple[str, int], NDArray[Any]]:
    """Metrics and seconds by name and epochs. `CorruptData` unless their shapes fit each other.

    Metrics are floats (rows, repeats), seconds (rows,) or (rows, repeats), of as many rows.
    """
    header = table.header
    full = max(header.epochs)
    columns = {
        (name, epochs): table.columns[known]
        for name in (*header.metrics, SECONDS)
        for epochs in header.epochs
        if (known := column_name(task, name, epochs, full)) in table.columns
    }
    rows = {len(column) for column in columns.values() if column.ndim}
    if len(rows) != 1 or 0 in rows:
        raise wrong(table, f"the columns of {task} have {', '.join(map(str, sorted(rows))) or 'no'} rows")
    for (name, epochs), column in columns.items():
        shapes = (1, 2) if name == SECONDS else (2,)
        if column.ndim not in shapes or 0 in column.shape or column.dtype.kind != "f":
            raise wrong(table, f"{name} after {epochs} epochs has the shape {column.shape} of {column.dtype}")
    for (name, epochs), column in columns.items():
        seconds = columns.get((SECONDS, epochs), columns.get((SECONDS, full)))
        ragged = seconds is not None and seconds.ndim == 2 and seconds.shape[1] < column.shape[-1]
        if name.startswith("valid_") and ragged:
            raise wrong(table, f"after {epochs} epochs there are fewer {SECONDS} than repeats")
    return columns


def check_rows(
    table: Table, rows: int, columns: Mapping[Any, NDArray[Any]], extras: Mapping[str, NDArray[Any]]
) -> None:
    """`CorruptData` unless every column has ``rows``, and every extra is one number a row."""
    for (name, _), column in columns.items():
        if len(column) != rows:
            raise wrong(table, f"{name} has {len(column):,} rows, and there are {rows:,} architectures")
    for name, column in extras.items():
        if column.shape != (rows,) or column.dtype.kind not in "biuf":
            raise wrong(table, f"{name} has the shape {column.shape} of {column.dtype}, not one number a row")


def values_of(columns: Mapping[tuple[str, int], NDArray[Any]], metric: Metric) -> dict[tuple[str, int], NDArray[Any]]:
    """The columns with values, more of which is better, instead of what was measured; seconds stay as they are."""
    if metric.more_is_better:
        return dict(columns)
    return {key: column if key[0] == SECONDS else -column for key, column in columns.items()}


def check_values(table: Table, name: str, values: NDArray[Any], metric: Metric = ACCURACY) -> None:
    """`CorruptData` unless all are values of the metric (of accuracy: fractions) or missing."""
    low, high = metric.limits
    if not np.all((values >= low) & (values <= high) & ~np.isinf(values) | np.isnan(values)):
        raise wrong(
            table,
            f"{name} has values that are no accuracies"
            if metric == ACCURACY
            else f"{name} has values that are not finite",
        )


def wrong(table: Table, what: str) -> CorruptData:
    """An error about a table whose columns are not those of a benchmark."""
    return CorruptData(f"{table.path} is not a table that answers: {what}. Get or import it again (`nassim data`).")
