"""From the trainings of a design to a surrogate: of shards, or of a table that comes with nassim."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import MissingData
from nassim.full_training.tables.assemble import assemble
from nassim.full_training.tables.designs import Design
from nassim.tabular_data.fitted import MOST, Quality, Trainings, fit
from nassim.tabular_data.table import Header, Table
from nassim.tabular_data.trained import MISSING, shipped


def fit_design(design: Design, shards: Path, target: Path) -> tuple[Header, Quality]:
    """Fit a surrogate to what is trained and write it; trains nothing.

    `MissingData` where neither shards nor a table are there; as `fitted.fit` for too few trainings.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / design.file_name
        try:
            assemble(design, shards, path)
        except MissingData:
            path = shipped(design.file_name)
            if not path.exists():
                raise
        table = Table.open(path)
        trainings = trainings_of(table, design.data_name)
        trained = int(np.isfinite(trainings.valid[:, :, -1]).any(axis=1).sum())
        header = Header(
            space=design.space_name,
            tasks=(design.data_name,),
            metrics=("valid_accuracy", "test_accuracy"),
            splits=dict(table.header.splits),
            repeats=1,
            seeds="those of the trainings; the forests: 0",
            epochs=table.header.epochs,
            units={"value": "fraction, or seconds", "residuals": "fraction"},
            source=f"fitted to trainings of {min(trained, MOST):,} architectures by nassim data build {design.name}",
            licence=table.header.licence,
            citation=table.header.citation,
            errata=("Predictions: none of its numbers is a training's, and there is no optimum.",),
        )
        return fit(design.space, trainings, header, target)


def trainings_of(table: Table, task: str) -> Trainings:
    """The trainings of a table of classes, as accuracies (fractions) and seconds."""
    images = json.loads(table.header.sources["images"])

    def fractions(name: str, split: str) -> NDArray[np.float64]:
        counts: NDArray[Any] = table.columns[f"{task}/{name}"]
        found: NDArray[np.float64] = np.where(counts == MISSING, np.nan, counts / images[split])
        return found

    seconds = table.columns[f"{task}/seconds"].astype(np.float64).sum(axis=2)
    there = np.isfinite(seconds)
    mean = np.where(there, seconds, 0.0).sum(axis=1) / np.maximum(1, there.sum(axis=1))
    return Trainings(
        rows=table.columns[f"{task}/trained"].astype(np.intp),
        valid=fractions("valid_correct", "valid"),
        test=fractions("test_correct", "test"),
        seconds=mean,
    )
