"""The networks of CGP-CNN: what the active nodes of a grid compute, then a linear layer on all values.

Paper: Suganuma, Shirakawa, Nagao, GECCO 2017, arXiv:1704.00764, section 3.2. The spaces' docstring says the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from nassim.layers import Shape
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

PUBLISHED_WIDTH = 32  # of the narrowest convolution
ActiveNodes = Mapping[int, tuple[str, tuple[int, ...]]]


def assembled(nodes: ActiveNodes, frame: Frame) -> Network:
    """The network of active nodes, by their number and in order: function and inputs (0 is the image)."""
    draft = Draft(frame.image)
    made: dict[int, tuple[int, Shape]] = {0: (0, frame.image)}  # number -> layer, shape
    for i, (function, inputs) in nodes.items():
        made[i] = _node(draft, f"nodes.{i}", function, [made[source] for source in inputs], frame)
    return draft.network(draft.add("head", "linear", made[list(nodes)[-1]][0], channels=frame.classes))


def width_of(function: str) -> int:
    """Channels of a convolution or residual block, as published: 32 of ``conv32-3x3``."""
    return int(function.partition("-")[0].removeprefix("conv").removeprefix("res"))


def _node(draft: Draft, name: str, function: str, given: list[tuple[int, Shape]], frame: Frame) -> tuple[int, Shape]:
    x, (channels, height, width) = given[0]
    if function in ("max_pool", "avg_pool"):
        if min(height, width) < 2:
            return draft.add(f"{name}.whole", "identity", x), given[0][1]
        return draft.add(name, function, x, kernel=2, stride=2), (channels, height // 2, width // 2)
    if function in ("concat", "sum"):
        side = min(shape[1:] for _, shape in given)
        layers = [_pooled(draft, f"{name}.input{i}", *one, side) for i, one in enumerate(given)]
        if function == "concat":
            return draft.add(f"{name}.concat", "concat", *layers), (sum(shape[0] for _, shape in given), *side)
        widest = max(shape[0] for _, shape in given)
        layers = [
            _padded(draft, f"{name}.input{i}.padded", layer, shape[0], widest)
            for i, (layer, (_, shape)) in enumerate(zip(layers, given, strict=True))
        ]
        return draft.add(f"{name}.sum", "add", *layers), (widest, *side)
    kind, _, kernel = function.partition("-")
    C = max(1, width_of(function) * frame.channels // PUBLISHED_WIDTH)
    convolution: Step = ("conv", {"channels": C, "kernel": int(kernel[0])})
    if kind.startswith("conv"):
        return draft.chain(name, x, convolution, NORMALIZED, RELU), (C, height, width)
    widest = max(C, channels)
    inner = draft.chain(f"{name}.inner", x, convolution, NORMALIZED, RELU, convolution, NORMALIZED)
    inner = _padded(draft, f"{name}.padded", inner, C, widest)
    outer = _padded(draft, f"{name}.shortcut", x, channels, widest)
    return draft.chain(f"{name}.relu", draft.add(f"{name}.sum", "add", inner, outer), RELU), (widest, height, width)


def _pooled(draft: Draft, name: str, x: int, shape: Shape, side: tuple[int, int]) -> int:
    """``x`` with maps of ``side``: all maps of a network are its image halved some times, rounded down."""
    height, width = shape[1:]
    while (height, width) != side:
        height, width = height // 2, width // 2
        x = draft.add(f"{name}.pool{height}x{width}", "max_pool", x, kernel=2, stride=2)
    return x


def _padded(draft: Draft, name: str, x: int, channels: int, widest: int) -> int:
    return x if channels == widest else draft.add(name, "resize_channels", x, channels=widest)
