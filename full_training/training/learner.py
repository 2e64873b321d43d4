"""A network while it learns: its optimizer, its images on the device, one step, one epoch, one evaluation."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.full_training.images.batches import DeviceSplit, EpochPlan, generator, plan_epoch, take, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.construct import Constructed, DropPath, construct, initialize
from nassim.full_training.training.device import give_back
from nassim.full_training.training.heritage import MOMENTS, Heritage, distillation
from nassim.full_training.training.recipe import Recipe
from nassim.network import Network

EVALUATED = 1000  # images at once in an evaluation


class Learner:
    """A network with its optimizer and training images on a device."""

    def __init__(
        self,
        network: Network,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        heritage: Heritage | None = None,
        *,
        compiled: bool,
    ) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.network = construct(network)
        initialize(self.network, generator("weights", seed), device)
        self.images = to_device(data, "train", device, recipe.padding(data.side))
        self.teacher: Constructed | None = None
        if heritage is not None:
            some = plan_epoch(self.images, recipe, seed, 0)
            images, _ = take(self.images, some, slice(0, min(len(some), MOMENTS)))
            self.teacher = heritage.pass_on(network, self.network, images)
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
            if self.teacher is not None:
                with torch.no_grad():
                    taught = self.teacher(self._formatted(part))
                loss_here = loss_here + distillation(logits, taught)
            share = loss_here * (len(wanted) / len(labels))
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.detach()
            right += (logits.detach().argmax(dim=1) == wanted).sum()
        return loss, right

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.smoothing)

    @property
    def judged(self) -> int:
        """How many predictions the last epoch made: one an image."""
        return self.recipe.images_an_epoch(len(self.images))

    def evaluate(self, split: DeviceSplit) -> tuple[float, ...]:
        """Share of a split's images that are classified correctly, and their mean cross-entropy."""
        right, losses = self.counted(split)
        loss = 0.0
        for part in losses.tolist():  # added in double precision, which not every device has
            loss += part
        return int(right) / len(split), loss / len(split)

    @torch.no_grad()
    def counted(self, split: DeviceSplit) -> tuple[Tensor, Tensor]:
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
