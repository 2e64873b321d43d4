"""The kinds of layers that networks are made of: for each its settings, the shape it makes, its parameters, its work.

Shapes are those of one image, (channels, height, width). A convolution or pooling is padded so that with stride 1 it
keeps the side (an even kernel loses one), unless ``padding`` says otherwise; ``kernel`` and ``stride`` are a number or
(height, width). The torch module of each kind stands in `nassim.full_training.networks.construct`.

Multiply-adds (``macs``) are those of convolutions and linear layers, for one image, biases not counted: what
published counts add to that differs from benchmark to benchmark, and their spaces say it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Setting = int | float | str | tuple[int, ...]
Settings = Mapping[str, Any]
Shape = tuple[int, int, int]
ACTIVATIONS = ("relu", "relu6", "swish", "hard_swish", "sigmoid", "hard_sigmoid", "tanh")
REQUIRED = object()  # in place of a default
LARGEST = 1 << 24  # channels or pixels of a side; beyond it a network is a mistake


class Kind(NamedTuple):
    """A kind of layers; the functions take the shapes of the inputs and the settings, and raise ValueError."""

    inputs: tuple[int, int]  # at least, at most
    settings: Mapping[str, Any]  # name -> default or REQUIRED
    shape: Callable[[Sequence[Shape], Settings], Shape]
    parameters: Callable[[Sequence[Shape], Shape, Settings], int] = lambda inputs, output, settings: 0
    macs: Callable[[Sequence[Shape], Shape, Settings], int] = lambda inputs, output, settings: 0
    stored: bool = True  # whether its output takes memory of its own


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """A setting that is a number or (height, width), as the latter."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def paddings(settings: Settings) -> tuple[int, int]:
    """Rows above and below, columns left and right."""
    if settings["padding"] != "same":
        return pair(settings["padding"])
    height, width = pair(settings["kernel"])
    dilation = settings.get("dilation", 1)
    return dilation * (height - 1) // 2, dilation * (width - 1) // 2


def acceptable(name: str, value: object) -> bool:
    """Whether a setting is of the right type and not absurdly large; what fits is the kind's to say."""
    if name in ("bias", "affine", "bilinear"):
        return value is True or value is False
    if name == "options":
        return isinstance(value, tuple) and all(option.__class__ is int and 0 <= option < 999 for option in value)
    if name == "function" or value == "same":
        return name == "function" or name == "padding"
    sides = value if isinstance(value, tuple) and len(value) == 2 and name in _WINDOW else (value,)
    return all(side.__class__ is int and 0 <= side <= LARGEST for side in sides)


def _pool(inputs: Sequence[Shape], settings: Settings) -> Shape:
    for side, padding in zip(pair(settings["kernel"]), paddings(settings), strict=True):
        if 2 * padding > side:
            raise ValueError(f"padding {settings['padding']} is more than half of its kernel {settings['kernel']}")
    return _window(inputs[0][0], inputs[0], settings)


def _window(channels: int, shape: Shape, settings: Settings) -> Shape:
    """What a window that slides over an image leaves of it."""
    kernel, stride, padding = settings["kernel"], settings["stride"], settings["padding"]
    if kernel.__class__ is stride.__class__ is int and padding == "same":  # most windows: one side for both
        padding, reach = settings.get("dilation", 1) * (kernel - 1), settings.get("dilation", 1) * (kernel - 1) + 1
        padding = padding // 2 * 2
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernel {kernel} and stride {stride} must be at least 1")
        height, width = (shape[1] + padding - reach) // stride + 1, (shape[2] + padding - reach) // stride + 1
    else:
        sides = []
        for side, k, s, p in zip(shape[1:], pair(kernel), pair(stride), paddings(settings), strict=True):
            if k < 1 or s < 1 or not 0 <= p <= k * settings.get("dilation", 1):
                raise ValueError(f"kernel {kernel}, stride {stride} and padding {padding} make no window")
            sides.append((side + 2 * p - settings.get("dilation", 1) * (k - 1) - 1) // s + 1)
        height, width = sides
    if height < 1 or width < 1:
        raise ValueError(f"nothing is left of maps of {shape[1]}x{shape[2]} (kernel {kernel}, stride {stride})")
    return channels, height, width


def _conv(inputs: Sequence[Shape], settings: Settings) -> Shape:
    channels, groups = settings["channels"], settings["groups"]
    if groups < 1 or inputs[0][0] % groups or channels % groups:
        raise ValueError(f"{groups} groups do not divide {inputs[0][0]} channels in and {channels} out")
    if settings["dilation"] < 1:
        raise ValueError(f"dilation {settings['dilation']} must be at least 1")
    return _window(channels, inputs[0], settings)


def _weights(inputs: Sequence[Shape], output: Shape, settings: Settings) -> int:
    kernel = settings["kernel"]
    area = kernel * kernel if kernel.__class__ is int else kernel[0] * kernel[1]
    return int(inputs[0][0] // settings["groups"] * output[0] * area)


def _same(inputs: Sequence[Shape], settings: Settings) -> Shape:
    return inputs[0]


def _equal(inputs: Sequence[Shape], settings: Settings) -> Shape:
    first = inputs[0]
    for other in inputs:
        if other != first:
            raise ValueError(f"its inputs differ: {_text(first)} and {_text(other)}")
    return first


def _concat(inputs: Sequence[Shape], settings: Settings) -> Shape:
    channels, (_, height, width) = 0, inputs[0]
    for shape in inputs:
        if shape[1] != height or shape[2] != width:
            raise ValueError(f"its inputs have maps of {height}x{width} and {shape[1]}x{shape[2]}")
        channels += shape[0]
    return channels, height, width


def _scaled(inputs: Sequence[Shape], settings: Settings) -> Shape:
    first, second = inputs
    if second not in (first, (first[0], 1, 1)):
        raise ValueError(f"{_text(first)} cannot be multiplied by {_text(second)}")
    return first


def _mixed(inputs: Sequence[Shape], settings: Settings) -> Shape:
    if len(set(settings["options"])) != len(inputs):
        raise ValueError(f"its {len(inputs)} inputs are the options {settings['options']}")
    return _equal(inputs, settings)


def _taken(inputs: Sequence[Shape], settings: Settings) -> Shape:
    first, count = settings["first"], settings["channels"]
    if first + count > inputs[0][0]:
        raise ValueError(f"channels {first} to {first + count - 1} are not among {inputs[0][0]}")
    return count, *inputs[0][1:]


def _shuffled(inputs: Sequence[Shape], settings: Settings) -> Shape:
    if settings["groups"] < 1 or inputs[0][0] % settings["groups"]:
        raise ValueError(f"{settings['groups']} groups do not divide {inputs[0][0]} channels")
    return inputs[0]


def _activation(inputs: Sequence[Shape], settings: Settings) -> Shape:
    if settings["function"] not in ACTIVATIONS:
        raise ValueError(f"{settings['function']!r:.40} is not an activation: use {', '.join(ACTIVATIONS)}")
    return inputs[0]


def _crop(inputs: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = inputs[0]
    if height < 2 or width < 2:
        raise ValueError(f"nothing is left of maps of {height}x{width} without their first row and column")
    return channels, height - 1, width - 1


def _padded(inputs: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = inputs[0]
    if settings["height"] < height or settings["width"] < width:
        raise ValueError(f"maps of {height}x{width} cannot be padded to {settings['height']}x{settings['width']}")
    return channels, settings["height"], settings["width"]


def _upsample(inputs: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = inputs[0]
    if settings["factor"] < 1:
        raise ValueError(f"factor {settings['factor']} must be at least 1")
    return channels, height * settings["factor"], width * settings["factor"]


def _flat(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))


_WINDOW: Settings = {"kernel": 3, "stride": 1, "padding": "same"}
_CONVOLUTION: Settings = {"channels": REQUIRED, **_WINDOW, "kernel": 1, "groups": 1, "dilation": 1, "bias": False}

KINDS: Mapping[str, Kind] = {
    # The image; a network begins with one.
    "input": Kind(
        (0, 0),
        {"channels": REQUIRED, "height": REQUIRED, "width": REQUIRED},
        lambda inputs, s: (s["channels"], s["height"], s["width"]),
        stored=False,
    ),
    "conv": Kind(
        (1, 1),
        _CONVOLUTION,
        _conv,
        lambda inputs, output, s: _weights(inputs, output, s) + (output[0] if s["bias"] else 0),
        lambda inputs, output, s: _weights(inputs, output, s) * output[1] * output[2],
    ),
    # By the moments of a batch; affine: with a scale and a shift for each channel.
    "batch_norm": Kind((1, 1), {"affine": True}, _same, lambda inputs, output, s: 2 * output[0] if s["affine"] else 0),
    "activation": Kind((1, 1), {"function": "relu"}, _activation),
    "max_pool": Kind((1, 1), _WINDOW, _pool),
    # The padding does not count in the mean.
    "avg_pool": Kind((1, 1), _WINDOW, _pool),
    # The mean of each channel: (channels, 1, 1).
    "global_pool": Kind((1, 1), {}, lambda inputs, s: (inputs[0][0], 1, 1)),
    # Of all values, channel by channel: (channels, 1, 1).
    "linear": Kind(
        (1, 1),
        {"channels": REQUIRED, "bias": True},
        lambda inputs, s: (s["channels"], 1, 1),
        lambda inputs, output, s: output[0] * (_flat(inputs[0]) + (1 if s["bias"] else 0)),
        lambda inputs, output, s: output[0] * _flat(inputs[0]),
    ),
    "add": Kind((1, 999), {}, _equal),  # from left to right
    "concat": Kind((1, 999), {}, _concat),
    # By another of the same shape, or by a number for each channel (squeeze-and-excitation).
    "multiply": Kind((2, 2), {}, _scaled),
    # The first channels, or all and zeros behind them.
    "resize_channels": Kind((1, 1), {"channels": REQUIRED}, lambda inputs, s: (s["channels"], *inputs[0][1:])),
    # Zeros on all sides up to a height and a width; where they cannot be the same, one more below and to the right.
    "pad": Kind((1, 1), {"height": REQUIRED, "width": REQUIRED}, _padded),
    "crop": Kind((1, 1), {}, _crop, stored=False),  # the first row and column away
    "identity": Kind((1, 1), {}, _same, stored=False),
    "zero": Kind((1, 1), {}, _same),  # zeros of its input's shape
    # Each pixel several times, or on a straight line between pixels in both directions.
    "upsample": Kind((1, 1), {"factor": 2, "bilinear": False}, _upsample),
    # Gaussian noise of its input's shape after a window of one pixel, whatever the input is.
    "noise": Kind((1, 1), {**_WINDOW, "kernel": 1}, _pool),
    # Channels ``first``, ``first`` + 1, ... of its input.
    "take_channels": Kind((1, 1), {"first": REQUIRED, "channels": REQUIRED}, _taken, stored=False),
    # Channels dealt to ``groups`` and read group by group (Zhang et al., CVPR 2018, arXiv:1707.01083).
    "shuffle": Kind((1, 1), {"groups": REQUIRED}, _shuffled),
    # A decision of a supernet as a whole, weighed where a mix says so. No architecture's network has it.
    "edge": Kind((1, 1), {"group": REQUIRED}, _same),
    # A decision of a supernet (its number among the layout's groups): the weighted sum of its options, of which
    # ``options`` says each input's; one without an input gives zero. No architecture's network has it.
    "mix": Kind((1, 999), {"group": REQUIRED, "options": REQUIRED}, _mixed),
    # At the end of a network that gives every pixel a class: its logits stay maps.
    "pixels": Kind((1, 1), {}, _same, stored=False),
    # Where a recipe may drop an operation's output, image by image; otherwise the identity.
    "drop_path": Kind((1, 1), {}, _same, stored=False),
}
