"""Graphs with historical markings: what modules and blueprints of CoDeepNEAT are, and how they vary.

Sources: Stanley, Miikkulainen, "Evolving Neural Networks through Augmenting Topologies", Evolutionary Computation 10,
2002 (markings, crossover, compatibility); Miikkulainen et al., arXiv:1703.00548 (genes that are layers or pointers).

A genome has nodes, each with a mark and genes, and edges between marks; 0 is the input, 1 the output. The same change
of structure is given the same mark in every genome, so that crossover aligns what has the same origin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

Gene = tuple[int, ...]
Edge = tuple[int, int]
INPUT, OUTPUT = 0, 1


class Genome(NamedTuple):
    """Nodes by their marks, with their genes, and edges; both in order, so that equal genomes are equal values."""

    nodes: tuple[tuple[int, Gene], ...]
    edges: tuple[Edge, ...] = ()

    @classmethod
    def of(cls, nodes: Mapping[int, Gene], edges: set[Edge]) -> Genome:
        """With nodes and edges in order."""
        return cls(tuple(sorted(nodes.items())), tuple(sorted(edges)))


class Marks:
    """Numbers of changes: the split of an edge by a new node has the number that it had when it was made first."""

    def __init__(self) -> None:
        self._known: dict[tuple[Edge, int], int] = {}

    def split(self, edge: Edge, genome: Genome) -> int:
        """The mark of a node in the middle of an edge; another one where the genome has that already."""
        there = {mark for mark, _ in genome.nodes}
        for time in range(len(there) + 1):
            mark = self._known.setdefault((edge, time), 2 + len(self._known))
            if mark not in there:
                return mark
        raise AssertionError("a genome has fewer nodes than marks were tried")


def add_node(genome: Genome, gene: Gene, marks: Marks, rng: random.Random) -> Genome:
    """A node in the place of an edge."""
    edge = rng.choice(genome.edges)
    mark = marks.split(edge, genome)
    edges = {*genome.edges} - {edge} | {(edge[0], mark), (mark, edge[1])}
    return Genome.of({**dict(genome.nodes), mark: gene}, edges)


def add_edge(genome: Genome, rng: random.Random) -> Genome:
    """An edge more that closes no circle; the same genome where there is none to add."""
    places = [INPUT, OUTPUT, *(mark for mark, _ in genome.nodes if mark > OUTPUT)]
    new = [
        (a, b)
        for a in places
        for b in places
        if a not in (b, OUTPUT) and b != INPUT and (a, b) not in genome.edges and not reaches(genome.edges, b, a)
    ]
    return genome if not new else Genome.of(dict(genome.nodes), {*genome.edges, rng.choice(new)})


def reaches(edges: tuple[Edge, ...], start: int, end: int) -> bool:
    """Whether a path leads from one mark to another."""
    return start == end or any(reaches(edges, b, end) for a, b in edges if a == start)


def crossed(better: Genome, worse: Genome, rng: random.Random) -> Genome:
    """The better one's structure; the genes of nodes that both have from either."""
    other = dict(worse.nodes)
    nodes = {mark: rng.choice((gene, other.get(mark, gene))) for mark, gene in better.nodes}
    return Genome.of(nodes, set(better.edges))


def apart(a: Genome, b: Genome, gene: Callable[[Gene, Gene], float]) -> float:
    """Compatibility, from 0 to 2: the part of marks and edges that one alone has, and how far common genes differ."""
    first, second = dict(a.nodes), dict(b.nodes)
    common = first.keys() & second.keys()
    everything = len(first.keys() | second.keys()) + len({*a.edges} | {*b.edges})
    alone = len(first.keys() ^ second.keys()) + len({*a.edges} ^ {*b.edges})
    differ = sum(gene(first[mark], second[mark]) for mark in common) / len(common) if common else 0.0
    return alone / everything + differ if everything else 0.0


def in_order(genome: Genome) -> list[int]:
    """All marks that the output depends on, inputs before what they feed; the output is the last."""
    before: dict[int, list[int]] = {}
    for a, b in genome.edges:
        before.setdefault(b, []).append(a)
    found: list[int] = []

    def visit(mark: int) -> None:
        if mark not in found:
            for source in before.get(mark, []):
                visit(source)
            found.append(mark)

    visit(OUTPUT)
    return found
