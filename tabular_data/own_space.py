"""The space of a user's table: any decisions; the first option of each is the smallest."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidArchitecture, Unsupported
from nassim.space import Architecture, SearchSpace
from nassim.tabular_data.listed import ListedSpace

MOST_OPTIONS = 127  # of a decision: choices are stored as bytes
MOST_DECISIONS = 500
GROWN = 20_000  # architectures of a list that progressive search can go through
_PAIRS = 4_000  # rows that are compared with each other to find the radius of a list
_MASKS = 20_000_000  # rows that may be sorted for it


class OwnSpace(SearchSpace):
    """Decisions as the table's specification names them; every combination is valid.

    >>> from nassim.space import Decision
    >>> space = OwnSpace("mine", [Decision("layer", ("none", "conv")), Decision("width", ("16", "32"))])
    >>> space.format(space.parse("mine:1-0")), str(space.parse("width=16, layer=conv"))
    ('layer=conv, width=16', 'mine:1-0')
    """

    def format(self, arch: Architecture) -> str:
        """The names of the decisions with their options."""
        pairs = zip(self.decisions, arch.choices, strict=True)
        return ", ".join(f"{decision.name}={decision.options[choice]}" for decision, choice in pairs)

    def parse(self, text: str) -> Architecture:
        """Read ``layer=conv, width=16``, in any order, or ``mine:1-0``."""
        arch = self._named(text)
        return super().parse(text) if arch is None else arch

    def how_to_write(self) -> str:
        example = self.format(self.at(0))
        example = example if len(example) <= 200 else "decision=option, ..."
        return f"Write {example} (`nassim show {self.name}` lists all)."

    def _named(self, text: str) -> Architecture | None:
        """The architecture that ``text`` names by decisions and options; None if it does not."""
        parts = dict(part.partition("=")[::2] for part in text.strip().split(", "))
        if parts.keys() != {decision.name for decision in self.decisions}:
            return None
        if any(parts[decision.name] not in decision.options for decision in self.decisions):
            return None
        return Architecture(self.name, tuple([d.options.index(parts[d.name]) for d in self.decisions]))

    def complexity(self, arch: Architecture) -> int:
        """Number of decisions that are not at their first option."""
        return sum(choice > 0 for choice in arch.choices)

    def smallest(self) -> list[Architecture]:
        """The architecture of all first options."""
        return [self.at(0)]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """Any other option at one decision that is at its first."""
        return [other for other in self.neighbors(arch) if self.complexity(other) > self.complexity(arch)]


class OwnListedSpace(ListedSpace):
    """The architectures of a space that a table has, found in it without a copy in memory.

    whole: an `OwnSpace`.
    choices: (rows, decisions), bytes, ascending.
    """

    def is_valid(self, arch: Architecture) -> bool:
        return self.whole.is_valid(arch) and row_of(self._choices, arch.choices) is not None

    def index(self, arch: Architecture) -> int:
        row = row_of(self._choices, self.whole.check(arch).choices)
        if row is None:
            raise InvalidArchitecture(self._missing(arch))
        return row

    # Growth: each architecture grows from the nearest of those with the next smaller complexity that there is.

    def complexity(self, arch: Architecture) -> int:
        return self.whole.complexity(arch)

    def smallest(self) -> list[Architecture]:
        """All architectures of the lowest complexity in the list."""
        return [self.at(row) for row in self._levels[min(self._levels)]]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """The architectures of the next complexity to which this one is the nearest (the first of several)."""
        return [self.at(row) for row in self._children.get(self.index(arch), ())]

    @cached_property
    def _levels(self) -> dict[int, list[int]]:
        if self.size > GROWN:
            raise Unsupported(
                f"the space {self.name} is a list of {self.size:,} architectures: progressive search (pnas) goes "
                f"through at most {GROWN:,}."
            )
        levels = defaultdict(list)
        for row, complexity in enumerate((self._choices > 0).sum(axis=1).tolist()):
            levels[complexity].append(row)
        return levels

    @cached_property
    def _children(self) -> dict[int, list[int]]:
        children = defaultdict(list)
        order = sorted(self._levels)
        for low, high in pairwise(order):
            parents = np.array(self._levels[low])
            for row in self._levels[high]:
                distances = (self._choices[parents] != self._choices[row]).sum(axis=1)
                children[int(parents[distances.argmin()])].append(row)
        return children


def keys(choices: NDArray[np.uint8]) -> NDArray[Any]:
    """Rows of bytes as one value each, which sort as the rows do."""
    return np.ascontiguousarray(choices).view(f"S{choices.shape[1]}").ravel()


def row_of(choices: NDArray[np.uint8], wanted: tuple[int, ...]) -> int | None:
    """The row of ascending ``choices`` that holds ``wanted``."""
    row = int(np.searchsorted(keys(choices), np.bytes_(bytes(wanted))))
    return row if row < len(choices) and tuple(choices[row].tolist()) == wanted else None


def radius(choices: NDArray[np.uint8]) -> int:
    """The least number of decisions in which each row differs from some other one, as far as it is found soon.

    Few rows are compared with each other. Of many, two differ in at most r decisions if the others are equal: for
    r = 1, 2, ... all ways to leave r out are gone through, as long as they are not too many.
    """
    rows, decisions = len(choices), int(choices.shape[1])
    if rows <= _PAIRS:
        nearest = [np.sort((choices != choice).sum(axis=1))[:2] for choice in choices]
        return max((int(of[1]) for of in nearest if len(of) > 1), default=1)
    alone = np.ones(rows, dtype=bool)
    for r in range(1, decisions):
        if comb(decisions, r) * rows > _MASKS:
            return r
        for left_out in combinations(range(decisions), r):
            rest = keys(np.delete(choices, left_out, axis=1))
            _, inverse, count = np.unique(rest, return_inverse=True, return_counts=True)
            alone &= count[inverse] == 1
        if not alone.any():
            return r
    return decisions
