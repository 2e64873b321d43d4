"""The cell space of DARTS.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055, section
    2.1; as in NAS-Bench-301 (arXiv:2008.09777), without ``none``, which only the supernet has.

A normal and a reduction cell, each with two inputs (states 0 and 1) and four nodes (states 2 to 5). A node is the
sum of two operations on two different earlier states; the nodes are concatenated. 180 wirings and 7^8 operations make
1,037,664,180 cells; 382,128,166 of them differ in more than the order of their nodes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import MappingProxyType

from nassim.benchmarks.spaces.darts_cells import (
    CELLS,
    CHOICES,
    FIRST,
    MOVES,
    NODES,
    OPERATIONS,
    PAIRS,
    Cell,
    adjacency_encoding,
    cell_of,
    choices_of,
    genotype,
    path_encoding,
    read_genotype,
    relabelled,
)
from nassim.benchmarks.spaces.darts_network import stacked
from nassim.benchmarks.spaces.darts_supernet import SUBSPACES, DartsLayout, supernet
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

# Found on CIFAR-10 by DARTS (first and second order), PC-DARTS (arXiv:1907.05737) and DrNAS (arXiv:2006.10355).
PUBLISHED = {
    "DARTS_V1": "3-3-0-2-3-0-2-3-1-3-2-0-0-1-0-2-1-0-2-1-1-2",
    "DARTS_V2": "3-3-0-3-3-0-2-3-1-2-5-0-0-2-0-2-1-0-2-4-0-2",
    "PC_DARTS_cifar": "2-3-0-3-5-0-4-3-0-1-5-0-4-2-4-4-2-3-3-4-3-3",
    "DrNAS_cifar10": "3-4-2-3-3-0-2-3-7-3-6-0-4-2-4-6-4-4-6-6-4-2",
}
LONGEST = 2000  # characters of a genotype
Change = Callable[[Architecture, int, int, int], list[Architecture]]  # an architecture, its cell, node and side


class DartsSpace(SearchSpace):
    """Two cells of four nodes; each node takes a pair of earlier states and an operation on either.

    >>> arch = SPACE.parse("DARTS_V2")
    >>> str(arch)
    'darts:3-3-0-3-3-0-2-3-1-2-5-0-0-2-0-2-1-0-2-4-0-2'
    >>> SPACE.parse(SPACE.format(arch)) == arch, SPACE.size, len(SPACE.neighbors(arch))
    (True, 1076746950455072400, 120)
    """

    encodings = MappingProxyType({"adjacency": adjacency_encoding, "path": path_encoding})
    frame = Frame(channels=36, cells=20, classes=10)
    known = PUBLISHED

    def __init__(self) -> None:
        decisions = []
        for cell in CELLS:
            for node in NODES:
                if len(PAIRS[node]) > 1:
                    pairs = tuple("_".join(map(str, pair)) for pair in PAIRS[node])
                    decisions.append(Decision(f"{cell}_node{node}_inputs", pairs))
                decisions += [Decision(f"{cell}_node{node}_{side}", OPERATIONS) for side in ("low", "high")]
        super().__init__("darts", decisions)

    def cells(self, arch: Architecture) -> tuple[Cell, Cell]:
        """The normal and the reduction cell."""
        choices = self.check(arch).choices
        return cell_of(choices[:CHOICES]), cell_of(choices[CHOICES:])

    def of_cells(self, normal: Cell, reduction: Cell) -> Architecture:
        """The architecture of two cells."""
        return Architecture(self.name, (*choices_of(normal), *choices_of(reduction)))

    def parse(self, text: str) -> Architecture:
        """Read ``Genotype(normal=[...], ...)`` as the authors write it, a name of `PUBLISHED`, or the plain form."""
        body = text.strip()
        name = body.removeprefix(f"{self.name}:")
        if name in PUBLISHED:
            return super().parse(PUBLISHED[name])
        if not name.startswith("Genotype(") or len(name) > LONGEST:
            return super().parse(body if len(body) <= 200 else body[:200] + "...")
        try:
            return self.of_cells(*read_genotype(name))
        except ValueError as error:
            raise InvalidArchitecture(f"not an architecture of {self.name}: {error}.") from None

    def how_to_write(self) -> str:
        return (
            "Write Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], "
            f"reduce_concat=range(2, 6)), {', '.join(PUBLISHED)}, or {self.name}: and {len(self.decisions)} "
            f"numbers with dashes: {', '.join(d.name for d in self.decisions[:CHOICES])}, "
            "then the same of the reduction cell; "
            f"operations {', '.join(f'{i} {name}' for i, name in enumerate(OPERATIONS))}."
        )

    def format(self, arch: Architecture) -> str:
        """The authors' notation, the lower input of each node first."""
        return genotype(self.cells(arch))

    # -- moving about ---------------------------------------------------------------------------

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One of the 16 operations or one of their inputs, changed to a different one.

        Paper: Real et al., "Regularized Evolution", AAAI 2019, arXiv:1802.01548, section 3: a cell, then operation or
            hidden state, then the place, all uniform. Departures: it always changes (without their identity mutation,
            which is for the strategy), and an input that has no other (state 2's) is drawn again.
        """
        cell = CHOICES * int(rng.random() * 2)
        while True:
            operation = rng.random() < 0.5
            node, side = NODES[int(rng.random() * 4)], int(rng.random() * 2)
            near = self._operations(arch, cell, node, side) if operation else self._inputs(arch, cell, node, side)
            if near:
                return near[int(rng.random() * len(near))]

    def mutate_wiring(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One input of a state behind the first is another earlier state."""
        return self._mutated(arch, rng, self._inputs, NODES[1:])

    def mutate_operation(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One of the 16 operations is another one."""
        return self._mutated(arch, rng, self._operations, NODES)

    def _mutated(self, arch: Architecture, rng: random.Random, change: Change, nodes: tuple[int, ...]) -> Architecture:
        near = change(self.check(arch), rng.choice((0, CHOICES)), rng.choice(nodes), rng.choice((0, 1)))
        return rng.choice(near)

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """The 120 architectures with another operation (96) or input (24); an operation stays with its input."""
        self.check(arch)
        places = [(CHOICES * cell, node, side) for cell in (0, 1) for node in NODES for side in (0, 1)]
        return [
            other for change in (self._operations, self._inputs) for place in places for other in change(arch, *place)
        ]

    def _operations(self, arch: Architecture, cell: int, node: int, side: int) -> list[Architecture]:
        """Another operation on the lower or higher input of a node."""
        c, i = arch.choices, cell + FIRST[node] + 1 + side
        return [Architecture(self.name, (*c[:i], other, *c[i + 1 :])) for other in self._others[i][c[i]]]

    def _inputs(self, arch: Architecture, cell: int, node: int, side: int) -> list[Architecture]:
        """Another state in place of the lower or higher input of a node."""
        if len(PAIRS[node]) == 1:
            return []
        c, i = arch.choices, cell + FIRST[node]
        low, high = c[i + 1 : i + 3]
        return [
            Architecture(self.name, (*c[:i], option, *((high, low) if swapped else (low, high)), *c[i + 3 :]))
            for option, swapped in MOVES[node][c[i]][side]
        ]

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The first of the architectures that differ in the order of nodes within cells alone.

        What they compute differs in the order of channels.
        """
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        normal, reduction = self.cells(arch)
        return self.of_cells(relabelled(normal), relabelled(reduction))

    def graph(self, arch: Architecture) -> Graph:
        """Both cells beside each other: two inputs, four nodes and the output of the normal cell, then of the other."""
        names: list[str] = []
        edges: list[tuple[int, int, str]] = []
        for which, cell in enumerate(self.cells(arch)):
            first = len(names)
            names += [f"{CELLS[which]} {name}" for name in ("c_{k-2}", "c_{k-1}", "0", "1", "2", "3", "c_{k}")]
            for node, inputs in zip(NODES, cell, strict=True):
                edges += [(first + state, first + node, OPERATIONS[operation]) for state, operation in inputs]
            edges += [(first + node, first + 6, "") for node in NODES]
        return Graph(tuple(names), tuple(edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """The network of the authors' evaluation; see `darts_network`."""
        return stacked(self.cells(arch), frame)

    @property
    def layout(self) -> DartsLayout:
        """A group for each edge of both cells; an architecture takes two edges of every node."""
        return DartsLayout(self)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Both cells with ``none`` and the seven operations on all their edges; see `darts_supernet`."""
        return supernet(SUBSPACES["S5"], frame, partial)


SPACE = DartsSpace()
