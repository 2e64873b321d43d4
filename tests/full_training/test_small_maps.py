"""Convolutions of small maps as matrices: the same numbers, the same gradients, and nothing else is touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nassim.full_training.networks.small_maps import SIDE, MatrixConv, as_matrices


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("side", [1, SIDE, SIDE + 1, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_a_matrix_is_the_convolution(kernel: int, side: int, bias: bool) -> None:
    generator = torch.Generator().manual_seed(kernel * 10 + side)
    conv = nn.Conv2d(3, 5, kernel, padding=kernel // 2, bias=bias, dtype=torch.float64)
    images = torch.randn(4, 3, side, side, generator=generator, dtype=torch.float64, requires_grad=True)
    answers = []
    for turn in range(2):
        if turn:
            as_matrices(conv)
            assert type(conv) is MatrixConv
        out = conv(images)
        found = torch.autograd.grad(out.square().sum(), [images, *conv.parameters()])
        answers.append([out, *found])
    for plain, matrix in zip(*answers, strict=True):
        torch.testing.assert_close(plain, matrix, rtol=1e-12, atol=1e-12)


def test_only_what_keeps_the_side_is_turned() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 3, stride=2, padding=1),
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
    )
    before = list(network.parameters())
    as_matrices(network)
    assert [isinstance(module, MatrixConv) for module in network] == [True, False, False, False, False]
    assert all(a is b for a, b in zip(before, network.parameters(), strict=True))
