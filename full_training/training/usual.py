"""The recipe that a space's architectures are trained by on a set of images if none is named.

NAS-Bench-201's cells have the recipes of `recipe.USUAL` and, on images of the user's own, ``nasbench201-12ep`` where
there are enough of them. Architectures of other spaces are trained by ``small``: four
epochs of at most `LARGEST_EPOCH` images, so that any space can be tried on any images in seconds or minutes; what a
paper trained for days has to be asked for. The channels and cells of ``small`` are the space's (`SIZES`), and networks
of hundreds of layers have shorter epochs (`SHORT_EPOCH`): what a step costs them is its layers, not its images.
"""

from __future__ import annotations

from dataclasses import replace

from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import USUAL, Recipe, get_recipe, usual_recipe
from nassim.space import SearchSpace

CELLS_OF_201 = ("nasbench201", "nasbench201_3ops")
LARGEST_EPOCH = 4000  # images; more are divided into epochs, if a number up to `MOST_PARTS` divides them
SHORT_EPOCH = {"hierarchical": 1000, "nasnet": 1000, "nasnet-one": 1000}  # images, in place of `LARGEST_EPOCH`
MOST_PARTS = 100
MASKED = "segmentation"  # of images with masks
SIZES = {  # space -> channels, cells; what they mean there, its `network` says
    "accel_nasbench": (8, 1),
    "cgp": (8, 1),  # convolutions of 8, 16 and 32 channels
    "cgp-res": (8, 1),
    "chain": (8, 1),  # 8, 12, 16 and 21 filters
    "darts": (8, 5),  # normal, reduction, normal, reduction, normal
    "enas-macro": (8, 1),
    "enas-micro": (8, 5),  # normal, reduction, normal, reduction, normal
    "genetic_cnn": (8, 1),
    "genetic_cnn-cifar": (8, 1),
    "grown": (16, 1),  # the widths as they are
    "hierarchical": (8, 1),
    "mbconv": (8, 1),
    "mbconv-layers": (8, 1),
    "mbconv-v3": (8, 1),
    "mbconv-v3-small": (8, 1),
    "nasbench101": (16, 1),
    "nasbench1shot1-1": (16, 1),
    "nasbench1shot1-2": (16, 1),
    "nasbench1shot1-3": (16, 1),
    "nasbench201": (8, 1),
    "nasbench201_3ops": (8, 1),
    "nasbench_macro": (8, 1),
    "nasnet": (4, 1),  # normal, reduction, normal, reduction, normal
    "nasnet-one": (4, 1),
    "nasnet13": (4, 1),
    "natsbench-size": (64, 1),  # the widths as published
    "squeezenas": (8, 1),
    "squeezenas-short": (8, 1),
}


def recipe_for(space: SearchSpace, data: ImageData, name: str = "", **changes: int | float | bool | str) -> Recipe:
    """The recipe of a name (empty: the usual one) for a space and data, with changed fields as in `get_recipe`."""
    images = len(data.splits["train"])
    if not name and data.masks:
        name = MASKED
    if not name:
        name = usual_recipe(data) if space.name in CELLS_OF_201 else "small"
        if data.name not in USUAL and images < get_recipe(name).batch:
            name = "small"
    recipe = get_recipe(name, **changes)
    if name not in ("small", MASKED):
        return recipe
    published = (8, 1) if space.frame is None else (space.frame.channels, space.frame.cells)
    channels, cells = SIZES.get(space.name, published)
    largest = SHORT_EPOCH.get(space.name, LARGEST_EPOCH)
    parts = next((n for n in range(1, MOST_PARTS + 1) if images % n == 0 and images // n <= largest), 1)
    own = {"channels": channels, "cells": cells, "epochs_a_pass": parts, "batch": min(recipe.batch, images // parts)}
    return replace(recipe, **{**own, **changes})  # type: ignore[arg-type]
