"""The module of a supernet: a network of layers whose decisions are mixed, of any space.

`SearchSpace.supernet` gives the layers; those of the kind ``mix`` are decisions. Weights are keyed by the names of
layers: an operation belongs to one place and option, and every architecture with that option there uses the same
tensors. ``forward(images, mix)`` runs what the mix needs: of a path only the layers that lead from the image to the
output through options that are not zero.

Batch normalization always uses the moments of the present batch, in training and in scoring, and keeps no running
ones: those of one path are wrong for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nassim.errors import ProtocolError
from nassim.full_training.networks.construct import module_of, place
from nassim.full_training.relaxations.mixtures import Mix
from nassim.layers import KINDS, Shape
from nassim.layout import Active
from nassim.network import Layer, Network, measure

# Zero in, zero out; the others make something of a zero, or stand outside of what is mixed.
_KEEP_ZERO = frozenset({"max_pool", "avg_pool", "multiply", "resize_channels", "crop", "identity", "zero", "upsample"})
_KEEP_ZERO |= {"take_channels", "shuffle", "edge"}
_PLANS = 512  # paths whose plans are kept


class Step(NamedTuple):
    """A layer to be run: where its output goes, what it takes (-1: zeros), and which values nobody needs after it."""

    position: int
    inputs: tuple[int, ...]
    done: tuple[int, ...]


class MixedNetwork(nn.Module):
    """A supernet of a `Network` with mixed layers, without storage (on ``meta``): `construct.initialize` fills it.

    ``forward`` takes normalized images (batch, channels, height, width) and a mix, and gives logits (batch, classes),
    or of every pixel (batch, classes, height, width).
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._layers = network.layers
        self._shapes = measure(network).shapes
        self._run: list[nn.Module | None] = []
        with torch.device("meta"):
            for layer in network.layers:
                module = None
                if layer.kind not in ("input", "identity", "mix", "edge", "pixels"):
                    module = module_of(layer, [self._shapes[i] for i in layer.inputs])
                    place(self, layer, module)
                    if isinstance(module, nn.BatchNorm2d):
                        module.track_running_stats = False
                        module.running_mean = module.running_var = module.num_batches_tracked = None
                self._run.append(module)
        self._plan_of = lru_cache(maxsize=_PLANS)(self._plan)
        self._weighs = any(layer.kind == "edge" for layer in network.layers)

    @property
    def all_layers(self) -> tuple[Layer, ...]:
        """All layers, those of decisions among them."""
        return self._layers

    @property
    def all_shapes(self) -> tuple[Shape, ...]:
        """The shape of each layer's output, for one image."""
        return self._shapes

    def steps_of(self, mix: Mix) -> tuple[Step, ...]:
        """The layers that a mix runs."""
        return self._plan_of(mix.active, mix.rest is not None)

    def forward(self, images: Tensor, mix: Mix) -> Tensor:
        if mix.edges is not None and not self._weighs:
            raise ProtocolError("a mix weighs decisions as a whole, and this supernet cannot: call shape(partial=...).")
        values: dict[int, Tensor] = {0: images}
        for position, inputs, done in self._plan_of(mix.active, mix.rest is not None):
            layer, module = self._layers[position], self._run[position]
            given = [values[i] if i >= 0 else self._zeros(layer.inputs[k], images) for k, i in enumerate(inputs)]
            if layer.kind == "mix":
                values[position] = self._mixed(layer, position, inputs, given, mix, images)
            elif layer.kind == "edge" and mix.edges is not None:
                values[position] = mix.edges[cast(int, layer.settings["group"])] * given[0]
            else:
                values[position] = given[0] if module is None else module(*given)
            for i in done:
                del values[i]
        logits = values[len(self._layers) - 1]
        return logits if self._layers[-1].kind == "pixels" else logits.flatten(1)

    def _mixed(
        self, layer: Layer, position: int, inputs: Sequence[int], given: list[Tensor], mix: Mix, images: Tensor
    ) -> Tensor:
        group = cast(int, layer.settings["group"])
        if mix.weights is not None:
            weights = mix.weights[group]
            options = dict(zip(layer.inputs, cast("tuple[int, ...]", layer.settings["options"]), strict=True))
            given = [_weight(weights, options[i]) * x for i, x in zip(inputs, given, strict=True)]
        total = sum(given[1:], given[0]) if given else self._zeros(position, images)
        return total if mix.rest is None else total + mix.rest[group]

    def _zeros(self, position: int, images: Tensor) -> Tensor:
        return images.new_zeros(len(images), *self._shapes[position])

    def _plan(self, active: Active, carried: bool) -> tuple[Step, ...]:
        """The layers that a mix needs. carried: something is added to every decision, so that none gives zero."""
        taken = [self._taken(layer, active) for layer in self._layers]
        zero: list[bool] = []
        for layer, inputs in zip(self._layers, taken, strict=True):
            nothing = all(zero[i] for i in inputs)
            zero.append(layer.kind != "input" and nothing and _stays_zero(layer) and not carried)
        needed, last = {len(self._layers) - 1}, {0: 0}
        order: list[tuple[int, tuple[int, ...]]] = []
        for position in reversed(range(1, len(self._layers))):
            if position not in needed:
                continue
            inputs = taken[position]
            if self._layers[position].kind in ("mix", "add"):
                inputs = tuple([i for i in inputs if not zero[i]])
            else:
                inputs = tuple([-1 if zero[i] else i for i in inputs])
            needed.update(i for i in inputs if i >= 0)
            order.append((position, inputs))
        order.reverse()
        for position, inputs in order:
            last[position] = position
            last.update({i: position for i in inputs if i >= 0})
        done: dict[int, list[int]] = {}
        for value, position in last.items():
            if value != len(self._layers) - 1:
                done.setdefault(position, []).append(value)
        return tuple([Step(position, inputs, tuple(done.get(position, ()))) for position, inputs in order])

    def _taken(self, layer: Layer, active: Active) -> tuple[int, ...]:
        if layer.kind != "mix":
            return layer.inputs
        now, options = active[cast(int, layer.settings["group"])], cast("tuple[int, ...]", layer.settings["options"])
        return tuple([i for i, option in zip(layer.inputs, options, strict=True) if option in now])


def _weight(weights: Tensor, option: int) -> Tensor:
    """The weight of an option: a number, or one an image, (batch, 1, 1, 1)."""
    return weights[option] if weights.ndim == 1 else weights[:, option, None, None, None]


def _stays_zero(layer: Layer) -> bool:
    settings = {**KINDS[layer.kind].settings, **layer.settings}
    if layer.kind in ("conv", "batch_norm"):
        return not settings["bias" if layer.kind == "conv" else "affine"]
    if layer.kind == "activation":
        return settings["function"] in ("relu", "relu6", "swish", "hard_swish", "tanh")
    return layer.kind in _KEEP_ZERO or layer.kind in ("mix", "add", "concat", "drop_path")
