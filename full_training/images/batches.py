"""Images on the device: the whole data set lies there, batches are taken and augmented there.

Every random choice of a training is a function of its seed and the epoch: a resumed training makes the same
ones without a stored generator, and many trainings at once make each its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import Recipe
from nassim.segmentation import UNLABELED

NO_CLASS = -100  # what torch's losses leave out


@dataclass(frozen=True)
class DeviceSplit:
    """Normalized images (n, channels, side + 2 pad, side + 2 pad), black around, and labels (n,).

    Of images with masks labels are (n, side + 2 pad, side + 2 pad) in uint8, `UNLABELED` around.
    """

    images: Tensor
    labels: Tensor
    pad: int

    def __len__(self) -> int:
        return len(self.labels)


def to_device(data: ImageData, split: str, device: torch.device | str = "cpu", pad: int = 0) -> DeviceSplit:
    """A split, padded with black pixels, then normalized by the training images' moments."""
    shape = (1, data.channels, 1, 1)
    mean, std = torch.tensor(data.mean).view(shape), torch.tensor(data.std).view(shape)
    mean, std = mean.to(device), std.to(device)
    images = torch.nn.functional.pad(torch.from_numpy(data.splits[split].images).to(device), (pad, pad, pad, pad))
    images = images.float().div_(255).sub_(mean).div_(std)
    labels = torch.from_numpy(data.splits[split].labels).to(device)
    if data.masks:
        labels = torch.nn.functional.pad(labels, (pad, pad, pad, pad), value=UNLABELED)
    return DeviceSplit(images, labels, pad)


def wanted(labels: Tensor) -> Tensor:
    """Labels as losses take them: int64, and -100 for pixels of no class."""
    return labels if labels.dtype is torch.int64 else labels.long().masked_fill_(labels == UNLABELED, NO_CLASS)


def generator(purpose: str, seed: int, epoch: int = 0, device: torch.device | None = None) -> torch.Generator:
    """A generator for one purpose of one training.

    device: where numbers are drawn in every step, so that none are copied there (None: the CPU). What is drawn is
    another on each kind of device.
    """
    key = hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()
    on = device if device is not None and device.type in ("cuda", "mps") else "cpu"
    return torch.Generator(on).manual_seed(int.from_bytes(key[:8], "little") >> 1)


@dataclass(frozen=True)
class EpochPlan:
    """The random choices of an epoch, for every position in it: image, shift and flip (all int64, (n,)).

    hole: row and column (int64, (n, 2)) of the pixel around which a square of side ``cutout`` is cut out; None without.
    """

    order: Tensor
    down: Tensor
    right: Tensor
    mirror: Tensor
    hole: Tensor | None = None
    cutout: int = 0

    def __len__(self) -> int:
        return len(self.order)

    def to(self, device: torch.device) -> EpochPlan:
        """The same on a device, in one copy: batches are then taken there without another."""
        if self.order.device == device:
            return self
        hole = () if self.hole is None else (self.hole[:, 0], self.hole[:, 1])
        order, down, right, mirror, *rest = torch.stack([self.order, self.down, self.right, self.mirror, *hole]).to(
            device
        )
        return EpochPlan(order, down, right, mirror, torch.stack(rest, dim=1) if rest else None, self.cutout)


def plan_epoch(split: DeviceSplit, recipe: Recipe, seed: int, epoch: int) -> EpochPlan:
    """Draw the choices of an epoch over a split's images, or over its part of them if a pass takes several epochs.

    They are drawn on the CPU, so that they are the same everywhere, and lie where the images are.
    """
    n = len(split)
    whole, part = divmod(epoch, recipe.epochs_a_pass)
    rng = generator("batches", seed, whole)
    order = torch.randperm(n, generator=rng)
    down, right = (torch.randint(0, 2 * split.pad + 1, (n,), generator=rng) for _ in range(2))
    mirror = torch.randint(0, 2 if recipe.flip else 1, (n,), generator=rng)
    now = slice(n * part // recipe.epochs_a_pass, n * (part + 1) // recipe.epochs_a_pass)
    hole = None
    if recipe.cutout:  # drawn last: all else is as without
        hole = torch.randint(0, split.images.shape[2] - 2 * split.pad, (n, 2), generator=rng)[now]
    plan = EpochPlan(order[now], down[now], right[now], mirror[now], hole, recipe.cutout)
    return plan.to(split.images.device)


def take(split: DeviceSplit, plan: EpochPlan, positions: slice | Tensor) -> tuple[Tensor, Tensor]:
    """Augmented images (b, channels, side, side) and labels of the plan's ``positions``; both lie together.

    Labels are (b,), or masks (b, side, side) that were moved and mirrored as their images were (`wanted`).
    """
    device = split.images.device
    side = split.images.shape[2] - 2 * split.pad
    chosen, down, right, mirror = (part[positions] for part in (plan.order, plan.down, plan.right, plan.mirror))
    along = torch.arange(side, device=device)
    rows_taken = (down[:, None] + along)[:, :, None]
    columns_taken = (torch.where(mirror[:, None] > 0, side - 1 - along, along) + right[:, None])[:, None, :]
    images = split.images[chosen[:, None, None], :, rows_taken, columns_taken]  # (b, side, side, channels)
    images = images.permute(0, 3, 1, 2).contiguous()
    if plan.hole is not None:
        first = plan.hole[positions][:, :, None] - plan.cutout // 2
        rows, columns = ((along >= first) & (along < first + plan.cutout)).unbind(dim=1)  # (b, side) each
        images.masked_fill_((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
    if split.labels.ndim > 1:
        return images, wanted(split.labels[chosen[:, None, None], rows_taken, columns_taken])
    return images, split.labels[chosen]
