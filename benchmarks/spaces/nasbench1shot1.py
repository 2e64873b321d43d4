"""The three search spaces of NAS-Bench-1Shot1: parts of NAS-Bench-101 that a one-shot model can hold.

Paper: A. Zela, J. Siems, F. Hutter, "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot Neural Architecture
    Search", ICLR 2020, arXiv:2001.10422, section 3.

Every choice block (an inner vertex) and the output take a fixed number of parents among the vertices before
them; that makes nine edges, so that every combination is a cell of NAS-Bench-101.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench1shot1_supernet import NASBench1Shot1Layout, supernet
from nassim.benchmarks.spaces.nasbench101 import space as nasbench101
from nassim.benchmarks.spaces.nasbench101.classes import Numbering
from nassim.benchmarks.spaces.nasbench101.graph import (
    BITS,
    INTERIOR,
    OPERATIONS,
    PAIRS,
    VERTICES,
    kept_vertices,
    members,
)
from nassim.benchmarks.spaces.partial_channels import no_partial
from nassim.errors import InvalidSetting
from nassim.layout import Layout
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

# Parents of each vertex, from the input to the output.
PARENTS = {1: (0, 1, 2, 2, 2, 2), 2: (0, 1, 1, 2, 2, 3), 3: (0, 1, 1, 1, 2, 2, 2)}
_CONV1X1 = OPERATIONS.index("conv1x1-bn-relu")


class NASBench1Shot1Space(SearchSpace):
    """An operation for each choice block, then the parents of each vertex that has a choice of them.

    Names are those of the paper's code; the block after the last operation is the output.

    number: 1, 2 or 3.
    numbering: of NAS-Bench-101's cells, where it is at hand; else it is computed when first needed.

    >>> arch = SPACES[1].parse("0-1-2-0-2-5-9")
    >>> SPACES[1].to_nasbench101(arch).choices[21:]  # vertex 5 is not in the graph
    (0, 1, 2, 0, 1)
    """

    frame = nasbench101.NASBench101Space.frame

    def __init__(self, number: int, numbering: Numbering | None = None) -> None:
        parents = PARENTS[number]
        self._numbering = numbering
        self._parents = parents
        last = len(parents) - 1
        self.blocks = last - 1
        # Of each vertex that has a choice: its parents, option by option.
        self._options = {v: list(combinations(range(v), count)) for v, count in enumerate(parents) if 0 < count < v}
        self._fixed = sum(BITS[u, v] for v, count in enumerate(parents) if 0 < count == v for u in range(v))
        super().__init__(
            f"nasbench1shot1-{number}",
            [Decision(f"choice_block_{v}_op", OPERATIONS) for v in range(1, last)]
            + [
                Decision(f"choice_block_{v}_parents", tuple("+".join(map(str, option)) for option in options))
                for v, options in self._options.items()
            ],
        )
        self._bits = [  # of each decision on parents and each of its options
            [sum(BITS[u, v if v < last else VERTICES - 1] for u in option) for option in options]
            for v, options in self._options.items()
        ]

    def codes(self, choices: tuple[int, ...]) -> tuple[int, int]:
        """Edge code and operation code (`nasbench101_graph`) of the cell that valid choices describe."""
        edges = self._fixed
        for bits, option in zip(self._bits, choices[self.blocks :], strict=True):
            edges |= bits[option]
        operations = 0
        for option in choices[: self.blocks]:
            operations = len(OPERATIONS) * operations + option
        # Spaces 1 and 2 have four blocks: a fifth vertex without edges, a 1x1 convolution as in the paper's code.
        return edges, operations if self.blocks == INTERIOR else len(OPERATIONS) * operations + _CONV1X1

    def to_nasbench101(self, arch: Architecture) -> Architecture:
        """The architecture as a spelling of NAS-Bench-101's space, loose ends included."""
        edges, operations = self.codes(self.check(arch).choices)
        digits = np.base_repr(operations, len(OPERATIONS)).rjust(INTERIOR, "0")
        return Architecture(nasbench101.SPACE.name, tuple(map(int, f"{edges:0{len(PAIRS)}b}{digits}")))

    def canonical(self, arch: Architecture, kind: str = "published") -> Hashable:
        """The number of the cell in NAS-Bench-101: equal for what is isomorphic without its loose ends."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        return self.cell(arch)

    def cell(self, arch: Architecture) -> int:
        """The number of the cell in NAS-Bench-101."""
        numbering = self._numbering or nasbench101.SPACE.numbering
        return numbering.row_of(*self.codes(self.check(arch).choices))

    def cells(self) -> NDArray[np.int32]:
        """The numbers of all cells of this space, ascending."""
        numbering = self._numbering or nasbench101.SPACE.numbering
        blocks = len(OPERATIONS) ** self.blocks
        operations = np.arange(blocks) * (1 if self.blocks == INTERIOR else len(OPERATIONS))
        operations += 0 if self.blocks == INTERIOR else _CONV1X1
        return np.unique(numbering.rows_of(np.repeat(self.wirings, blocks), np.tile(operations, len(self.wirings))))

    def graph(self, arch: Architecture) -> Graph:
        """The cell without its loose ends; operations are at the nodes."""
        return nasbench101.SPACE.graph(self.to_nasbench101(arch))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """The network of the cell in NAS-Bench-101, without its loose ends."""
        return nasbench101.SPACE.network(self.to_nasbench101(arch), frame)

    @property
    def layout(self) -> Layout:
        """Operations of blocks and edges between vertices; see `nasbench1shot1_supernet`."""
        return NASBench1Shot1Layout(self, self._parents)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """All operations and edges; see `nasbench1shot1_supernet`."""
        no_partial(partial, self.name)
        return supernet(NASBench1Shot1Layout(self, self._parents), self._parents, frame)

    @cached_property
    def wirings(self) -> NDArray[np.int64]:
        """The edge codes of all choices of parents, loose ends included."""
        return np.array([self._fixed | sum(bits) for bits in product(*self._bits)], dtype=np.int64)

    def without_loose_ends(self, kind: str = "published") -> int:
        """Number of different architectures after their loose ends were removed; blocks keep their names.

        kind: ``published``: those that the paper's generator finds, in which every block that is used feeds the
            next used one: 2,487, 3,609 and 24,066. It starts at the output, and of two parents it goes on
            from the last alone, so that it never reaches cells with two separate branches.
            ``all``: with those, 3,702, 12,474 and 135,900.
        """
        if kind not in ("published", "all"):
            raise InvalidSetting(f"{kind!r} is not a way to count {self.name}: use published or all.")
        used: dict[int, int] = {}
        for code in self.wirings.tolist():
            remaining = members(kept_vertices(code))
            kept = sum(BITS[edge] for edge in combinations(remaining, 2) if code & BITS[edge])
            if kind == "all" or all(code & BITS[edge] for edge in pairwise(remaining[1:])):
                used[kept] = len(remaining) - 2
        return sum(len(OPERATIONS) ** blocks for blocks in used.values())


SPACES = {number: NASBench1Shot1Space(number) for number in PARENTS}
