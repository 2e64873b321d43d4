"""The operations of `stack.Stack`: activations of K networks, (K, channels, side, side, batch), in one call each."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5  # of nn.BatchNorm2d
LARGEST = 8  # the largest side whose pixels are joined by one matrix: it grows with the fourth power of the side
DENSE = 4  # up to this side a 3x3 convolution is one matrix over all pixels: faster than gathering its taps


class _RowConvolution(torch.autograd.Function):
    """3x3 convolution of (K, C, H, W, B) by weights (K, O, C, 3, 3), stride 1, padding 1.

    Columns are gathered into three copies; rows are then offsets into them, so that no more is copied.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        K, C, H, W, B = x.shape
        length, row = H * W * B, W * B
        taps = x.new_empty(K, C, 3, H + 2, W, B)
        taps[:, :, :, 0] = taps[:, :, :, -1] = taps[:, :, 0, :, 0] = taps[:, :, 2, :, -1] = 0.0
        taps[:, :, 0, 1:-1, 1:] = x[:, :, :, :-1]
        taps[:, :, 1, 1:-1] = x
        taps[:, :, 2, 1:-1, :-1] = x[:, :, :, 1:]
        taps = taps.view(K, 3 * C, length + 2 * row)
        rows = weight.permute(3, 0, 1, 2, 4).reshape(3, K, -1, 3 * C)
        out = torch.bmm(rows[0], taps[:, :, :length])
        out.baddbmm_(rows[1], taps[:, :, row : row + length])
        out.baddbmm_(rows[2], taps[:, :, 2 * row :])
        ctx.save_for_backward(taps, rows)
        ctx.sizes = x.shape
        return out.view(K, -1, H, W, B)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        taps, rows = ctx.saved_tensors
        K, C, H, W, B = ctx.sizes
        length, row = H * W * B, W * B
        out = grads[0].reshape(K, -1, length)
        parts = [slice(i * row, i * row + length) for i in range(3)]
        weight = torch.stack([torch.bmm(out, taps[:, :, part].transpose(1, 2)) for part in parts])
        back = out.new_zeros(taps.shape)
        for i, part in enumerate(parts):
            back[:, :, part].baddbmm_(rows[i].transpose(1, 2), out)
        back = back.view(K, C, 3, H + 2, W, B)
        x = back[:, :, 1, 1:-1].clone()
        x[:, :, :, :-1] += back[:, :, 0, 1:-1, 1:]
        x[:, :, :, 1:] += back[:, :, 2, 1:-1, :-1]
        return x, weight.view(3, K, -1, C, 3).permute(1, 2, 3, 0, 4)


class Normalization(torch.autograd.Function):
    """Batch normalization of (channels, values) by its own moments, which it also returns (mean, variance).

    PyTorch's own, run over few long channels, spends most of its time on the moments.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean = x.mean(dim=1)
        variance = (torch.linalg.vector_norm(x, dim=1).square() / x.shape[1] - mean.square()).clamp_(min=0.0)
        inverse = (variance + EPSILON).rsqrt()
        scale = weight * inverse
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.mark_non_differentiable(mean, variance)
        return (x * scale[:, None]).add_((bias - mean * scale)[:, None]), mean, variance

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight, mean, inverse = ctx.saved_tensors
        shape = (1, *x.shape)
        out = torch.ops.aten.native_batch_norm_backward(
            grads[0].reshape(shape), x.view(shape), weight, None, None, mean, inverse, True, EPSILON, [True, True, True]
        )
        return out[0].view(x.shape), out[1], out[2]


@cache  # for each device: a table that lay on the CPU would be copied at every call
def _taps(side: int, stride: int, device: torch.device) -> Tensor:
    """(9, pixels out x pixels in): which tap of a 3x3 kernel joins which pixels."""
    out = side // stride
    table = torch.zeros(3, 3, out, out, side, side)
    for y in range(out):
        for x in range(out):
            for i in range(3):
                for j in range(3):
                    v, u = stride * y + i - 1, stride * x + j - 1
                    if 0 <= v < side and 0 <= u < side:
                        table[i, j, y, x, v, u] = 1.0
    return table.view(9, -1).to(device)


def convolve(x: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Convolution of (K, C, H, W, B) by (K, O, C, 1, 1) or, with padding 1, (K, O, C, 3, 3)."""
    K, C, H, W, B = x.shape
    out, side = weight.shape[1], H // stride
    if weight.shape[3] == 1:
        return torch.bmm(weight.view(K, out, C), x.reshape(K, C, -1)).view(K, out, H, W, B)
    if stride > 1 and H > LARGEST:
        images = x.permute(4, 0, 1, 2, 3).reshape(B, K * C, H, W)
        grouped = F.conv2d(images, weight.reshape(K * out, C, 3, 3), stride=stride, padding=1, groups=K)
        return grouped.view(B, K, out, *grouped.shape[2:]).permute(1, 2, 3, 4, 0)
    if not is_dense(H, stride):
        return cast(Tensor, _RowConvolution.apply(x, weight))  # type: ignore[no-untyped-call]
    return multiply(x, dense(weight, H, stride), side)


def is_dense(side: int, stride: int) -> bool:
    """Whether a 3x3 convolution of images of this side is one matrix over all pixels."""
    return side <= (DENSE if stride == 1 else LARGEST)


def dense(weight: Tensor, side: int, stride: int = 1) -> Tensor:
    """The matrices (K, O x pixels out, C x pixels in) of 3x3 convolutions (K, O, C, 3, 3) of images of a side."""
    K, out, C = weight.shape[:3]
    small = side // stride
    matrix = (weight.reshape(-1, 9) @ _taps(side, stride, weight.device)).view(K, out, C, small**2, side**2)
    return matrix.permute(0, 1, 3, 2, 4).reshape(K, out * small**2, C * side**2)


def multiply(x: Tensor, matrix: Tensor, side: int) -> Tensor:
    """The images (K, O, side, side, B) that matrices of `dense` make of (K, C, H, W, B)."""
    K, B = x.shape[0], x.shape[4]
    return torch.bmm(matrix, x.reshape(K, -1, B)).view(K, -1, side, side, B)


@cache
def _pooling(side: int, halve: bool, device: torch.device) -> Tensor:
    """Average pooling as a matrix (pixels out, pixels in): 3x3 without the padding, or 2x2 with stride 2."""
    pixels = torch.eye(side * side).view(-1, 1, side, side)
    pooled = F.avg_pool2d(pixels, 2) if halve else F.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)
    return pooled.view(side * side, -1).T.contiguous().to(device)


def pool(x: Tensor, *, halve: bool = False) -> Tensor:
    """Average pooling of (K, C, H, W, B)."""
    K, C, H, W, B = x.shape
    if H > LARGEST:
        images = x.permute(4, 0, 1, 2, 3).reshape(B, K * C, H, W)
        pooled = F.avg_pool2d(images, 2) if halve else F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        return pooled.view(B, K, C, *pooled.shape[2:]).permute(1, 2, 3, 4, 0)
    matrix, side = _pooling(H, halve, x.device), H // 2 if halve else H
    matrix = matrix.expand(K * C, *matrix.shape)
    return torch.bmm(matrix, x.reshape(K * C, H * W, B)).view(K, C, side, side, B)
