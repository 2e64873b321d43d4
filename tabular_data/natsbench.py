"""The benchmarks of NATS-Bench's tables: trainings by schedule, or one full training epoch by epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import About, Noise
from nassim.errors import CorruptData, MissingData, NassimError
from nassim.space import SearchSpace
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.recipes.natsbench import IMAGES, fractions
from nassim.tabular_data.recipes.natsbench_import import TASKS, open_curves
from nassim.tabular_data.table import Table, column_name
from nassim.tabular_data.tabulated import Tabulated

CURVE = ":curve"  # ends the task whose epochs are those of the full training
_EXTRAS = {
    "parameters": "trainable",
    "flops": "multiply-adds for one image",
    "latency": "seconds for a batch of 256 images, measured by the authors",
}


class FullTraining(Tabulated):
    """A table of the epochs of the full training, so that a shorter one can go on; every epoch costs the same."""

    continues = True
    epoch_seconds: NDArray[np.float64]  # (rows, repeats)
    pass_seconds: NDArray[np.float64]  # (rows, repeats), of one validation pass

    def _seconds(self, epochs: int) -> NDArray[np.float64]:
        seconds: NDArray[np.float64] = epochs * self.epoch_seconds + self.pass_seconds
        return seconds


def load(
    family: str, task: str, noise: Noise, *, space: SearchSpace, title: str, size: dict[str, NDArray[Any]]
) -> Tabulated:
    """Open a task of a family's table; `MissingData` until it has been imported.

    size: parameters and flops of every architecture, (rows,).
    """
    path = data_folder() / f"{family.replace('-', '_')}.h5"
    if not path.exists():
        raise MissingData(
            f"{family}/{task} needs the official release: nassim data import {family} PATH "
            f"(`nassim data info {family}` says which)."
        )
    images, curve, _ = task.partition(CURVE)
    table = Table.open(path)
    header = table.header
    trained = f"epochs 1 to {max(header.epochs)} of one training" if curve else _schedules(header.epochs)
    about = About(
        title=f"{title}, {images}, {trained}",
        paper="Dong et al., TPAMI 2021, arXiv:2009.00437",
        source=header.source,
        licence=header.licence,
        citation=header.citation,
        splits={name.partition("/")[2]: text for name, text in header.splits.items() if name.startswith(f"{images}/")},
        extras=_EXTRAS,
        notes=(f"Seeds of the repeats: {header.seeds}.", *header.errata),
        sha256=header.sha256,
    )
    extras = {**size, "latency": table.columns[f"{images}/latency"]}
    common: dict[str, Any] = {"space": space, "noise": noise, "about": about, "extras": extras}
    try:
        benchmark = _curve(table, images, common) if curve else Tabulated(table, images, **common)
    except NassimError:
        raise
    except (IndexError, TypeError, ValueError) as error:  # of columns with other shapes
        raise CorruptData(f"{path} or its curves are not what {family} makes ({error}). Import it again.") from error
    benchmark.name = f"{family}/{task}"
    return benchmark


def _curve(table: Table, images: str, common: dict[str, Any]) -> Tabulated:
    curves = open_curves(table).columns
    (dataset, split), _ = TASKS[images]
    full = max(table.header.epochs)
    epochs = tuple(range(1, full + 1))
    correct = curves[f"{dataset}/{split}@{full}"]
    columns = {f"{images}/test_accuracy": table.columns[f"{images}/test_accuracy"]}
    for epoch in epochs:
        name = column_name(images, "valid_accuracy", epoch, full)
        columns[name] = fractions(correct[:, :, epoch - 1], IMAGES[dataset][split])
    view = replace(table, header=replace(table.header, epochs=epochs), columns=columns)
    benchmark = FullTraining(view, images, **common)
    benchmark.epoch_seconds = curves[f"{dataset}/train_seconds@{full}"][:, :, 0]
    benchmark.pass_seconds = curves[f"{dataset}/{split}_seconds@{full}"][:, :, 0]
    return benchmark


def _schedules(epochs: tuple[int, ...]) -> str:
    return f"trainings of {', '.join(map(str, epochs[:-1]))} and {epochs[-1]} epochs"
