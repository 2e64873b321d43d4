"""The two splits that a search is made on."""

from __future__ import annotations

import torch

from nassim.errors import InvalidSetting
from nassim.full_training.images.batches import DeviceSplit, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import Recipe

HALVES, SPLITS = "halves of the training images", "training and validation images"


def searched(
    data: ImageData, recipe: Recipe, device: torch.device, how: str, portion: float = 0.5
) -> tuple[DeviceSplit, DeviceSplit]:
    """The images that train the weights and those that train the architecture.

    portion: of the training images, that train the weights, where no release says which do. `InvalidSetting` where one
    of the two would have none.
    """
    if not 0 < portion < 1:
        raise InvalidSetting(f"a part of the images trains the weights: {portion} is not between 0 and 1.")
    pad = recipe.padding(data.side)
    whole = to_device(data, "train", device, pad)
    if how == SPLITS:
        return whole, to_device(data, "valid", device, pad)
    # Renderings of one original lie side by side (at most eight of them): none may be in both halves.
    half = len(whole) // 16 * 8 if portion == 0.5 else int(portion * len(whole)) // 8 * 8
    if not 0 < half < len(whole):
        raise InvalidSetting(f"{len(whole)} training images cannot be divided, {portion} of them for the weights.")
    return (
        DeviceSplit(whole.images[:half], whole.labels[:half], whole.pad),
        DeviceSplit(whole.images[half:], whole.labels[half:], whole.pad),
    )
