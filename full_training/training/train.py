"""Training one architecture: from a recipe, images and a seed to a curve.

On the CPU a training is a function of its arguments (and of the version of torch): the same seed gives the same
curve, and so does a training that was killed and resumed. On CUDA sums are taken in any order: curves agree within the
noise of repeats only. CUDA and MPS could not be tried when this was written; what differs there is in this file.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.full_training.images.batches import DeviceSplit, EpochPlan, generator, plan_epoch, take, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.construct import DropPath, construct, initialize
from nassim.full_training.networks.framed import network_of
from nassim.full_training.training import checkpoint
from nassim.full_training.training.device import at_work, describe, device_seconds, give_back, numbered
from nassim.full_training.training.memory import forget_peak, peak_memory
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.network import Network
from nassim.space import Architecture

EVALUATED = 1000  # images at once in an evaluation
SMALL = 1 << 20  # values in the first activation of a batch: below it one thread is faster than several


@dataclass
class Curve:
    """What a training has so far, an entry an epoch."""

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)


def train(
    arch: Architecture,
    data: ImageData,
    recipe: Recipe,
    seed: int,
    *,
    network: Network | None = None,
    device: torch.device | str = "cpu",
    resume: Path | None = None,
    until: int | None = None,
    compiled: bool = False,
    tell: Callable[[Curve], None] | None = None,
) -> Training:
    """Train one architecture from scratch.

    network: what `network_of` makes of the architecture, the recipe and the data (None: a cell of NAS-Bench-201).
    resume: where a checkpoint is kept after every epoch; a training that was killed, or stopped, goes on from it.
    until: stop after so many epochs of the recipe's schedule (None: all); the result then has no test accuracy. Gone on
        with, it gives the curve of one that was never stopped (on the CPU bit for bit).
    compiled: run the network through torch.compile (pays from some minutes of training on).
    tell: called after every epoch.

    A loss that is not finite ends the training as failed, and so does memory that is too small for a single image;
    both are said in the result. `InvalidSetting` if recipe and data do not fit or the checkpoint is another
    training's, `CorruptData` for a damaged checkpoint, `OutputFailed` if one cannot be written.
    """
    recipe.check(data)
    network = network_of(arch, recipe, data) if network is None else network
    device = numbered(torch.device(device))
    with at_work(device, recipe.batch * recipe.channels * data.side**2 < SMALL):
        return _train(arch, data, recipe, seed, network, device, resume, until, compiled, tell)


def _train(
    arch: Architecture,
    data: ImageData,
    recipe: Recipe,
    seed: int,
    network: Network,
    device: torch.device,
    resume: Path | None,
    until: int | None,
    compiled: bool,
    tell: Callable[[Curve], None] | None,
) -> Training:
    identity = {"arch": str(arch), "recipe": recipe.sha256, "data": data.sha256, "seed": str(seed)}
    forget_peak(device)
    learner = _Learner(network, data, recipe, seed, device, compiled=compiled)
    curve, failed, notes, here = Curve(), "", ["run by torch.compile"] * compiled, describe(device)
    state = checkpoint.load(resume, identity, device) if resume else None
    if state is not None:
        losses = (state.get("train_loss", []), state.get("valid_loss", []))
        curve = Curve(state["train"], state["valid"], state["seconds"], *losses)
        failed, notes = state["failed"], state["notes"]
        learner.restore(state)
        if (before := state.get("device", here)) != here:
            notes.append(f"epochs to {len(curve.valid)} on {before}, from there on {here}")
    splits = {name: to_device(data, name, device) for name in ("valid", "test")}
    last = recipe.epochs if until is None else min(until, recipe.epochs)
    while len(curve.valid) < last and not failed:
        started = device_seconds(device)
        right, loss, failed = learner.epoch(len(curve.valid))
        notes += learner.news()
        if not failed:
            curve.train.append(right / recipe.images_an_epoch(len(learner.images)))
            curve.train_loss.append(loss)
            valid, valid_loss = learner.evaluate(splits["valid"])
            curve.valid.append(valid)
            curve.valid_loss.append(valid_loss)
            curve.seconds.append(device_seconds(device) - started)
            if tell is not None:
                tell(curve)
        if resume is not None:
            curves = vars(curve)
            words = {"failed": failed, "notes": notes, "device": here}
            checkpoint.save(resume, identity, {**curves, **words, **learner.state()})
    steps = recipe.steps(len(learner.images))
    # A checkpoint of a version that kept no losses leaves a part of them: none then.
    whole = len(curve.train_loss) == len(curve.valid)
    return Training(
        arch=str(arch),
        data=data.name,
        data_sha256=data.sha256,
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        seed=seed,
        train_accuracy=tuple(curve.train),
        valid_accuracy=tuple(curve.valid),
        test_accuracy=learner.evaluate(splits["test"])[0] if len(curve.valid) == recipe.epochs else None,
        seconds=tuple(curve.seconds),
        peak_memory=peak_memory(device),
        device=here,
        failed=failed,
        notes=tuple(notes),
        train_loss=tuple(curve.train_loss) if whole else (),
        valid_loss=tuple(curve.valid_loss) if whole else (),
        rate=tuple(recipe.rate_at(epoch * steps, steps) for epoch in range(len(curve.valid))),
    )


class _Learner:
    """A network with its optimizer and training images on a device."""

    def __init__(
        self, network: Network, data: ImageData, recipe: Recipe, seed: int, device: torch.device, *, compiled: bool
    ) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.network = construct(network)
        initialize(self.network, generator("weights", seed), device)
        if device.type == "cuda":
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.call: Callable[[Tensor], Any] = torch.compile(self.network) if compiled else self.network
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            recipe.rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        self.drops = [module for module in self.network.modules() if isinstance(module, DropPath)]
        self.images = to_device(data, "train", device, recipe.padding(data.side))
        self.micro = recipe.batch
        self._news: list[str] = []

    def epoch(self, epoch: int) -> tuple[int, float, str]:
        """Train an epoch: correct images on the way, the mean loss, and why the training failed (or nothing)."""
        plan = plan_epoch(self.images, self.recipe, self.seed, epoch)
        self.begin(epoch)
        right = torch.zeros((), dtype=torch.long, device=self.device)
        total = torch.zeros((), device=self.device)
        for step in range(self.recipe.steps(len(self.images))):
            done = self.step(plan, epoch, step)
            if done is None:
                return 0, math.nan, f"out of memory with a single image in epoch {epoch + 1}"
            total += done[0]
            right += done[1]
        mean = float(total)
        return int(right), mean, "" if math.isfinite(mean) else f"the loss was not finite in epoch {epoch + 1}"

    def begin(self, epoch: int) -> None:
        """Turn to training, with the outputs that this epoch drops."""
        drawn = generator("drop path", self.seed, epoch, self.device)
        for drop in self.drops:
            drop.probability, drop.generator = self.recipe.drop_path_at(epoch), drawn
        self.network.train()

    def step(self, plan: EpochPlan, epoch: int, step: int) -> tuple[Tensor, Tensor] | None:
        """One step of an epoch: its part of the mean loss, and its correct images; both stay on the device.

        None where memory is too small for a single image.
        """
        recipe, n, steps = self.recipe, len(plan), self.recipe.steps(len(self.images))
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate_at(epoch * steps + step, steps)
        images, labels = take(self.images, plan, slice(step * recipe.batch, min(n, (step + 1) * recipe.batch)))
        while (found := self._fitting(images, labels)) is None:
            if self.micro == 1:
                return None
            self.micro = (self.micro + 1) // 2
            self._news.append(
                f"out of memory in epoch {epoch + 1}: micro-batches of {self.micro} images from there, each "
                "normalized by itself"
            )
            give_back(self.device)
        loss, correct = found
        if recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimizer.step()
        return loss * (len(labels) / n), correct

    def _fitting(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor] | None:
        """As `_gradients`; None where memory is too small. The exception, which holds it, is gone by then."""
        try:
            return self._gradients(images, labels)
        except torch.OutOfMemoryError:
            return None

    def _gradients(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the mean loss over a batch, in micro-batches; the loss, and the number of correct images."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self.device)
        right = torch.zeros((), dtype=torch.long, device=self.device)
        for part, wanted in zip(torch.split(images, self.micro), torch.split(labels, self.micro), strict=True):
            with self._precision():
                outputs = self.call(self._formatted(part))
            logits, second = outputs if isinstance(outputs, tuple) else (outputs, None)
            loss_here = self._loss(logits, wanted)
            if second is not None and self.recipe.auxiliary:
                loss_here = loss_here + self.recipe.auxiliary * self._loss(second, wanted)
            share = loss_here * (len(wanted) / len(labels))
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.detach()
            right += (logits.detach().argmax(dim=1) == wanted).sum()
        return loss, right

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.smoothing)

    def evaluate(self, split: DeviceSplit) -> tuple[float, float]:
        """Share of a split's images that are classified correctly, and their mean cross-entropy."""
        right, losses = self.judged(split)
        loss = 0.0
        for part in losses.tolist():  # added in double precision, which not every device has
            loss += part
        return int(right) / len(split), loss / len(split)

    @torch.no_grad()
    def judged(self, split: DeviceSplit) -> tuple[Tensor, Tensor]:
        """The number of images that are classified correctly, and sums of cross-entropies; both stay on the device."""
        self.network.eval()
        right, losses = torch.zeros((), dtype=torch.long, device=self.device), []
        for images, labels in zip(
            *(torch.split(part, EVALUATED) for part in (split.images, split.labels)), strict=True
        ):
            with self._precision():
                logits = self.call(self._formatted(images))
            right += (logits.argmax(dim=1) == labels).sum()
            losses.append(F.cross_entropy(logits.float(), labels, reduction="sum"))
        return right, torch.stack(losses)

    def news(self) -> list[str]:
        """What has to be said since the last call."""
        news, self._news = self._news, []
        return news

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "micro": self.micro}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.micro = state["micro"]

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        if self.device.type == "cuda" and self.recipe.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def _formatted(self, images: Tensor) -> Tensor:
        if self.device.type == "cuda":
            return images.to(memory_format=torch.channels_last)
        return images
