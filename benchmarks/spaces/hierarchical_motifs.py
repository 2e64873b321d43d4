"""Motifs: small graphs whose edges are operations, pruned, ordered, and one put into the edges of another.

A motif of n nodes has an edge for each pair of nodes, ordered by the later one; an edge that is not there has the
option after the last operation. What is on no way from the first node to the last is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

PRIMITIVES = ("identity", "conv1", "depthwise3", "separable3", "max3", "avg3")
NONE = len(PRIMITIVES)  # no edge, at both levels: there are as many motifs as primitives
MOTIFS, INNER, OUTER = len(PRIMITIVES), 4, 5  # motifs of the second level, nodes of each, nodes of the third level's

Motif = tuple[int, ...]  # an option for each pair of nodes
Edge = tuple[str, str, str]  # source, target, operation


def pairs(nodes: int) -> tuple[tuple[int, int], ...]:
    """The pairs of nodes, from 1, in the order of a motif's edges."""
    return tuple((source, target) for target in range(2, nodes + 1) for source in range(1, target))


PAIRS = {nodes: pairs(nodes) for nodes in (INNER, OUTER)}


@lru_cache(maxsize=1 << 14)
def pruned(motif: Motif, nodes: int) -> Motif | None:
    """The motif without edges that lead nowhere or come from nothing; None if no way leads to the last node."""
    fed, leading = {1}, {nodes}
    for (source, target), option in zip(PAIRS[nodes], motif, strict=True):
        if option != NONE and source in fed:
            fed.add(target)
    for (source, target), option in reversed(tuple(zip(PAIRS[nodes], motif, strict=True))):
        if option != NONE and target in leading:
            leading.add(source)
    if nodes not in fed:
        return None
    alive = zip(PAIRS[nodes], motif, strict=True)
    return tuple([o if source in fed and target in leading else NONE for (source, target), o in alive])


def connected(motifs: Sequence[Motif], top: Motif) -> Motif | None:
    """The third level's motif, pruned, where a motif without a way through it is no edge."""
    there = [NONE if option == NONE or pruned(motifs[option], INNER) is None else option for option in top]
    return pruned(tuple(there), OUTER)


def ordered(motif: Motif, nodes: int) -> Motif:
    """The first of the motifs that differ from a pruned one in the order of inner nodes alone."""
    edges = {pair: option for pair, option in zip(PAIRS[nodes], motif, strict=True) if option != NONE}
    found = []
    for order in permutations(range(2, nodes)):
        place = dict(zip((1, *order, nodes), range(1, nodes + 1), strict=True))
        moved = {(place[a], place[b]): option for (a, b), option in edges.items()}
        if all(a < b for a, b in moved):
            found.append(tuple(moved.get(pair, NONE) for pair in PAIRS[nodes]))
    return min(found)


def expanded(motifs: Sequence[Motif], top: Motif) -> list[Edge]:
    """The whole graph, sources before targets.

    Nodes are "1" to "5" of the third level; between them, where edge a->b is a motif, "a>b.2" and "a>b.3" of that, and
    "a>b.4", its output, from which an edge ``motif`` leads to b.
    """
    alive = connected(motifs, top)
    found: list[Edge] = []
    for (a, b), option in zip(PAIRS[OUTER], alive or (), strict=True):
        if option != NONE:
            inner = pruned(motifs[option], INNER) or ()
            names = {1: str(a), **{node: f"{a}>{b}.{node}" for node in range(2, INNER + 1)}}
            steps = zip(PAIRS[INNER], inner, strict=True)
            found += [(names[c], names[d], PRIMITIVES[o]) for (c, d), o in steps if o != NONE]
            found.append((names[INNER], str(b), "motif"))
    return found
