"""The cell space of NAS-Bench-101.

Paper: Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019,
    arXiv:1902.09635, section 2.1.

A cell is a directed graph of at most seven vertices (input, output and up to five operations out of three) and
at most nine edges. Its spelling has a decision for each of the 21 possible edges and each of the five
operations; vertices that are on no path from input to output are pruned. Spellings that are equal
after pruning and renumbering are one cell: 423,624 in all, which is the `size` of the space.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import Numbering, cells, spellings
from nassim.benchmarks.spaces.nasbench101.encodings import adjacency_encoding, matrix_of, path_encoding, spelled
from nassim.benchmarks.spaces.nasbench101.graph import (
    GROUPS,
    INPUT_LABEL,
    INTERIOR,
    MOST_EDGES,
    OPERATIONS,
    OUTPUT_LABEL,
    PAIRS,
    VERTICES,
    edge_code,
    fingerprint,
    kept_vertices,
    members,
    objection,
)
from nassim.benchmarks.spaces.nasbench101.growth import larger_spellings
from nassim.benchmarks.spaces.nasbench101.network import stacked
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

CELLS = 423_624
EDGES = len(PAIRS)
LAST = VERTICES - 1
SAMPLINGS = ("bernoulli", "uniform_unique")
# name -> probability that an edge flips, that an operation changes; one_edit changes one decision instead.
MUTATIONS = {"nb101": (1 / 7, 1 / 5), "naszilla": (1 / 21, 1 / 5), "naslib": (1 / 7, 1 / 3), "one_edit": (0.0, 0.0)}

_SHORT = dict(zip(OPERATIONS, ("3x3", "1x1", "pool"), strict=True))  # to fit into a drawn node
_OPERATION = "|".join(OPERATIONS)
_ROWS = "/".join(rf"[01]{{{n}}}" for n in range(LAST, 0, -1))
_TEXT = re.compile(rf"({_ROWS}) ((?:{_OPERATION})(?:,(?:{_OPERATION})){{{INTERIOR - 1}}})")


class NASBench101Space(SearchSpace):
    """21 possible edges, row by row of the matrix (1: it is there), then five operations.

    sampling: ``bernoulli``, as the authors: every edge with probability 1/2, operations uniform, until the
        cell is valid. ``uniform_unique``: each of the 423,624 cells with the same probability.
    mutation: ``nb101`` (the authors': every edge flips with probability 1/7, every operation changes with
        1/5), ``naszilla`` (1/21 and 1/5), ``naslib`` (1/7 and 1/3) or ``one_edit`` (one decision). All
        act on the spelling, so that pruned parts can come back, and are repeated until the result is
        valid; it may be the same cell, and then costs a training like any other.
    numbering: of the cells, where it is at hand; else it is computed when first needed (0.4 s).

    >>> small = SPACE.parse("[[0, 1, 0], [0, 0, 1], [0, 0, 0]] ['input', 'maxpool3x3', 'output']")
    >>> large = SPACE.parse("000100/00000/0000/000/01/0 " + ",".join(["maxpool3x3"] * 5))  # by vertex 4
    >>> small == large, SPACE.canonical(small) == SPACE.canonical(large), SPACE.index(large)
    (False, True, 3)
    """

    encodings = MappingProxyType({"adjacency": adjacency_encoding, "path": path_encoding})
    frame = Frame(channels=128, cells=3, classes=10)
    groups, anchors = GROUPS, tuple(tuple(i for i in group if i < EDGES) for group in GROUPS)

    def __init__(
        self, *, sampling: str = "bernoulli", mutation: str = "nb101", numbering: Numbering | None = None
    ) -> None:
        edges = [Decision(f"{a}->{b}", ("no", "yes")) for a, b in PAIRS]
        super().__init__("nasbench101", edges + [Decision(f"vertex {v}", OPERATIONS) for v in range(1, LAST)])
        self.sampling = _known(sampling, SAMPLINGS, "sampling")
        self.mutation = _known(mutation, MUTATIONS, "mutation")
        self._numbering = numbering

    @property
    def numbering(self) -> Numbering:
        """From choices to the number of the cell."""
        if self._numbering is None:
            self._numbering = cells()[1]
        return self._numbering

    @property
    def size(self) -> int:
        """Number of cells: classes of isomorphic graphs, not spellings."""
        return CELLS

    # -- values ---------------------------------------------------------------------------------

    def is_valid(self, arch: Architecture) -> bool:
        """Whether a path leads from input to output, with at most nine edges after pruning."""
        return arch.space == self.name and not objection(arch.choices)

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; `InvalidArchitecture` with the reason if it is no cell of this space."""
        reason = objection(arch.choices) if arch.space == self.name else f"it belongs to {arch.space}"
        if reason:
            raise InvalidArchitecture(f"{str(arch)[:200]} is not a cell of {self.name}: {reason}.")
        return arch

    def parse(self, text: str) -> Architecture:
        """Read 26 digits (also with dashes or name), what `format` writes, or a matrix with its labels.

        The last are two lists as the authors' API takes them, ``[[0, 1], [0, 0]] ["input", "output"]``.
        """
        body = text.strip()
        match = _TEXT.fullmatch(body)
        if match:
            digits = [int(digit) for digit in match[1] if digit != "/"]
            return self.check(Architecture(self.name, (*digits, *map(OPERATIONS.index, match[2].split(",")))))
        if not body.startswith("[[") or len(body) > 2000:
            return super().parse(body if len(body) <= 200 else body[:200] + "...")
        try:
            matrix, end = json.JSONDecoder().raw_decode(body.replace("'", '"'))
            labels = json.loads(body[end:].replace("'", '"').lstrip(" ,\n"))
        except (RecursionError, ValueError):
            raise InvalidArchitecture(f"{text!r:.80} is not two lists. {self.how_to_write()}") from None
        return self.from_matrix(matrix, labels)

    def how_to_write(self) -> str:
        return (
            f"Write {self.name}: and 26 digits: 21 edges row by row of the matrix ({PAIRS[0][0]}->{PAIRS[0][1]} ... "
            f"{PAIRS[-1][0]}->{PAIRS[-1][1]}, 0 or 1), then the operations of vertices 1 to {INTERIOR} "
            f"({', '.join(f'{i} {name}' for i, name in enumerate(OPERATIONS))}); a path must lead from 0 to {LAST}, "
            f"and at most {MOST_EDGES} edges may remain after pruning. Or [[matrix]] [labels], or the printed form."
        )

    def format(self, arch: Architecture) -> str:
        """The upper triangle row by row and the operations: ``000100/00000/0000/000/01/0 conv3x3-bn-relu,...``."""
        bits = "".join(map(str, arch.choices[:EDGES]))
        rows = [bits[PAIRS.index((a, a + 1)) :][: LAST - a] for a in range(LAST)]
        return f"{'/'.join(rows)} {','.join(OPERATIONS[o] for o in arch.choices[EDGES:])}"

    def from_matrix(self, matrix: Any, labels: Sequence[str]) -> Architecture:
        """The cell of an upper triangular 0/1 matrix of 2 to 7 vertices and its labels, as in the authors' API."""
        try:
            choices = spelled(matrix, labels)
        except (TypeError, ValueError) as error:
            raise InvalidArchitecture(f"not a cell of {self.name}: {error}.") from None
        return self.check(Architecture(self.name, choices))

    def to_matrix(self, arch: Architecture, *, prune: bool = True) -> tuple[NDArray[np.int8], tuple[str, ...]]:
        """Matrix and labels; pruned (n, n) for the n vertices that remain, else (7, 7) as it is spelled."""
        matrix, labels = matrix_of(self.check(arch).choices)
        if not prune:
            return matrix, labels
        remaining = self._remaining(arch)
        return matrix[np.ix_(remaining, remaining)], tuple(labels[v] for v in remaining)

    def fingerprint(self, arch: Architecture) -> str:
        """The key of the cell in the published release, 32 hexadecimal digits."""
        matrix, labels = self.to_matrix(arch)
        inner = [OPERATIONS.index(label) for label in labels[1:-1]]
        return fingerprint([(a, b) for a, b in np.argwhere(matrix).tolist()], [INPUT_LABEL, *inner, OUTPUT_LABEL])

    def active(self, arch: Architecture) -> frozenset[int]:
        """The operations of the vertices that remain after pruning, and the possible edges between those.

        One other decision changes nothing; several together may connect a vertex that was pruned.
        """
        remaining = self._remaining(self.check(arch))
        edges = [i for i, pair in enumerate(PAIRS) if set(pair) <= set(remaining)]
        return frozenset([*edges, *(EDGES + v - 1 for v in remaining[1:-1])])

    # -- moving about ---------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Architecture:
        """A cell; see ``sampling``."""
        if self.sampling == "uniform_unique":
            return self.at(rng.randrange(CELLS))
        while True:
            edges = map(int, f"{rng.getrandbits(EDGES):0{EDGES}b}")
            arch = Architecture(self.name, (*edges, *[int(3 * rng.random()) for _ in range(INTERIOR)]))
            if self.is_valid(arch):
                return arch

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """Another spelling; see ``mutation``."""
        flip, change = MUTATIONS[self.mutation]
        while True:
            if self.mutation == "one_edit":
                mutant = super().mutate(arch, rng)
            else:
                chances = zip(arch.choices, [flip] * EDGES + [change] * INTERIOR, strict=True)
                options = [
                    rng.choice(self._others[i][option]) if rng.random() < chance else option
                    for i, (option, chance) in enumerate(chances)
                ]
                mutant = Architecture(self.name, tuple(options))
            if self.is_valid(mutant):
                return mutant

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """Uniform crossover of the spellings, repeated until the result is valid."""
        while True:
            child = super().crossover(a, b, rng)
            if self.is_valid(child):
                return child

    def neighbors(self, arch: Architecture, *, neutral: bool = False) -> list[Architecture]:
        """All valid spellings at one edit that are another cell, operations first, as in naszilla and NASLib.

        Edits that leave the pruned graph as it is are left out, or with ``neutral`` not.
        """
        remaining = self._remaining(arch)
        near = []
        for other in super().neighbors(arch):
            i = next(i for i, (x, y) in enumerate(zip(arch.choices, other.choices, strict=True)) if x != y)
            if i >= EDGES:
                touched = i - EDGES + 1 in remaining
            else:  # an edge that was removed must have remained, one that was added must remain
                touched = set(PAIRS[i]) <= set(remaining if arch.choices[i] else self._remaining(other))
            if (touched or neutral) and self.is_valid(other):
                near.append((i < EDGES, i, other))
        return [other for _, _, other in sorted(near)]

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The spelling that stands for all of the same cell: the one that was trained."""
        _known(kind, ("published",), "equivalence")
        return self.at(self.index(arch))

    def index(self, arch: Architecture) -> int:
        """The number of the cell, equal for isomorphic ones: its place in the order of the authors' list."""
        row = self.numbering.row(arch.choices) if arch.space == self.name else -1
        if row < 0:
            self.check(arch)  # says why
        return row

    def at(self, index: int) -> Architecture:
        """The canonical spelling of a cell."""
        return Architecture(self.name, tuple(spellings()[index].tolist()))

    @property
    def choice_matrix(self) -> NDArray[np.int8]:
        """The canonical spellings of all cells (423624, 26), in the order of `index`."""
        return spellings()

    def graph(self, arch: Architecture) -> Graph:
        """What remains after pruning. The nodes are the operations (3x3, 1x1, pool), the edges have no label."""
        matrix, labels = self.to_matrix(arch)
        return Graph(
            tuple(_SHORT.get(a, a) for a in labels), tuple((a, b, "") for a, b in np.argwhere(matrix).tolist())
        )

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """Three stacks of ``frame.cells`` modules of the cell as it was trained: of its canonical spelling."""
        return stacked(*self.to_matrix(self.canonical(arch)), frame)

    def _remaining(self, arch: Architecture) -> tuple[int, ...]:
        return members(kept_vertices(edge_code(arch.choices)))

    # -- growth, for progressive search ---------------------------------------------------------

    def complexity(self, arch: Architecture) -> int:
        """Number of vertices after pruning, 2 to 7."""
        return len(self._remaining(arch))

    def smallest(self) -> list[Architecture]:
        """The six cells of three vertices: one operation, with and without an edge from input to output."""
        return [self.at(index) for index in range(1, 7)]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """All cells with one more vertex: a new last operation, which feeds the output.

        It takes any choice of the input and the other operations; those of them that fed the output keep
        that edge or give it up. Every cell can be grown from one of the `smallest`: the reverse, which
        removes the last operation and has its sources feed the output, leaves a valid cell.
        """
        vertices = self.complexity(arch)
        if vertices == VERTICES:
            return []
        rows = larger_spellings(self.canonical(arch).choices, vertices)
        larger = [self.at(index) for index in np.unique(self.numbering.rows(np.array(rows))).tolist()] if rows else []
        # The sparsest last: it can grow further, where cells with nine edges cannot.
        return sorted(larger, key=lambda one: -sum(one.choices[:EDGES]))


def _known(name: str, names: Collection[str], what: str) -> str:
    if name not in names:
        raise InvalidSetting(f"{name!r} is not a {what} of nasbench101: use {', '.join(names)}.")
    return name


SPACE = NASBench101Space()
