"""Architectures are values; a search space says which there are."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidArchitecture, Unsupported
from nassim.layout import Layout
from nassim.network import Frame, Network

MOST_DIGITS = 36  # of a number that is written out
ENUMERABLE = 200_000  # spaces up to this size are listed in memory (one byte a decision)


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """One architecture: the option chosen at each decision of its search space.

    >>> str(Architecture("nasbench201", (3, 1, 0, 4, 2, 3)))
    'nasbench201:3-1-0-4-2-3'
    """

    space: str
    choices: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.space}:{'-'.join(map(str, self.choices))}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A categorical decision and the names of its options."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A directed acyclic graph with operations on its edges; node 0 is the input, the last the output.

    ``edges`` holds (source, target, operation), sources before targets.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int, str], ...]


class SearchSpace:
    """A space of ``len(decisions)`` categorical decisions in which every combination is valid.

    A published space subclasses this and adds its string form, graph, equivalences and growth.
    """

    # Its own versions of `encode`'s kinds: choices (n, decisions) -> rows (n, d).
    encodings: Mapping[str, Callable[[NDArray[Any]], NDArray[np.uint8]]] = MappingProxyType({})

    # Whether options of one name are the same thing at all decisions: those of blocks that follow each other are.
    options_are_words = False
    inherits = False  # whether its architectures are made to inherit weights: trainings of them keep theirs

    frame: Frame | None = None  # the network that is published: how large, for which images
    known: Mapping[str, str] = MappingProxyType({})  # published networks that it holds, by name, as `parse` reads them

    # For each of `groups`, where parts of a network may feed any later one: its decisions of two options (no, yes) that
    # say which earlier parts do, in their order; the input is a part of its own where the first group has one, too.
    anchors: tuple[tuple[int, ...], ...] = ()

    # Decision -> the option (its last) that says that a part is not there, where networks may have fewer parts.
    absent: Mapping[int, int] = MappingProxyType({})

    def __init__(self, name: str, decisions: Sequence[Decision]) -> None:
        self.name = name
        self.decisions = tuple(decisions)
        self.radices = tuple(len(decision.options) for decision in self.decisions)
        self._others = tuple(  # per decision and option: the options that it can mutate to
            tuple(tuple(o for o in range(n) if o != current) for current in range(n)) for n in self.radices
        )
        self._made: dict[tuple[int, ...], Architecture] = {}  # see `_architecture`

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in vars(self).items() if k != "choice_matrix"} | {"_made": {}}  # not what it remembers

    def _architecture(self, choices: tuple[int, ...]) -> Architecture:
        """The value of ``choices``; in small spaces one object each, as making one takes longer than finding it."""
        arch = self._made.get(choices)
        if arch is None:
            arch = Architecture(self.name, choices)
            if self.enumerable:
                self._made[choices] = arch
        return arch

    def __repr__(self) -> str:
        return f"<search space {self.name}: {len(self.decisions)} decisions, {counted(self.size)} architectures>"

    @property
    def size(self) -> int:
        """Number of architectures (strings, not equivalence classes)."""
        return math.prod(self.radices)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of decisions that make one part of a network, every position once: here each is its own.

        Where a space has stages or vertices, its decisions about one of them are a group, which a crossover can swap.
        """
        return tuple((i,) for i in range(len(self.decisions)))

    # -- values ---------------------------------------------------------------------------------

    def is_valid(self, arch: Architecture) -> bool:
        """Whether ``arch`` belongs to this space."""
        choices = arch.choices
        return (
            arch.space == self.name
            and len(choices) == len(self.radices)
            and all(0 <= c < n for c, n in zip(choices, self.radices, strict=True))
        )

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; raise `InvalidArchitecture` if it is not of this space."""
        if not self.is_valid(arch):
            raise InvalidArchitecture(
                f"{arch} is not an architecture of {self.name}: it takes {len(self.radices)} choices, "
                f"each below {'/'.join(map(str, self.radices))}."
            )
        return arch

    def parse(self, text: str) -> Architecture:
        """Read ``space:3-1-0``, ``3-1-0`` or, where no decision has over ten options, ``310``."""
        body = text.strip()
        head, colon, tail = body.partition(":")
        if colon and head.replace("-", "_") == self.name.replace("-", "_"):
            body = tail
        parts = body.split("-") if "-" in body else list(body)
        if parts and all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            arch = Architecture(self.name, tuple(map(int, parts)))
            if self.is_valid(arch):
                return arch
        raise InvalidArchitecture(f"{_short(text)} is not an architecture of {self.name}. {self.how_to_write()}")

    def how_to_write(self) -> str:
        """One sentence that says how an architecture of this space is written."""
        zeros = "-".join("0" for _ in self.radices)
        limits = ", ".join(f"{d.name} 0-{len(d.options) - 1}" for d in self.decisions)
        return f"Write {self.name}:{zeros} or {zeros.replace('-', '')} ({limits})."

    def format(self, arch: Architecture) -> str:
        """The space's own published string form (here: the plain one)."""
        return str(arch)

    def active(self, arch: Architecture) -> frozenset[int]:
        """Positions of the decisions that count as the architecture is; what others say changes nothing. Here: all."""
        return frozenset(range(len(self.decisions)))

    def trivial(self, kind: str = "chain") -> Architecture | None:
        """An architecture that does nothing, from which evolution may begin; None where the space has none."""
        return None

    # -- moving about ---------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Architecture:
        """An architecture, uniformly over all strings of the space."""
        draw = rng.random
        return self._architecture(tuple([int(draw() * n) for n in self.radices]))

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One decision, chosen uniformly, changed to a different option, chosen uniformly."""
        draw, choices = rng.random, list(arch.choices)
        i = int(draw() * len(choices))
        others = self._others[i][choices[i]]
        if not others:  # a decision with a single option cannot change
            return arch
        choices[i] = others[int(draw() * len(others))]
        mutated = tuple(choices)
        return self._made.get(mutated) or self._architecture(mutated)

    def mutate_wiring(self, arch: Architecture, rng: random.Random) -> Architecture:
        """A mutation of a connection, where a space tells those from operations; here the same as `mutate`."""
        return self.mutate(arch, rng)

    def mutate_operation(self, arch: Architecture, rng: random.Random) -> Architecture:
        """A mutation of an operation, where a space tells those from connections; here the same as `mutate`."""
        return self.mutate(arch, rng)

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """Uniform crossover: each decision from one of the two parents with equal probability."""
        return Architecture(
            self.name, tuple([x if rng.random() < 0.5 else y for x, y in zip(a.choices, b.choices, strict=True)])
        )

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """All architectures that differ from ``arch`` in exactly one decision, in a fixed order."""
        c = arch.choices
        return [
            Architecture(self.name, (*c[:i], other, *c[i + 1 :]))
            for i, current in enumerate(c)
            for other in self._others[i][current]
        ]

    def discretize(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """The option of the largest weight at each decision (the first of equal ones); one row a decision."""
        rows = zip(self.radices, weights, strict=True)
        return self._architecture(tuple([max(range(n), key=row.__getitem__) for n, row in rows]))

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Hashable:
        """A key that is equal for two architectures if they are equivalent (here: identical)."""
        return arch

    def graph(self, arch: Architecture) -> Graph:
        """The architecture's graph; `Unsupported` where the space has none."""
        raise Unsupported(f"the space {self.name} defines no graph: path and adjacency encodings need one.")

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """The architecture as a network of layers; `Unsupported` where the space says of none."""
        raise Unsupported(f"the space {self.name} says of no network: its architectures cannot be built or trained.")

    @property
    def layout(self) -> Layout:
        """How architectures are paths of the supernet: here each decision is a group of its own."""
        return Layout(self)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """All architectures as one network with layers of the kind ``mix``; `Unsupported` where there is none.

        partial: one of so many channels goes through each decision, the others past it, and a layer of the kind
        ``edge`` stands behind it; `InvalidSetting` where it does not divide the channels.
        """
        raise Unsupported(f"the space {self.name} has no supernet that holds all its architectures.")

    def recipe(self, arch: Architecture) -> Mapping[str, float]:
        """What an architecture says of its own training: factors of the recipe's fields. Here: nothing."""
        return {}

    def smallest(self) -> list[Architecture]:
        """The smallest architectures, from which `grow` reaches all of the greatest complexity (progressive search)."""
        raise Unsupported(f"the space {self.name} has no growth operator: progressive search (pnas) needs one.")

    def grow(self, arch: Architecture) -> list[Architecture]:
        """All architectures one step larger than ``arch``."""
        raise Unsupported(f"the space {self.name} has no growth operator: progressive search (pnas) needs one.")

    def complexity(self, arch: Architecture) -> int:
        """The size that `grow` increases."""
        raise Unsupported(f"the space {self.name} has no growth operator: progressive search (pnas) needs one.")

    # -- the whole space ------------------------------------------------------------------------

    @property
    def enumerable(self) -> bool:
        """Whether the whole space is small enough to be listed."""
        return self.size <= ENUMERABLE

    def architectures(self) -> Iterator[Architecture]:
        """Every architecture, in the order of `index`."""
        return (self.at(i) for i in range(self.size))

    def index(self, arch: Architecture) -> int:
        """Position of ``arch`` in lexicographic order of its choices: its row in a table."""
        i = 0
        for choice, n in zip(arch.choices, self.radices, strict=True):
            i = i * n + choice
        return i

    def at(self, index: int) -> Architecture:
        """The architecture at a position: the inverse of `index`."""
        digits = []
        for n in reversed(self.radices):
            index, digit = divmod(index, n)
            digits.append(digit)
        return Architecture(self.name, tuple(reversed(digits)))

    @cached_property
    def choice_matrix(self) -> NDArray[np.int8]:
        """All architectures as an array (size, decisions), in the order of `index`."""
        if not self.enumerable:
            raise Unsupported(f"the space {self.name} has {counted(self.size)} architectures: too many to list.")
        grids = np.meshgrid(*[np.arange(n, dtype=np.int8) for n in self.radices], indexing="ij")
        return np.stack([grid.ravel() for grid in grids], axis=1)


def counted(number: int) -> str:
    """A number for a reader: ``15,625``, and what has more than 36 digits as ``2.15e+612`` (cut, not rounded)."""
    digits = str(number)
    return f"{number:,}" if len(digits) <= MOST_DIGITS else f"{digits[0]}.{digits[1:3]}e+{len(digits) - 1}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
