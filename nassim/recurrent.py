"""Recurrent cells are values: what an architecture of a space for language models computes in a step of time.

A `Highway` is a cell of ENAS and DARTS, a `Tree` one of NASRL. `nassim.full_training.texts` makes torch modules of
both.

>>> cell = Highway("tanh", (Node(0, "relu"), Node(1, "tanh")), (1, 2))
>>> cell.matrices, outline(cell)[1]
(8, ('s1', 's0', 'relu', ''))
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

from nassim.layout import Group, Layout
from nassim.space import Architecture, SearchSpace

ADD, MULTIPLY = "add", "mult"


class Node(NamedTuple):
    """A state that goes on from an earlier one: s <- source + gate * (function(candidate) - source)."""

    source: int
    function: str


class Highway(NamedTuple):
    """A cell of highway nodes: state 0 mixes the word and the last state, each node goes on from an earlier state.

    [c, h] = s_source W; s = s_source + sigmoid(c) * (function(h) - s_source). State 0 is made likewise of the last
    output, with [c, h] = [x, h_last] W. The new output is the mean of the states ``outputs``.
    Source: Pham et al., ICML 2018, arXiv:1802.03268, section 2.1; Liu et al., ICLR 2019, arXiv:1806.09055, section 2.
    """

    first: str  # the function of state 0
    nodes: tuple[Node, ...]  # of states 1, 2, ...
    outputs: tuple[int, ...]

    @property
    def matrices(self) -> int:
        """Square matrices of the hidden size: a candidate and a gate for each input of each state."""
        return 4 + 2 * len(self.nodes)


class Joint(NamedTuple):
    """A place of a tree: how its two inputs are combined, and the function of that."""

    combine: str
    function: str


class Tree(NamedTuple):
    """A cell that is a binary tree: leaves combine W x and U h_last, places above them their two children.

    joints: leaves first, then level by level up to the root, whose output is h. At the place ``read`` the memory
    of the last step is combined with the output (``inject``); the new memory is what the place ``written`` has before
    its function. Source: Zoph & Le, ICLR 2017, arXiv:1611.01578, section 3.4.
    """

    joints: tuple[Joint, ...]
    inject: Joint
    read: int
    written: int

    @property
    def leaves(self) -> int:
        """How many leaves there are: a power of two."""
        return (len(self.joints) + 1) // 2

    @property
    def matrices(self) -> int:
        """Square matrices of the hidden size: two a leaf."""
        return 2 * self.leaves

    def children(self, place: int) -> tuple[int, int]:
        """The two places below one that is no leaf."""
        return 2 * (place - self.leaves), 2 * (place - self.leaves) + 1


Cell = Highway | Tree


def outline(cell: Cell) -> list[tuple[str, str, str, str]]:
    """A cell in lines: what is made, of what, by which function, and what else happens there."""
    if isinstance(cell, Highway):
        rows = [("s0", "x, h", cell.first, "")]
        rows += [(f"s{i}", f"s{node.source}", node.function, "") for i, node in enumerate(cell.nodes, 1)]
        return [*rows, ("h", ", ".join(f"s{i}" for i in cell.outputs), "mean", "")]
    rows = []
    for place, (combine, function) in enumerate(cell.joints):
        below = ("x", "h") if place < cell.leaves else tuple(f"a{child}" for child in cell.children(place))
        more = ["c is kept before the function"] * (place == cell.written)
        more += [f"then {cell.inject.function}({cell.inject.combine} c)"] * (place == cell.read)
        rows.append((f"a{place}", f"{combine} {', '.join(below)}", function, "; ".join(more)))
    return [*rows, ("h", f"a{len(cell.joints) - 1}", "identity", "")]


class RecurrentSpace(SearchSpace):
    """A space whose architectures are cells of a language model, trained on texts and not on images."""

    published: ClassVar[str] = ""  # the size that is published, for whoever looks at an architecture

    @abstractmethod
    def cell(self, arch: Architecture) -> Cell:
        """The cell of an architecture; `InvalidArchitecture` for one of another space."""


class Edges(Layout):
    """The layout of highway cells: a group for the edge between each node and each earlier state.

    Options are ``none``, which no answer has, and the functions. A cell uses one edge into each node; the others are
    ``none``. Where the function of state 0 is chosen, the first group has the functions alone.
    """

    none_wins = False
    kept = 1

    def __init__(self, space: RecurrentSpace, functions: tuple[str, ...], nodes: int, *, first: bool) -> None:
        self.space: RecurrentSpace = space
        self.functions, self.first = functions, first
        self.edges = tuple((source, node) for node in range(1, nodes + 1) for source in range(node))
        groups = [Group("s0", functions)] if first else []
        self.groups = (*groups, *(Group(f"s{source}->s{node}", ("none", *functions)) for source, node in self.edges))

    @property
    def nodes(self) -> tuple[tuple[int, ...], ...]:
        """The groups of the edges into each node."""
        start = len(self.groups) - len(self.edges)
        return tuple(
            tuple(start + i for i, (_, target) in enumerate(self.edges) if target == node)
            for node in range(1, self.edges[-1][1] + 1)
        )

    def path(self, arch: Architecture) -> tuple[tuple[int, ...], ...]:
        """The function of each edge that the cell has, ``none`` of each other one."""
        cell = self.space.cell(arch)
        assert isinstance(cell, Highway), "a cell of nodes"
        first = [(self.functions.index(cell.first),)] if self.first else []
        used = {(node.source, i): 1 + self.functions.index(node.function) for i, node in enumerate(cell.nodes, 1)}
        return (*first, *((used.get(edge, 0),) for edge in self.edges))

    def answer(self, weights: list[list[float]]) -> Architecture:  # type: ignore[override]
        """Of each node the edge with the largest weight but ``none``, and there the function of the largest.

        Source: arXiv:1806.09055, section 2.4. Of equal ones the earlier edge and function.
        """
        choices = [max(range(len(self.functions)), key=weights[0].__getitem__)] if self.first else []
        for group in self.nodes:
            rows = [weights[i][1:] for i in group]
            source = max(range(len(rows)), key=lambda i, rows=rows: max(rows[i]))  # type: ignore[misc]
            choices += [source] if len(rows) > 1 else []
            choices.append(max(range(len(self.functions)), key=rows[source].__getitem__))
        return self.space.check(Architecture(self.space.name, tuple(choices)))
