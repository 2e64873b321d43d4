"""The recurrent cells of DARTS and of ENAS: nodes that each go on from one earlier state.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055;
    H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean, "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018,
    arXiv:1802.03268.

``rnn`` is DARTS': 8 nodes, the mean of all is the output. ``rnn-enas`` is ENAS': 12 states, the first with a function
of its own, the output is the mean of those that no other goes on from.

4^8 * 8! = 2,642,411,520 and 4^12 * 11! = 669,692,775,628,800 cells. As a node has one source, a cell is a rooted tree
whose nodes have functions: two cells are the same up to the names of their nodes exactly where the trees are
(`canonical`, a recursively sorted key). Known cells are written ``DARTS_V1``, ``DARTS_V2`` and ``ENAS``; the latter is
the string of its README (DARTS' code lists another cell under that name).

ENAS' first released code keys its shared matrices by (node, source), as the paper; a later version by the function
too. Departure of both spaces: as in DARTS' evaluation nothing is normalized outside of a supernet.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping
from functools import cached_property
from itertools import pairwise

from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.layout import Layout
from nassim.recurrent import Edges, Highway, Node, RecurrentSpace
from nassim.space import Architecture, Decision, Graph

FUNCTIONS = ("tanh", "relu", "sigmoid", "identity")  # in DARTS' order
ENAS_FUNCTIONS = ("tanh", "relu", "identity", "sigmoid")  # in ENAS' order: the numbers of its strings
LONGEST = 2000  # characters of an architecture
_DARTS = {
    "DARTS_V1": "relu0 relu1 tanh2 relu3 relu4 identity1 relu5 relu1",
    "DARTS_V2": "sigmoid0 relu1 relu1 identity1 tanh2 sigmoid5 tanh3 relu5",
}
_ENAS = {"ENAS": "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"}


class CellSpace(RecurrentSpace):
    """Nodes with a source and a function each.

    >>> DARTS_SPACE.cell(DARTS_SPACE.parse("DARTS_V2")).nodes[5]
    Node(source=5, function='sigmoid')
    >>> ENAS_SPACE.cell(ENAS_SPACE.parse("ENAS")).outputs
    (3, 4, 7, 9, 10, 11)
    """

    known: Mapping[str, str] = {}

    def __init__(self, name: str, functions: tuple[str, ...], nodes: int, *, first: bool) -> None:
        """nodes: behind state 0; first: whether the function of state 0 is chosen (else it is tanh)."""
        if not 1 <= nodes <= 50:
            raise InvalidSetting(f"{name}: {nodes} nodes cannot be: use 1 to 50.")
        decisions = [Decision("s0_function", functions)] if first else []
        for node in range(1, nodes + 1):
            if node > 1:
                decisions.append(Decision(f"s{node}_source", tuple(f"s{i}" for i in range(node))))
            decisions.append(Decision(f"s{node}_function", functions))
        super().__init__(name, decisions)
        self.functions, self.nodes, self.first = functions, nodes, first

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each state's decisions."""
        ends = [0, *([1] if self.first else []), *(2 * i - 1 + self.first for i in range(1, self.nodes + 1))]
        return tuple(tuple(range(a, b)) for a, b in pairwise(ends))

    @property
    def layout(self) -> Layout:
        """A group for every edge between two states."""
        return Edges(self, self.functions, self.nodes, first=self.first)

    # -- values ---------------------------------------------------------------------------------

    def pairs(self, arch: Architecture) -> tuple[str, list[tuple[int, str]]]:
        """The function of state 0, and (source, function) of every node."""
        c = list(self.check(arch).choices)
        first = self.functions[c.pop(0)] if self.first else "tanh"
        c.insert(0, 0)  # node 1 has state 0 alone to go on from
        return first, [(c[i], self.functions[c[i + 1]]) for i in range(0, len(c), 2)]

    def cell(self, arch: Architecture) -> Highway:
        first, pairs = self.pairs(arch)
        used = {source for source, _ in pairs}
        states = range(self.nodes + 1) if self.first else range(1, self.nodes + 1)
        outputs = tuple(i for i in states if not (self.first and i in used))
        return Highway(first, tuple(Node(*pair) for pair in pairs), outputs)

    def of_pairs(self, pairs: list[tuple[int, str]], first: str = "tanh") -> Architecture:
        """The architecture of (source, function) of every node; `ValueError` for what there is not."""
        if len(pairs) != self.nodes:
            raise ValueError(f"it has {len(pairs)} nodes, not {self.nodes}")
        choices = [self._number(first)] if self.first else []
        for node, (source, function) in enumerate(pairs, 1):
            if not (type(source) is int and 0 <= source < node):
                raise ValueError(f"node {node} cannot go on from {source!r:.20}")
            choices += [source] if node > 1 else []
            choices.append(self._number(function))
        return Architecture(self.name, tuple(choices))

    def _number(self, function: object) -> int:
        if function not in self.functions:
            raise ValueError(f"{function!r:.20} is no function: use {', '.join(self.functions)}")
        return self.functions.index(str(function))

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Hashable:
        """The cell as a tree, the nodes that go on from the same one in a fixed order: exact."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        first, pairs = self.pairs(arch)
        below: list[list[str]] = [[] for _ in range(self.nodes + 1)]
        key = ""
        for node in reversed(range(self.nodes + 1)):
            function = pairs[node - 1][1] if node else first
            key = f"{function}({','.join(sorted(below[node]))})"
            if node:
                below[pairs[node - 1][0]].append(key)
        return f"{self.name}:{key}"

    def graph(self, arch: Architecture) -> Graph:
        """The input, the states and the output; functions on the edges between states."""
        first, pairs = self.pairs(arch)
        last = self.nodes + 2
        edges = [(0, 1, first), *((source + 1, i + 1, function) for i, (source, function) in enumerate(pairs, 1))]
        edges += [(i + 1, last, "mean") for i in self.cell(arch).outputs]
        return Graph(("input", *(f"s{i}" for i in range(self.nodes + 1)), "output"), tuple(edges))


class DartsCells(CellSpace):
    """DARTS' recurrent cells: written as its ``Genotype``, as functions with sources, or as one of its two names."""

    published = "C = 850 units (the search has 300)"
    known = _DARTS

    def parse(self, text: str) -> Architecture:
        """Read ``DARTS_V2``, ``Genotype(recurrent=[('relu', 0), ...], ...)``, ``relu0 relu1 ...`` or the plain form."""
        body = text.strip().removeprefix(f"{self.name}:")[:LONGEST]
        body = self.known.get(body, body)
        try:
            if body.startswith("Genotype("):
                return self.of_pairs(_recurrent(body))
            words = body.split()
            if words and words[0][:1].isalpha() and words[0][-1:].isdigit():
                return self.of_pairs([(_digits(word), word.rstrip("0123456789")) for word in words])
        except ValueError as error:
            raise InvalidArchitecture(f"not an architecture of {self.name}: {error}. {self.how_to_write()}") from None
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def format(self, arch: Architecture) -> str:
        """``relu0 relu1 tanh2 ...``: function and source of each node."""
        return " ".join(f"{function}{source}" for source, function in self.pairs(arch)[1])

    def genotype(self, arch: Architecture) -> str:
        """As DARTS' code writes it."""
        genes = [(function, source) for source, function in self.pairs(arch)[1]]
        return f"Genotype(recurrent={genes}, concat=range(1, {self.nodes + 1}))"

    def how_to_write(self) -> str:
        return (
            f"Write function and source of each of {self.nodes} nodes, as in {' '.join(['tanh0'] * self.nodes)} "
            f"({', '.join(self.functions)}), a Genotype(recurrent=[...]), {', '.join(self.known) or 'or'} or "
            f"{len(self.decisions)} numbers with dashes."
        )


class EnasCells(CellSpace):
    """ENAS' recurrent cells: written as the numbers of its code: function, then source and function of each node."""

    published = "C = 748 units (the search has 720)"
    known = _ENAS

    def parse(self, text: str) -> Architecture:
        """Read ``0 0 0 1 1 ...``, ``ENAS`` or the plain form."""
        body = text.strip().removeprefix(f"{self.name}:")[:LONGEST]
        words = self.known.get(body, body).split()
        if len(words) == 1 + 2 * self.nodes and all(w.isascii() and w.isdigit() and len(w) < 4 for w in words):
            first, *rest = map(int, words)
            try:
                if not all(number < len(self.functions) for number in (first, *rest[1::2])):
                    raise ValueError(f"functions are 0 to {len(self.functions) - 1}")
                pairs = [(rest[i], self.functions[rest[i + 1]]) for i in range(0, len(rest), 2)]
                return self.of_pairs(pairs, self.functions[first])
            except ValueError as error:
                text = f"not an architecture of {self.name}: {error}. {self.how_to_write()}"
                raise InvalidArchitecture(text) from None
        return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")

    def format(self, arch: Architecture) -> str:
        """The numbers of ENAS' code."""
        first, pairs = self.pairs(arch)
        number = self.functions.index
        return " ".join([str(number(first)), *(f"{source} {number(function)}" for source, function in pairs)])

    def how_to_write(self) -> str:
        return (
            f"Write {1 + 2 * self.nodes} numbers with spaces, the function of state 0, then source and function of "
            f"each of {self.nodes} nodes (functions: {', '.join(f'{i} {f}' for i, f in enumerate(self.functions))}), "
            f"{', '.join(self.known) or 'or'} or {len(self.decisions)} numbers with dashes."
        )


def _recurrent(body: str) -> list[tuple[int, str]]:
    """The nodes of a ``Genotype``, whose other fields follow from the space."""
    start, end = body.find("["), body.find("]")
    if not body.startswith("Genotype(recurrent=") or not 0 < start < end:
        raise ValueError("it is not Genotype(recurrent=[('relu', 0), ...])")
    try:
        genes = ast.literal_eval(body[start : end + 1])
        return [(source, function) for function, source in genes]
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        raise ValueError("its recurrent= is no list of ('function', source)") from None


def _digits(word: str) -> int:
    digits = word[len(word.rstrip("0123456789")) :]
    if not digits.isascii() or not 1 <= len(digits) <= 3:
        raise ValueError(f"{word!r:.20} is no function with its source")
    return int(digits)


DARTS_SPACE = DartsCells("rnn", FUNCTIONS, 8, first=False)
ENAS_SPACE = EnasCells("rnn-enas", ENAS_FUNCTIONS, 11, first=True)
