"""The supernets that there are, by space and data set, without torch: it is loaded when one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from nassim.errors import CorruptData
from nassim.full_training.images.data import load_data
from nassim.full_training.training.device import require_torch
from nassim.full_training.training.recipe import Recipe, get_recipe
from nassim.recurrent import RecurrentSpace
from nassim.space import SearchSpace
from nassim.supernet import Supernets
from nassim.tabular_data.recordings import folders, read_recordings, write_recording

if TYPE_CHECKING:
    from nassim.full_training.supernets.trainer import SharedNetwork

# What is taken of a recipe is channels, cells, augmentation and what an epoch is. The supernet of digits has one
# cell a stage, the networks of its table two: as the paper of DARTS searches with a smaller network than it evaluates.
_PUBLISHED = get_recipe("nasbench201-200ep")
RECIPES = {
    ("nasbench201", "digits"): get_recipe("digits", cells=1, epochs_a_pass=2),
    ("nasbench201", "cifar10"): _PUBLISHED,
    ("nasbench201", "cifar100"): _PUBLISHED,
    ("nasbench201", "imagenet16-120"): _PUBLISHED,
    ("nasbench201_3ops", "digits"): get_recipe("digits", cells=1, epochs_a_pass=2),
    ("nasbench201_3ops", "fashion14"): get_recipe("fashion14", cells=1, epochs_a_pass=4),
    ("nasbench_macro", "cifar10"): get_recipe("nasbench201-200ep", channels=32, cells=1),
    ("nasbench_macro", "fashion14"): get_recipe("fashion14", channels=8, cells=1, epochs_a_pass=4),
    ("mbconv-layers", "fashion14"): get_recipe("fashion14", channels=8, cells=1, epochs_a_pass=4),
    ("enas-macro", "fashion14"): get_recipe("fashion14", channels=8, cells=1, epochs_a_pass=4),
    ("enas-macro", "digits"): get_recipe("digits", channels=8, cells=1, epochs_a_pass=2),
    ("enas-micro", "fashion14"): get_recipe("fashion14", channels=8, cells=5, epochs_a_pass=4),
    ("enas-micro", "digits"): get_recipe("digits", channels=8, cells=5, epochs_a_pass=2),
    **{(f"nasbench1shot1-{n}", "cifar10"): get_recipe("nasbench201-200ep", channels=16, cells=3) for n in (1, 2, 3)},
    **{
        (f"nasbench1shot1-{n}", images): get_recipe(images, channels=12, cells=1, epochs_a_pass=passes)
        for n in (1, 2, 3)
        for images, passes in (("digits", 2), ("fashion14", 4))
    },
    ("squeezenas-short", "canvas"): get_recipe("segmentation", channels=8, epochs_a_pass=8),
    ("darts", "cifar10"): get_recipe("nasbench201-200ep", channels=16, cells=8),  # as its authors search
    ("darts", "fashion14"): get_recipe("fashion14", channels=8, cells=5, epochs_a_pass=4),
}
# Known without reading an image, to see whether a recording fits. The releases of the others are checked when read.
IMAGES_SHA256 = {
    "digits": "2623a019bc5a38612368440c5836d0bd359139969478113be9fd79c52af07e6f",
    "canvas": "ed45d796a79af7e8ac02f65a06f78b6fea3a02c55b322cd3b3fcc63e4d162d5c",
    "fashion14": "03c97d9042b22dbc6712696d91713a4d40c6d7a6cf0a58cb533736ea018e1247",
}


# Where a release says which images train the weights and which the architecture.
SPLIT = ("cifar10", "cifar100", "imagenet16-120")
REVISION = 2


def supernet_settings(space: str, images: str, recipe: Recipe | None = None) -> dict[str, object]:
    """What decides how a supernet trains beside the strategy's hyperparameters.

    ``revision`` is raised by whatever else changes what a search gives: recordings of another one are refused.
    """
    recipe = recipe or RECIPES[space, images]
    return {
        "space": space,
        "images": images,
        "images_sha256": IMAGES_SHA256.get(images, ""),
        "searched": "training and validation images" if images in SPLIT else "halves of the training images",
        "channels": recipe.channels,
        "cells": recipe.cells,
        "epochs_a_pass": recipe.epochs_a_pass,
        "crop": recipe.crop,
        "flip": recipe.flip,
        "statistics": "batch",
        "revision": REVISION,
        # Only where images are cropped, so that recordings on digits stay what they are.
        **({"crop_side": recipe.crop_side, "border": "black"} if recipe.crop else {}),
    }


def make_supernet(space: SearchSpace, images: str, seed: int, device: str = "cpu") -> SharedNetwork:
    """The supernet of a space on a data set, with its images on the device.

    `MissingDependency` without torch, `MissingData` without the images, `CorruptData` if they are others than
    recordings are made with, `InvalidSetting` for an unknown device.
    """
    require_torch("training a supernet")
    from nassim.full_training.supernets.trainer import SharedNetwork

    data = load_data(images)
    if IMAGES_SHA256.get(images, data.sha256) != data.sha256:
        raise CorruptData(f"the images of {images} have the hash {data.sha256[:12]}, not {IMAGES_SHA256[images][:12]}.")
    recipe, made = RECIPES[space.name, images], SharedNetwork
    if data.masks:
        from nassim.full_training.supernets.pixels import SharedPixels

        made = SharedPixels
    return made(space, data, recipe, seed, device, settings=supernet_settings(space.name, images))


def known_supernets(space: SearchSpace, images: str) -> Supernets | None:
    """Where the one-shot runs of a space on a data set come from; None where nobody said how large it is there."""
    if isinstance(space, RecurrentSpace):
        from nassim.full_training.texts.sources import supernets_on

        return supernets_on(space, images)
    return supernets_of(space, images) if (space.name, images) in RECIPES else None


def _unpublished(algorithm: str, hyperparameters: Mapping[str, object]) -> float | None:
    """No published seconds: those of the machine that recorded count."""
    return None


def supernets_of(
    space: SearchSpace,
    images: str,
    *,
    stand_in: Supernets | None = None,
    published_seconds: Callable[[str, Mapping[str, object]], float | None] = _unpublished,
    published_source: str = "",
) -> Supernets:
    """Where the one-shot runs of a space on a data set come from; the further arguments are those of `Supernets`."""
    name = f"{space.name}/{images}"
    return Supernets(
        benchmark=name,
        space=space,
        settings=supernet_settings(space.name, images),
        make=partial(make_supernet, space, images),
        recordings=partial(read_recordings, name, space),
        write=write_recording,
        folder=folders()[0],
        published_seconds=published_seconds,
        published_source=published_source,
        stand_in=stand_in,
    )
