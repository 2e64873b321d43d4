"""From shards to a table."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import MissingData
from nassim.full_training.tables.designs import Design, frame_of
from nassim.full_training.tables.shards import made, plan, read
from nassim.network import measure
from nassim.tabular_data.table import Header, write_table
from nassim.tabular_data.trained import MISSING


def assemble(design: Design, shards: Path, target: Path) -> Header:
    """Write the table of the shards in a folder; `MissingData` if there is none.

    Trainings that are not there stay missing: the header says how many, the benchmark refuses their cells.
    """
    classes, epochs = design.classes, design.recipe.epochs
    counts = {
        name: np.full((len(classes), len(design.seeds), epochs), MISSING, np.uint16)
        for name in ("train_correct", "valid_correct")
    }
    test = np.full((len(classes), len(design.seeds)), MISSING, np.uint16)
    seconds = np.full((len(classes), len(design.seeds), epochs), np.nan, np.float32)
    latency = np.full(len(classes), np.nan, np.float32)
    machines: Counter[str] = Counter()
    failures: list[str] = []
    wanted = made(design)
    for shard in plan(design):
        results = read(shards, design, shard, wanted)
        if results is None:
            continue
        rows, repeat = np.array(shard.classes), design.seeds.index(shard.seed)
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
        raise MissingData(f"there is no finished shard in {shards}: `nassim data build {design.name}` makes them.")
    columns: dict[str, NDArray[Any]] = {**counts, "test_correct": test, "seconds": seconds, "latency": latency}
    columns["class"] = np.empty(design.space.size, np.uint16)
    for i, each in enumerate(classes):
        columns["class"][list(each.rows)] = i
    columns["trained"] = np.array([design.space.index(each.trained) for each in classes], np.uint16)
    if design.gain is not None:
        columns |= sizes(design)
    header = header_of(design, test != MISSING, machines, failures)
    write_table(target, header, {f"{design.data_name}/{name}": column for name, column in columns.items()})
    return header


def sizes(design: Design) -> dict[str, NDArray[np.uint32]]:
    """Parameters and multiply-adds of one image of each class's network (classes,)."""
    frame = frame_of(design.load_data(), design.recipe)
    measured = [measure(design.space.network(each.trained, frame)) for each in design.classes]
    return {
        "parameters": np.array([network.parameters for network in measured], np.uint32),
        "flops": np.array([network.macs for network in measured], np.uint32),
    }


def header_of(design: Design, there: NDArray[np.bool_], machines: Counter[str], failures: list[str]) -> Header:
    """What a table says of itself; ``there`` (classes, seeds): which trainings it has."""
    data, recipe, classes, space = design.load_data(), design.recipe, design.classes, design.space
    images = {name: len(split) for name, split in data.splits.items()}
    whole, images["train"] = images["train"], recipe.images_an_epoch(images["train"])
    complete, some = int(there.all(axis=1).sum()), int(there.any(axis=1).sum())
    cells = sum(len(classes[i].rows) for i in np.flatnonzero(there.any(axis=1)))
    errata = [
        f"{len(classes):,} classes of equivalent cells were trained (zeros leave sums, sums merge through skips).",
        "Cells of a class have the same values; parameters and FLOPs are each cell's own.",
        "Seconds are processor time on one thread, of networks that were trained together divided by their number.",
    ]
    if design.gain is not None:
        errata = [
            f"{len(classes):,} classes of equivalent architectures were trained; each has its class's values.",
            f"First weights were multiplied by {design.gain:.4g}. Networks and recipe: {design.sha256}.",
            "Seconds are processor time on one thread.",
        ]
    if complete < len(classes):
        errata.append(
            f"Incomplete: {some:,} of {len(classes):,} classes ({cells:,} of {space.size:,} cells) have a training, "
            f"{complete:,} all {len(design.seeds)}; what is missing is refused."
        )
    errata += [f"Diverged: {failure}" for failure in failures]
    return Header(
        space=space.name,
        tasks=(design.data_name,),
        metrics=("valid_accuracy", "test_accuracy", "train_accuracy"),
        splits={
            f"{design.data_name}/{name}_accuracy": text.format(whole=whole, **images) for name, text in design.splits
        },
        repeats=len(design.seeds),
        seeds=", ".join(map(str, design.seeds)),
        epochs=tuple(range(1, recipe.epochs + 1)),
        units={
            "valid_correct": "images",
            "test_correct": "images",
            "train_correct": "images",
            "seconds": "seconds of an epoch's training and validation",
            "latency": "seconds of one image on one thread",
            **({"parameters": "trainable", "flops": "multiply-adds for one image"} if design.gain is not None else {}),
            "class": "row of the cell's class",
            "trained": "the cell that was trained for the class",
        },
        source=f"trained by nassim data build {design.name}",
        licence=design.licence,
        citation=design.citation,
        sources={
            "images": json.dumps(images),
            "images sha256": data.sha256,
            "recipe": json.dumps(recipe.in_use),
            "recipe sha256": recipe.sha256,
            "machine": "; ".join(f"{name}: {count:,} trainings" for name, count in machines.most_common()),
        },
        errata=tuple(errata),
    )
