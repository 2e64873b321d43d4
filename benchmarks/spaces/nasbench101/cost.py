"""Parameters of NAS-Bench-101's networks, counted from the description of the network.

Paper: Ying et al., ICML 2019, arXiv:1902.09635, section 2.3. A 3x3 convolution to 128 channels, three stacks of
three equal modules, the channels doubled by the first module of the second and the third stack, global average
pooling, a linear layer. Every convolution has no bias and is followed by batch normalization with scale and
shift. Into a module from its input lead 1x1 convolutions to the channels of the vertex that receives them;
the other edges are truncated; what reaches the output is concatenated (and the projected input added).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import Size, pair_bit

CHANNELS = 128
STACKS = (1, 2, 4)  # channels in units of CHANNELS
MODULES = 3  # a stack
CLASSES = 10
_KERNELS = (3, 1, None)  # of the operations, in their order


def parameters(size: Size) -> NDArray[np.int64]:
    """Trainable parameters (cells,) of all cells of a size."""
    widths = [CHANNELS, *(CHANNELS * unit for unit in STACKS for _ in range(MODULES))]  # of the modules' outputs
    fixed = _convolution(3, CHANNELS, 3) + (widths[-1] + 1) * CLASSES
    total = np.full(len(size.wiring), fixed, dtype=np.int64)
    for position, wiring in enumerate(size.wirings.tolist()):
        cells = slice(*np.searchsorted(size.wiring, [position, position + 1]))  # they lie together
        for inputs, outputs in pairwise(widths):
            channels = vertex_channels(wiring, size.vertices, inputs, outputs)
            projected = [v for v in range(1, size.vertices) if wiring >> pair_bit(0, v) & 1]
            total[cells] += sum(_convolution(inputs, channels[v], 1) for v in projected)
            for v in range(1, size.vertices - 1):
                costs = [_convolution(channels[v], channels[v], kernel) if kernel else 0 for kernel in _KERNELS]
                total[cells] += np.array(costs)[size.labels[cells, v - 1]]
    return total


def vertex_channels(wiring: int, vertices: int, inputs: int, outputs: int) -> list[int]:
    """Channels of each vertex of a module.

    The module's output is split evenly between the inner vertices that feed it, the first of them taking
    the remainder; any other vertex has as many channels as the widest that it feeds.
    """
    last = vertices - 1
    channels = [inputs, *[0] * (vertices - 2), outputs]
    feeding = [v for v in range(1, last) if wiring >> pair_bit(v, last) & 1]
    for i, v in enumerate(feeding):
        channels[v] = outputs // len(feeding) + (i < outputs % len(feeding))
    for v in reversed(range(1, last)):
        if v not in feeding:
            channels[v] = max(channels[u] for u in range(v + 1, last) if wiring >> pair_bit(v, u) & 1)
    return channels


def _convolution(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + 2 * outputs
