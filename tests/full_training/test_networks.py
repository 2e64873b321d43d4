"""Networks of NAS-Bench-201: sizes against the analytic counts, weights, and the operations' definitions."""

from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters  # noqa: E402
from nassim.full_training.networks.nasbench201 import Cell, Network, build, initialize, operation  # noqa: E402

SKELETONS = [
    {"channels": 16, "cells": 5, "classes": 10, "image_channels": 3, "side": 32},
    {"channels": 8, "cells": 2, "classes": 10, "image_channels": 4, "side": 4},
    {"channels": 4, "cells": 1, "classes": 120, "image_channels": 1, "side": 16},
]


def made(arch, skeleton, seed=0) -> Network:
    network = build(arch, **{name: value for name, value in skeleton.items() if name != "side"})
    initialize(network, torch.Generator().manual_seed(seed))
    return network


def counted(network, side: int, image_channels: int) -> int:
    """Multiply-adds of one image, counted by hooks while it runs."""
    total = 0

    def hook(module, inputs, output) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() + module.bias.numel()

    for module in network.modules():
        module.register_forward_hook(hook)
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, image_channels, side, side))
    return total


def test_parameters_of_all_cells_equal_the_analytic_ones() -> None:
    """Built without storage, as the sum that they are over edges: 30 networks give all counts, some are built too."""
    for skeleton in SKELETONS:
        sizes = {name: value for name, value in skeleton.items() if name != "side"}

        def count(arch, sizes=sizes) -> int:
            return sum(parameter.numel() for parameter in build(arch, **sizes).parameters())

        zero = SPACE.at(0)
        bare = count(zero)
        gains = np.zeros((6, 5), dtype=np.int64)
        for arch in SPACE.neighbors(zero):
            (edge,) = (i for i, choice in enumerate(arch.choices) if choice)
            gains[edge, arch.choices[edge]] = count(arch) - bare
        choices = SPACE.choice_matrix
        built = bare + sum(gains[edge, choices[:, edge]] for edge in range(6))
        np.testing.assert_array_equal(parameters(choices, **sizes), built)
        rng = random.Random(1)
        for arch in [SPACE.sample(rng) for _ in range(20)]:
            assert count(arch) == built[SPACE.index(arch)]


@pytest.mark.parametrize("skeleton", SKELETONS[1:])
def test_flops_equal_the_analytic_ones(skeleton) -> None:
    """Counted while an image passes: edges that come from nowhere (033333) or lead nowhere run too."""
    rng = random.Random(2)
    archs = [SPACE.sample(rng) for _ in range(10)] + [SPACE.at(0), SPACE.parse("333333"), SPACE.parse("033333")]
    analytic = flops(np.array([arch.choices for arch in archs]), **skeleton)
    for arch, expected in zip(archs, analytic, strict=True):
        assert counted(made(arch, skeleton), skeleton["side"], skeleton["image_channels"]) == expected, str(arch)


def test_weights_are_a_function_of_seed_and_place() -> None:
    state = torch.get_rng_state()
    sizes = SKELETONS[1]
    a, again, other = (
        made(SPACE.parse("310423"), sizes),
        made(SPACE.parse("310423"), sizes),
        made(SPACE.parse("310423"), sizes, 1),
    )
    sibling = made(SPACE.parse("330423"), sizes)
    assert torch.equal(torch.get_rng_state(), state), "the global generator was moved"
    for name, weight in a.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        if weight.dim() > 1:
            assert not torch.equal(weight, other.get_parameter(name))
            assert torch.equal(weight, sibling.get_parameter(name)), "same seed, same place, other weights"
            assert weight.abs().max() <= 1 / weight[0].numel() ** 0.5
    assert float(a.stem[0].weight.detach().std()) == pytest.approx(1 / (3 * 36) ** 0.5, rel=0.1)  # uniform


def test_pooling_leaves_the_padding_out() -> None:
    pooled = operation(4, 1)(torch.ones(1, 1, 4, 4))
    assert torch.equal(pooled, torch.ones(1, 1, 4, 4))
    corner = torch.zeros(1, 1, 4, 4)
    corner[0, 0, 0, 0] = 4.0
    assert operation(4, 1)(corner)[0, 0, 0, 0] == 1.0  # one of four pixels


def test_a_cell_is_the_sum_that_the_paper_writes() -> None:
    cell = Cell((1, 4, 1, 0, 4, 1), 2)  # 0->1 skip, 0->2 pool, 1->2 skip, 0->3 none, 1->3 pool, 2->3 skip
    x = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    pooled = operation(4, 2)(x)
    torch.testing.assert_close(cell(x), x + 2 * pooled)
    assert torch.equal(Cell((1, 1, 1, 0, 0, 0), 2)(x), torch.zeros_like(x))


def test_a_cell_without_paths_gives_the_same_answer_to_every_image() -> None:
    network = made(SPACE.parse("330000"), SKELETONS[1]).eval()
    with torch.no_grad():
        logits = network(torch.randn(3, 4, 4, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(logits[0], logits[1]) and torch.equal(logits[0], logits[2])
