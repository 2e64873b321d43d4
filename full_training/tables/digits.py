"""From shards to the table ``nasbench201/digits``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import MissingData
from nassim.full_training.images.data import load_data
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.tables.shards import SEEDS, Made, plan, read
from nassim.full_training.training.recipe import get_recipe
from nassim.tabular_data.digits import MISSING, TASK
from nassim.tabular_data.table import Header, write_table

RECIPE = "digits"


def made() -> Made:
    """What the trainings of this version depend on."""
    return Made(get_recipe(RECIPE).sha256, load_data(TASK).sha256)


def assemble(shards: Path, target: Path) -> Header:
    """Write the table of the shards in a folder; `MissingData` if there is none.

    Trainings that are not there stay missing: the header says how many, the benchmark refuses their cells.
    """
    classes, epochs = cell_classes(), get_recipe(RECIPE).epochs
    counts = {
        name: np.full((len(classes), len(SEEDS), epochs), MISSING, np.uint16)
        for name in ("train_correct", "valid_correct")
    }
    test = np.full((len(classes), len(SEEDS)), MISSING, np.uint16)
    seconds = np.full((len(classes), len(SEEDS), epochs), np.nan, np.float32)
    latency = np.full(len(classes), np.nan, np.float32)
    machines: Counter[str] = Counter()
    failures: list[str] = []
    wanted = made()
    for shard in plan():
        results = read(shards, shard, wanted)
        if results is None:
            continue
        rows, repeat = np.array(shard.classes), SEEDS.index(shard.seed)
        for name, values in (("train_correct", results.train), ("valid_correct", results.valid)):
            counts[name][rows, repeat] = np.where(values < 0, MISSING, values)
        test[rows, repeat] = np.where(results.test < 0, MISSING, results.test)
        seconds[rows, repeat] = results.seconds
        measured = ~np.isnan(results.latency)
        latency[rows[measured]] = results.latency[measured]
        machines[results.machine] += len(rows)
        failures += [
            f"{classes[row].trained}, seed {shard.seed}: {reason}"
            for row, reason in zip(shard.classes, results.failed.tolist(), strict=True)
            if reason
        ]
    if not machines:
        raise MissingData(f"there is no finished shard in {shards}: `nassim data build nasbench201/digits` makes them.")
    columns: dict[str, NDArray[Any]] = {**counts, "test_correct": test, "seconds": seconds, "latency": latency}
    columns["class"] = np.empty(SPACE.size, np.uint16)
    for i, each in enumerate(classes):
        columns["class"][list(each.rows)] = i
    columns["trained"] = np.array([SPACE.index(each.trained) for each in classes], np.uint16)
    header = _header(test != MISSING, machines, failures)
    write_table(target, header, {f"{TASK}/{name}": column for name, column in columns.items()})
    return header


def _header(there: NDArray[np.bool_], machines: Counter[str], failures: list[str]) -> Header:
    data, recipe = load_data(TASK), get_recipe(RECIPE)
    images = {name: len(split) for name, split in data.splits.items()}
    rendered, images["train"] = images["train"], recipe.images_an_epoch(images["train"])
    classes = cell_classes()
    complete, some = int(there.all(axis=1).sum()), int(there.any(axis=1).sum())
    cells = sum(len(classes[i].rows) for i in np.flatnonzero(there.any(axis=1)))
    errata = [
        f"{len(classes):,} classes of equivalent cells were trained (zeros leave sums, sums merge through skips).",
        "Cells of a class have the same values; parameters and FLOPs are each cell's own.",
        "Seconds are processor time on one thread, of networks that were trained together divided by their number.",
    ]
    if complete < len(classes):
        errata.append(
            f"Incomplete: {some:,} of {len(classes):,} classes ({cells:,} of {SPACE.size:,} cells) have a training, "
            f"{complete:,} all {len(SEEDS)}; what is missing is refused."
        )
    errata += [f"Diverged: {failure}" for failure in failures]
    return Header(
        space=SPACE.name,
        tasks=(TASK,),
        metrics=("valid_accuracy", "test_accuracy", "train_accuracy"),
        splits={
            f"{TASK}/valid_accuracy": f"{images['valid']:,} images, rendered from 400 originals (x-valid)",
            f"{TASK}/test_accuracy": f"{images['test']:,} images, rendered from 400 other originals (x-test)",
            f"{TASK}/train_accuracy": (
                f"{images['train']:,} images an epoch, while training, of {rendered:,} rendered from the other 997 "
                "originals"
            ),
        },
        repeats=len(SEEDS),
        seeds=", ".join(map(str, SEEDS)),
        epochs=tuple(range(1, recipe.epochs + 1)),
        units={
            "valid_correct": "images",
            "test_correct": "images",
            "train_correct": "images",
            "seconds": "seconds of an epoch's training and validation",
            "latency": "seconds of one image on one thread",
            "class": "row of the cell's class",
            "trained": "the cell that was trained for the class",
        },
        source="trained by nassim data build nasbench201/digits",
        licence="MIT (the trainings); the digits: CC BY 4.0",
        citation=(
            "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, "
            "1998, https://doi.org/10.24432/C50P49; space and skeleton: X. Dong and Y. Yang, NAS-Bench-201, ICLR 2020"
        ),
        sources={
            "images": json.dumps(images),
            "images sha256": data.sha256,
            "recipe": json.dumps(asdict(recipe)),
            "recipe sha256": recipe.sha256,
            "machine": "; ".join(f"{name}: {count:,} trainings" for name, count in machines.most_common()),
        },
        errata=tuple(errata),
    )
