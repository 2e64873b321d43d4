"""Networks as values: measuring, building as a torch module, and running it beside the same modules written out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

from speed_row import Row, best_of

from nassim.network import Draft, Frame, Network, measure
from nassim.registry import get_space

GROUP = "Networks of layers, CPU time"
ROUNDS, TIMES = 7, 20
MEASURE, CONSTRUCT = 1.0, 50.0  # ms, for thirty layers


def network_rows(_name: str) -> Iterator[Row]:
    """A chain of thirty layers, and the networks of three spaces as published."""
    spaces = [get_space(name) for name in ("nasbench201", "nasbench101", "darts")]
    thirty = chain_of(30)
    networks: list[tuple[str, Network, float | None, float | None]] = [("30 layers", thirty, MEASURE, CONSTRUCT)]
    for space in spaces:
        assert space.frame is not None
        network = space.network(space.sample(random.Random(1)), space.frame)
        networks.append((f"{space.name}, {len(network.layers)} layers", network, None, None))
    for label, network, target, _ in networks:
        (seconds,) = best_of(ROUNDS, partial(_repeat, partial(measure, network)))
        yield Row(GROUP, f"measure, {label}", 1e3 * seconds / TIMES, "ms", target, f"best of {ROUNDS}")
    for space in spaces:
        assert space.frame is not None
        make = partial(space.network, space.sample(random.Random(1)), space.frame)
        (seconds,) = best_of(ROUNDS, partial(_repeat, make))
        yield Row(GROUP, f"from the architecture to layers, {space.name}", 1e3 * seconds / TIMES, "ms")
    if find_spec("torch") is None:
        yield Row(GROUP, "construct", None, "ms", note="torch is not installed: pip install 'nassim[train]'")
        return
    from nassim.full_training.networks.construct import construct

    for label, network, _, target in networks:
        (seconds,) = best_of(3, partial(construct, network))
        yield Row(GROUP, f"construct, {label}", 1e3 * seconds, "ms", target)


def _repeat(work: partial[object]) -> None:
    for _ in range(TIMES):
        work()


def chain_of(layers: int) -> Network:
    """Convolution, normalization and ReLU in turn, on images of 32 pixels."""
    frame, kinds = Frame(16, 1, 10), ("conv", "batch_norm", "activation")
    draft, x = Draft(frame.image), 0
    for i in range(layers - 3):
        kind = kinds[i % 3]
        x = draft.add(f"layer{i}", kind, x, **({"channels": frame.channels, "kernel": 3} if kind == "conv" else {}))
    return draft.network(draft.add("head", "linear", draft.add("pool", "global_pool", x), channels=frame.classes))
