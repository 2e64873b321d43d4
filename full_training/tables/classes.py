"""Cells that compute the same function share a training: the algebraic classes of a space of cells.

The 15,625 cells of NAS-Bench-201 make 4,930 classes, the 729 with three of its operations 78.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nassim.benchmarks.spaces import nasbench201, nasbench201_3ops
from nassim.space import Architecture

SPACES = {space.name: space for space in (nasbench201.SPACE, nasbench201_3ops.SPACE)}

# Rough cost of the operations in a small network, to choose the cheapest cell of a class.
_COST = {0: 0.0, 1: 0.1, 4: 1.0, 2: 2.0, 3: 5.0}


@dataclass(frozen=True)
class CellClass:
    """Equivalent cells: their rows in a table, and the cell that is trained for all of them."""

    trained: Architecture
    rows: tuple[int, ...]


@cache
def cell_classes(space: str = nasbench201.SPACE.name) -> tuple[CellClass, ...]:
    """All classes of a space, in the order of their trained cells.

    Trained is the cheapest cell without operations that lead nowhere: with them it would compute the same.
    """
    rows: dict[str, list[int]] = {}
    cells: dict[str, Architecture] = {}
    for row, arch in enumerate(SPACES[space].architectures()):
        key = SPACES[space].canonical(arch, "algebraic")
        rows.setdefault(key, []).append(row)
        choices = nasbench201_3ops.whole(arch).choices
        alive = nasbench201.connected(choices)
        if all(choice == 0 or edge in alive for edge, choice in enumerate(choices)):
            known = cells.get(key)
            if known is None or _cost(arch) < _cost(known):
                cells[key] = arch
    return tuple(sorted((CellClass(cells[key], tuple(rows[key])) for key in cells), key=lambda c: c.trained))


def _cost(arch: Architecture) -> float:
    return sum(_COST[choice] for choice in nasbench201_3ops.whole(arch).choices)
