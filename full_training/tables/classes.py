"""Architectures that compute the same function share a training: the classes of a space.

The 15,625 cells of NAS-Bench-201 make 4,930 algebraic classes, the 729 with three of its operations 78, the 8,192
strings of Genetic CNN's smaller space 1,812.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nassim.benchmarks.spaces import nasbench201, nasbench201_3ops
from nassim.benchmarks.spaces.genetic_cnn import GeneticCNNSpace
from nassim.space import Architecture, SearchSpace

GENETIC_CNN = GeneticCNNSpace(kernel=3, normalized=False)  # as its table is trained, on maps of 4 x 4
CELLS = {space.name: space for space in (nasbench201.SPACE, nasbench201_3ops.SPACE)}
SPACES: dict[str, SearchSpace] = {**CELLS, GENETIC_CNN.name: GENETIC_CNN}

# Rough cost of the operations in a small network, to choose the cheapest cell of a class.
_COST = {0: 0.0, 1: 0.1, 4: 1.0, 2: 2.0, 3: 5.0}


@dataclass(frozen=True)
class CellClass:
    """Equivalent cells, or architectures: their rows in a table, and the one that is trained for all of them."""

    trained: Architecture
    rows: tuple[int, ...]


@cache
def cell_classes(space: str = nasbench201.SPACE.name) -> tuple[CellClass, ...]:
    """All classes of a space, in the order of what is trained.

    Of cells that is the cheapest without operations that lead nowhere: with them it would compute the same. In other
    spaces it is the architecture that the space names a class by.
    """
    return _of_cells(space) if space in CELLS else _named(SPACES[space])


def _named(space: SearchSpace) -> tuple[CellClass, ...]:
    rows: dict[Architecture, list[int]] = {}
    for row, arch in enumerate(space.architectures()):
        key = space.canonical(arch)
        assert isinstance(key, Architecture), "a space whose classes are named by one of their own"
        rows.setdefault(key, []).append(row)
    return tuple(CellClass(arch, tuple(rows[arch])) for arch in sorted(rows))


def _of_cells(space: str) -> tuple[CellClass, ...]:
    rows: dict[str, list[int]] = {}
    cells: dict[str, Architecture] = {}
    for row, arch in enumerate(CELLS[space].architectures()):
        key = CELLS[space].canonical(arch, "algebraic")
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
