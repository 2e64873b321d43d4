"""The two spaces of ENAS: whole networks of twelve layers with skips (macro), and two cells of five nodes (micro).

Paper: Pham, Guan, Zoph, Le, Dean, ICML 2018, arXiv:1802.03268, sections 2.3 and 2.4.

``enas-macro``: of each layer one of six operations and a bit for each earlier value but the last, the stem's among
them: 6^12 * 2^66 = 1.6e29 architectures. ``enas-micro``: of each node of the normal and the reduction cell two inputs
among the earlier values and two of five operations: (5.06e12)^2; the paper's (5 * 5!)^4 = 1.3e11 is another count.

Architectures are written as in its code: numbers with spaces between them, layer after layer its operation and
its bits, or node after node input, operation, input, operation. No published parameter count was at hand to hold the
networks against. Networks: `enas_network`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from itertools import pairwise

from nassim.benchmarks.spaces.enas_network import LAYERS, MACRO, MICRO, ON, Cell, Skips, loose, macro, micro
from nassim.benchmarks.spaces.partial_channels import no_partial
from nassim.errors import InvalidSetting
from nassim.layout import Active, Group, Layout
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

LONGEST = 1000  # characters of an architecture
NODES = 5
CELLS = ("normal", "reduction")


class Arcs(SearchSpace):
    """A space whose architectures are written as numbers with spaces between them."""

    def parse(self, text: str) -> Architecture:
        """Read the numbers of ENAS' code, or the plain form."""
        body = text.strip().removeprefix(f"{self.name}:")
        parts = body[:LONGEST].split()
        if len(parts) == len(self.decisions) and all(part.isascii() and part.isdigit() for part in parts):
            return super().parse("-".join(parts))
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def format(self, arch: Architecture) -> str:
        """The numbers of ENAS' code."""
        return " ".join(map(str, self.check(arch).choices))

    def how_to_write(self) -> str:
        return f"Write {len(self.decisions)} numbers with spaces or dashes between them, as in {self.at(0)}."


class MacroLayout(Layout):
    """Each decision is a group; a skip's two options are whether it is taken."""

    def __init__(self, space: MacroSpace) -> None:
        self.space = space
        self.groups = tuple(
            Group(d.name, d.options, "operation" if d.options == MACRO else "skip") for d in space.decisions
        )


class MacroSpace(Arcs):
    """Twelve layers.

    >>> arch = MACRO_SPACE.parse("0 " + "1 0 " + "2 1 0 " + " ".join(["0"] * 72))
    >>> MACRO_SPACE.layers(arch)[0][:3], MACRO_SPACE.layers(arch)[1][:3]
    ((0, 1, 2), ((), (0,), (1, 0)))
    """

    frame = Frame(channels=36, cells=1, classes=10)

    def __init__(self) -> None:
        decisions = []
        for layer in range(LAYERS):
            decisions.append(Decision(f"layer{layer}_operation", MACRO))
            decisions += [Decision(f"layer{layer}_skip{i}", ("0", "1")) for i in range(layer)]
        super().__init__("enas-macro", decisions)

    def layers(self, arch: Architecture) -> tuple[tuple[int, ...], Skips]:
        """Operation of each layer, and its bits."""
        choices, operations, skips, at = self.check(arch).choices, [], [], 0
        for layer in range(LAYERS):
            operations.append(choices[at])
            skips.append(choices[at + 1 : at + 1 + layer])
            at += 1 + layer
        return tuple(operations), tuple(skips)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each layer's decisions."""
        ends = [layer * (layer + 1) // 2 for layer in range(LAYERS + 1)]
        return tuple(tuple(range(first, end)) for first, end in pairwise(ends))

    @property
    def layout(self) -> Layout:
        """Each decision is a group."""
        return MacroLayout(self)

    def graph(self, arch: Architecture) -> Graph:
        """A chain of operations, and skips."""
        operations, skips = self.layers(arch)
        edges = [(layer, layer + 1, MACRO[operation]) for layer, operation in enumerate(operations)]
        edges += [(i, layer + 1, "skip") for layer, bits in enumerate(skips) for i, bit in enumerate(bits) if bit == ON]
        return Graph(("stem", *(str(layer) for layer in range(LAYERS))), tuple(edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """The network that is trained alone; see `enas_network`."""
        return macro(frame, self.layers(arch), joins=True)

    def child(self, arch: Architecture, frame: Frame) -> Network:
        """The architecture as the search trains it: skips are summed."""
        return macro(frame, self.layers(arch))

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """All operations and skips; see `enas_network`."""
        no_partial(partial, self.name)
        return macro(frame, None)


class MicroLayout(Layout):
    """Each decision is a group, and what leaves each kind of cell: the values that no node takes."""

    space: MicroSpace

    def __init__(self, space: MicroSpace) -> None:
        self.space = space
        self.groups = (
            *(Group(d.name, d.options, "operation" if d.options == MICRO else "edge") for d in space.decisions),
            *(Group(f"{cell}_ends", tuple(map(str, range(NODES + 2))), "end", 0) for cell in CELLS),
        )

    def path(self, arch: Architecture) -> Active:
        """The choices, and the loose ends of both cells."""
        cells = self.space.cells(arch)
        return (*((choice,) for cell in cells for choice in cell), *map(loose, cells))

    def answer(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """The largest weight of each decision; of equal ones the first."""
        return self.space.discretize(weights[: len(self.space.decisions)])


class MicroSpace(Arcs):
    """A normal and a reduction cell; choices are input, operation, input, operation of each node.

    >>> arch = MICRO_SPACE.parse(" ".join(["0 1 1 2"] * 10))
    >>> loose(MICRO_SPACE.cells(arch)[0]), len(MICRO_SPACE.neighbors(arch))
    ((2, 3, 4, 5, 6), 140)
    """

    frame = Frame(channels=20, cells=8, classes=10)

    def __init__(self) -> None:
        decisions = []
        for cell in CELLS:
            for node in range(NODES):
                for side in ("x", "y"):
                    decisions.append(Decision(f"{cell}_node{node}_{side}_input", tuple(map(str, range(node + 2)))))
                    decisions.append(Decision(f"{cell}_node{node}_{side}_operation", MICRO))
        super().__init__("enas-micro", decisions)

    def cells(self, arch: Architecture) -> tuple[Cell, Cell]:
        """The choices of the normal and of the reduction cell."""
        choices = self.check(arch).choices
        return choices[: 4 * NODES], choices[4 * NODES :]

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each node's decisions."""
        return tuple(tuple(range(i, i + 4)) for i in range(0, 8 * NODES, 4))

    @property
    def layout(self) -> Layout:
        """Each decision is a group, and the ends of both cells."""
        return MicroLayout(self)

    def canonical(self, arch: Architecture, kind: str = "published") -> Hashable:
        """The two sides of each node in order: they are summed."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        c = arch.choices
        pairs = [sorted([c[i : i + 2], c[i + 2 : i + 4]]) for i in range(0, len(c), 4)]
        return Architecture(self.name, tuple([x for pair in pairs for side in pair for x in side]))

    def graph(self, arch: Architecture) -> Graph:
        """Both cells beside each other, each from the network's input to its output."""
        names, edges = ["input"], list[tuple[int, int, str]]()
        leaving: list[int] = []
        for kind, cell in zip(CELLS, self.cells(arch), strict=True):
            first = len(names)
            names += [f"{kind} {name}" for name in ("before", "last", *map(str, range(NODES)))]
            edges += [(0, first, "input"), (0, first + 1, "input")]
            for node in range(NODES):
                for side in (0, 2):
                    source, operation = cell[4 * node + side], cell[4 * node + side + 1]
                    edges.append((first + source, first + 2 + node, MICRO[operation]))
            leaving += [first + i for i in loose(cell)]
        edges += [(i, len(names), "end") for i in leaving]
        return Graph((*names, "output"), tuple(edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.cells`` cells, two of which reduce; see `enas_network`."""
        return micro(frame, self.cells(arch), NODES)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """All inputs and operations of all nodes; see `enas_network`."""
        no_partial(partial, self.name)
        return micro(frame, None, NODES)


MACRO_SPACE, MICRO_SPACE = MacroSpace(), MicroSpace()
