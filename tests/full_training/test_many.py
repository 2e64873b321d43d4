"""Many networks at once: each is the network that `train` would train alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import InvalidSetting  # noqa: E402
from nassim.full_training.images.batches import generator  # noqa: E402
from nassim.full_training.images.data import load_data  # noqa: E402
from nassim.full_training.networks.nasbench201 import build, initialize  # noqa: E402
from nassim.full_training.networks.stack import Stack  # noqa: E402
from nassim.full_training.networks.stacked_operations import convolve, pool  # noqa: E402
from nassim.full_training.training.many import DeviceData, train_many  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402
from nassim.space import Architecture  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=2, batch=1000, rate=0.05, crop=0, flip=False)
ARCHS = [SPACE.parse(text) for text in ("310423", "000100", "333333", "033333", "214114", "120400")]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("side", "kernel", "stride"),
    [(side, kernel, 1) for side in (1, 2, 4, 6, 8) for kernel in (1, 3)] + [(side, 3, 2) for side in (2, 4, 6, 8)],
)
def test_convolution_is_torchs(side: int, kernel: int, stride: int) -> None:
    x, w = numbers(3, 2, side, side, 5).requires_grad_(), numbers(3, 4, 2, kernel, kernel, seed=1).requires_grad_()
    mine = convolve(x, w, stride)
    wanted = torch.stack(
        [
            F.conv2d(x[k].permute(3, 0, 1, 2), w[k], stride=stride, padding=kernel // 2).permute(1, 2, 3, 0)
            for k in range(3)
        ]
    )
    torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-5)
    factor = numbers(*mine.shape, seed=2)
    for a, b in zip(*(torch.autograd.grad((y * factor).sum(), [x, w]) for y in (mine, wanted)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [2, 4, 8])
def test_pooling_is_torchs(side: int) -> None:
    x = numbers(2, 3, side, side, 5)
    flat = x.permute(0, 4, 1, 2, 3).reshape(10, 3, side, side)
    for halve in (False, True):
        wanted = F.avg_pool2d(flat, 2) if halve else F.avg_pool2d(flat, 3, 1, 1, count_include_pad=False)
        mine = pool(x, halve=halve).permute(0, 4, 1, 2, 3).reshape(wanted.shape)
        torch.testing.assert_close(mine, wanted)


@pytest.mark.parametrize(("side", "image_channels", "cells"), [(4, 4, 2), (8, 1, 1), (16, 3, 1)])
def test_logits_gradients_and_statistics_are_those_of_each_network(side: int, image_channels: int, cells: int) -> None:
    networks = []
    for k, arch in enumerate(ARCHS):
        network = build(arch, channels=3, cells=cells, classes=5, image_channels=image_channels)
        initialize(network, generator("weights", k))
        networks.append(network)
    stack = Stack.of(networks, [arch.choices for arch in ARCHS])
    images = numbers(len(ARCHS), 7, image_channels, side, side)
    labels = torch.arange(7).remainder(5).expand(len(ARCHS), 7)
    last = images.permute(0, 2, 3, 4, 1).contiguous()
    logits = stack.logits(last, training=True)
    alone = [network(images[k]) for k, network in enumerate(networks)]
    torch.testing.assert_close(logits.transpose(1, 2), torch.stack(alone), rtol=1e-4, atol=1e-4)
    loss = F.cross_entropy(logits, labels, reduction="none").mean(dim=1).sum()
    (gradient,) = torch.autograd.grad(loss, [stack.flat])
    for answer, wanted in zip(alone, labels, strict=True):
        F.cross_entropy(answer, wanted).backward()
    sizes = [math.prod(shape) for _, shape in stack.places.values()]
    for ((name, _), (rows, shape)), part in zip(stack.places.items(), gradient.split(sizes), strict=True):
        for row, k in zip(part.view(shape), rows, strict=True):
            wanted = networks[k].get_parameter(name).grad
            torch.testing.assert_close(row, torch.zeros_like(row) if wanted is None else wanted, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        logits = stack.logits(last, training=False)
        alone = [network.eval()(images[k]) for k, network in enumerate(networks)]
    torch.testing.assert_close(logits.transpose(1, 2), torch.stack(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_curves_are_those_of_one_by_one() -> None:
    """The same but for rounding, which few steps do not blow up: it moves few of 2,000 images over the border."""
    data, seeds = load_data("digits"), [1, 2, 1]
    archs = [ARCHS[0], ARCHS[4], ARCHS[1]]
    many = train_many(archs, DeviceData.of(data, TINY), TINY, seeds)
    for arch, seed, together in zip(archs, seeds, many, strict=True):
        alone = train(arch, data, TINY, seed)
        for mine, wanted in (
            (together.train_accuracy, alone.train_accuracy),
            (together.valid_accuracy, alone.valid_accuracy),
            ((together.test_accuracy,), (alone.test_accuracy,)),
        ):
            assert mine == pytest.approx(wanted, abs=0.005)
        assert (together.arch, together.seed, together.recipe_sha256) == (alone.arch, alone.seed, alone.recipe_sha256)


@pytest.mark.slow
def test_company_changes_nothing() -> None:
    data = DeviceData.of(load_data("digits"), TINY)
    alone = train_many([ARCHS[0]], data, TINY, [3])[0]
    company = train_many([ARCHS[2], ARCHS[0], ARCHS[0]], data, TINY, [1, 3, 4])
    assert company[1].valid_accuracy == pytest.approx(alone.valid_accuracy, abs=0.005)
    assert company[2].valid_accuracy != company[1].valid_accuracy


def test_a_network_that_diverges_takes_no_other_with_it() -> None:
    data = DeviceData.of(load_data("digits"), TINY)
    recipe = replace(TINY, rate=1e25, weight_decay=1.0, epochs=1)
    both = train_many([ARCHS[0], ARCHS[1]], data, recipe, [1, 1])
    assert both[0].failed == "the loss was not finite in epoch 1" and both[0].valid_accuracy == ()
    assert both[0].test_accuracy is None


def test_random_cells_are_stacked_right() -> None:
    rng = random.Random(4)
    archs: list[Architecture] = [SPACE.sample(rng) for _ in range(12)]
    networks = []
    for k, arch in enumerate(archs):
        network = build(arch, channels=2, cells=1, classes=3, image_channels=1)
        initialize(network, generator("weights", k))
        networks.append(network.eval())
    images = numbers(4, 1, 4, 4)
    logits = Stack.of(networks, [arch.choices for arch in archs]).logits(
        images.permute(1, 2, 3, 0)[None].contiguous(), training=False
    )
    for k, network in enumerate(networks):
        torch.testing.assert_close(logits[k].T, network(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("field", ["clip", "drop_path", "auxiliary"])
def test_many_at_once_refuse_what_they_cannot(field: str) -> None:
    recipe = replace(TINY, **{field: 0.5})
    with pytest.raises(InvalidSetting, match=f"recipe tiny has {field}=0.5, which many networks at once cannot have"):
        train_many([ARCHS[0]], DeviceData.of(load_data("digits"), TINY), recipe, [1])
