"""Parameters and FLOPs of NAS-Bench-201's networks, counted from the skeleton.

Paper: Dong & Yang, ICLR 2020, arXiv:2001.00326, section 2.1. A 3x3 convolution to C channels, three
stages of N cells with C, 2C and 4C channels, a residual block of stride 2 before the second and the third,
then batch normalization, global average pooling and a linear layer. Convolutions have no bias, batch
normalizations have a scale and a shift, and both convolutions of a block are ReLU-Conv-BN; its shortcut
is an average pooling and a bare 1x1 convolution.
The benchmark's own networks have C = 16 and N = 5.

FLOPs are multiply-adds of the convolutions and the linear layer (its bias counted too), for one image,
as in the official API (there in millions): pooling, normalization, ReLU and sums count nothing. All edges
are counted, also those that lead nowhere, as the authors' counter does. Both counts are sums over edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STAGES = (1, 2, 4)  # channels in units of C; the image side is divided by the same number
_KERNEL = {2: 1, 3: 3}  # option of an edge -> kernel size; the other options have no weights


def parameters(
    choices: NDArray[Any], *, classes: int, channels: int = 16, cells: int = 5, image_channels: int = 3
) -> NDArray[np.int64]:
    """Trainable parameters, shape (n,), of cells given as choices (n, 6), in a skeleton of C channels and N cells."""
    widths = [channels * unit for unit in STAGES]
    per_option = [sum(cells * _conv_bn(C, C, _KERNEL[o]) for C in widths) if o in _KERNEL else 0 for o in range(5)]
    stem = _conv_bn(image_channels, channels, 3)
    blocks = sum(_conv_bn(C // 2, C, 3) + _conv_bn(C, C, 3) + C // 2 * C for C in widths[1:])
    return _add(choices, per_option, stem + blocks + 2 * widths[-1] + (widths[-1] + 1) * classes)


def flops(
    choices: NDArray[Any], *, classes: int, side: int, channels: int = 16, cells: int = 5, image_channels: int = 3
) -> NDArray[np.int64]:
    """Multiply-adds for one image of ``side`` pixels, shape (n,), of cells given as choices (n, 6)."""
    widths = [channels * unit for unit in STAGES]
    area = {C: (side // unit) ** 2 for C, unit in zip(widths, STAGES, strict=True)}
    per_option = [
        sum(cells * area[C] * C * C * _KERNEL[o] ** 2 for C in widths) if o in _KERNEL else 0 for o in range(5)
    ]
    stem = area[channels] * image_channels * channels * 9
    blocks = sum(area[C] * (C // 2 * C * 9 + C * C * 9 + C // 2 * C) for C in widths[1:])
    return _add(choices, per_option, stem + blocks + (widths[-1] + 1) * classes)


def _conv_bn(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + 2 * outputs


def _add(choices: NDArray[Any], per_option: list[int], rest: int) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.array(per_option, dtype=np.int64)[choices].sum(axis=1) + rest
    return total
