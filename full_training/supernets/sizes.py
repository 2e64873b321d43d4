"""What the options of a supernet's decisions are worth in parameters; networks without dropped paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from nassim.full_training.networks.construct import DropPath
from nassim.network import Network, measure

Number = TypeVar("Number", int, float)


def option_sizes(network: Network, widths: Sequence[int]) -> list[list[int]]:
    """Parameters of every option of every decision, summed over the places of the decision."""
    return option_sums(network, widths, measure(network).layer_parameters)


def option_sums(network: Network, widths: Sequence[int], values: Sequence[Number]) -> list[list[Number]]:
    """The values of the layers of every option of every decision, summed over the places of the decision.

    An option has the layers that lead to it and to nothing else.
    """
    layers = network.layers
    users = [0] * len(layers)
    for layer in layers:
        for i in layer.inputs:
            users[i] += 1
    found: list[list[Number]] = [[values[0] * 0] * width for width in widths]
    for layer in layers:
        if layer.kind != "mix":
            continue
        options = cast("tuple[int, ...]", layer.settings["options"])
        for option, i in zip(options, layer.inputs, strict=True):
            group = cast(int, layer.settings["group"])
            found[group][option] += _alone(i, network, users, values)
    return found


def _alone(last: int, network: Network, users: Sequence[int], values: Sequence[Number]) -> Number:
    """Of the layers that only ``last`` uses, and its own; layers before them are used by it alone too."""
    total, open_, seen = values[0] * 0, [last], dict[int, int]()
    while open_:
        position = open_.pop()
        seen[position] = seen.get(position, 0) + 1
        if network.layers[position].kind in ("mix", "input") or seen[position] < users[position]:
            continue  # other layers use it, or a further way to it has still to be walked
        total += values[position]
        open_ += network.layers[position].inputs
    return total


@contextmanager
def whole_paths(drops: Sequence[DropPath]) -> Iterator[None]:
    """Inside, no path is dropped."""
    before = [drop.probability for drop in drops]
    for drop in drops:
        drop.probability = 0.0
    try:
        yield
    finally:
        for drop, probability in zip(drops, before, strict=True):
            drop.probability = probability
