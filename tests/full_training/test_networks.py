"""Networks of NAS-Bench-201: sizes against the analytic counts, weights, and the operations' definitions."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from nassim.benchmarks.spaces.nasbench201 import EDGES, OPERATIONS, SPACE  # noqa: E402
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters  # noqa: E402
from nassim.benchmarks.spaces.nasbench201_network import cell  # noqa: E402
from nassim.full_training.networks.construct import Constructed, construct  # noqa: E402
from nassim.full_training.networks.nasbench201 import STAGES, build, initialize  # noqa: E402
from nassim.network import Draft  # noqa: E402

SKELETONS = [
    {"channels": 16, "cells": 5, "classes": 10, "image_channels": 3, "side": 32},
    {"channels": 8, "cells": 2, "classes": 10, "image_channels": 4, "side": 4},
    {"channels": 4, "cells": 1, "classes": 120, "image_channels": 1, "side": 16},
]


def made(arch, sizes, seed=0) -> Constructed:
    network = build(arch, **{name: value for name, value in sizes.items() if name != "side"})
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


@pytest.mark.slow
def test_parameters_of_all_cells_equal_the_analytic_ones() -> None:
    """Built without storage, as the sum that they are over edges: 30 networks give all counts, some are built too."""
    for given in SKELETONS:
        sizes = {name: value for name, value in given.items() if name != "side"}

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


@pytest.mark.parametrize("sizes", SKELETONS[1:])
def test_flops_equal_the_analytic_ones(sizes) -> None:
    """Counted while an image passes: edges that come from nowhere (033333) or lead nowhere run too."""
    rng = random.Random(2)
    archs = [SPACE.sample(rng) for _ in range(10)] + [SPACE.at(0), SPACE.parse("333333"), SPACE.parse("033333")]
    analytic = flops(np.array([arch.choices for arch in archs]), **sizes)
    for arch, expected in zip(archs, analytic, strict=True):
        assert counted(made(arch, sizes), sizes["side"], sizes["image_channels"]) == expected, str(arch)


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
    assert float(a.get_parameter("stem.0.weight").detach().std()) == pytest.approx(
        1 / (3 * 36) ** 0.5, rel=0.1
    )  # uniform


def one_cell(choices: tuple[int, ...], channels: int = 2, side: int = 4) -> Constructed:
    draft = Draft((channels, side, side))
    return construct(draft.network(cell(draft, "cell", 0, [OPERATIONS[c] for c in choices], channels, channels)))


def pooled(x):
    """By the definition: the mean of what is there in the 3x3 window."""
    side = x.shape[-1]
    windows = [[slice(max(0, i - 1), min(side, i + 2)) for i in range(side)]] * 2
    return torch.stack([torch.stack([x[..., r, c].mean(dim=(-2, -1)) for c in windows[1]], -1) for r in windows[0]], -2)


def test_pooling_leaves_the_padding_out() -> None:
    x = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(one_cell((0, 0, 0, 4, 0, 0))(x), pooled(x).flatten(1))


def test_a_cell_is_the_sum_that_the_paper_writes() -> None:
    # 0->1 skip, 0->2 pool, 1->2 skip, 0->3 none, 1->3 pool, 2->3 skip
    x = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(one_cell((1, 4, 1, 0, 4, 1))(x), (x + 2 * pooled(x)).flatten(1))
    assert torch.equal(one_cell((1, 1, 1, 0, 0, 0))(x), torch.zeros(2, 32))


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
            for each in cast(nn.ModuleList, cells):
                x = each(x, *mix)
        return cast(Tensor, self.head(self.last(x).mean(dim=(2, 3))))


def skeleton(
    make_cell: Callable[[int], nn.Module], *, channels: int, cells: int, classes: int, image_channels: int = 3
) -> Network:
    """`Network` on the ``meta`` device: no memory is taken and no random number drawn."""
    with torch.device("meta"):
        return Network(make_cell, channels=channels, cells=cells, classes=classes, image_channels=image_channels)


class WrittenOut(nn.Module):
    """A cell as the modules that trained the shipped table of digits had it."""

    def __init__(self, choices: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict()
        for choice, (source, target) in zip(choices, EDGES, strict=True):
            if choice in (2, 3):
                self.edges[f"{source}-{target}"] = conv_bn(channels, channels, {2: 1, 3: 3}[choice])
            elif choice:
                pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
                self.edges[f"{source}-{target}"] = pool if choice == 4 else nn.Identity()

    def forward(self, x):
        nodes = [x]
        for target in (1, 2, 3):
            total = None
            for source in range(target):
                if f"{source}-{target}" in self.edges:
                    value = self.edges[f"{source}-{target}"](nodes[source])
                    total = value if total is None else total + value
            nodes.append(torch.zeros_like(x) if total is None else total)
        return nodes[3]


@pytest.mark.slow
def test_networks_of_layers_train_bit_for_bit_as_the_shipped_table_was_trained() -> None:
    sizes = {name: value for name, value in SKELETONS[1].items() if name != "side"}
    rng = random.Random(4)
    images = torch.randn(20, 4, 4, 4, generator=torch.Generator().manual_seed(5))
    for arch in [SPACE.sample(rng) for _ in range(6)] + [SPACE.parse("330000"), SPACE.parse("111111")]:
        states = []
        written = skeleton(lambda width, arch=arch: WrittenOut(arch.choices, width), **sizes)
        for network in (build(arch, **sizes), written):
            initialize(network, torch.Generator().manual_seed(6))
            optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-3)
            for _ in range(3):
                optimizer.zero_grad()
                nn.functional.cross_entropy(network(images), torch.arange(20) % 10).backward()
                optimizer.step()
            states.append((network.state_dict(), network.eval()(images)))
        (ours, logits), (theirs, wanted) = states
        assert list(ours) == list(theirs)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert torch.equal(logits, wanted), str(arch)


def test_a_cell_without_paths_gives_the_same_answer_to_every_image() -> None:
    network = made(SPACE.parse("330000"), SKELETONS[1]).eval()
    with torch.no_grad():
        logits = network(torch.randn(3, 4, 4, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(logits[0], logits[1]) and torch.equal(logits[0], logits[2])
