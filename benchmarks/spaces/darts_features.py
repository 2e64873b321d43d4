"""What a linear model sees of an architecture of DARTS' space: 220 numbers, in six blocks.

    places  how many of each operation are on the first input, on the second, and on nodes, of each cell: 3 * 2 * 7
    pairs   how many nodes take both inputs, the first and a node, the second and a node, or two nodes: 2 * 4
    counts  products of the counts of two operations within a cell: 2 * 28
    chains  how often one operation follows another within a cell: 2 * 49
    shape   of each cell its longest chain (one of 1 to 4), the sum of its nodes' depths, nodes that no other takes: 12
    size    logarithms of multiply-adds and parameters in NAS-Bench-301's size, and their squares: 4

None of them knows the order of the nodes: architectures that differ in it alone have the same features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.darts_cells import (
    CELLS,
    CHOICES,
    EDGES,
    NODES,
    OPERATIONS,
    Cell,
    adjacency_encoding,
    cell_of,
)
from nassim.benchmarks.spaces.darts_cost import multiply_adds, parameters

BLOCKS = {"places": 42, "pairs": 8, "counts": 56, "chains": 98, "shape": 12, "size": 4}
_KINDS = len(OPERATIONS)
_TWO = np.triu_indices(_KINDS)
_SOURCES = np.array([source for source, _ in EDGES])
_PLACES = (_SOURCES == 0, _SOURCES == 1, _SOURCES > 1)
_USUAL = np.log([1.5e8, 9e5])  # of a network in the middle: so that the squares say something of their own


def features(choices: NDArray[Any]) -> NDArray[np.float64]:
    """The features (n, 220) of architectures (n, 22), block by block."""
    n = len(choices)
    edges = adjacency_encoding(choices).astype(np.float64).reshape(n, len(CELLS), len(EDGES), _KINDS)
    places = np.stack([edges[:, :, there].sum(axis=2) for there in _PLACES], axis=1)
    counts = edges.sum(axis=2)
    products = (counts[..., :, None] * counts[..., None, :])[..., _TWO[0], _TWO[1]]
    cells = [[cell_of(row[i * CHOICES : (i + 1) * CHOICES]) for i in range(len(CELLS))] for row in choices.tolist()]
    pairs, chains, shape = (
        np.array([[read(cell) for cell in both] for both in cells], np.float64) for read in (_pairs, _chains, _shape)
    )
    size = np.log(np.stack([multiply_adds(choices), parameters(choices)], axis=1)) - _USUAL
    blocks = (places, pairs, products, chains, shape, size, size**2)
    return np.concatenate([block.reshape(n, -1) for block in blocks], axis=1)


def _pairs(cell: Cell) -> list[int]:
    """How many nodes take both inputs, the first and a node, the second and a node, two nodes."""
    kinds = [(min(low, 2), min(high, 2)) for (low, _), (high, _) in cell]
    return [kinds.count(kind) for kind in ((0, 1), (0, 2), (1, 2), (2, 2))]


def _chains(cell: Cell) -> list[int]:
    """How often operation b takes what operation a is part of, at place a * 7 + b."""
    found = [0] * _KINDS**2
    for inputs in cell:
        for state, operation in inputs:
            if state in NODES:
                for _, before in cell[state - NODES[0]]:
                    found[before * _KINDS + operation] += 1
    return found


def _shape(cell: Cell) -> list[int]:
    depths = [0, 0]
    for inputs in cell:
        depths.append(1 + max(depths[state] for state, _ in inputs))
    taken = {state for inputs in cell for state, _ in inputs}
    return [*(int(max(depths) == depth) for depth in (1, 2, 3, 4)), sum(depths), sum(n not in taken for n in NODES)]
