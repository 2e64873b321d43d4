"""The spaces of CGP-CNN: networks as graphs on a grid, many of whose genes do nothing.

Paper: M. Suganuma, S. Shirakawa, T. Nagao, "A Genetic Programming Approach to Designing Convolutional Neural Network
    Architectures", GECCO 2017, arXiv:1704.00764, section 3; numbers are those of its code.

A grid of 5 rows and 30 columns. Each node has three genes: a function and two inputs, which are nodes of the ten
columns before its own (the image, where the grid begins less than ten columns before). A last gene names the node
that is the output, in the last ten columns. Nodes that the output does not depend on are *inactive*, as is the second
input of a function of one: genes that change without changing the network. 10 to 50 nodes are active.

Functions of ``cgp`` (ConvSet): a convolution of 32, 64 or 128 channels with a 3x3 or 5x5 kernel, normalization and
ReLU; 2x2 max or average pooling; concatenation and sum. ``cgp-res`` (ResSet) has residual blocks in place of
convolutions: two of them, with the input added before the last ReLU, the narrower padded with zeros. Of unequal maps
the larger is max-pooled to the smaller; a sum pads channels with zeros.

Departures: what would be pooled below 1x1 is left as it is; networks in which a map gets wider than 1,024 channels
(of images of three, at the published widths) are no architectures: concatenations could double a map 29 times.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Mapping
from typing import NamedTuple

from nassim.benchmarks.spaces.cgp_network import assembled, width_of
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

CONV_SET = tuple(f"conv{width}-{k}x{k}" for width in (32, 64, 128) for k in (3, 5))
RES_SET = tuple(f"res{width}-{k}x{k}" for width in (32, 64, 128) for k in (3, 5))
POOLS, JOINS = ("max_pool", "avg_pool"), ("concat", "sum")
WIDEST = 1024  # channels
TRIES = 1000  # at a crossover
LONGEST = 4000  # characters of an architecture
A_NODE = 3  # genes


class Node(NamedTuple):
    """An active node: its function and the nodes that feed it (0 is the image), one or two."""

    function: str
    inputs: tuple[int, ...]


class CGPSpace(SearchSpace):
    """A grid of ``rows`` x ``columns`` nodes, numbered column by column from 1, whose inputs are ``back`` columns away.

    ``least`` to ``most`` nodes are active. ``blocks``: the functions beside pooling, concatenation and sum.

    >>> arch = SPACE.sample(random.Random(0))
    >>> len(arch.choices), 10 <= len(SPACE.nodes(arch)) <= 50
    (451, True)
    """

    frame = Frame(channels=32, cells=1, classes=10)

    def __init__(
        self,
        name: str = "cgp",
        rows: int = 5,
        columns: int = 30,
        back: int = 10,
        *,
        least: int = 10,
        most: int = 50,
        blocks: tuple[str, ...] = CONV_SET,
    ) -> None:
        if not (1 <= rows <= 16 and 1 <= back <= columns <= 64 and 1 <= least <= min(most, columns)):
            raise InvalidSetting(
                f"{name}: a grid of {rows} x {columns}, {back} columns back, {least} to {most} active nodes cannot be."
            )
        self.functions = (*blocks, *POOLS, *JOINS)
        self._widths = {name: width_of(name) for name in blocks}
        self.least, self.most, self.count = least, most, rows * columns
        self._first = [max(0, (i // rows - back) * rows + 1) for i in range(self.count)]  # of a node's possible inputs
        self._first.append((columns - back) * rows + 1)  # of the output's
        self._joins = len(self.functions) - len(JOINS)
        decisions = []
        for i in range(self.count):
            inputs = tuple(map(str, range(self._first[i], i // rows * rows + 1)))
            decisions.append(Decision(f"node{i + 1}_function", self.functions))
            decisions += [Decision(f"node{i + 1}_input{side}", inputs) for side in (1, 2)]
        ends = tuple(map(str, range(self._first[-1], self.count + 1)))
        super().__init__(name, [*decisions, Decision("output", ends)])

    # -- values ---------------------------------------------------------------------------------

    def is_valid(self, arch: Architecture) -> bool:
        """Whether it is a genotype of this grid with as many active nodes, and maps as narrow, as is allowed."""
        return self._fits(arch) and not self._objection(self._nodes(arch))

    def _fits(self, arch: Architecture) -> bool:
        """Whether all genes are options."""
        c = arch.choices
        return (
            arch.space == self.name
            and len(c) == len(self.radices)
            and min(c) >= 0
            and all(map(operator.lt, c, self.radices))
        )

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; `InvalidArchitecture` with the reason if it is not of this space."""
        if not self._fits(arch):
            raise InvalidArchitecture(f"{str(arch)[:80]} is not an architecture of {self.name}. {self.how_to_write()}")
        if reason := self._objection(self._nodes(arch)):
            raise InvalidArchitecture(f"{str(arch)[:80]}... is not an architecture of {self.name}: {reason}.")
        return arch

    def _objection(self, nodes: Mapping[int, Node]) -> str:
        """What is wrong with active nodes; empty if nothing is."""
        if not self.least <= len(nodes) <= self.most:
            return f"{len(nodes)} nodes are active, not {self.least} to {self.most}"
        channels = {0: 3}
        for i, (function, inputs) in nodes.items():
            given = [channels[source] for source in inputs]
            width = self._widths.get(function)
            if width is None:  # pooling, concatenation, sum
                width = sum(given) if function == "concat" else max(given)
            elif function.startswith("res"):
                width = max(width, *given)
            if width > WIDEST:
                return f"node {i} has {width} channels, more than {WIDEST}"
            channels[i] = width
        return ""

    def parse(self, text: str) -> Architecture:
        """Read the plain form: all genes with dashes."""
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def how_to_write(self) -> str:
        return (
            f"Write {self.name}: and {len(self.decisions)} numbers with dashes: of each of {self.count} nodes the "
            f"function ({', '.join(f'{i} {name}' for i, name in enumerate(self.functions))}) and two inputs, counted "
            f"from the first that it can have; then the output; {self.least} to {self.most} nodes must be "
            f"active, and no map wider than {WIDEST} channels."
        )

    # -- genes ----------------------------------------------------------------------------------

    def nodes(self, arch: Architecture) -> dict[int, Node]:
        """The active nodes by their number (from 1), in order; the last is the output."""
        return self._nodes(self.check(arch))

    def _nodes(self, arch: Architecture) -> dict[int, Node]:
        c, found = arch.choices, {}
        wanted = {self._first[-1] + c[-1]}
        for i in range(max(wanted), 0, -1):
            if i in wanted:
                function, one, two = c[A_NODE * (i - 1) : A_NODE * i]
                first = self._first[i - 1]
                inputs = (first + one, first + two) if function >= self._joins else (first + one,)
                wanted.update(inputs)
                found[i] = Node(self.functions[function], inputs)
        return dict(reversed(found.items()))

    def active(self, arch: Architecture) -> frozenset[int]:
        """The genes of active nodes, without an input that their function does not take, and the output."""
        genes = {len(self.decisions) - 1}
        for i, node in self._nodes(arch).items():
            genes.update(range(A_NODE * (i - 1), A_NODE * (i - 1) + 1 + len(node.inputs)))
        return frozenset(genes)

    # -- moving about ---------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Architecture:
        """Genes uniform, until it is valid."""
        while True:
            arch = super().sample(rng)
            if self.is_valid(arch):
                return arch

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One active gene is another one, drawn until that is valid. (The paper's mutation is the strategy's.)"""
        genes = sorted(i for i in self.active(self.check(arch)) if self.radices[i] > 1)
        c = arch.choices
        while True:
            i = genes[int(rng.random() * len(genes))]
            others = self._others[i][c[i]]
            mutant = Architecture(self.name, (*c[:i], others[int(rng.random() * len(others))], *c[i + 1 :]))
            if self.is_valid(mutant):
                return mutant

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """Uniform over nodes; the first parent where none of a thousand children is valid. (The paper has none.)"""
        for _ in range(TRIES):
            genes = range(0, len(a.choices), A_NODE)
            sides = [(a if rng.random() < 0.5 else b).choices[i : i + A_NODE] for i in genes]
            child = Architecture(self.name, tuple(x for side in sides for x in side))
            if self.is_valid(child):
                return child
        return a

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """All valid genotypes in which one active gene is another: thousands."""
        c = self.check(arch).choices
        near = [
            Architecture(self.name, (*c[:i], other, *c[i + 1 :]))
            for i in sorted(self.active(arch))
            for other in self._others[i][c[i]]
        ]
        return [other for other in near if not self._objection(self._nodes(other))]

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The phenotype: functions and inputs of the active nodes, numbered as the output reaches them.

        Equal for genotypes that differ in inactive genes or in the places of nodes. The order of inputs counts.
        """
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        nodes = self.nodes(arch)
        number, written = {0: 0}, []
        stack = [next(reversed(nodes))]
        while stack:
            function, inputs = nodes[stack[-1]]
            missing = [source for source in inputs if source not in number]
            if missing:
                stack.append(missing[0])
                continue
            i = stack.pop()
            if i not in number:
                number[i] = len(number)
                written.append((function, tuple(number[source] for source in inputs)))
        return tuple(written)

    def graph(self, arch: Architecture) -> Graph:
        """The active nodes; edges have no operation."""
        nodes = self.nodes(arch)
        place = {0: 0, **{i: position for position, i in enumerate(nodes, 1)}}
        names = ("image", *(node.function for node in nodes.values()), "output")
        edges = [(place[source], place[i], "") for i, node in nodes.items() for source in dict.fromkeys(node.inputs)]
        return Graph(names, (*edges, (len(nodes), len(nodes) + 1, "")))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the narrowest convolution (32); the others go with it."""
        return assembled(self.nodes(arch), frame)


SPACE = CGPSpace()
RESIDUAL = CGPSpace("cgp-res", blocks=RES_SET)
