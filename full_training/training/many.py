"""Training many small networks at once: each gets the curve that `train` would give it.

The networks share nothing but the operations' calls (`stack.Stack`); every one has its own seed, and with it its
own first weights, order of images and augmentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.errors import InvalidSetting
from nassim.full_training.images.batches import DeviceSplit, EpochPlan, generator, plan_epoch, take, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.framed import network_of
from nassim.full_training.networks.nasbench201 import build, initialize
from nassim.full_training.networks.stack import Stack
from nassim.full_training.training.device import at_work, describe, device_seconds
from nassim.full_training.training.memory import forget_peak, peak_memory
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.space import Architecture

EVALUATED = 100  # images at once in an evaluation: more leave the cache


@dataclass(frozen=True)
class DeviceData:
    """The three splits of a data set on a device, as a recipe wants them."""

    data: ImageData
    train: DeviceSplit
    valid: DeviceSplit
    test: DeviceSplit

    @classmethod
    def of(cls, data: ImageData, recipe: Recipe, device: torch.device | str = "cpu") -> DeviceData:
        recipe.check(data)
        network_of(SPACE.at(0), recipe, data)  # refuses sides that the skeleton cannot halve twice
        return cls(
            data,
            to_device(data, "train", device, recipe.padding(data.side)),
            *(to_device(data, s, device) for s in ("valid", "test")),
        )


def train_many(archs: Sequence[Architecture], data: DeviceData, recipe: Recipe, seeds: Sequence[int]) -> list[Training]:
    """Train the k-th architecture under the k-th seed, all at once, in float32; on the CPU on one thread.

    Seconds of an epoch are the device seconds of the whole divided by K: several times fewer than one by one.
    `InvalidSetting` for a recipe with clipping, drop path or an auxiliary head.
    """
    for name in ("clip", "drop_path", "auxiliary"):
        if getattr(recipe, name):
            raise InvalidSetting(
                f"recipe {recipe.name} has {name}={getattr(recipe, name)}, which many networks at once cannot have: "
                "train them one by one (nassim train), or use another recipe."
            )
    device = data.train.images.device
    with at_work(device):
        return _train_many(archs, data, recipe, seeds, device)


def _train_many(
    archs: Sequence[Architecture], data: DeviceData, recipe: Recipe, seeds: Sequence[int], device: torch.device
) -> list[Training]:
    forget_peak(device)
    stack = _stacked(archs, data, recipe, seeds)
    K, n = len(archs), recipe.images_an_epoch(len(data.train))
    steps = recipe.steps(len(data.train))
    momentum = torch.zeros_like(stack.flat)
    right: list[Tensor] = []
    valid: list[Tensor] = []
    train_loss: list[Tensor] = []
    valid_loss: list[Tensor] = []
    seconds: list[float] = []
    alive = torch.ones(K, dtype=torch.bool, device=device)
    whole = torch.zeros(K, dtype=torch.long, device=device)  # epochs before a network diverged
    for epoch in range(recipe.epochs):
        started = device_seconds(device)
        plans = [plan_epoch(data.train, recipe, seed, epoch) for seed in seeds]
        correct = torch.zeros(K, dtype=torch.long, device=device)
        total = torch.zeros(K, device=device)
        for step in range(steps):
            positions = slice(step * recipe.batch, min(n, (step + 1) * recipe.batch))
            rate = recipe.rate_at(epoch * steps + step, steps)
            losses, hits, count = together(stack, data.train, plans, positions, momentum, recipe, rate)
            correct += hits
            total += losses * (count / n)
        known, lost = evaluate(stack, data.valid)
        valid.append(known)
        valid_loss.append(lost / len(data.valid))
        train_loss.append(total)
        right.append(correct)
        seconds.append((device_seconds(device) - started) / K)
        alive &= torch.isfinite(total)
        whole += alive
    test, _ = evaluate(stack, data.test)
    train_curve, valid_curve = torch.stack(right).T.tolist(), torch.stack(valid).T.tolist()
    train_losses, valid_losses = torch.stack(train_loss).T.tolist(), torch.stack(valid_loss).T.tolist()
    rates = [recipe.rate_at(epoch * steps, steps) for epoch in range(recipe.epochs)]
    memory, name = peak_memory(device), describe(device)
    return [
        Training(
            arch=str(arch),
            data=data.data.name,
            data_sha256=data.data.sha256,
            recipe=recipe.name,
            recipe_sha256=recipe.sha256,
            seed=seeds[k],
            train_accuracy=tuple(count / n for count in train_curve[k][:epochs]),
            valid_accuracy=tuple(count / len(data.valid) for count in valid_curve[k][:epochs]),
            test_accuracy=int(test[k]) / len(data.test) if epochs == recipe.epochs else None,
            seconds=tuple(seconds[:epochs]),
            peak_memory=memory,
            device=name,
            failed="" if epochs == recipe.epochs else f"the loss was not finite in epoch {epochs + 1}",
            train_loss=tuple(train_losses[k][:epochs]),
            valid_loss=tuple(valid_losses[k][:epochs]),
            rate=tuple(rates[:epochs]),
        )
        for k, (arch, epochs) in enumerate(zip(archs, whole.tolist(), strict=True))
    ]


def together(
    stack: Stack,
    split: DeviceSplit,
    plans: Sequence[EpochPlan],
    positions: slice,
    momentum: Tensor,
    recipe: Recipe,
    rate: float,
) -> tuple[Tensor, Tensor, int]:
    """One step of all networks: losses (K,) and correct images (K,), which stay on the device; images of each."""
    parts = [take(split, plan, positions) for plan in plans]
    images = torch.stack([images for images, _ in parts]).permute(0, 2, 3, 4, 1).contiguous()
    labels = torch.stack([labels for _, labels in parts])
    logits = stack.logits(images, training=True)
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=recipe.smoothing).mean(dim=1)
    (gradient,) = torch.autograd.grad(losses.sum(), [stack.flat])
    _update(stack.flat.detach(), gradient, momentum, recipe, rate)
    return losses.detach(), (logits.detach().argmax(dim=1) == labels).sum(dim=1), labels.shape[1]


@torch.no_grad()
def evaluate(stack: Stack, split: DeviceSplit) -> tuple[Tensor, Tensor]:
    """Correctly classified images of a split and the sum of their cross-entropies, for each network."""
    loss = torch.zeros(len(stack.cells), device=stack.device)
    correct = torch.zeros(len(stack.cells), dtype=torch.long, device=stack.device)
    networks = stack.ready(training=False)
    for start in range(0, len(split), EVALUATED):
        images = split.images[start : start + EVALUATED].permute(1, 2, 3, 0)[None].contiguous()
        labels = split.labels[start : start + EVALUATED]
        logits = networks(images)
        correct += (logits.argmax(dim=1) == labels).sum(dim=1)
        loss += F.cross_entropy(logits, labels.expand(len(logits), -1), reduction="none").sum(dim=1)
    return correct, loss


def _stacked(archs: Sequence[Architecture], data: DeviceData, recipe: Recipe, seeds: Sequence[int]) -> Stack:
    networks = []
    for arch, seed in zip(archs, seeds, strict=True):
        network = build(
            arch,
            channels=recipe.channels,
            cells=recipe.cells,
            classes=data.data.classes,
            image_channels=data.data.channels,
        )
        initialize(network, generator("weights", seed), data.train.images.device)
        networks.append(network)
    return Stack.of(networks, [whole(arch).choices for arch in archs])


def _update(weights: Tensor, gradient: Tensor, momentum: Tensor, recipe: Recipe, rate: float) -> None:
    """One step of stochastic gradient descent as torch.optim.SGD does it."""
    gradient = gradient.add(weights, alpha=recipe.weight_decay)
    momentum.mul_(recipe.momentum).add_(gradient)
    step = gradient.add(momentum, alpha=recipe.momentum) if recipe.nesterov else momentum
    weights.sub_(step, alpha=rate)
