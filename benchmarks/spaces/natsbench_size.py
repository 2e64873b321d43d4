"""The size space of NATS-Bench: the number of channels at five places of one fixed network.

Paper: X. Dong, L. Liu, K. Musial, B. Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology
    and Size", TPAMI 2021, arXiv:2009.00437, section 3.2.

Each place has 8, 16, ..., 64 channels: 8^5 = 32,768 sizes, written ``64:64:64:64:64``. The network is that of
NAS-Bench-201 with one cell a stage, a 3x3 convolution to c1 channels, a cell (c1), a residual block of stride 2
(c1 to c2), a cell (c2 to c3), a block (c3 to c4), a cell (c4 to c5), then batch normalization, global average
pooling and a linear layer. The cell is the same everywhere, the best one found in the topology space:
``|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|``. What leaves its
first node changes the number of channels; a skip does it by a 1x1 convolution with batch normalization.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench201_network import skeleton
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, SearchSpace

WIDTHS = tuple(range(8, 65, 8))
PLACES = ("stem_and_cell1", "block1", "cell2", "block2", "cell3")
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
_OFFICIAL = re.compile(r":".join([f"({'|'.join(map(str, WIDTHS))})"] * len(PLACES)))


class NATSBenchSizeSpace(SearchSpace):
    """Five places with eight widths each.

    >>> arch = SPACE.parse("8:8:16:32:64")
    >>> str(arch), SPACE.format(arch), len(SPACE.neighbors(arch))
    ('natsbench-size:0-0-1-3-7', '8:8:16:32:64', 35)
    """

    frame = Frame(channels=64, cells=1, classes=10)

    def __init__(self) -> None:
        super().__init__("natsbench-size", [Decision(place, tuple(map(str, WIDTHS))) for place in PLACES])

    def parse(self, text: str) -> Architecture:
        """Read the official string of five widths, five digits 0 to 7, or ``natsbench-size:0-0-1-3-7``."""
        match = _OFFICIAL.fullmatch(text.strip())
        if match is None:
            return super().parse(text)
        return Architecture(self.name, tuple([WIDTHS.index(int(width)) for width in match.groups()]))

    def how_to_write(self) -> str:
        return (
            f"Write 64:64:64:64:64 (multiples of 8 from {WIDTHS[0]} to {WIDTHS[-1]}) or {self.name}:7-7-7-7-7, "
            f"places in the order {', '.join(PLACES)}."
        )

    def format(self, arch: Architecture) -> str:
        """The official string, widths separated by colons."""
        return ":".join(str(WIDTHS[choice]) for choice in arch.choices)

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the largest width, 64 as published; others go with it, at least one channel."""
        c1, c2, c3, c4, c5 = (max(1, WIDTHS[c] * frame.channels // WIDTHS[-1]) for c in self.check(arch).choices)
        operations = [token.partition("~")[0] for token in re.findall(r"\w+~", CELL)]
        return skeleton(operations, (c1, c2, c3, c4, c5), frame)

    # Growth, for progressive search: places that are wider than the smallest width.

    def complexity(self, arch: Architecture) -> int:
        """Number of places that are wider than 8 channels."""
        return sum(choice > 0 for choice in arch.choices)

    def smallest(self) -> list[Architecture]:
        """8:8:8:8:8."""
        return [self.at(0)]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """Any other width at one place that has 8 channels."""
        return [other for other in self.neighbors(arch) if self.complexity(other) > self.complexity(arch)]


SPACE = NATSBenchSizeSpace()


def parameters(choices: NDArray[Any], *, classes: int) -> NDArray[np.int64]:
    """Trainable parameters, shape (n,), of sizes given as choices (n, 5)."""
    return _count(choices, classes, side=0)


def flops(choices: NDArray[Any], *, classes: int, side: int) -> NDArray[np.int64]:
    """Multiply-adds of convolutions and the linear layer for one image of ``side`` pixels, shape (n,)."""
    return _count(choices, classes, side=side)


def _count(choices: NDArray[Any], classes: int, *, side: int) -> NDArray[np.int64]:
    """Multiply-adds for an image of ``side`` pixels; 0: parameters, with two for each normalized channel."""
    c1, c2, c3, c4, c5 = ((np.asarray(choices, dtype=np.int64) + 1) * WIDTHS[0]).T

    def conv(inputs: Any, outputs: Any, kernel: int, at: int, *, normalized: bool = True) -> Any:
        weights = inputs * outputs * kernel**2
        return weights * at * at if side else weights + 2 * outputs * normalized

    def cell(inputs: Any, outputs: Any, at: int) -> Any:
        changes = conv(inputs, outputs, 1, at) * (inputs != outputs)
        return 2 * conv(inputs, outputs, 3, at) + 3 * conv(outputs, outputs, 3, at) + changes

    def block(inputs: Any, outputs: Any, at: int) -> Any:
        shortcut = conv(inputs, outputs, 1, at, normalized=False)
        return conv(inputs, outputs, 3, at) + conv(outputs, outputs, 3, at) + shortcut

    half, quarter = side // 2, side // 4
    total: NDArray[np.int64] = (
        conv(3, c1, 3, side)
        + cell(c1, c1, side)
        + block(c1, c2, half)
        + cell(c2, c3, half)
        + block(c3, c4, quarter)
        + cell(c4, c5, quarter)
        + (0 if side else 2 * c5)
        + (c5 + 1) * classes
    )
    return total
