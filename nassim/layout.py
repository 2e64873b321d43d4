"""How the architectures of a space are paths of its supernet, and how scores are an architecture again.

A supernet's decisions are *groups* of options: which operation runs on an edge, which inputs a node takes. In a space
whose decisions are such choices a group is a decision. Elsewhere (two of a node's edges are kept, whichever they are)
its space says how the two belong together, in a layout of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nassim.space import Architecture, SearchSpace

Active = tuple[tuple[int, ...], ...]  # of every group the options that run, ascending


class Group(NamedTuple):
    """A decision of a supernet.

    kind: ``operation``, what is done; ``edge``, which earlier values are taken; ``skip``, whether one is taken too;
    ``end``, which values leave the cell, as follows from the others.
    takes: how many of the options an architecture uses; 0: that differs.
    """

    name: str
    options: tuple[str, ...]
    kind: str = "operation"
    takes: int = 1


class Layout:
    """The groups of a space's supernet; here each decision of the space is one.

    What `answer` is given, a row a group and a number an option, has to be comparable between groups: the weights of
    a mixture and not their logits.
    """

    none_wins = True  # whether an answer may have the option ``none``, where there is one
    kept: int | None = None  # how many inputs of a node an answer has; None: all

    def __init__(self, space: SearchSpace, nodes: Sequence[Sequence[int]] = ()) -> None:
        self.space = space
        self.groups = tuple(Group(decision.name, decision.options) for decision in space.decisions)
        self._nodes = tuple([tuple(node) for node in nodes]) or tuple([(i,) for i in range(len(self.groups))])

    @property
    def nodes(self) -> tuple[tuple[int, ...], ...]:
        """The groups whose outputs are summed at the same node; here, if the space says of none, each is alone."""
        return self._nodes

    @property
    def cells(self) -> tuple[tuple[int, ...], ...]:
        """The groups of each kind of cell; here there is one."""
        return (tuple(range(len(self.groups))),)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of options of each group."""
        return tuple(len(group.options) for group in self.groups)

    @property
    def takes(self) -> tuple[int, ...]:
        """How many options of each group an architecture uses; 0: that differs."""
        return tuple(group.takes for group in self.groups)

    def path(self, arch: Architecture) -> Active:
        """The options that an architecture uses."""
        return tuple([(choice,) for choice in self.space.check(arch).choices])

    def answer(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """The architecture of the largest weights; of equal ones the first option."""
        return self.space.discretize(weights)
