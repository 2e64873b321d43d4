"""Populations of genomes in species: who belongs where, what they are credited with, and who has children.

Source: Miikkulainen et al., "Evolving Deep Neural Networks", arXiv:1703.00548, section 3; Stanley, Miikkulainen, 2002
(species by a representative, fitness shared within them).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nassim.algorithms.parts.genomes import Genome


@dataclass
class Member:
    """A genome with its fitness: the mean of the networks that used it; None as long as none did."""

    genome: Genome
    fitness: float | None = None
    seen: list[float] = field(default_factory=list)  # in this generation

    def credit(self) -> None:
        """Take the mean of this generation; who was not used keeps what it had."""
        if self.seen:
            self.fitness = sum(self.seen) / len(self.seen)
        self.seen = []


class Species:
    """Members by species; a number stays with its species as long as it has members.

    threshold: the distance to a species' first member below which a genome joins; most: species beyond which it joins
        the nearest.
    """

    def __init__(self, apart: Callable[[Genome, Genome], float], threshold: float, most: int) -> None:
        self._apart, self._threshold, self._most = apart, threshold, most
        self._first: dict[int, Genome] = {}
        self._next = 0
        self.members: dict[int, list[Member]] = {}

    def sort(self, members: Sequence[Member]) -> None:
        """Put all members into species, in their order; those that are left empty end."""
        self.members = {}
        for member in members:
            near = {number: self._apart(first, member.genome) for number, first in self._first.items()}
            nearest = min(near, key=lambda number: near[number], default=None)
            if nearest is None or (near[nearest] > self._threshold and len(near) < self._most):
                nearest, self._next = self._next, self._next + 1
                self._first[nearest] = member.genome
            self.members.setdefault(nearest, []).append(member)
        self._first = {number: first for number, first in self._first.items() if number in self.members}

    @property
    def numbers(self) -> list[int]:
        """The species that there are."""
        return sorted(self.members)

    def next_generation(self, size: int, child: Callable[[Sequence[Member]], Genome], elite: int = 1) -> list[Member]:
        """As many members as ``size``: each species' best stay, and it has children by its share of mean fitness.

        child: makes a genome of a species' members, the best first.
        """
        ranked = {n: sorted(m, key=_worth, reverse=True) for n, m in sorted(self.members.items())}
        means = {n: max(sum(map(_worth, m)) / len(m), 0.0) for n, m in ranked.items()}
        total = sum(means.values())
        new: list[Member] = [m for members in ranked.values() for m in members[:elite]][:size]
        counts = {n: (mean / total if total else 1 / len(means)) * size for n, mean in means.items()}
        for number, members in ranked.items():
            for _ in range(max(0, round(counts[number]) - elite)):
                if len(new) < size:
                    new.append(Member(child(members)))
        while len(new) < size:  # what rounding left
            new.append(Member(child(next(iter(ranked.values())))))
        return new


def _worth(member: Member) -> float:
    return 0.0 if member.fitness is None else member.fitness


def parents(members: Sequence[Member], rng: random.Random) -> tuple[Genome, Genome]:
    """Two of the better half, the better one first."""
    half = members[: max(1, (len(members) + 1) // 2)]
    first, second = sorted((rng.randrange(len(half)), rng.randrange(len(half))))
    return half[first].genome, half[second].genome
