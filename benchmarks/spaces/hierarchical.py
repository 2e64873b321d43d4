"""The space of hierarchical representations: motifs of operations, and a motif of motifs.

Paper: H. Liu, K. Simonyan, O. Vinyals, C. Fernando, K. Kavukcuoglu, "Hierarchical Representations for Efficient
    Architecture Search", ICLR 2018, arXiv:1711.00436, sections 2 and 3.1.

Six primitive operations are the edges of six motifs of four nodes; these are the edges of one motif of five nodes, the
cell. An edge may be absent. 36 + 10 edges of seven options: 7^46 = 7.5e38 genotypes. Those in which no way leads from
the cell's input to its output are no architectures.
"""

from __future__ import annotations

import random
import re

from nassim.benchmarks.spaces.hierarchical_motifs import (
    INNER,
    MOTIFS,
    NONE,
    OUTER,
    PAIRS,
    PRIMITIVES,
    Edge,
    Motif,
    connected,
    expanded,
    ordered,
    pruned,
)
from nassim.benchmarks.spaces.hierarchical_network import stacked
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

EDGES = len(PAIRS[INNER])  # of a motif
TRIES = 1000  # at a crossover
LONGEST = 300  # characters of an architecture
TRIVIAL = ("chain", "all")

_MOTIF = "[0-6]-[0-6]{2}-[0-6]{3}"
_TEXT = re.compile(rf"{_MOTIF}(\|{_MOTIF}){{{MOTIFS - 1}}}\|\|{_MOTIF}-[0-6]{{4}}")


class HierarchicalSpace(SearchSpace):
    """Six motifs of four nodes, then the motif of five nodes whose edges they are; 6 is no edge.

    >>> SPACE.format(SPACE.trivial())
    '0-60-660|0-60-660|0-60-660|0-60-660|0-60-660|0-60-660||0-60-660-6660'
    >>> SPACE.edges(SPACE.trivial())[2:5]
    [('1>2.3', '1>2.4', 'identity'), ('1>2.4', '2', 'motif'), ('2', '2>3.2', 'identity')]
    """

    frame = Frame(channels=16, cells=1, classes=10)

    def __init__(self) -> None:
        decisions = []
        for m in range(MOTIFS):
            decisions += [Decision(f"motif{m}_{a}->{b}", (*PRIMITIVES, "none")) for a, b in PAIRS[INNER]]
        motifs = (*(f"motif{m}" for m in range(MOTIFS)), "none")
        super().__init__("hierarchical", [*decisions, *(Decision(f"cell_{a}->{b}", motifs) for a, b in PAIRS[OUTER])])

    # -- values ---------------------------------------------------------------------------------

    def levels(self, arch: Architecture) -> tuple[list[Motif], Motif]:
        """The six motifs, and the one of them."""
        c = arch.choices
        return [c[EDGES * m : EDGES * (m + 1)] for m in range(MOTIFS)], c[EDGES * MOTIFS :]

    def is_valid(self, arch: Architecture) -> bool:
        """Whether a way leads from the input to the output."""
        return super().is_valid(arch) and connected(*self.levels(arch)) is not None

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; `InvalidArchitecture` if it is not of this space."""
        super_valid = super().is_valid(arch)
        if not super_valid or connected(*self.levels(arch)) is None:
            reason = "no way leads from the input to the output" if super_valid else self.how_to_write()
            raise InvalidArchitecture(f"{str(arch)[:120]} is not an architecture of {self.name}: {reason}")
        return arch

    def parse(self, text: str) -> Architecture:
        """Read ``0-60-660|...||0-60-660-6660`` (motifs, then the cell, by the later node), or the plain forms."""
        body = text.strip().removeprefix(f"{self.name}:")
        if _TEXT.fullmatch(body):
            return self.check(Architecture(self.name, tuple(int(digit) for digit in body if digit not in "-|")))
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def how_to_write(self) -> str:
        return (
            f"Write {self.format(self.trivial())}: {MOTIFS} motifs with an operation for each pair of nodes, by the "
            f"later one ({', '.join(f'{i} {name}' for i, name in enumerate((*PRIMITIVES, 'none')))}), then the cell's "
            f"edges (0 to {MOTIFS - 1}: the motifs; {NONE} none); or {self.name}: and {len(self.decisions)} digits. "
            "A way must lead from the input to the output."
        )

    def format(self, arch: Architecture) -> str:
        """Motifs separated by ``|``, then ``||`` and the cell; edges by their later node."""
        motifs, top = self.levels(arch)
        return "|".join(_written(motif, INNER) for motif in motifs) + "||" + _written(top, OUTER)

    def trivial(self, kind: str = "chain") -> Architecture:
        """Identities alone: a ``chain`` in every motif and of the first motif in the cell, or on ``all`` edges."""
        if kind not in TRIVIAL:
            raise InvalidSetting(f"{kind!r} is no trivial architecture of {self.name}: use {' or '.join(TRIVIAL)}.")
        edges = [*PAIRS[INNER] * MOTIFS, *PAIRS[OUTER]]
        return Architecture(self.name, tuple(0 if kind == "all" or b == a + 1 else NONE for a, b in edges))

    # -- moving about ---------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Architecture:
        """Edges uniform, until it is valid: what many mutations lead to."""
        while True:
            arch = super().sample(rng)
            if self.is_valid(arch):
                return arch

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One edge is another operation, or comes, or goes: a level, a motif of it and an edge, all uniform.

        Paper: section 3.1. Departures: it always changes, and is drawn again where no way is left to the output.
        """
        c, motifs = arch.choices, EDGES * MOTIFS
        while True:
            if rng.random() < 0.5:
                i = motifs + int(rng.random() * (len(c) - motifs))
            else:
                i = int(rng.random() * motifs)
            others = self._others[i][c[i]]
            mutant = Architecture(self.name, (*c[:i], others[int(rng.random() * len(others))], *c[i + 1 :]))
            if self.is_valid(mutant):
                return mutant

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """Uniform over edges; the first parent where none of a thousand children is valid. (The paper has none.)"""
        children = (super(HierarchicalSpace, self).crossover(a, b, rng) for _ in range(TRIES))
        return next(filter(self.is_valid, children), a)

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """The architectures with one other edge: up to 276."""
        return [other for other in super().neighbors(self.check(arch)) if self.is_valid(other)]

    # -- structure ------------------------------------------------------------------------------

    def edges(self, arch: Architecture) -> list[Edge]:
        """The whole graph: see `hierarchical_motifs.expanded`."""
        return expanded(*self.levels(self.check(arch)))

    def active(self, arch: Architecture) -> frozenset[int]:
        """The cell's edges, and those of motifs that it has."""
        motifs, top = self.levels(arch)
        used = set(connected(motifs, top) or top) - {NONE}
        inner = [EDGES * m + i for m in used for i in range(EDGES)]
        return frozenset([*inner, *range(EDGES * MOTIFS, len(self.decisions))])

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """Without what leads nowhere, motifs and their nodes in order; equal motifs are one, unused ones trivial."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        motifs, top = self.levels(self.check(arch))
        alive = connected(motifs, top) or top
        contents = {m: ordered(pruned(motifs[m], INNER) or motifs[m], INNER) for m in set(alive) - {NONE}}
        distinct = sorted(set(contents.values()))
        cell = tuple(NONE if m == NONE else distinct.index(contents[m]) for m in alive)
        unused = self.trivial().choices[:EDGES] * (MOTIFS - len(distinct))
        return Architecture(self.name, (*(o for motif in distinct for o in motif), *unused, *ordered(cell, OUTER)))

    def graph(self, arch: Architecture) -> Graph:
        """The whole graph, all motifs in their places."""
        edges = self.edges(arch)
        names = ["1"]
        for source, _, _ in edges:
            names += [source] if source not in names else []
        names.append(str(OUTER))
        return Graph(tuple(names), tuple((names.index(a), names.index(b), operation) for a, b, operation in edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is C of the first of three stages, ``frame.cells`` the cells of each."""
        return stacked(self.edges(arch), frame)


def _written(motif: Motif, nodes: int) -> str:
    text = "".join(map(str, motif))
    return "-".join(text[n * (n - 1) // 2 :][:n] for n in range(1, nodes))


SPACE = HierarchicalSpace()
