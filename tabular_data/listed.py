"""A space of which only some architectures were trained: the policy "sample only what exists"."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, InvalidArchitecture
from nassim.network import Frame, Network
from nassim.space import Architecture, Graph, SearchSpace


class ListedSpace(SearchSpace):
    """The architectures of ``whole`` that a table has, in the order of its rows.

    choices: (rows, decisions), each architecture once, in ascending order.
    radius: decisions in which neighbors may differ. In a sparse sample none differ in one; the smallest number for
        which every architecture has a neighbor makes a walk through the sample possible.

    Sampling is uniform over the list, a mutation is a neighbor chosen uniformly, and a crossover is the listed
    architecture nearest to the child (the first of several), which can be a parent. The texts are those of ``whole``.
    `CorruptData` if ``choices`` are not choices of ``whole``.
    """

    def __init__(self, whole: SearchSpace, choices: NDArray[Any], *, radius: int = 1) -> None:
        super().__init__(whole.name, whole.decisions)
        check_choices(whole, choices)
        self.frame = whole.frame
        self.known = whole.known
        self.whole = whole
        self.radius = radius
        self._choices = choices
        self._near: dict[int, list[Architecture]] = {}

    @property
    def size(self) -> int:
        """Number of listed architectures."""
        return len(self._choices)

    def is_valid(self, arch: Architecture) -> bool:
        """Whether ``arch`` is listed."""
        return arch.space == self.name and arch.choices in self._rows

    def check(self, arch: Architecture) -> Architecture:
        if not self.is_valid(arch) and self.whole.is_valid(arch):
            raise InvalidArchitecture(self._missing(arch))
        return super().check(arch)

    def parse(self, text: str) -> Architecture:
        arch = self.whole.parse(text)
        if not self.is_valid(arch):
            raise InvalidArchitecture(self._missing(arch))
        return arch

    def _missing(self, arch: Architecture) -> str:
        return (
            f"{arch} is an architecture of {self.name}, but not one of the {self.size:,} that the table has "
            f"(of {self.whole.size:,})."
        )

    def how_to_write(self) -> str:
        return self.whole.how_to_write()

    def format(self, arch: Architecture) -> str:
        return self.whole.format(arch)

    def graph(self, arch: Architecture) -> Graph:
        return self.whole.graph(arch)

    def network(self, arch: Architecture, frame: Frame) -> Network:
        return self.whole.network(arch, frame)

    def sample(self, rng: random.Random) -> Architecture:
        """A listed architecture, uniformly."""
        return self.at(int(rng.random() * self.size))

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """A neighbor, uniformly; ``arch`` itself if it has none."""
        near = self._neighbors(arch)
        return near[int(rng.random() * len(near))] if near else arch

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """The listed architecture nearest to a uniform crossover."""
        return self.nearest(super().crossover(a, b, rng))

    def nearest(self, arch: Architecture) -> Architecture:
        """The listed architecture that differs in the fewest decisions, of several the first."""
        return self.at(int(self._distances(arch).argmin()))

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """The listed architectures that differ in at most ``radius`` decisions, in the order of the list."""
        return list(self._neighbors(arch))

    def _neighbors(self, arch: Architecture) -> list[Architecture]:
        row = self.index(arch)
        if row not in self._near:
            distances = self._distances(arch)
            near = np.flatnonzero((distances > 0) & (distances <= self.radius))
            self._near[row] = [self.at(int(i)) for i in near]
        return self._near[row]

    def _distances(self, arch: Architecture) -> NDArray[np.int64]:
        distances: NDArray[np.int64] = (self._choices != np.array(arch.choices)).sum(axis=1)
        return distances

    def architectures(self) -> Iterator[Architecture]:
        return (self.at(row) for row in range(self.size))

    def index(self, arch: Architecture) -> int:
        """Row of ``arch`` in the table; `InvalidArchitecture` if it is not listed."""
        row = self._rows.get(arch.choices)
        if row is None:
            raise InvalidArchitecture(self._missing(arch))
        return row

    def at(self, index: int) -> Architecture:
        return self._architecture(tuple(self._choices[index].tolist()))

    @cached_property
    def choice_matrix(self) -> NDArray[np.int8]:
        return self._choices.astype(np.int8, copy=False)

    @cached_property
    def _rows(self) -> dict[tuple[int, ...], int]:
        return {tuple(choices): row for row, choices in enumerate(self._choices.tolist())}


def check_choices(whole: SearchSpace, choices: NDArray[Any]) -> None:
    """`CorruptData` unless ``choices``, (rows, decisions), are of the space, and at least one."""
    shape = len(choices), len(whole.radices)
    if choices.shape != shape or choices.dtype.kind not in "iu" or not len(choices):
        raise CorruptData(f"the list of {whole.name} is of {choices.dtype} {choices.shape}, not of choices {shape}.")
    if (choices.min(axis=0) < 0).any() or (choices.max(axis=0) >= whole.radices).any():
        raise CorruptData(f"the list of {whole.name} has choices that there are not: get or import its table again.")
