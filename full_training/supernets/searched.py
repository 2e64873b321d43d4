"""The two splits that a search is made on."""

from __future__ import annotations

import torch

from nassim.full_training.images.batches import DeviceSplit, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import Recipe

HALVES, SPLITS = "halves of the training images", "training and validation images"


def searched(data: ImageData, recipe: Recipe, device: torch.device, how: str) -> tuple[DeviceSplit, DeviceSplit]:
    """The images that train the weights and those that train the architecture."""
    pad = recipe.padding(data.side)
    whole = to_device(data, "train", device, pad)
    if how == SPLITS:
        return whole, to_device(data, "valid", device, pad)
    # Renderings of one original lie side by side (at most eight of them): none may be in both halves.
    half = len(whole) // 16 * 8
    return (
        DeviceSplit(whole.images[:half], whole.labels[:half], whole.pad),
        DeviceSplit(whole.images[half:], whole.labels[half:], whole.pad),
    )
