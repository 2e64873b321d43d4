"""What inheritance costs: a morph with its transfer, the distance of two networks, a proposal of AutoKeras."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

from speed_row import Row, best_of

from nassim.algorithms.parts.morphing import grown
from nassim.algorithms.parts.network_distance import described, distances
from nassim.algorithms.parts.tree_search import Process, search
from nassim.morph_space import MorphSpace
from nassim.registry import get_space
from nassim.space import Architecture

GROUP = "Inheritance, CPU time"
LAYERS, TRAINED, ROUNDS, PAIRS = 30, 300, 5, 50
TRANSFER, DISTANCE, PROPOSAL = 20.0, 2.0, 0.5  # ms, ms, s


def inheritance_rows(_name: str) -> Iterator[Row]:
    """Networks of thirty layers; a search among three hundred that were trained."""
    space = get_space("grown")
    assert isinstance(space, MorphSpace)
    first, second = (_of(space, LAYERS, random.Random(seed)) for seed in (1, 2))
    morph = next(space.morphs(first, ("widen",)))
    if find_spec("torch") is None:
        yield Row(GROUP, "morph with transfer", None, "ms", note="torch is not installed: pip install 'nassim[train]'")
    else:
        (seconds,) = best_of(ROUNDS, _transfer(space, first, space.morphed(first, morph)))
        (alone,) = best_of(ROUNDS, partial(space.morphed, first, morph))
        what = f"morph of {LAYERS} layers and transfer of the weights"
        yield Row(
            GROUP, what, 1e3 * (seconds + alone), "ms", TRANSFER, f"best of {ROUNDS}; without building the module"
        )
    pair = [described(space.network(arch, space.frame)) for arch in (first, second)]
    (seconds,) = best_of(ROUNDS, partial(_repeat, pair))
    yield Row(GROUP, "distance of two networks", 1e3 * seconds / PAIRS, "ms", DISTANCE)
    (seconds,) = best_of(3, _proposal(space))
    yield Row(GROUP, f"autokeras, a proposal at {TRAINED} networks", seconds, "s", PROPOSAL, "process and tree search")


def _of(space: MorphSpace, layers: int, rng: random.Random) -> Architecture:
    arch = space.seed
    while len(space.network(arch, space.frame).layers) < layers:
        arch = grown(space, arch, rng)
    return arch


def _transfer(space: MorphSpace, parent: Architecture, child: Architecture) -> partial[object]:
    import torch

    from nassim.full_training.networks.construct import construct, initialize
    from nassim.full_training.networks.transfer import transfer

    networks = [space.network(arch, space.frame) for arch in (parent, child)]
    modules = [construct(network) for network in networks]
    for module in modules:
        initialize(module, torch.Generator().manual_seed(0))
    return partial(transfer, networks[0], modules[0].state_dict(), networks[1], modules[1])


def _repeat(pair: list[object]) -> None:
    for _ in range(PAIRS):
        distances(pair[:1], pair[1:])  # type: ignore[arg-type]


def _proposal(space: MorphSpace) -> partial[object]:
    from nassim.algorithms.parts.network_distance import Distances

    rng = random.Random(0)
    archs = [space.seed]
    while len(archs) < TRAINED:
        child = grown(space, rng.choice(archs[:50]), rng)
        archs.append(child)
    values = [rng.random() for _ in archs]
    apart = Distances(space)

    def propose() -> object:
        process = Process(archs, values, apart, 64, 0.01)
        morph = partial(grown, space, rng=random.Random(1))
        draws = random.Random(2)
        return search(process, archs, process.values.tolist(), set(archs), morph, draws, beta=2.576, children=8)

    return partial(propose)
