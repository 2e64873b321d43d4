"""What modules and blueprints of CoDeepNEAT are on a space, and the networks that are assembled of them.

Where networks grow, a module is a graph of layers and a blueprint a graph of modules, with genes of the training. On
spaces of fixed length a module is a choice for each decision of a group (`SearchSpace.groups`), a blueprint points to a
species for each group; groups with the same numbers of options share their modules.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from nassim.algorithms.parts.genomes import INPUT, OUTPUT, Gene, Genome, Marks, add_edge, add_node, apart, in_order
from nassim.errors import InvalidArchitecture, InvalidNetwork
from nassim.layers import Shape
from nassim.morph_changes import stride_between
from nassim.morph_space import MorphSpace
from nassim.network import Draft, measure
from nassim.space import Architecture, SearchSpace
from nassim.spelling import MOMENTA, NO_CHANGE, RATES, WIDTHS

WIDEST = WIDTHS.index(64)  # of a module's convolutions at the start
STRUCTURAL = 0.3  # probability that a mutation changes the structure, half of these a node, half an edge


class World(Protocol):
    """The genomes of a space. A module has a kind; modules of one kind can stand for each other."""

    @property
    def kinds(self) -> Sequence[object]:
        """The kinds of modules."""

    def module(self, kind: object, rng: random.Random) -> Genome:
        """A random module."""

    def blueprint(self, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        """A random blueprint, whose nodes point to species."""

    def changed(self, module: Genome, kind: object, rng: random.Random) -> Genome:
        """A mutation of a module."""

    def redrawn(self, blueprint: Genome, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        """A mutation of a blueprint."""

    def pointers(self, blueprint: Genome) -> list[tuple[int, object, int]]:
        """The nodes that point: mark, the kind of module, species."""

    def apart(self, a: Genome, b: Genome) -> float:
        """The compatibility distance of modules."""

    def assembled(self, blueprint: Genome, modules: Mapping[int, Genome]) -> Architecture | None:
        """The architecture, a module for each mark; None where it is none of the space."""


class Layered:
    """Modules of layers, for networks that grow. Genes of a node: place of the width, kernel, whether it is pooled."""

    kinds = ("module",)

    def __init__(self, space: MorphSpace) -> None:
        self._space, self._marks, self._plans = space, Marks(), Marks()

    def _gene(self, rng: random.Random) -> Gene:
        return rng.randrange(WIDEST + 1), rng.choice((1, 3)), int(rng.random() < 0.3)

    def module(self, kind: object, rng: random.Random) -> Genome:
        """One or two layers behind each other."""
        module = Genome((), ((INPUT, OUTPUT),))
        for _ in range(rng.randint(1, 2)):
            module = add_node(module, self._gene(rng), self._marks, rng)
        return module

    def blueprint(self, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        """One to three nodes; the input's genes are those of rate and momentum."""
        plan = Genome(((INPUT, (NO_CHANGE, 0)),), ((INPUT, OUTPUT),))
        for _ in range(rng.randint(1, 3)):
            plan = add_node(plan, (rng.choice(species["module"]),), self._plans, rng)
        return plan

    def changed(self, module: Genome, kind: object, rng: random.Random) -> Genome:
        """A node or an edge more, or other genes of a node: the width some steps along its grid, the rest drawn."""
        if rng.random() < STRUCTURAL:
            return add_node(module, self._gene(rng), self._marks, rng) if rng.random() < 0.5 else add_edge(module, rng)
        nodes = dict(module.nodes)
        mark = rng.choice(list(nodes))
        width = min(max(nodes[mark][0] + round(rng.gauss(0.0, 3.0)), 0), len(WIDTHS) - 1)
        nodes[mark] = (width, *self._gene(rng)[1:]) if rng.random() < 0.5 else (width, *nodes[mark][1:])
        return Genome.of(nodes, set(module.edges))

    def redrawn(self, blueprint: Genome, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        """A node or an edge more, another species, or other genes of the training."""
        if rng.random() < STRUCTURAL:
            gene = (rng.choice(species["module"]),)
            return add_node(blueprint, gene, self._plans, rng) if rng.random() < 0.5 else add_edge(blueprint, rng)
        nodes = dict(blueprint.nodes)
        mark = rng.choice(list(nodes))
        if mark == INPUT:
            rate = min(max(nodes[mark][0] + round(rng.gauss(0.0, 1.5)), 0), RATES - 1)
            nodes[mark] = (rate, rng.randrange(1 + len(MOMENTA)) if rng.random() < 0.3 else nodes[mark][1])
        else:
            nodes[mark] = (rng.choice(species["module"]),)
        return Genome.of(nodes, set(blueprint.edges))

    def pointers(self, blueprint: Genome) -> list[tuple[int, object, int]]:
        return [(mark, "module", gene[0]) for mark, gene in blueprint.nodes if mark != INPUT]

    def apart(self, a: Genome, b: Genome) -> float:
        return apart(a, b, _layers_apart)

    def assembled(self, blueprint: Genome, modules: Mapping[int, Genome]) -> Architecture | None:
        """Every module is built anew at its node: layers of two nodes share no weights."""
        try:
            plan = _Plan(self._space)
            made = {INPUT: 0}
            for mark in in_order(blueprint)[1:]:
                x = plan.merged([made[a] for a, b in blueprint.edges if b == mark])
                made[mark] = x if mark == OUTPUT else plan.module(modules[mark], x)
            pooled = plan.draft.add("pool", "global_pool", len(plan.draft.layers) - 1)
            network = plan.draft.network(plan.draft.add("head", "linear", pooled, channels=self._space.frame.classes))
            rate, momentum = dict(blueprint.nodes)[INPUT]
            return self._space.encode(network, (rate, momentum)) if made[OUTPUT] == pooled - 1 else None
        except (InvalidNetwork, InvalidArchitecture):
            return None  # too large, or nothing is left of the maps


class _Plan:
    """A network in the making."""

    def __init__(self, space: MorphSpace) -> None:
        self.draft, self._number = Draft(space.frame.image), 0

    def _shape(self, x: int) -> Shape:
        return measure(self.draft.network(len(self.draft.layers) - 1)).shapes[x]

    def merged(self, inputs: list[int]) -> int:
        """The inputs concatenated, the larger maps thinned out to the smallest."""
        if len(inputs) == 1:
            return inputs[0]
        self._number += 1
        smallest = min((self._shape(x) for x in inputs), key=lambda shape: shape[1])
        ready = []
        for x in inputs:
            stride = stride_between(self._shape(x), smallest)
            if stride > 1:
                self._number += 1
                x = self.draft.add(f"n{self._number}.pool", "max_pool", x, kernel=1, stride=stride)
            ready.append(x)
        return self.draft.add(f"n{self._number}.concat", "concat", *ready)

    def module(self, module: Genome, x: int) -> int:
        made = {INPUT: x}
        for mark in in_order(module)[1:]:
            given = self.merged([made[a] for a, b in module.edges if b == mark])
            made[mark] = given if mark == OUTPUT else self._layer(dict(module.nodes)[mark], given)
        return made[OUTPUT]

    def _layer(self, gene: Gene, x: int) -> int:
        self._number += 1
        name = f"n{self._number}"
        x = self.draft.add(f"{name}.conv", "conv", x, channels=WIDTHS[gene[0]], kernel=gene[1])
        x = self.draft.add(f"{name}.relu", "activation", self.draft.add(f"{name}.norm", "batch_norm", x))
        if gene[2] and self._shape(x)[1] > 1:
            x = self.draft.add(f"{name}.pool", "max_pool", x, kernel=3, stride=2)
        return x


def _layers_apart(a: Gene, b: Gene) -> float:
    return (abs(a[0] - b[0]) / (len(WIDTHS) - 1) + (a[1] != b[1]) + (a[2] != b[2])) / 3.0


class Grouped:
    """Modules of choices, for spaces of fixed length. A kind is the numbers of options of a group's decisions."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._kind_of = [tuple(space.radices[i] for i in group) for group in space.groups]
        self.kinds: Sequence[object] = list(dict.fromkeys(self._kind_of))

    def module(self, kind: object, rng: random.Random) -> Genome:
        assert isinstance(kind, tuple)
        return Genome(tuple((i, (rng.randrange(options),)) for i, options in enumerate(kind)))

    def blueprint(self, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        return Genome(tuple((i, (rng.choice(species[kind]),)) for i, kind in enumerate(self._kind_of)))

    def changed(self, module: Genome, kind: object, rng: random.Random) -> Genome:
        assert isinstance(kind, tuple)
        nodes = dict(module.nodes)
        place = rng.randrange(len(kind))
        nodes[place] = (rng.randrange(kind[place]),)
        return Genome.of(nodes, set())

    def redrawn(self, blueprint: Genome, species: Mapping[object, Sequence[int]], rng: random.Random) -> Genome:
        nodes = dict(blueprint.nodes)
        place = rng.randrange(len(nodes))
        nodes[place] = (rng.choice(species[self._kind_of[place]]),)
        return Genome.of(nodes, set())

    def pointers(self, blueprint: Genome) -> list[tuple[int, object, int]]:
        return [(mark, self._kind_of[mark], gene[0]) for mark, gene in blueprint.nodes]

    def apart(self, a: Genome, b: Genome) -> float:
        return apart(a, b, lambda x, y: float(x != y))

    def assembled(self, blueprint: Genome, modules: Mapping[int, Genome]) -> Architecture | None:
        choices = [0] * len(self._space.decisions)
        for mark, group in enumerate(self._space.groups):
            for place, (_, gene) in zip(group, modules[mark].nodes, strict=True):
                choices[place] = gene[0]
        arch = Architecture(self._space.name, tuple(choices))
        return arch if self._space.is_valid(arch) else None


def world_of(space: SearchSpace) -> World:
    """The genomes of a space."""
    return Layered(space) if isinstance(space, MorphSpace) else Grouped(space)
