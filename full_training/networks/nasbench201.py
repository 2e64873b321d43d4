"""The networks of NAS-Bench-201 for any number of channels C, cells N and image size.

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1: a 3x3 convolution to C
channels, three stages of N cells with C, 2C and 4C channels, a residual block of stride 2 before the second
and the third, then batch normalization, ReLU, global average pooling and a linear layer.

Weights are drawn from a generator that the caller seeds (PyTorch's default distributions: uniform within
1/sqrt(fan-in)), so that no global random state is read or moved.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nassim.benchmarks.spaces.nasbench201 import EDGES
from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.space import Architecture

STAGES = (1, 2, 4)  # channels in units of C; the image side is divided by the same number


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution without bias, batch normalization: the block of all operations with weights."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def operation(option: int, channels: int) -> nn.Module | None:
    """The module of an edge's option (`benchmarks.spaces.nasbench201.OPERATIONS`); None for ``none``."""
    if option == 0:
        return None
    if option == 1:
        return nn.Identity()
    if option == 4:
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return conv_bn(channels, channels, {2: 1, 3: 3}[option])


class Cell(nn.Module):
    """One cell: six edges between four nodes, a node is the sum of its incoming edges, zero where there are none."""

    def __init__(self, choices: Sequence[int], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict()
        for choice, (source, target) in zip(choices, EDGES, strict=True):
            module = operation(choice, channels)
            if module is not None:
                self.edges[f"{source}-{target}"] = module

    def forward(self, x: Tensor) -> Tensor:
        nodes = [x]
        for target in (1, 2, 3):
            total = None
            for source in range(target):
                if f"{source}-{target}" in self.edges:
                    value = self.edges[f"{source}-{target}"](nodes[source])
                    total = value if total is None else total + value
            nodes.append(torch.zeros_like(x) if total is None else total)
        return nodes[3]


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
    """The skeleton around cells that ``make_cell(channels)`` makes: a cell of the space, or a supernet's.

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


def build(arch: Architecture, *, channels: int, cells: int, classes: int, image_channels: int = 3) -> Network:
    """The network of a cell (of a part of the space, too), without storage (on ``meta``): `initialize` fills it."""
    choices = whole(arch).choices
    return skeleton(
        lambda width: Cell(choices, width),
        channels=channels,
        cells=cells,
        classes=classes,
        image_channels=image_channels,
    )


def skeleton(
    make_cell: Callable[[int], nn.Module], *, channels: int, cells: int, classes: int, image_channels: int = 3
) -> Network:
    """`Network` on the ``meta`` device: no memory is taken and no random number drawn."""
    with torch.device("meta"):
        return Network(make_cell, channels=channels, cells=cells, classes=classes, image_channels=image_channels)


def initialize(network: nn.Module, generator: torch.Generator, device: torch.device | str = "cpu") -> None:
    """Give a network storage on ``device`` and draw its weights.

    One number is drawn from ``generator``; it and a module's name decide that module's weights. So networks of
    the same seed start with the same weights where they have the same modules, and what is left between
    them is the architecture.
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
