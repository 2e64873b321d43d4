"""Cells of NAS-Bench-101 as vectors and as matrices.

Path encoding: White, Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.graph import INTERIOR, OPERATIONS, PAIRS, VERTICES

INPUT, OUTPUT = "input", "output"
LAST = VERTICES - 1
_BASE = len(OPERATIONS)
PATHS = sum(_BASE**length for length in range(INTERIOR + 1))  # 364


def adjacency_encoding(choices: NDArray[Any]) -> NDArray[np.uint8]:
    """The 21 edges as they are spelled, then each operation one-hot: (n, 26) -> (n, 36)."""
    operations = choices[:, len(PAIRS) :, None] == np.arange(_BASE)
    return np.hstack([choices[:, : len(PAIRS)], operations.reshape(len(choices), INTERIOR * _BASE)]).astype(np.uint8)


def path_encoding(choices: NDArray[Any]) -> NDArray[np.uint8]:
    """Which sequences of operations lead from input to output: (n, 26) -> (n, 364).

    By length (1, 3, 9, 27, 81, 243 of them), then lexicographically; the first 40 are the published truncation.
    Isomorphic cells have the same paths; the reverse does not hold.
    """
    encoded = np.zeros((len(choices), PATHS), dtype=np.uint8)
    start = 0
    for length in range(INTERIOR + 1):
        for inner in combinations(range(1, LAST), length):
            edges = [PAIRS.index(edge) for edge in pairwise((0, *inner, LAST))]
            whole = np.flatnonzero((choices[:, edges] == 1).all(axis=1))
            operations = choices[whole][:, [len(PAIRS) + v - 1 for v in inner]].astype(np.int64)
            encoded[whole, start + operations @ _BASE ** np.arange(length)[::-1]] = 1
        start += _BASE**length
    return encoded


def matrix_of(choices: Sequence[int]) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """The full 7 x 7 adjacency matrix and the seven labels of a spelling."""
    matrix = np.zeros((VERTICES, VERTICES), dtype=np.int8)
    matrix[tuple(zip(*PAIRS, strict=True))] = choices[: len(PAIRS)]
    return matrix, (INPUT, *(OPERATIONS[o] for o in choices[len(PAIRS) :]), OUTPUT)


def spelled(matrix: Any, labels: Sequence[str]) -> tuple[int, ...]:
    """The choices of a matrix of 2 to 7 vertices with its labels; `ValueError` says what is wrong with them.

    Inner vertices keep their places; the output moves to the last one.
    """
    rows = np.asarray(matrix)
    vertices = len(rows)
    if rows.shape != (vertices, vertices) or not 2 <= vertices <= VERTICES:
        raise ValueError(f"the matrix has the shape {rows.shape}, it must be square with 2 to {VERTICES} rows")
    if not np.isin(rows, (0, 1)).all() or np.tril(rows).any():
        raise ValueError("the matrix must hold 0 and 1, ones only above the diagonal")
    inner = labels[1:-1]
    if len(labels) != vertices or labels[0] != INPUT or labels[-1] != OUTPUT or not set(inner) <= set(OPERATIONS):
        raise ValueError(f"it takes {vertices} labels: {INPUT}, then {' or '.join(OPERATIONS)}, then {OUTPUT}")
    places = [*range(vertices - 1), LAST]
    ones = {(places[a], places[b]) for a, b in np.argwhere(rows).tolist()}
    operations = [*map(OPERATIONS.index, inner), *[0] * (VERTICES - vertices)]
    return (*(int(pair in ones) for pair in PAIRS), *operations)
