"""How well two seeds agree over the classes that a build trains first: whether a table is worth its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import MissingData
from nassim.full_training.tables.designs import Design
from nassim.full_training.tables.shards import made, pilot_shards, read


@dataclass(frozen=True)
class Pilot:
    """Validation accuracies after the last epoch (classes, 2 seeds), 0 where a training diverged.

    cells: (classes,), how many cells of the space are of each class; seconds: of a training, the mean.
    """

    accuracies: NDArray[np.float64]
    cells: NDArray[np.int64]
    seconds: float


def read_pilot(design: Design, shards: Path) -> Pilot:
    """The pilot of a build; `MissingData` if a part of it is not there yet."""
    rows = sorted({i for shard in pilot_shards(design) for i in shard.classes})
    accuracies, seconds = np.zeros((len(rows), 2)), []
    wanted, images = made(design), len(design.load_data().splits["valid"])
    for shard in pilot_shards(design):
        results = read(shards, design, shard, wanted)
        if results is None:
            raise MissingData(f"the pilot in {shards} is not finished: `nassim data build {design.name} --pilot`.")
        places = np.searchsorted(rows, shard.classes)
        accuracies[places, design.seeds.index(shard.seed)] = np.maximum(results.valid[:, -1], 0) / images
        seconds.append(results.seconds.sum(axis=1))
    cells = np.array([len(design.classes[i].rows) for i in rows])
    return Pilot(accuracies, cells, float(np.nanmean(np.concatenate(seconds))))
