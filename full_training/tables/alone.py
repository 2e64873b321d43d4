"""Training one network of any space, as `nassim.network` has it, for a table or a trial before one.

`nassim.full_training.training.many` trains cells of NAS-Bench-201's skeleton together. A network as a value goes
through `construct`, one by one; batches, learning rates and seeds are the same functions.
"""

from __future__ import annotations

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.full_training.images.batches import DeviceSplit, generator, plan_epoch, take
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.construct import Constructed, construct, initialize
from nassim.full_training.networks.small_maps import as_matrices
from nassim.full_training.tables.designs import frame_of
from nassim.full_training.training.device import at_work, describe, device_seconds
from nassim.full_training.training.many import DeviceData
from nassim.full_training.training.memory import forget_peak, peak_memory
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.space import Architecture, SearchSpace

EVALUATED = 500  # images at once in an evaluation


def drawn(space: SearchSpace, count: int) -> list[Architecture]:
    """``count`` random architectures, no two equivalent, in the form that stands for all of their class.

    Drawn as the space samples, so that a class is met by its size; the first of more are those of fewer.
    """
    rng, found = random.Random("pilot"), dict[Architecture, None]()
    while len(found) < count:
        arch = space.canonical(space.sample(rng))
        assert isinstance(arch, Architecture), "a space whose classes are named by one of their own"
        found.setdefault(arch)
    return list(found)


def first(
    space: SearchSpace, arch: Architecture, data: ImageData, recipe: Recipe, seed: int, gain: float
) -> Constructed:
    """The network of an architecture with its first weights, on the CPU.

    gain: those of convolutions and linear layers are multiplied by it. Without normalization a signal fades in deep
    networks with the usual ones; with a gain of sqrt(6) they are those of He et al., ICCV 2015, arXiv:1502.01852.
    """
    module = construct(space.network(arch, frame_of(data, recipe)))
    initialize(module, generator("weights", seed))
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(gain)
    as_matrices(module)
    return module


def train_alone(
    space: SearchSpace, arch: Architecture, data: DeviceData, recipe: Recipe, seed: int, *, gain: float = 1.0
) -> Training:
    """Train a network from scratch on the device of its data, on a CPU with one thread; ``gain`` as in `first`.

    A loss that is not finite ends the training as failed.
    """
    device = data.train.images.device
    with at_work(device):
        forget_peak(device)
        return _train(first(space, arch, data.data, recipe, seed, gain).to(device), arch, data, recipe, seed)


def _train(module: Constructed, arch: Architecture, data: DeviceData, recipe: Recipe, seed: int) -> Training:
    device = data.train.images.device
    optimizer = torch.optim.SGD(
        module.parameters(),
        recipe.rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    n = recipe.images_an_epoch(len(data.train))
    steps = -(-n // recipe.batch)
    train, valid, seconds, failed = list[float](), list[float](), list[float](), ""
    for epoch in range(recipe.epochs):
        started = device_seconds(device)
        plan = plan_epoch(data.train, recipe, seed, epoch)
        module.train()
        right, total = torch.zeros((), dtype=torch.long, device=device), torch.zeros((), device=device)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate_at(epoch * steps + step, steps)
            images, labels = take(data.train, plan, slice(step * recipe.batch, min(n, (step + 1) * recipe.batch)))
            loss, hits = descend(module, optimizer, images, labels)
            right += hits
            total += loss
        if not math.isfinite(float(total)):
            failed = f"the loss was not finite in epoch {epoch + 1}"
            break
        train.append(int(right) / n)
        valid.append(accuracy(module, data.valid))
        seconds.append(device_seconds(device) - started)
    return Training(
        arch=str(arch),
        data=data.data.name,
        data_sha256=data.data.sha256,
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        seed=seed,
        train_accuracy=tuple(train),
        valid_accuracy=tuple(valid),
        test_accuracy=None if failed else accuracy(module, data.test),
        seconds=tuple(seconds),
        peak_memory=peak_memory(device),
        device=describe(device),
        failed=failed,
    )


def descend(
    module: Constructed, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """One step down the loss of a batch: the loss, and the correct images; both stay on the device."""
    logits = module(images)
    loss = F.cross_entropy(logits, labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach(), (logits.detach().argmax(dim=1) == labels).sum()


@torch.no_grad()
def accuracy(module: Constructed, split: DeviceSplit) -> float:
    """Share of a split's images that are classified correctly."""
    module.eval()
    parts = zip(torch.split(split.images, EVALUATED), torch.split(split.labels, EVALUATED), strict=True)
    right = torch.zeros((), dtype=torch.long, device=split.labels.device)
    for images, labels in parts:
        right += (module(images).argmax(dim=1) == labels).sum()
    return int(right) / len(split)
