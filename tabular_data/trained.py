"""Tables that nassim trained itself and that ship with it: counts as they were measured, and how they are read.

Equivalent cells share a training, so that a file has a row for each class, and a column that says which class a cell is
of. Accuracies are counts of correct images in 16 bits. `open_trained` gives the table in the form of all others: a row
a cell, fractions, NaN where a training is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import About
from nassim.errors import CorruptData
from nassim.tabular_data.table import Header, Table, column_name

FOLDER = Path(__file__).parent / "tables"
MISSING = 0xFFFF  # of a count: not trained, or diverged


def shipped(file_name: str) -> Path:
    """Where a table that comes with nassim lies."""
    return FOLDER / file_name


def about_trained(header: Header, title: str, paper: str) -> About:
    """What is said of a benchmark whose table nassim trained: the header's, and what `open_trained` gives beside it."""
    return About(
        title=title,
        paper=paper,
        source=f"{header.source}, on {header.sources['machine']}",
        licence=header.licence,
        citation=header.citation,
        splits={name.partition("/")[2]: text for name, text in header.splits.items()},
        extras={
            "parameters": "trainable",
            "flops": "multiply-adds for one image",
            "latency": "seconds on one thread of the recording machine",
        },
        notes=header.errata,
        sha256=header.sha256,
    )


def open_trained(path: Path, task: str) -> Table:
    """A table with a row for each cell.

    Columns: ``task/valid_accuracy``, ``train_accuracy`` and ``train_seconds`` (cells, repeats), those after fewer
    epochs with ``@epochs``; ``test_accuracy`` after the last; ``latency`` (cells,); ``class`` (cells,);
    ``parameters`` and ``flops`` (cells,) where the file has them.
    """
    stored = Table.open(path)
    try:
        return Table(path, stored.header, _expanded(stored, task))
    except (LookupError, RecursionError, TypeError, ValueError, ZeroDivisionError) as error:
        raise CorruptData(f"{path} is not the table of {task} ({error}). Install nassim again.") from error


def _expanded(stored: Table, task: str) -> Mapping[str, NDArray[Any]]:
    columns = {name.partition("/")[2]: column for name, column in stored.columns.items()}
    images = json.loads(stored.header.sources["images"])
    classes = columns["class"]
    full = max(stored.header.epochs)
    found: dict[str, NDArray[Any]] = {f"{task}/class": classes, f"{task}/latency": columns["latency"][classes]}
    for name in ("parameters", "flops"):  # of networks that no formula counts
        if name in columns:
            found[f"{task}/{name}"] = columns[name][classes]
    seconds = np.cumsum(columns["seconds"].astype(np.float64), axis=2)
    for epochs in stored.header.epochs:
        for split in ("train", "valid"):
            counts = columns[f"{split}_correct"][:, :, epochs - 1]
            name = column_name(task, f"{split}_accuracy", epochs, full)
            found[name] = _fractions(counts, images[split])[classes]
        found[column_name(task, "train_seconds", epochs, full)] = seconds[:, :, epochs - 1][classes]
    found[f"{task}/test_accuracy"] = _fractions(columns["test_correct"], images["test"])[classes]
    for column in found.values():
        column.setflags(write=False)
    return found


def _fractions(counts: NDArray[np.uint16], images: int) -> NDArray[np.float64]:
    fractions: NDArray[np.float64] = np.where(counts == MISSING, np.nan, counts / images)
    return fractions
