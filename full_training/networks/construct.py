"""Networks of layers as torch modules: weights have the names of layers, first weights follow from seed and name.

So networks of the same seed start with the same weights where they have layers of the same name, kind and shape, and
what is left between them is the architecture. Weights are drawn from a generator that the caller seeds (PyTorch's
default distributions: uniform within 1/sqrt(fan-in)), so that no global random state is read or moved.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.errors import InvalidNetwork
from nassim.layers import KINDS, Shape, paddings
from nassim.network import AUXILIARY, Layer, Network, measure

Settings = Mapping[str, Any]


class Constructed(nn.Module):
    """A network; `construct` makes it.

    ``forward`` takes images (batch, channels, height, width) and gives logits (batch, classes); in training, for a
    network with a second output (``has_auxiliary``), logits and that output's. Where the output is of the kind
    ``pixels`` logits are those of each: (batch, classes, height, width).
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        shapes = measure(network).shapes
        self._auxiliary = network.auxiliary
        self.has_auxiliary = network.auxiliary >= 0
        self._output = len(network.layers) - 1
        self._maps = network.layers[-1].kind == "pixels"
        steps = []
        for position, layer in enumerate(network.layers[1:], 1):
            module = None
            if layer.kind not in ("identity", "pixels"):
                module = module_of(layer, [shapes[i] for i in layer.inputs])
                place(self, layer, module)
            steps.append((position, layer.inputs, module, layer.name.startswith(AUXILIARY)))
        self._training = _freed(steps, {self._output, self._auxiliary})
        self._evaluation = _freed([step for step in steps if not step[3]], {self._output})

    def timed(self, images: Tensor, clock: Callable[[], float]) -> dict[int, float]:
        """What ``clock`` counts while each layer of an evaluation works, by its position."""
        values, seconds = {0: images}, dict[int, float]()
        for position, inputs, module, done in self._evaluation:
            given = [values[i] for i in inputs]
            if module is None:
                values[position] = given[0]
            else:
                began = clock()
                values[position] = module(*given)
                seconds[position] = clock() - began
            for i in done:
                del values[i]
        return seconds

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        values: dict[int, Tensor] = {0: images}
        for position, inputs, module, done in self._training if self.training else self._evaluation:
            given = [values[i] for i in inputs]
            values[position] = given[0] if module is None else module(*given)
            for i in done:
                del values[i]
        logits = values[self._output] if self._maps else values[self._output].flatten(1)
        if self.training and self.has_auxiliary:
            return logits, values[self._auxiliary].flatten(1)
        return logits


Step = tuple[int, tuple[int, ...], nn.Module | None, bool]


def _freed(steps: Sequence[Step], wanted: set[int]) -> list[tuple[int, tuple[int, ...], nn.Module | None, list[int]]]:
    """The steps, each with the values that nobody needs after it."""
    last = {0: 0}
    for position, inputs, _, _ in steps:
        last[position] = position
        last.update(dict.fromkeys(inputs, position))
    done: dict[int, list[int]] = {}
    for value, position in last.items():
        if value not in wanted:
            done.setdefault(position, []).append(value)
    return [(position, inputs, module, done.get(position, [])) for position, inputs, module, _ in steps]


def module_of(layer: Layer, inputs: Sequence[Shape]) -> nn.Module:
    """The module of a layer whose inputs have these shapes; `InvalidNetwork` for a decision of a supernet."""
    if layer.kind not in _MODULES:
        raise InvalidNetwork(f"layer {layer.name!r:.80} ({layer.kind}): a network has none, only a supernet.")
    return _MODULES[layer.kind]({**KINDS[layer.kind].settings, **layer.settings}, inputs)


def place(root: nn.Module, layer: Layer, module: nn.Module) -> None:
    """Give a module the name of its layer in ``root``; dots in it are modules that hold others."""
    *groups, last = layer.name.split(".")
    parent = root
    for group in groups:
        if group not in parent._modules:
            _register(parent, group, nn.Module(), layer)
        parent = cast(nn.Module, parent._modules[group])
    _register(parent, last, module, layer)


def _register(parent: nn.Module, name: str, module: nn.Module, layer: Layer) -> None:
    try:
        parent.add_module(name, module)
    except KeyError as error:
        raise InvalidNetwork(f"layer {layer.name!r:.80} cannot have that name: {error}.") from None


def construct(network: Network) -> Constructed:
    """The module of a network, without storage (on the ``meta`` device): `initialize` fills it.

    `InvalidNetwork` for one that cannot be.
    """
    with torch.device("meta"):
        return Constructed(network)


def initialize(network: nn.Module, generator: torch.Generator, device: torch.device | str = "cpu") -> None:
    """Give a network storage on ``device`` and draw its weights.

    One number is drawn from ``generator``; it and a module's name decide that module's weights.
    """
    base = int(torch.randint(0, 2**62, (), generator=generator))
    network.to_empty(device=device)
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            own = torch.Generator().manual_seed(base ^ zlib.crc32(name.encode()))
            bound = 1.0 / math.sqrt(module.weight[0].numel())
            for parameter in module.parameters():
                values = torch.empty(parameter.shape).uniform_(-bound, bound, generator=own)
                with torch.no_grad():
                    parameter.copy_(values)


# -- the kinds of `nassim.layers` that are no module of torch's own ----------------------------------


class Applied(nn.Module):
    """A function of tensors."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


class Linear(nn.Linear):
    """A linear layer of all values of an image, which gives maps of one pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1))[:, :, None, None]


class DropPath(nn.Module):
    """Drops its input for some images of a batch and scales the others up, in training and if ``probability`` says so.

    Paper: Larsson et al., "FractalNet", ICLR 2017, arXiv:1605.07648; per image as in DARTS' evaluation.
    Whoever sets ``probability`` sets ``generator`` too, one of the device of what it drops.
    """

    probability = 0.0
    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0.0:
            return x
        keep = 1.0 - self.probability
        kept = torch.empty(len(x), 1, 1, 1, device=x.device).bernoulli_(keep, generator=self.generator)
        return x * (kept / keep).to(x)


class Noise(nn.Module):
    """Standard normal noise of its input's shape (after the stride), drawn anew each time; no gradient passes.

    Whoever runs it sets ``generator``, one of the device of its input.
    """

    generator: torch.Generator | None = None

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        shape = x[:, :, :: self.stride, :: self.stride].shape
        return torch.randn(shape, generator=self.generator, device=x.device).to(x)


def _add(first: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        first = first + other
    return first


def _resized(x: Tensor, channels: int) -> Tensor:
    return x[:, :channels] if channels <= x.shape[1] else F.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))


def _padded(x: Tensor, height: int, width: int) -> Tensor:
    rows, columns = height - x.shape[2], width - x.shape[3]
    return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


def _shuffled(x: Tensor, groups: int) -> Tensor:
    n, channels, height, width = x.shape
    return x.reshape(n, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)


def _convolution(s: Settings, inputs: Sequence[Shape]) -> nn.Module:
    plain = (s["kernel"], s["stride"], paddings(s), s["dilation"], s["groups"], s["bias"])
    return nn.Conv2d(inputs[0][0], s["channels"], *plain)


def _max_pool(s: Settings, inputs: Sequence[Shape]) -> nn.Module:
    return nn.MaxPool2d(s["kernel"], s["stride"], paddings(s))


def _avg_pool(s: Settings, inputs: Sequence[Shape]) -> nn.Module:
    return nn.AvgPool2d(s["kernel"], s["stride"], paddings(s), count_include_pad=False)


def _upsample(factor: int, *, bilinear: bool) -> nn.Module:
    how: dict[str, Any] = {"mode": "bilinear", "align_corners": False} if bilinear else {}
    return nn.Upsample(scale_factor=factor, **how)


_ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "swish": nn.SiLU,
    "hard_swish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "tanh": nn.Tanh,
}
_MODULES: Mapping[str, Callable[[Settings, Sequence[Shape]], nn.Module]] = {
    "conv": _convolution,
    "batch_norm": lambda s, inputs: nn.BatchNorm2d(inputs[0][0], affine=s["affine"]),
    "activation": lambda s, inputs: _ACTIVATIONS[s["function"]](),
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "global_pool": lambda s, inputs: Applied(lambda x: x.mean(dim=(2, 3), keepdim=True)),
    "linear": lambda s, inputs: Linear(math.prod(inputs[0]), s["channels"], bias=s["bias"]),
    "add": lambda s, inputs: Applied(_add),
    "concat": lambda s, inputs: Applied(lambda *x: torch.cat(x, dim=1)),
    "multiply": lambda s, inputs: Applied(torch.mul),
    "resize_channels": lambda s, inputs: Applied(lambda x: _resized(x, s["channels"])),
    "pad": lambda s, inputs: Applied(lambda x: _padded(x, s["height"], s["width"])),
    "take_channels": lambda s, inputs: Applied(lambda x: x[:, s["first"] : s["first"] + s["channels"]]),
    "shuffle": lambda s, inputs: Applied(lambda x: _shuffled(x, s["groups"])),
    "crop": lambda s, inputs: Applied(lambda x: x[:, :, 1:, 1:]),
    "zero": lambda s, inputs: Applied(torch.zeros_like),
    "upsample": lambda s, inputs: _upsample(s["factor"], bilinear=s["bilinear"]),
    "pixels": lambda s, inputs: nn.Identity(),
    "drop_path": lambda s, inputs: DropPath(),
    "noise": lambda s, inputs: Noise(s["stride"]),
}
