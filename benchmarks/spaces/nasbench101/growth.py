"""Cells of NAS-Bench-101 with one more operation, for progressive search."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from nassim.benchmarks.spaces.nasbench101.graph import MOST_EDGES, OPERATIONS, PAIRS, VERTICES

EDGES, LAST = len(PAIRS), VERTICES - 1


def larger_spellings(cell: Sequence[int], vertices: int) -> list[list[int]]:
    """Spellings with a new last operation, which feeds the output, of a canonical one with so many vertices.

    It takes any choice of the input and the other operations; those of them that fed the output keep
    that edge or give it up. One cell may come several times.
    """
    new = vertices - 1
    # For every vertex: no edge to the new one, or an edge, with or without the one to the output.
    plans = [
        [(0, fed), (1, 0)] + ([(1, 1)] if fed else []) for fed in (cell[PAIRS.index((v, LAST))] for v in range(new))
    ]
    rows = []
    for plan in product(*plans):
        choices = list(cell)
        for v, (feeds_new, feeds_output) in enumerate(plan):
            choices[PAIRS.index((v, new))], choices[PAIRS.index((v, LAST))] = feeds_new, feeds_output
        choices[PAIRS.index((new, LAST))] = 1
        if sum(choices[:EDGES]) <= MOST_EDGES and any(feeds_new for feeds_new, _ in plan):
            rows += [[*choices[: EDGES + new - 1], o, *choices[EDGES + new :]] for o in range(len(OPERATIONS))]
    return rows
