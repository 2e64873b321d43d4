"""The table of `nassim train`: a row a training, of images or of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nassim.cli.tables import print_table

if TYPE_CHECKING:
    from nassim.full_training.training.training import Training

Shown = Callable[["Training"], Sequence[str]]  # what a training reached on the three splits


def print_trainings(found: Sequence[Training], splits: Sequence[str], shown: Shown, *, processor: bool) -> None:
    """splits: the heads of what is ``shown``. processor: whether seconds are those of the processor."""
    rows = [
        [
            training.seed,
            *shown(training),
            f"{sum(training.seconds):.1f}",
            f"{training.peak_memory / 1e6:.0f}",
            "; ".join([training.failed and f"failed: {training.failed}", *training.notes]).strip("; "),
        ]
        for training in found
    ]
    print_table(["seed", *splits, "processor s" if processor else "device s", "peak MB", "remarks"], rows)
