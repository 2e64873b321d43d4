"""The mutations of large-scale evolution, each drawn with the same probability.

Source: Real et al., "Large-Scale Evolution of Image Classifiers", ICML 2017, arXiv:1703.01041, section 3.2.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from nassim.errors import InvalidArchitecture, InvalidNetwork
from nassim.layers import Setting
from nassim.morph_space import MorphSpace
from nassim.morphs import Morph, places
from nassim.network import Network
from nassim.space import Architecture, SearchSpace
from nassim.spelling import RATES, WIDTHS

TRIES = 30  # draws of a mutation until one gives a network of the space
IDENTITY, RESET = "identity", "reset-weights"  # keep training; train anew
Change = Callable[[MorphSpace, Architecture, Network, random.Random], Architecture]


def mutation(space: SearchSpace, arch: Architecture, rng: random.Random) -> tuple[str, Architecture]:
    """The mutation that was drawn, and what it makes of an architecture.

    On spaces of fixed length: identity, reset-weights, and the space's own of a connection and of an operation.
    """
    if not isinstance(space, MorphSpace):
        name = rng.choice((IDENTITY, RESET, "wiring", "operation"))
        change = {"wiring": space.mutate_wiring, "operation": space.mutate_operation}.get(name)
        return name, arch if change is None else change(arch, rng)
    for _ in range(TRIES):
        name = rng.choice(NAMES)
        if name in (IDENTITY, RESET):
            return name, arch
        try:
            return name, CHANGES[name](space, arch, space.network(arch, space.frame), rng)
        except (InvalidNetwork, InvalidArchitecture, IndexError):
            continue  # nothing to change there, or beyond the limits: drawn again
    return IDENTITY, arch


def _rate(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
    """The learning rate, log-uniform between half and twice what it was, on the grid."""
    rate = arch.choices[0] + rng.choice((-2, -1, 1, 2))
    if not 0 <= rate < RATES:
        raise InvalidArchitecture("the learning rate leaves its grid.")
    return Architecture(arch.space, (rate, *arch.choices[1:]))


def _insert(kernel: int) -> Change:
    def change(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
        """A convolution as wide as its input, normalized and rectified or neither; it may halve the map."""
        place = rng.choice(network.layers[:-2])
        child = space.morphed(arch, Morph("deepen", place.name, kernel), rounded=True)
        new = _new(space, child, network)
        if kernel > 1 and rng.random() < 0.5:
            child = space.morphed(child, Morph("stride", new[0], 2))
        if rng.random() < 0.5:
            for name in new[1:]:
                child = space.morphed(child, Morph("remove", name))
        return child

    return change


def _new(space: MorphSpace, child: Architecture, network: Network) -> list[str]:
    known = {layer.name for layer in network.layers}
    return [layer.name for layer in space.network(child, space.frame).layers if layer.name not in known]


def _remove(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
    convolutions = {layer.name for layer in network.layers if layer.kind == "conv"}
    found = [morph for morph in places(network, "remove") if morph.place in convolutions]
    return space.morphed(arch, rng.choice(found))


def _stride(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
    return space.morphed(arch, rng.choice(places(network, "stride")))  # 1 and 2: powers of two


def _width(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
    """Log-uniform between half and twice as many channels, on the grid."""
    free = [x for x in network.layers if x.kind == "conv" and x.settings.get("groups", 1) == 1]
    layer = rng.choice(free)
    at = WIDTHS.index(_whole(layer.settings["channels"])) + rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))
    if not 0 <= at < len(WIDTHS):
        raise InvalidArchitecture("the width leaves its grid.")
    kind = "widen" if WIDTHS[at] > _whole(layer.settings["channels"]) else "prune"
    return space.morphed(arch, Morph(kind, layer.name, WIDTHS[at]))


def _kernel(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
    """An odd side between half and twice the old one; kernels have equal sides here."""
    layer = rng.choice([layer for layer in network.layers if layer.kind == "conv"])
    old = _whole(layer.settings.get("kernel", 1))
    side = rng.choice([k for k in (1, 3, 5, 7) if k != old and old <= 2 * k and k <= 2 * old + 1])
    layers = [x._replace(settings={**x.settings, "kernel": side}) if x is layer else x for x in network.layers]
    return space.encode(Network(tuple(layers)), (arch.choices[0], arch.choices[1]))


def _some(kind: str) -> Change:
    def change(space: MorphSpace, arch: Architecture, network: Network, rng: random.Random) -> Architecture:
        return space.morphed(arch, rng.choice(list(space.morphs(arch, (kind,)))))

    return change


def _whole(value: Setting) -> int:
    if not isinstance(value, int):
        raise InvalidArchitecture(f"{value!r} is no whole number.")
    return value


CHANGES: dict[str, Change] = {
    "alter-learning-rate": _rate,
    "insert-convolution": _insert(3),
    "remove-convolution": _remove,
    "alter-stride": _stride,
    "alter-number-of-channels": _width,
    "filter-size": _kernel,
    "insert-one-to-one": _insert(1),
    "add-skip": _some("skip_add"),
    "remove-skip": _some("remove_skip"),
}
NAMES = (IDENTITY, RESET, *CHANGES)
