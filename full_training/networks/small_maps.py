"""Convolutions of maps of a few pixels as one matrix product each: the same numbers but for rounding, and sooner.

On a map of 2 x 2 most of a 3x3 kernel lies over the edge, and a convolution routine multiplies with zeros. As a matrix
over all pixels, made from the weights once a batch, the same layer is a single product.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 2  # up to this side; at 4 the routines are as fast


class MatrixConv(nn.Conv2d):
    """A convolution of stride 1 that keeps the side of its maps.

    ``forward`` takes (batch, channels, side, side); maps above `SIDE` or not square go the usual way.
    """

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        if height != width or height > SIDE:
            return super().forward(x)
        weight, bias, pixels = self.weight, self.bias, height * width
        kernel = weight.shape[-1]
        taps = _taps(kernel, height, weight.device, weight.dtype)
        matrix = (weight.reshape(-1, kernel * kernel) @ taps).view(-1, channels, pixels, pixels)
        matrix = matrix.permute(0, 2, 1, 3).reshape(-1, channels * pixels)  # (out * pixels, in * pixels)
        bias = None if bias is None else bias.repeat_interleave(pixels)
        return F.linear(x.reshape(batch, -1), matrix, bias).view(batch, -1, height, width)


@cache  # for each device: a table that lay on the CPU would be copied at every call
def _taps(kernel: int, side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(taps of a kernel, pixel out x pixel in), 1 where the tap leads from the one to the other."""
    taps = torch.zeros(kernel, kernel, side, side, side, side)
    for out in range(side * side):
        for into in range(side * side):
            row, column = into // side - out // side + kernel // 2, into % side - out % side + kernel // 2
            if 0 <= row < kernel and 0 <= column < kernel:
                taps[row, column, out // side, out % side, into // side, into % side] = 1.0
    return taps.view(kernel * kernel, -1).to(device, dtype)


def as_matrices(network: nn.Module) -> None:
    """Turn every convolution of a network that keeps the side of its maps into a `MatrixConv`, with its parameters."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and _keeps_the_side(module):
            module.__class__ = MatrixConv  # whoever holds the module holds the new one


def _keeps_the_side(conv: nn.Conv2d) -> bool:
    kernel = conv.kernel_size[0]
    same = conv.padding in ("same", (kernel // 2, kernel // 2))
    plain = conv.stride == (1, 1) and conv.dilation == (1, 1) and conv.groups == 1
    return same and plain and kernel % 2 == 1 and conv.kernel_size == (kernel, kernel)
