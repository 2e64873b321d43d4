"""NAS-Bench-101's official release: `nasbench_only108.tfrecord` (0.5 GB) or `nasbench_full.tfrecord` (2 GB).

Each record is one training, as JSON: graph hash, epochs, adjacency matrix, operations, and a protocol buffer
``ModelMetrics`` in base 64. Its field 1 holds evaluations (at the start, after half and after all epochs),
field 2 the number of parameters; of an evaluation fields 2 to 5 are seconds of training and train,
validation and test accuracy. Taken over are the evaluations after all epochs; the table holds them as
released, in single precision. Every record is checked against the enumeration of the cells: its matrix, its hash
and its parameters; and every cell must have three trainings for each number of epochs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.encodings import INPUT, OUTPUT, spelled
from nassim.benchmarks.spaces.nasbench101.graph import INTERIOR, OPERATIONS, PAIRS, edge_code, operation_code
from nassim.errors import CorruptData, MissingData, Unsupported
from nassim.tabular_data.recipes.nasbench101_cells import (
    BEST_ERROR,
    EPOCHS,
    FULL,
    LICENCE_OF_RELEASE,
    OFFICIAL_TABLE,
    PAPER,
    REPEATS,
    SPACE,
    SPLITS,
    Cells,
    all_cells,
)
from nassim.tabular_data.table import Header, Table, column_name, write_table
from nassim.tabular_data.tfrecord import fields, read_records

NAME = "nasbench101-official"
ADDS = "NAS-Bench-101 in full: validation accuracy, three trainings, 4/12/36/108 epochs, times (to import)"
FILES = ()
RELEASES = ("nasbench_full.tfrecord", "nasbench_only108.tfrecord")
LICENCE = LICENCE_OF_RELEASE
CITATION = PAPER
TABLE = OFFICIAL_TABLE
ERRATA = ("Accuracies are on 9,984 images (39 batches of 256), for validation and test.",)
METRICS = ("valid_accuracy", "test_accuracy", "train_seconds")

_SECONDS, _VALID, _TEST = 2, 4, 5  # fields of an evaluation
_EVALUATION, _PARAMETERS = 1, 2  # fields of ModelMetrics


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """The release is not fetched: `Unsupported`."""
    raise Unsupported(f"{NAME} cannot be fetched: nassim data import {NAME} {RELEASES[0]}")


def import_release(path: Path, target: Path) -> None:
    """Make the table from a record file or the folder that it lies in (some minutes for the full one).

    `CorruptData` names the record that is damaged, unknown or one too many, or says what is missing at the end.
    """
    if path.is_dir():
        found = [path / name for name in RELEASES if (path / name).is_file()]
        if not found:
            raise MissingData(f"{path} holds neither {' nor '.join(RELEASES)}.")
        path = found[0]
    records = read_records(path)
    first = next(records, b"")  # what is no record file is known before the cells are enumerated
    cells = all_cells()
    columns = read_trainings(chain([first], records), cells, path)
    epochs = sorted({int(name.partition("@")[2] or FULL) for name in columns})
    header = Header(
        space=SPACE,
        tasks=("cifar10",),
        metrics=METRICS[:2],
        splits=SPLITS,
        repeats=REPEATS,
        seeds="three trainings for each number of epochs; their seeds are not in the source",
        epochs=tuple(epochs),
        units={"valid_accuracy": "fraction", "test_accuracy": "fraction", "train_seconds": "seconds"},
        source=f"the official release, {path.name}, {path.stat().st_size:,} bytes",
        licence=LICENCE,
        citation=CITATION,
        errata=ERRATA,
    )
    write_table(target, header, {**cells.columns(), **columns})


def read_trainings(records: Iterable[bytes], cells: Cells, path: Path) -> dict[str, NDArray[np.float32]]:
    """The columns ``cifar10/metric`` and ``cifar10/metric@epochs`` (cells, 3) of all trainings in a release."""
    results: dict[int, NDArray[np.float32]] = {}  # epochs -> (metrics, cells, repeats)
    trained: dict[int, NDArray[np.int8]] = {}  # epochs -> (cells,), how many trainings have been read
    for number, record in enumerate(records, 1):
        try:
            row, epochs, values = _training(record, cells)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise CorruptData(
                f"{path}: record {number:,} is not a training of a known cell: {error!s:.200}."
            ) from error
        if epochs not in results:
            results[epochs] = np.full((len(METRICS), len(cells.hashes), REPEATS), np.nan, dtype=np.float32)
            trained[epochs] = np.zeros(len(cells.hashes), dtype=np.int8)
        repeat = int(trained[epochs][row])
        if repeat == REPEATS:
            raise CorruptData(f"{path}: record {number:,} is a fourth training of a cell for {epochs} epochs.")
        results[epochs][:, row, repeat] = values
        trained[epochs][row] += 1
    if FULL not in results:
        raise CorruptData(f"{path} has no training for {FULL} epochs.")
    for epochs, counts in trained.items():
        missing = int((counts < REPEATS).sum())
        if missing:
            raise CorruptData(f"{path} is a part of the release: {missing:,} cells lack trainings for {epochs} epochs.")
    return {
        column_name("cifar10", metric, epochs, FULL): np.ascontiguousarray(results[epochs][i])
        for epochs in sorted(results)
        for i, metric in enumerate(METRICS)
    }


def _training(record: bytes, cells: Cells) -> tuple[int, int, tuple[float, float, float]]:
    """Row, epochs and values (as in `METRICS`) of a record."""
    name, epochs, adjacency, operations, metrics = json.loads(record)
    if epochs not in EPOCHS:
        raise ValueError(f"trained for {epochs} epochs, the release has {', '.join(map(str, EPOCHS))}")
    (vertices, edges), (labels, operation) = _wiring(adjacency), _labels(operations)
    row = cells.numbering.row_of(edges, operation) if vertices == labels else -1
    if row < 0 or bytes.fromhex(name) != cells.hashes[row].tobytes():
        raise ValueError(f"the hash {name!r:.40} is not that of its matrix {adjacency!r:.60} and {operations!r:.100}")
    message = list(fields(base64.b64decode(metrics, validate=True)))
    evaluations = [value for number, value in message if number == _EVALUATION]
    last = dict(fields(evaluations[-1]))
    counted = dict(message).get(_PARAMETERS)
    if counted != cells.parameters[row]:
        raise ValueError(f"it counts {counted} parameters, the network has {cells.parameters[row]}")
    valid, test, seconds = float(last[_VALID]), float(last[_TEST]), float(last[_SECONDS])
    # Seconds up to 1 would be an accuracy: another layout of the fields.
    if len(evaluations) != 3 or not (0 <= valid <= 1 and 0 <= test <= 1 and 1 < seconds < np.inf):
        raise ValueError(f"{len(evaluations)} evaluations, the last with {valid}, {test}, {seconds}")
    return row, epochs, (valid, test, seconds)


@lru_cache(maxsize=4096)  # there are 2,495 matrices and 364 lists of operations
def _wiring(adjacency: str) -> tuple[int, int]:
    """Number of vertices and edge code of a matrix that is written row by row."""
    vertices = isqrt(len(adjacency))
    matrix = np.array([int(digit) for digit in adjacency]).reshape(vertices, vertices)
    return vertices, edge_code(spelled(matrix, (INPUT, *[OPERATIONS[0]] * (vertices - 2), OUTPUT)))


@lru_cache(maxsize=4096)
def _labels(operations: str) -> tuple[int, int]:
    """Number of vertices and operation code of the names, from input to output."""
    first, *inner, last = operations.split(",")
    if (first, last) != (INPUT, OUTPUT) or len(inner) > INTERIOR or not set(inner) <= set(OPERATIONS):
        raise ValueError(f"the operations {operations!r:.100}")
    codes = [OPERATIONS.index(name) for name in inner] + [0] * (INTERIOR - len(inner))
    return len(inner) + 2, operation_code([0] * len(PAIRS) + codes)


def check(path: Path) -> list[str]:
    """The published optima, recomputed: what `nassim data verify` says beside the checksums."""
    columns = Table.open(path).columns
    lines = []
    for metric, published in BEST_ERROR.items():
        error = 1.0 - float(columns[f"cifar10/{metric}"].mean(axis=1, dtype=np.float64).max())
        if abs(error - published) > 1e-6:
            raise CorruptData(f"{path}: the lowest mean error of {metric} is {error}, published is {published}.")
        lines.append(f"cifar10: lowest mean error, {metric}: {error:.7f}, as published")
    return lines
