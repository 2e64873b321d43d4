"""Spaces of networks that grow: an architecture spells its layers (`nassim.spelling`), and moves are morphs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NoReturn

from nassim.errors import InvalidArchitecture, InvalidNetwork, InvalidSetting, Unsupported
from nassim.inheritance import Inheritance, inherited
from nassim.morphs import APPROXIMATE, EXACT, Morph, morphed, places
from nassim.network import Frame, Network, measure, outline
from nassim.space import Architecture, Graph, SearchSpace
from nassim.spelling import (
    MOMENTA,
    MOST_INPUTS,
    MOST_KERNEL,
    MOST_NUMBER,
    MOST_STRIDE,
    NAMES,
    NO_CHANGE,
    RATES,
    WIDTHS,
    genes_of,
    read,
    spell,
)

SKIPS = ("skip_add", "skip_concat")
LONGEST = 12_000  # characters of an architecture


class MorphSpace(SearchSpace):
    """Networks grown from a seed by morphs, up to so many layers and parameters (at the published size).

    It has no decisions, no listing and no crossover; a neighbor of an architecture need not have it as its neighbor.
    """

    inherits = True

    def __init__(self, name: str, seed: Network, frame: Frame, *, most_layers: int, most_parameters: int) -> None:
        self.name, self.decisions = name, ()
        self.frame: Frame = frame
        self.most_layers, self.most_parameters = most_layers, most_parameters
        self._reading = lru_cache(maxsize=20_000)(self._objection)
        self._built = lru_cache(maxsize=2_000)(lambda choices: read(choices, self.frame))
        self._measured = lru_cache(maxsize=2_000)(lambda choices: measure(self._built(choices)))
        self.seed = self.encode(seed)

    def __repr__(self) -> str:
        return f"<search space {self.name}: networks of up to {self.most_layers} layers>"

    # -- values ---------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """An upper bound: all strings of as many layers as there may be."""
        one = len(NAMES) * MOST_NUMBER * len(WIDTHS) * MOST_KERNEL * MOST_STRIDE * self.most_layers**MOST_INPUTS
        bound: int = RATES * (1 + len(MOMENTA)) * one**self.most_layers
        return bound

    @property
    def radices(self) -> tuple[int, ...]:  # type: ignore[override]
        """There are none."""
        self._refuse("has no list of decisions")

    def _refuse(self, what: str) -> NoReturn:
        raise Unsupported(
            f"the space {self.name} {what}, as its networks grow: use a strategy that moves by mutations (nash, "
            "lemonade, autokeras, re, rs)."
        )

    def is_valid(self, arch: Architecture) -> bool:
        """Whether its choices spell a network within the limits."""
        return arch.space == self.name and not self._reading(arch.choices)

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; `InvalidArchitecture` with the reason if it is not of this space."""
        reason = self._reading(arch.choices) if arch.space == self.name else f"it is of {arch.space}"
        if reason:
            raise InvalidArchitecture(f"{str(arch)[:80]} is not an architecture of {self.name}: {reason}.")
        return arch

    def _objection(self, choices: tuple[int, ...]) -> str:
        try:
            network = self._built(choices)
            count = len(network.layers) - 3
            if count > self.most_layers:
                return f"it has {count} layers, more than {self.most_layers}"
            parameters = self._measured(choices).parameters
        except (InvalidArchitecture, InvalidNetwork) as error:
            return str(error).rstrip(".")
        if parameters > self.most_parameters:
            return f"it has {parameters:,} parameters, more than {self.most_parameters:,}"
        return ""

    def parse(self, text: str) -> Architecture:
        """Read the plain form: all choices with dashes."""
        body = text.strip().removeprefix(f"{self.name}:")
        numbers = body.split("-") if len(text) <= LONGEST else []
        if numbers and all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers):
            return self.check(Architecture(self.name, tuple(map(int, numbers))))
        raise InvalidArchitecture(f"{text[:80]!r} is not an architecture of {self.name}. {self.how_to_write()}")

    def how_to_write(self) -> str:
        return (
            f"Write {self.name}: and numbers with dashes: the genes of rate (0-{RATES - 1}, {NO_CHANGE} is the "
            f"recipe's) and momentum (0-{len(MOMENTA)}, 0 is the recipe's), then for each layer its part "
            f"({', '.join(f'{i} {name}' for i, name in enumerate(NAMES))}), its number, of a convolution the width's "
            f"place in {WIDTHS[0]}-{WIDTHS[-1]}, of this and pooling kernel and stride, and how many layers back each "
            "input is (of add and concat after their number)."
        )

    # -- networks -------------------------------------------------------------------------------

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` of 16 builds the widths as they are; others go with it."""
        self.check(arch)
        return self._built(arch.choices) if frame == self.frame else read(arch.choices, frame)

    def encode(
        self, network: Network, genes: tuple[int, int] = (NO_CHANGE, 0), *, rounded: bool = False
    ) -> Architecture:
        """The architecture of a network with names that grow; `InvalidArchitecture` where it is none of this space.

        rounded: as in `nassim.spelling.spell`.
        """
        return self.check(Architecture(self.name, spell(network, genes, rounded=rounded)))

    def recipe(self, arch: Architecture) -> Mapping[str, float]:
        """What the learning rate and the momentum are multiplied by, where the genes say so."""
        return genes_of(arch.choices)

    def transfer(self, parent: Architecture, child: Architecture, way: str = "morph") -> Inheritance:
        """What a child inherits, at the published size; layers are the same by their names."""
        return inherited(self.network(parent, self.frame), self.network(child, self.frame), way)

    # -- moving about ---------------------------------------------------------------------------

    def morphs(self, arch: Architecture, kinds: Sequence[str] = EXACT) -> Iterator[Morph]:
        """The morphs whose places are ends of blocks (behind a convolution's normalization and rectifier).

        Widths change by an octave and half of one, along the grid.
        """
        network = self.network(arch, self.frame)
        ends = _ends(network)
        for kind in kinds:
            among = ends if kind in ("deepen", *SKIPS) else None
            for morph in places(network, kind, among, self._measured(arch.choices).shapes):
                if kind in ("widen", "prune"):
                    yield from (morph._replace(amount=width) for width in _steps(network, morph))
                else:
                    yield morph

    def morphed(self, arch: Architecture, morph: Morph, *, rounded: bool = False) -> Architecture:
        """The child of a morph; `InvalidNetwork` or `InvalidArchitecture` where it does not apply or is too large.

        rounded: as in `encode`; the morph is then an approximate one.
        """
        child = morphed(self.network(arch, self.frame), morph, self._measured(arch.choices).shapes)
        return self.encode(child, (arch.choices[0], arch.choices[1]), rounded=rounded)

    def random_morph(
        self, arch: Architecture, rng: random.Random, kinds: Sequence[str] = EXACT, tries: int = 20
    ) -> Architecture | None:
        """A child by a kind of morph and a place of it, both uniform; None where no draw can be had."""
        for _ in range(tries):
            kind = rng.choice(kinds)
            found = list(self._pairs(arch, kind, rng) if kind in SKIPS else self.morphs(arch, (kind,)))
            if not found:
                continue
            try:
                return self.morphed(arch, rng.choice(found))
            except (InvalidNetwork, InvalidArchitecture):
                continue  # beyond the limits, or beside the grid
        return None

    def _pairs(self, arch: Architecture, kind: str, rng: random.Random) -> Iterator[Morph]:
        """A pair of ends of blocks, drawn: most of the many can be joined, so that they need not be listed."""
        network = self.network(arch, self.frame)
        ends = _ends(network)
        names = [layer.name for layer in network.layers if layer.name in ends]
        if len(names) > 1:
            source, place = sorted(rng.sample(range(len(names)), 2))
            yield Morph(kind, names[place], 0, names[source])

    def sample(self, rng: random.Random) -> Architecture:
        """Up to eight exact morphs of the seed."""
        arch = self.seed
        for _ in range(rng.randrange(9)):
            arch = self.random_morph(arch, rng) or arch
        return arch

    def trivial(self, kind: str = "chain") -> Architecture | None:
        """No layer at all: the linear layer takes the means of the image's channels."""
        return self.check(Architecture(self.name, (NO_CHANGE, 0)))

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One morph, exact or approximate."""
        return self.random_morph(arch, rng, (*EXACT, *APPROXIMATE)) or arch

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """The children of all morphs, exact and approximate."""
        found: dict[Architecture, None] = {}
        for morph in self.morphs(arch, (*EXACT, *APPROXIMATE)):
            try:
                found[self.morphed(arch, morph)] = None
            except (InvalidNetwork, InvalidArchitecture):
                continue
        found.pop(arch, None)
        return list(found)

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """There is none."""
        self._refuse("has no crossover")

    def index(self, arch: Architecture) -> int:
        """There is none."""
        self._refuse("cannot be listed")

    def at(self, index: int) -> Architecture:
        """There is none."""
        self._refuse("cannot be listed")

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The architecture with layers named by their place: equal where networks and genes are."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        plain = {"identity": "conv", "zero": "conv", "point": "conv"}
        network = self.network(arch, self.frame)
        layers = []
        for i, layer in enumerate(network.layers):
            part = layer.name.partition(".")[2]
            named = f"n{i}.{plain.get(part, part)}" if 0 < i < len(network.layers) - 2 else layer.name
            layers.append(layer._replace(name=named))
        return self.encode(Network(tuple(layers)), (arch.choices[0], arch.choices[1]))

    def graph(self, arch: Architecture) -> Graph:
        """Groups of layers and what feeds them; edges have no operation."""
        parts = outline(self.network(arch, self.frame))
        position = {part.name: i for i, part in enumerate(parts)}
        edges = [(position[source], i, "") for i, part in enumerate(parts) for source in part.inputs]
        return Graph(tuple(part.kinds for part in parts), tuple(e for e in edges if e[0] < e[1]))


def _steps(network: Network, morph: Morph) -> list[int]:
    width = next(layer.settings["channels"] for layer in network.layers if layer.name == morph.place)
    if width not in WIDTHS:
        return []
    i = WIDTHS.index(int(width))
    wanted = (i + 4, i + 2) if morph.kind == "widen" else (i - 4, i - 2)
    return [WIDTHS[k] for k in wanted if 0 <= k < len(WIDTHS)]


def _ends(network: Network) -> set[str]:
    """Layers that are not followed by their own normalization or rectifier alone."""
    users: dict[int, list[str]] = {}
    for layer in network.layers:
        for source in layer.inputs:
            users.setdefault(source, []).append(layer.kind)
    inner = (["batch_norm"], ["activation"])
    return {x.name for i, x in enumerate(network.layers) if users.get(i) not in inner and x.kind != "input"}
