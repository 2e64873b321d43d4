"""The two populations of CoDeepNEAT: modules by kind and species, and the blueprints that point to them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from nassim.algorithms.parts.assembly import world_of
from nassim.algorithms.parts.genomes import Genome, crossed
from nassim.algorithms.parts.morphing import first
from nassim.algorithms.parts.species import Member, Species, parents
from nassim.space import Architecture, SearchSpace

TRIES = 20  # of an assembly
CROSSED = 0.2  # probability that a child has two parents before it is changed


class Assembled(NamedTuple):
    """A network and the genomes that it was made of, the blueprint first; a module that it uses twice counts once."""

    arch: Architecture
    used: list[Member]


class Coevolution:
    """Genomes of a space; `sort`, `assembled`, `credit` and `reproduce` are the steps of a generation."""

    def __init__(self, space: SearchSpace, rng: random.Random, *, modules: int, blueprints: int) -> None:
        self._space, self._rng, self._world = space, rng, world_of(space)
        self._blueprints = blueprints
        self.modules = {
            kind: [Member(self._world.module(kind, rng)) for _ in range(modules)] for kind in self._world.kinds
        }
        self.species: dict[object, Species] = {}
        self.blueprints: list[Member] = []

    def sort(self, most: int, threshold: float) -> None:
        """Modules into species; pointers to species that ended point to another one."""
        for kind, members in self.modules.items():
            self.species.setdefault(kind, Species(self._world.apart, threshold, most)).sort(members)
        numbers = {kind: species.numbers for kind, species in self.species.items()}
        if not self.blueprints:
            made = [self._world.blueprint(numbers, self._rng) for _ in range(self._blueprints)]
            self.blueprints = [Member(genome) for genome in made]
        for member in self.blueprints:
            nodes = dict(member.genome.nodes)
            for mark, kind, number in self._world.pointers(member.genome):
                if number not in numbers[kind]:
                    nodes[mark] = (self._rng.choice(numbers[kind]),)
            member.genome = Genome.of(nodes, set(member.genome.edges))

    def assembled(self, count: int) -> list[Assembled]:
        """Networks of the blueprints in turn; at least one."""
        found = []
        for i in range(count):
            for _ in range(TRIES):
                network = self._one(self.blueprints[i % len(self.blueprints)])
                if network is not None:
                    found.append(network)
                    break
        return found or [Assembled(first(self._space, self._rng), [])]

    def _one(self, blueprint: Member) -> Assembled | None:
        picked: dict[tuple[object, int], Member] = {}
        modules = {}
        for mark, kind, number in self._world.pointers(blueprint.genome):
            if (kind, number) not in picked:
                picked[kind, number] = self._rng.choice(self.species[kind].members[number])
            modules[mark] = picked[kind, number].genome
        arch = self._world.assembled(blueprint.genome, modules)
        return None if arch is None else Assembled(arch, [blueprint, *picked.values()])

    def credit(self) -> None:
        """Every genome takes the mean of the networks that used it."""
        for member in [*self.blueprints, *(m for members in self.modules.values() for m in members)]:
            member.credit()

    def reproduce(self) -> None:
        """The next generation of both."""
        rng, world = self._rng, self._world
        numbers = {kind: species.numbers for kind, species in self.species.items()}
        for kind, species in self.species.items():

            def module(members: Sequence[Member], kind: object = kind) -> Genome:
                return world.changed(self._child(members), kind, rng)

            self.modules[kind] = species.next_generation(len(self.modules[kind]), module)
        plans = Species(lambda a, b: 0.0, 0.0, 1)
        plans.sort(self.blueprints)
        self.blueprints = plans.next_generation(
            self._blueprints, lambda members: world.redrawn(self._child(members), numbers, rng)
        )

    def _child(self, members: Sequence[Member]) -> Genome:
        better, worse = parents(members, self._rng)
        return crossed(better, worse, self._rng) if self._rng.random() < CROSSED else better
