"""The networks of NAS-Bench-201 for any number of channels C, cells N and image size, and the skeleton of its supernet.

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1: a 3x3 convolution to C
channels, three stages of N cells with C, 2C and 4C channels, a residual block of stride 2 before the second
and the third, then batch normalization, ReLU, global average pooling and a linear layer.

A network of one cell is its space's (`build`). The skeleton is written out here once more, with the same names, because
a supernet's cells take the mixing weights as a second argument, which no layer has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.full_training.networks.construct import Constructed, construct, initialize
from nassim.network import Frame
from nassim.space import Architecture

__all__ = ["STAGES", "Network", "build", "conv_bn", "initialize", "skeleton"]

STAGES = (1, 2, 4)  # channels in units of C; the image side is divided by the same number


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution without bias, batch normalization: the block of all operations with weights."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Halves the side: two ReLU-convolution-normalization blocks beside an average pooling with a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs, 3, stride=2)
        self.second = conv_bn(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.second(self.first(x)) + self.shortcut(x))


class Network(nn.Module):
    """The skeleton around cells that ``make_cell(channels)`` makes, a supernet's.

    ``forward`` takes normalized images (batch, image_channels, side, side), the side a multiple of 4, and
    gives logits (batch, classes). Further arguments are handed to every cell.
    """

    def __init__(
        self, make_cell: Callable[[int], nn.Module], *, channels: int, cells: int, classes: int, image_channels: int = 3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.stages = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for stage, unit in enumerate(STAGES):
            width = channels * unit
            if stage > 0:
                self.blocks.append(ResidualBlock(width // 2, width))
            self.stages.append(nn.ModuleList([make_cell(width) for _ in range(cells)]))
        self.last = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor, *mix: Tensor) -> Tensor:
        x = self.stem(images)
        for stage, cells in enumerate(self.stages):
            if stage > 0:
                x = self.blocks[stage - 1](x)
            for cell in cast(nn.ModuleList, cells):
                x = cell(x, *mix)
        return cast(Tensor, self.head(self.last(x).mean(dim=(2, 3))))


def build(arch: Architecture, *, channels: int, cells: int, classes: int, image_channels: int = 3) -> Constructed:
    """The network of a cell (of a part of the space, too), without storage (on ``meta``): `initialize` fills it."""
    side = STAGES[-1]  # the smallest; the network is the same for all
    return construct(SPACE.network(whole(arch), Frame(channels, cells, classes, (image_channels, side, side))))


def skeleton(
    make_cell: Callable[[int], nn.Module], *, channels: int, cells: int, classes: int, image_channels: int = 3
) -> Network:
    """`Network` on the ``meta`` device: no memory is taken and no random number drawn."""
    with torch.device("meta"):
        return Network(make_cell, channels=channels, cells=cells, classes=classes, image_channels=image_channels)
