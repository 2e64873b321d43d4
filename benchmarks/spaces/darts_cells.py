"""Cells of DARTS' space: from choices to inputs and operations and back, in the authors' notation, and as vectors.

A cell is written in 11 choices: two operations of state 2, then for each of the states 3, 4 and 5 the pair of its
inputs and two operations, that of the lower input first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduce")
NODES = (2, 3, 4, 5)  # states that are computed
PAIRS = {node: tuple(combinations(range(node), 2)) for node in NODES}  # inputs of a node, option by option
EDGES = tuple((source, node) for node in NODES for source in range(node))  # numbered as in NAS-Bench-301
CHOICES = 11  # a cell

Node = tuple[tuple[int, int], tuple[int, int]]  # (state, operation) twice, the lower state first
Cell = tuple[Node, ...]

_PAIR = r"""\(['"](?:[A-Za-z0-9_]+)['"],[0-9]\)"""
_LIST = rf"\[((?:{_PAIR},?){{8}})\]"
_CONCAT = r"(range\(2,6\)|\[[0-9,]+\])"
_GENOTYPE = re.compile(rf"Genotype\(normal={_LIST},normal_concat={_CONCAT},reduce={_LIST},reduce_concat={_CONCAT},?\)")
_ALL_NODES = ("range(2,6)", "[2,3,4,5]")


def _moves() -> dict[int, list[tuple[list[tuple[int, bool]], ...]]]:
    """Of a node, the option of its inputs, and the lower or the higher of them: what else that input can be.

    Each is an option and whether the two operations change their order, as they stay with their inputs.
    """
    found: dict[int, list[tuple[list[tuple[int, bool]], ...]]] = {}
    for node in NODES:
        found[node] = []
        for low, high in PAIRS[node]:
            others = [state for state in range(node) if state not in (low, high)]
            lower = [(PAIRS[node].index((min(s, high), max(s, high))), s > high) for s in others]
            higher = [(PAIRS[node].index((min(s, low), max(s, low))), s < low) for s in others]
            found[node].append((lower, higher))
    return found


MOVES = _moves()
FIRST = {2: -1, 3: 2, 4: 5, 5: 8}  # place of a node's inputs among the choices of a cell; its operations follow


def cell_of(choices: Sequence[int]) -> Cell:
    """The nodes of the 11 choices of a cell."""
    nodes: list[Node] = []
    remaining = iter(choices)
    for node in NODES:
        low, high = PAIRS[node][next(remaining) if len(PAIRS[node]) > 1 else 0]
        nodes.append(((low, next(remaining)), (high, next(remaining))))
    return tuple(nodes)


def choices_of(cell: Cell) -> tuple[int, ...]:
    """The 11 choices of a cell; the two inputs of a node may come in any order."""
    choices: list[int] = []
    for node, inputs in zip(NODES, cell, strict=True):
        (low, first), (high, second) = sorted(inputs)
        if len(PAIRS[node]) > 1:
            choices.append(PAIRS[node].index((low, high)))
        choices += [first, second]
    return tuple(choices)


# Every order of the nodes: the node at each place, and the place of each state.
_ORDERS = [(order, (0, 1, *(order.index(i) + 2 for i in range(4)))) for order in permutations(range(4))]


def relabelled(cell: Cell) -> Cell:
    """The first of the cells that differ from this one in the order of their nodes alone."""
    best = cell
    for order, place in _ORDERS:
        # A node may come where the nodes that it takes have come before.
        if all(place[state] < node for node, i in zip(NODES, order, strict=True) for state, _ in cell[i]):
            moved: list[Node] = []
            for i in order:
                (a, first), (b, second) = cell[i]
                one, other = (place[a], first), (place[b], second)
                moved.append((one, other) if one < other else (other, one))
            best = min(best, tuple(moved))
    return best


def genotype(cells: Sequence[Cell]) -> str:
    """The authors' notation of a normal and a reduction cell."""
    parts = [
        f"{name}={[(OPERATIONS[operation], state) for node in cell for state, operation in node]}, "
        f"{name}_concat=range(2, 6)"
        for name, cell in zip(CELLS, cells, strict=True)
    ]
    return f"Genotype({', '.join(parts)})"


def read_genotype(text: str) -> tuple[Cell, ...]:
    """The cells of the authors' notation; ValueError says what is wrong with it."""
    match = _GENOTYPE.fullmatch("".join(text.split()))
    if match is None:
        raise ValueError("it is not Genotype(normal=[8 pairs], normal_concat=..., reduce=[8 pairs], reduce_concat=...)")
    cells: list[Cell] = []
    for name, pairs, concat in zip(CELLS, match.groups()[::2], match.groups()[1::2], strict=True):
        if concat not in _ALL_NODES:
            raise ValueError(f"{name}_concat={concat:.40}: all four nodes are concatenated in this space")
        found = re.findall(r"""['"]([A-Za-z0-9_]+)['"],([0-9])""", pairs)
        unknown = [operation for operation, _ in found if operation not in OPERATIONS]
        if unknown:
            raise ValueError(f"{unknown[0]:.40} is not an operation of this space: use {', '.join(OPERATIONS)}")
        flat = [(int(state), OPERATIONS.index(operation)) for operation, state in found]
        cell = tuple((flat[i], flat[i + 1]) for i in range(0, 8, 2))
        for node, ((a, _), (b, _)) in zip(NODES, cell, strict=True):
            if a == b or max(a, b) >= node:
                raise ValueError(f"state {node} of the {name} cell has the inputs {a} and {b}: two earlier ones differ")
        cells.append(cell)
    return tuple(cells)


# -- vectors ------------------------------------------------------------------------------------------


def _columns(choices: NDArray[Any], cell: int) -> list[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Of each of a cell's eight operations: its node, and the states and operations (n,)."""
    column = cell * CHOICES
    found = []
    for node in NODES:
        pairs = np.array(PAIRS[node])[choices[:, column] if len(PAIRS[node]) > 1 else np.zeros(len(choices), np.int64)]
        column += len(PAIRS[node]) > 1
        for side in (0, 1):
            found.append((node, pairs[:, side], choices[:, column].astype(np.int64)))
            column += 1
    return found


def adjacency_encoding(choices: NDArray[Any]) -> NDArray[np.uint8]:
    """Which operation is on which edge, cell by cell and edge by edge: (n, 22) -> (n, 2 * 14 * 7)."""
    edge = np.zeros((max(NODES) + 1, max(NODES) + 1), dtype=np.int64)
    for i, (source, node) in enumerate(EDGES):
        edge[source, node] = i
    encoded = np.zeros((len(choices), len(CELLS), len(EDGES), len(OPERATIONS)), dtype=np.uint8)
    for cell in range(len(CELLS)):
        for node, states, operations in _columns(choices, cell):
            encoded[np.arange(len(choices)), cell, edge[states, node], operations] = 1
    return encoded.reshape(len(choices), -1)


def path_encoding(choices: NDArray[Any]) -> NDArray[np.uint8]:
    """Which sequences of operations lead from an input to a node: (n, 22) -> (n, 11200).

    By length (1 to 4), then by cell and input, then lexicographically: 4 (7 + 49 + 343 + 2401) paths. Every node is
    part of the output, so that every path to a node counts. Cells that differ in the order of their nodes have the
    same paths. The published truncation is 100 (of another order; White et al., AAAI 2021, arXiv:1910.11858).
    """
    base, kinds = len(OPERATIONS), 2 * len(CELLS)
    starts = np.cumsum([0, *(kinds * base**length for length in range(1, len(NODES) + 1))]).tolist()
    encoded = np.zeros((len(choices), starts[-1]), dtype=np.uint8)
    for row, given in enumerate(choices.tolist()):
        for cell in range(len(CELLS)):
            # Of each state its paths as (length, input, operations as a number).
            paths: list[set[tuple[int, int, int]]] = [{(0, 0, 0)}, {(0, 1, 0)}]
            for node in cell_of(given[cell * CHOICES : (cell + 1) * CHOICES]):
                paths.append({(n + 1, i, code * base + o) for state, o in node for n, i, code in paths[state]})
            for length, start, code in set().union(*paths[2:]):
                encoded[row, starts[length - 1] + (2 * cell + start) * base**length + code] = 1
    return encoded
