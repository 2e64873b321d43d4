"""The networks of NAS-Bench-201 for any number of channels C, cells N and image size.

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1: a 3x3 convolution to C
channels, three stages of N cells with C, 2C and 4C channels, a residual block of stride 2 before the second
and the third, then batch normalization, ReLU, global average pooling and a linear layer.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.full_training.networks.construct import Constructed, construct, initialize
from nassim.network import Frame
from nassim.space import Architecture

__all__ = ["STAGES", "build", "initialize"]

STAGES = (1, 2, 4)  # channels in units of C; the image side is divided by the same number


def build(arch: Architecture, *, channels: int, cells: int, classes: int, image_channels: int = 3) -> Constructed:
    """The network of a cell (of a part of the space, too), without storage (on ``meta``): `initialize` fills it."""
    side = STAGES[-1]  # the smallest; the network is the same for all
    return construct(SPACE.network(whole(arch), Frame(channels, cells, classes, (image_channels, side, side))))
