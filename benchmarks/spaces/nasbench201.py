"""The cell space of NAS-Bench-201 (and of NATS-Bench's topology part).

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1.

A cell has four nodes, 0 (input) to 3 (output); every pair is joined by one of five operations and a
node is the sum of its incoming edges: 5^6 = 15,625 cells. Decisions are the edges in the order of the
official string, which lists them by target; NASLib lists them by source (`to_naslib`, `from_naslib`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from types import MappingProxyType

from nassim.benchmarks.spaces.nasbench201_network import skeleton, supernet
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.layout import Layout
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

NONE, SKIP = 0, 1
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NODES = ((0,), (1, 2), (3, 4, 5))  # the edges into each node, as positions in EDGES
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # every way from input to output, as positions in EDGES

# NASLib's tuple: edges by source, operations in an order of its own.
_NASLIB_EDGES = tuple(EDGES.index(edge) for edge in sorted(EDGES))
_NASLIB_CODES = (1, 0, 3, 2, 4)  # ours -> NASLib's (skip 0, none 1, 3x3 2, 1x1 3, pool 4), and its own inverse

# kind -> (a zero edge is marked, zeros leave sums, sums that pass through a skip are flattened)
_EQUIVALENCES = {
    "identity": (False, False, False),
    "published": (True, False, False),
    "zero": (True, True, False),
    "algebraic": (True, True, True),
}

_OFFICIAL = re.compile(
    r"\+".join(
        r"\|" + "".join(rf"({'|'.join(OPERATIONS)})~{source}\|" for source in range(target)) for target in (1, 2, 3)
    )
)


class NASBench201Space(SearchSpace):
    """Six edges with five operations each.

    >>> arch = SPACE.parse("|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|")
    >>> str(arch), arch == SPACE.parse("310423")
    ('nasbench201:3-1-0-4-2-3', True)
    """

    frame = Frame(channels=16, cells=5, classes=10)
    # Two convolutions and a shortcut around them: ResNet's block, as the authors' code has it (AutoDL-Projects).
    known = MappingProxyType(
        {"ResNet": "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"}
    )

    def __init__(self) -> None:
        super().__init__("nasbench201", [Decision(f"{s}->{t}", OPERATIONS) for s, t in EDGES])

    def parse(self, text: str) -> Architecture:
        """Read the official string, six digits, or ``nasbench201:3-1-0-4-2-3``."""
        body = text.strip()
        if len(body) > 200:  # no valid text is that long: do not take it apart, quote its beginning
            return super().parse(body[:200] + "...")
        match = _OFFICIAL.fullmatch(body)
        if match is None:
            return super().parse(body)
        return Architecture(self.name, tuple([OPERATIONS.index(name) for name in match.groups()]))

    def how_to_write(self) -> str:
        return (
            f"Write {self.name}:3-1-0-4-2-3, 310423 or |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, edges in the order "
            f"{' '.join(d.name for d in self.decisions)}, operations "
            f"{', '.join(f'{i} {name}' for i, name in enumerate(OPERATIONS))}."
        )

    def format(self, arch: Architecture) -> str:
        """The official string, ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""
        tokens = [f"{OPERATIONS[c]}~{source}" for c, (source, _) in zip(arch.choices, EDGES, strict=True)]
        return f"|{tokens[0]}|+|{'|'.join(tokens[1:3])}|+|{'|'.join(tokens[3:])}|"

    def graph(self, arch: Architecture) -> Graph:
        """All six edges in the order of the decisions, those labelled ``none`` included."""
        edges = tuple((s, t, OPERATIONS[c]) for c, (s, t) in zip(arch.choices, EDGES, strict=True))
        return Graph(("input", "1", "2", "output"), edges)

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """C channels, N cells a stage; edges that lead nowhere are in it, as in the published counts."""
        C = frame.channels
        return skeleton([OPERATIONS[c] for c in self.check(arch).choices], (C, 2 * C, 2 * C, 4 * C, 4 * C), frame)

    @property
    def layout(self) -> Layout:
        """A decision is an edge; those with the same target meet."""
        return Layout(self, NODES)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Every cell with all five operations on each of its edges."""
        return supernet(OPERATIONS, frame, partial)

    def canonical(self, arch: Architecture, kind: str = "published") -> str:
        """The formula of the output node: equal for cells that are equivalent.

        kind: ``published``, the authors' rule for their 6,466 "unique" cells: a skip is its source and
            what comes from a zero is the term ``#``, which stays in sums. The count rests on their
            string: a sum that passes through a skip joins the next sum without brackets, so that
            the two merge for some orders of the terms and not for others.
            ``algebraic``: true equivalence, 4,930 classes (one is the constant zero): zeros leave
            sums, and sums merge through skips.
            Two more of the authors' form: ``identity`` (zeros are an operation like any other,
            12,751) and ``zero`` (zeros leave sums, 5,390).
        Equivalent cells were trained separately: their rows in the table differ.
        """
        if kind not in _EQUIVALENCES:
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use {', '.join(_EQUIVALENCES)}.")
        marks, drops, flattens = _EQUIVALENCES[kind]
        terms: list[list[str]] = [["0"], [], [], []]
        for choice, (source, target) in zip(arch.choices, EDGES, strict=True):
            value = _sum(terms[source])
            if marks and (choice == NONE or value == "#"):
                if not drops:
                    terms[target].append("#")
            elif choice == SKIP:
                terms[target].extend(terms[source] if flattens else [value])
            else:
                terms[target].append(f"({value})@{choice}")
        return _sum(terms[3])

    # -- growth, for progressive search ---------------------------------------------------------

    def complexity(self, arch: Architecture) -> int:
        """Number of connected edges: those on a path from input to output without a ``none``."""
        return len(connected(arch.choices))

    def smallest(self) -> list[Architecture]:
        """The 100 cells that are a single path, by length and then by choices."""
        return self._cells(PATHS, kept={})

    def grow(self, arch: Architecture) -> list[Architecture]:
        """The next larger cells: a minimal strict superset of the connected edges, operations kept.

        New edges carry any operation but ``none``; edges that lead nowhere are dropped. One step adds
        one, two or three edges: as many as the next path needs.
        """
        now = connected(arch.choices)
        larger = {frozenset(path) | now for path in PATHS} - {now}
        minimal = [edges for edges in larger if not any(other < edges for other in larger)]
        return self._cells(minimal, kept={i: arch.choices[i] for i in now})

    def _cells(self, edge_sets: Iterable[Collection[int]], kept: Mapping[int, int]) -> list[Architecture]:
        """All cells that have exactly one of these sets of edges, with the ``kept`` operations."""
        cells = []
        for edges in edge_sets:
            options = [
                (NONE,) if i not in edges else (kept[i],) if i in kept else range(1, len(OPERATIONS))
                for i in range(len(EDGES))
            ]
            cells += [Architecture(self.name, choices) for choices in product(*options)]
        return sorted(cells, key=lambda cell: (self.complexity(cell), cell.choices))


def _sum(terms: Sequence[str]) -> str:
    return "+".join(sorted(terms)) or "#"


@cache
def connected(choices: tuple[int, ...]) -> frozenset[int]:
    """Positions of the edges that lie on a path from input to output without a ``none``."""
    return frozenset(i for path in PATHS if all(choices[j] != NONE for j in path) for i in path)


def to_naslib(arch: Architecture) -> tuple[int, ...]:
    """NASLib's ``op_indices``: edges 0->1 0->2 0->3 1->2 1->3 2->3, operations in NASLib's order."""
    return tuple(_NASLIB_CODES[arch.choices[edge]] for edge in _NASLIB_EDGES)


def from_naslib(op_indices: Sequence[int]) -> Architecture:
    """The architecture of NASLib's ``op_indices``; `InvalidArchitecture` for anything else."""
    if len(op_indices) != len(EDGES) or not all(0 <= code < len(OPERATIONS) for code in op_indices):
        raise InvalidArchitecture(f"{op_indices!r:.80} is not NASLib's tuple of six operations 0 to 4.")
    choices = dict(zip(_NASLIB_EDGES, (_NASLIB_CODES[code] for code in op_indices), strict=True))
    return Architecture(SPACE.name, tuple(choices[i] for i in range(len(EDGES))))


SPACE = NASBench201Space()
