"""NAS-Bench-201's 729 cells of none, skip connections and 3x3 convolutions, trained by nassim on digits and fashion.

Paper: space and skeleton: X. Dong & Y. Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326; trainings:
    docs/benchmarks.md.

Splits: ``digits`` is the part of `nasbench201/digits` that lies in this space, with its own optimum. ``fashion14`` is a
    table of its own: ``valid`` are 5,000 of Fashion-MNIST's training images, ``test`` its 10,000 test images.

Noise: three trainings of each of the 78 classes of equivalent cells, with other seeds.

Pitfalls: small networks, trained for seconds: what counts is how fast a network learns. Equivalent cells have the same
    values.
"""

from __future__ import annotations

import json
from dataclasses import replace

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.nasbench201_3ops import CELLS, ROWS, SPACE
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters
from nassim.full_training.supernets.sources import RECIPES, supernets_of
from nassim.full_training.training.recipe import get_recipe
from nassim.supernet import Supernets
from nassim.tabular_data import digits
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated
from nassim.tabular_data.trained import about_trained, open_trained, shipped

__all__ = ["SPACE", "TASKS", "load", "supernets"]

PATH = shipped("nasbench201_3ops-fashion14.h5")
TASKS = tuple(task for task, path in (("digits", digits.PATH), ("fashion14", PATH)) if path.exists())
_SIZES = {"digits": (4, 4), "fashion14": (4, 64)}  # side of the images in pixels, their channels
_TITLES = {"digits": "handwritten digits", "fashion14": "small images of Fashion-MNIST"}


def load(task: str, noise: Noise) -> Tabulated:
    """A task's table; both come with nassim."""
    table = _part_of_digits() if task == digits.TASK else open_trained(PATH, task)
    header = table.header
    recipe, (side, image_channels) = get_recipe(json.loads(header.sources["recipe"])["name"]), _SIZES[task]
    sizes = {
        "classes": 10,
        "image_channels": image_channels,
        "channels": recipe.channels,
        "cells": recipe.cells,
    }
    return Tabulated(
        table,
        task,
        space=SPACE,
        noise=noise,
        about=about_trained(
            header,
            f"NAS-Bench-201 with three operations on {_TITLES[task]}, {max(header.epochs)} epochs, by nassim",
            "space and skeleton: Dong & Yang, ICLR 2020, arXiv:2001.00326; trainings: docs/benchmarks.md",
        ),
        extras={
            "parameters": parameters(CELLS, **sizes),
            "flops": flops(CELLS, side=side, **sizes),
            "latency": table.columns[f"{task}/latency"],
        },
    )


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs of a task come from."""
    images = task.partition(":")[0]
    return supernets_of(SPACE, images) if (SPACE.name, images) in RECIPES else None


def _part_of_digits() -> Table:
    """The rows of `nasbench201/digits` whose cells have our three operations, in our order."""
    whole = digits.open_table()
    columns = {name: column[ROWS] for name, column in whole.columns.items()}
    for column in columns.values():
        column.setflags(write=False)
    notes = (f"These {len(ROWS)} of the {len(whole.columns[f'{digits.TASK}/class']):,} cells of nasbench201/digits.",)
    return Table(whole.path, replace(whole.header, space=SPACE.name, errata=notes + whole.header.errata), columns)
