"""Cells of NAS-Bench-201 that compute the same function share a training: the 4,930 algebraic classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nassim.benchmarks.spaces.nasbench201 import SPACE, connected
from nassim.space import Architecture

# Rough cost of the operations in a small network, to choose the cheapest cell of a class.
_COST = {0: 0.0, 1: 0.1, 4: 1.0, 2: 2.0, 3: 5.0}


@dataclass(frozen=True)
class CellClass:
    """Equivalent cells: their rows in a table, and the cell that is trained for all of them."""

    trained: Architecture
    rows: tuple[int, ...]


@cache
def cell_classes() -> tuple[CellClass, ...]:
    """All classes, in the order of their trained cells.

    Trained is the cheapest cell without operations that lead nowhere: with them it would compute the same.
    """
    rows: dict[str, list[int]] = {}
    cells: dict[str, Architecture] = {}
    for row, arch in enumerate(SPACE.architectures()):
        key = SPACE.canonical(arch, "algebraic")
        rows.setdefault(key, []).append(row)
        alive = connected(arch.choices)
        if all(choice == 0 or edge in alive for edge, choice in enumerate(arch.choices)):
            known = cells.get(key)
            if known is None or _cost(arch) < _cost(known):
                cells[key] = arch
    return tuple(sorted((CellClass(cells[key], tuple(rows[key])) for key in cells), key=lambda c: c.trained))


def _cost(arch: Architecture) -> float:
    return sum(_COST[choice] for choice in arch.choices)
