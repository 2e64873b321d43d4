"""The spaces of Genetic CNN: bits say which convolutions of a stage feed which.

Paper: L. Xie & A. Yuille, "Genetic CNN", ICCV 2017, arXiv:1703.01513, section 3.1.

A stage has K ordered nodes and a bit for each pair of them. A node is a convolution, normalization and ReLU of the sum
of the nodes that feed it. The stage's input node (the same, always there) feeds the nodes that none feeds; its output
node works on the sum of those that feed none. Nodes without any connection are left out; a stage without connections
is its input node alone. A 2x2 max pooling follows each stage, then a linear layer with ReLU, then the classifier.

The space ``genetic_cnn`` is that of MNIST: stages of 3 and 5 nodes with 20 and 50 channels, 5x5 convolutions, 500
units; 8,192 strings, 1,812 classes. ``genetic_cnn-cifar`` has stages of 3, 4 and 5 nodes: 524,288 strings, 56,172
classes; its widths (8, 16, 32 and 128 units) are from memory of the paper, not checked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import accumulate, permutations

from nassim.errors import InvalidSetting
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

Bits = tuple[int, ...]
LONGEST = 200  # characters of a string


class GeneticCNNSpace(SearchSpace):
    """A bit for each pair of nodes of each stage, ordered by the later node: ``1-01|0-01-100-0010``.

    nodes: of each stage. widths, dense: channels of each stage and units, at ``frame.channels``.
    kernel: of the stages' convolutions. normalized: whether batch normalization follows them (else they have a bias).
    flip: probability that a mutation flips a bit. swap: that a crossover takes a stage from the second parent.

    >>> arch = SPACE.parse("1-01|0-01-100-0010")
    >>> str(arch), SPACE.format(SPACE.canonical(arch))
    ('genetic_cnn:1-0-1-0-0-1-1-0-0-0-0-1-0', '1-01|0-01-001-1000')
    """

    def __init__(
        self,
        name: str = "genetic_cnn",
        nodes: Sequence[int] = (3, 5),
        *,
        frame: Frame = Frame(channels=20, cells=1, classes=10, image=(1, 28, 28)),  # noqa: B008 (a value)
        widths: Sequence[int] = (20, 50),
        dense: int = 500,
        kernel: int = 5,
        normalized: bool = True,
        flip: float = 0.1,
        swap: float = 0.3,
    ) -> None:
        if len(nodes) != len(widths) or not all(2 <= n <= 8 for n in nodes):
            raise InvalidSetting(f"{name}: stages of {nodes} nodes and widths {widths}: each stage takes 2 to 8 nodes.")
        if not 0 <= flip <= 1 or not 0 <= swap <= 1:
            raise InvalidSetting(f"{name}: flip={flip} and swap={swap} are probabilities.")
        super().__init__(
            name,
            [
                Decision(f"stage{s}_{source}->{target}", ("0", "1"))
                for s, count in enumerate(nodes, 1)
                for source, target in pairs(count)
            ],
        )
        self.nodes = tuple(nodes)
        self.frame = frame
        self.widths, self.dense, self.kernel, self.normalized = tuple(widths), dense, kernel, normalized
        self.flip, self.swap = flip, swap
        self._text = re.compile(r"\|".join("-".join(rf"[01]{{{n}}}" for n in range(1, count)) for count in nodes))

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each stage's bits."""
        ends = list(accumulate(len(pairs(count)) for count in self.nodes))
        return tuple(tuple(range(first, end)) for first, end in zip([0, *ends], ends, strict=False))

    def stages(self, arch: Architecture) -> list[Bits]:
        """The bits of each stage."""
        remaining = iter(self.check(arch).choices)
        return [tuple(next(remaining) for _ in pairs(count)) for count in self.nodes]

    def parse(self, text: str) -> Architecture:
        """Read the paper's form, stages separated by ``|``, or the plain ones."""
        body = text.strip().removeprefix(f"{self.name}:")
        if self._text.fullmatch(body):
            return Architecture(self.name, tuple(int(digit) for digit in body if digit in "01"))
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def how_to_write(self) -> str:
        return (
            f"Write {self.format(self.at(0))} (stages separated by |, nodes by -, a bit for each earlier node) or "
            f"{self.name}: and {len(self.decisions)} bits."
        )

    def format(self, arch: Architecture) -> str:
        """The paper's form, ``1-01|0-01-100-0010``."""
        stages = []
        for bits, count in zip(self.stages(arch), self.nodes, strict=True):
            text, nodes = "".join(map(str, bits)), range(1, count)
            stages.append("-".join(text[n * (n - 1) // 2 :][:n] for n in nodes))
        return "|".join(stages)

    # -- moving about ---------------------------------------------------------------------------

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """Every bit flips with probability ``flip``, as in the paper: it may stay the same architecture."""
        return self._architecture(tuple([bit ^ (rng.random() < self.flip) for bit in arch.choices]))

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """``a`` with each stage of ``b`` with probability ``swap``: one of the paper's two children."""
        chosen = [y if rng.random() < self.swap else x for x, y in zip(self.stages(a), self.stages(b), strict=True)]
        return self._architecture(tuple(bit for bits in chosen for bit in bits))

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The string that stands for all whose stages are equal up to the order of nodes."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        stages = zip(self.stages(arch), self.nodes, strict=True)
        return Architecture(self.name, tuple(bit for bits, count in stages for bit in canonical_stage(bits, count)))

    def graph(self, arch: Architecture) -> Graph:
        """The whole network: ``in`` and ``out`` are a stage's own nodes, edges have no operation."""
        names, edges, last = ["image"], [], 0
        for s, (bits, count) in enumerate(zip(self.stages(arch), self.nodes, strict=True), 1):
            first = len(names)
            names.append(f"{s} in")
            edges.append((last, first, ""))
            last = first
            fed = sources(bits, count)
            place = {0: first, **{node: first + i for i, node in enumerate(fed, 1)}}
            names += [f"{s}.{node}" for node in fed]
            edges += [(place[a], place[node], "") for node, feeding in fed.items() for a in feeding or [0]]
            if fed:
                last = len(names)
                names.append(f"{s} out")
                edges += [(place[node], last, "") for node in ends(bits, count)]
        return Graph((*names, "output"), (*edges, (last, len(names), "")))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the first stage; the others and the units go with it."""
        draft, x = Draft(frame.image), 0
        for s, (bits, count) in enumerate(zip(self.stages(arch), self.nodes, strict=True)):
            name, width = f"stages.{s}", self._scaled(self.widths[s], frame)
            values = {0: self._convolution(draft, f"{name}.in", x, width)}
            fed = sources(bits, count)
            for node, feeding in fed.items():
                total = draft.sum(f"{name}.{node}.sum", [values[a] for a in feeding or [0]])
                values[node] = self._convolution(draft, f"{name}.{node}", total, width)
            x = values[0]
            if fed:
                total = draft.sum(f"{name}.out.sum", [values[node] for node in ends(bits, count)])
                x = self._convolution(draft, f"{name}.out", total, width)
            x = draft.add(f"{name}.pool", "max_pool", x, kernel=2, stride=2)
        x = draft.chain("dense", x, ("linear", {"channels": self._scaled(self.dense, frame)}), RELU)
        return draft.network(draft.add("head", "linear", x, channels=frame.classes))

    def _scaled(self, width: int, frame: Frame) -> int:
        return max(1, width * frame.channels // self.widths[0])

    def _convolution(self, draft: Draft, name: str, x: int, channels: int) -> int:
        settings = {"channels": channels, "kernel": self.kernel, "bias": not self.normalized}
        return draft.chain(name, x, ("conv", settings), *([NORMALIZED] if self.normalized else []), RELU)


@cache
def pairs(nodes: int) -> list[tuple[int, int]]:
    """The pairs of a stage's nodes, from 1, in the order of its bits."""
    return [(source, target) for target in range(2, nodes + 1) for source in range(1, target)]


@cache
def sources(bits: Bits, nodes: int) -> dict[int, list[int]]:
    """Of every node that is connected, the nodes that feed it."""
    edges = [pair for pair, bit in zip(pairs(nodes), bits, strict=True) if bit]
    connected = sorted({node for edge in edges for node in edge})
    return {node: [a for a, b in edges if b == node] for node in connected}


@cache
def ends(bits: Bits, nodes: int) -> list[int]:
    """The connected nodes that feed no other."""
    fed = sources(bits, nodes)
    return [node for node in fed if not any(node in feeding for feeding in fed.values())]


@cache
def canonical_stage(bits: Bits, nodes: int) -> Bits:
    """The smallest bits of a stage with the same graph, whatever the order of its nodes."""
    edges = [pair for pair, bit in zip(pairs(nodes), bits, strict=True) if bit]
    found = []
    for order in permutations(range(1, nodes + 1)):
        moved = {(order[a - 1], order[b - 1]) for a, b in edges}
        if all(a < b for a, b in moved):
            found.append(tuple(int(pair in moved) for pair in pairs(nodes)))
    return min(found)


SPACE = GeneticCNNSpace()
CIFAR = GeneticCNNSpace(
    "genetic_cnn-cifar",
    (3, 4, 5),
    frame=Frame(channels=8, cells=1, classes=10),
    widths=(8, 16, 32),
    dense=128,
    flip=0.05,
    swap=0.2,
)
