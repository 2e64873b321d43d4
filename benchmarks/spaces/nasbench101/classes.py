"""All 423,624 cells of NAS-Bench-101, and the way from any spelling of a cell to its number.

Two cells are the same if they are isomorphic after pruning. A class is represented as in the benchmark,
whose authors trained the first of its members in this order: fewer vertices; then the smaller *wiring*, a
number whose bit x + y (y - 1) / 2 is the edge from x to y; then the operations, compared one after
the other. Cells are numbered in that order too. The representative matters: the channels of a vertex
depend on its place, so that isomorphic cells can differ in their numbers of parameters.

The numbering is exact and needs no hashes: a wiring is minimized over all permutations of its inner
vertices, operations over the permutations that leave the wiring as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.graph import (
    BITS,
    INTERIOR,
    MOST_EDGES,
    OPERATIONS,
    PAIRS,
    VERTICES,
    edge_code,
    kept_vertices,
    members,
    operation_code,
)

Wirings = NDArray[np.uint32]
_INVALID = 2**32 - 1  # an entry of `Numbering.lookup`, and a wiring with an edge that leads back
_BASE = len(OPERATIONS)
# Which inner vertex of a cell comes to which place of its class: every ordered choice of some of the five.
_ORDERS = [order for k in range(INTERIOR + 1) for order in permutations(range(1, INTERIOR + 1), k)]
_ORDER_BITS = 9  # of an entry of `Numbering.lookup`; the others are a place in `Numbering.places`


class Size(NamedTuple):
    """The cells of one number of vertices, in the order of their numbers."""

    vertices: int
    wirings: Wirings  # (classes of wirings,)
    wiring: NDArray[np.int64]  # (cells,), position in ``wirings``
    labels: NDArray[np.int8]  # (cells, vertices - 2), positions in OPERATIONS


@dataclass(frozen=True)
class Numbering:
    """From choices (21 edges, 5 operations) to the number of the cell.

    lookup: (2^21,), for each edge code the order of its inner vertices (lowest bits) and where in
        ``places`` the operations of its wiring start, or 2^32 - 1 where it is no cell.
    places: for each wiring and each of its labelings the number of the cell.
    """

    lookup: NDArray[np.uint32]
    places: NDArray[np.int32]

    def row(self, choices: Sequence[int]) -> int:
        """The number of a cell; -1 if the choices are not a valid cell."""
        return self.row_of(edge_code(choices), operation_code(choices))

    def row_of(self, edges: int, operations: int) -> int:
        """The number of a cell given as edge code and operation code; -1 if it is not valid."""
        if edges < 0 or operations < 0:
            return -1
        entry = self.lookup.item(edges)
        if entry == _INVALID:
            return -1
        order = entry & (1 << _ORDER_BITS) - 1
        return int(self.places.item((entry >> _ORDER_BITS) + _ranks().item(order * _BASE**INTERIOR + operations)))

    def rows(self, choices: NDArray[Any]) -> NDArray[np.int32]:
        """The numbers of cells given as choices (n, 26), all within their options; -1 for invalid cells."""
        edges = choices[:, : len(PAIRS)].astype(np.int32) @ np.array([BITS[pair] for pair in PAIRS], np.int32)
        operations = choices[:, len(PAIRS) :].astype(np.int32) @ _BASE ** np.arange(INTERIOR, dtype=np.int32)[::-1]
        return self.rows_of(edges, operations)

    def rows_of(self, edges: NDArray[Any], operations: NDArray[Any]) -> NDArray[np.int32]:
        """The numbers of cells given as edge codes (n,) and operation codes (n,); -1 for invalid cells."""
        entries = self.lookup[edges]
        rank = _ranks()[entries & (1 << _ORDER_BITS) - 1, operations] if len(entries) else np.zeros(0, np.uint8)
        valid = entries != _INVALID
        starts = np.where(valid, entries >> _ORDER_BITS, 0)
        return np.where(valid, self.places[starts + rank], -1).astype(np.int32)


@cache
def _ranks() -> NDArray[np.uint8]:
    """(orders, 3^5): the rank among the labelings of a wiring that five operations have in that order."""
    operations = labelings(INTERIOR)
    ranks = np.zeros((1 << _ORDER_BITS, len(operations)), np.uint8)  # also for the order of an invalid entry
    for i, order in enumerate(_ORDERS):
        ranks[i] = rank_of(operations[:, [v - 1 for v in order]])
    return ranks


def labelings(vertices: int) -> NDArray[np.int8]:
    """All operations of some vertices (3^n, n), in lexicographic order."""
    return np.array(list(product(range(_BASE), repeat=vertices)), dtype=np.int8).reshape(_BASE**vertices, vertices)


def rank_of(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Position of operations (n, vertices) in the order of `labelings`."""
    ranks: NDArray[np.int64] = labels @ _BASE ** np.arange(labels.shape[1])[::-1]
    return ranks


def pair_bit(source: int, target: int) -> int:
    """Position of an edge in a wiring."""
    return source + target * (target - 1) // 2


@cache
def cells() -> tuple[tuple[Size, ...], Numbering]:
    """All cells by size, and their numbering; computed once a process (0.4 s)."""
    codes = np.arange(1 << len(PAIRS), dtype=np.uint32)
    kept = kept_vertices(codes)
    lookup = np.full(len(codes), _INVALID, dtype=np.uint32)
    sizes, places = [], []
    start = number = 0
    for vertices in range(2, VERTICES + 1):
        spelled = []  # (edge codes, their pruned wirings, the vertices that remain)
        for mask in range(1 << VERTICES):
            remaining = members(mask)
            if len(remaining) == vertices and remaining[0] == 0 and remaining[-1] == VERTICES - 1:
                found = codes[kept == mask]
                wirings, edges = _compressed(found, remaining)
                spelled.append((found[edges <= MOST_EDGES], wirings[edges <= MOST_EDGES], remaining))
        labelled = np.unique(spelled[0][1])
        orders = list(permutations(range(1, vertices - 1)))
        forms = np.stack([_relabeled(labelled, vertices, order) for order in orders])
        wirings, classes = np.unique(forms.min(axis=0), return_inverse=True)
        for found, own, remaining in spelled:
            ids = np.searchsorted(labelled, own)
            names = np.array([_ORDERS.index(tuple(remaining[v] for v in order)) for order in orders])
            offset = start + classes[ids] * _BASE ** (vertices - 2)
            lookup[found] = offset << _ORDER_BITS | names[forms.argmin(axis=0)[ids]]
        size, rows = _labeled(vertices, wirings, orders)
        sizes.append(size)
        places.append(rows.ravel() + number)
        start += rows.size
        number += len(size.wiring)
    return tuple(sizes), Numbering(lookup, np.concatenate(places).astype(np.int32))


@cache
def spellings() -> NDArray[np.int8]:
    """Every cell as choices (423624, 26), in the order of the numbers; what is pruned is 0 everywhere."""
    parts = []
    for size in cells()[0]:
        choices = np.zeros((len(size.wiring), len(PAIRS) + INTERIOR), dtype=np.int8)
        for b in range(1, size.vertices):
            target = b if b < size.vertices - 1 else VERTICES - 1
            for a in range(b):
                choices[:, PAIRS.index((a, target))] = (size.wirings >> pair_bit(a, b) & 1)[size.wiring]
        choices[:, len(PAIRS) : len(PAIRS) + size.vertices - 2] = size.labels
        parts.append(choices)
    found = np.concatenate(parts)
    found.setflags(write=False)
    return found


def _compressed(codes: Wirings, remaining: Sequence[int]) -> tuple[Wirings, NDArray[np.uint32]]:
    """The wirings of edge codes of which only some vertices remain, and their numbers of edges."""
    wirings, edges = np.zeros_like(codes), np.zeros_like(codes)
    for b, target in enumerate(remaining):
        for a, source in enumerate(remaining[:b]):
            bit = codes >> (BITS[source, target].bit_length() - 1) & 1
            wirings |= bit << pair_bit(a, b)
            edges += bit
    return wirings, edges


def _relabeled(wirings: Wirings, vertices: int, order: Sequence[int]) -> Wirings:
    """Wirings after their inner vertices were put in another order; 2^32 - 1 where an edge would lead back."""
    old = (0, *order, vertices - 1)  # new place -> old place
    result = np.zeros_like(wirings)
    for b in range(vertices):
        for a in range(b):
            forward = old[a] < old[b]
            bit = wirings >> pair_bit(min(old[a], old[b]), max(old[a], old[b])) & 1
            result |= bit << pair_bit(a, b) if forward else bit * np.uint32(_INVALID)
    return result


def _labeled(vertices: int, wirings: Wirings, orders: Sequence[Sequence[int]]) -> tuple[Size, NDArray[np.int64]]:
    """The cells with these wirings, and for each wiring and labeling (wirings, 3^n) the number of its cell."""
    labels = labelings(vertices - 2)
    own = np.arange(len(labels))
    first = np.tile(own, (len(wirings), 1))  # the first labeling that is equivalent
    for order in orders:
        symmetric = _relabeled(wirings, vertices, order) == wirings
        moved = rank_of(labels[:, [v - 1 for v in order]])
        first[symmetric] = np.minimum(first[symmetric], moved)
    representative = first == own
    wiring, rank = np.nonzero(representative)
    numbers = np.cumsum(representative).reshape(first.shape) - 1
    return Size(vertices, wirings, wiring, labels[rank]), np.take_along_axis(numbers, first, axis=1)
