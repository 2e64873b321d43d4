"""The supernets that there are, by data set, without torch: it is loaded when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nassim.errors import CorruptData
from nassim.full_training.images.data import load_data
from nassim.full_training.training.device import require_torch
from nassim.full_training.training.recipe import Recipe, get_recipe

if TYPE_CHECKING:
    from nassim.full_training.supernets.nasbench201 import SharedNetwork

# What is taken of a recipe is channels, cells, augmentation and what an epoch is. The supernet of digits has one
# cell a stage, the networks of its table two: as the paper of DARTS searches with a smaller network than it evaluates.
RECIPES = {
    "digits": get_recipe("digits", cells=1, epochs_a_pass=2),
    "cifar10": get_recipe("nasbench201-200ep"),
    "cifar100": get_recipe("nasbench201-200ep"),
    "imagenet16-120": get_recipe("nasbench201-200ep"),
}
# Known without reading an image, to see whether a recording fits. The releases of the others are checked when read.
IMAGES_SHA256 = {"digits": "2623a019bc5a38612368440c5836d0bd359139969478113be9fd79c52af07e6f"}


def supernet_settings(images: str, recipe: Recipe | None = None) -> dict[str, object]:
    """What decides how a supernet trains beside the strategy's hyperparameters.

    ``revision`` is raised by whatever else changes what a search gives: recordings of another one are refused.
    """
    recipe = recipe or RECIPES[images]
    return {
        "images": images,
        "images_sha256": IMAGES_SHA256.get(images, ""),
        "channels": recipe.channels,
        "cells": recipe.cells,
        "epochs_a_pass": recipe.epochs_a_pass,
        "crop": recipe.crop,
        "flip": recipe.flip,
        "statistics": "batch",
        "revision": 1,
        # Only where images are cropped, so that recordings on digits stay what they are.
        **({"crop_side": recipe.crop_side, "border": "black"} if recipe.crop else {}),
    }


def make_supernet(images: str, seed: int, device: str = "cpu") -> SharedNetwork:
    """The supernet of a data set, with its images on the device.

    `MissingDependency` without torch, `MissingData` without the images, `CorruptData` if they are others than
    recordings are made with, `InvalidSetting` for an unknown device.
    """
    require_torch("training a supernet")
    from nassim.full_training.supernets.nasbench201 import SharedNetwork

    data = load_data(images)
    if IMAGES_SHA256.get(images, data.sha256) != data.sha256:
        raise CorruptData(f"the images of {images} have the hash {data.sha256[:12]}, not {IMAGES_SHA256[images][:12]}.")
    return SharedNetwork(data, RECIPES[images], seed, device)
