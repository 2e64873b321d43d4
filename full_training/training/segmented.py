"""The benchmark whose answers are trainings of segmentation networks: validation mIoU, on images with masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from nassim.full_training.networks.framed import network_of
from nassim.full_training.training.trained import Task, Trained
from nassim.full_training.training.training import Training
from nassim.segmentation import MIOU
from nassim.space import Architecture


class TrainedPixels(Trained):
    """Training of segmentation networks behind the query interface; torch is needed from the first query on.

    A value is the mean intersection over union of the validation masks, a fraction; of a training that failed 0.
    Nothing inherits: such a query trains from scratch.
    """

    inherits = False
    metric = MIOU
    metrics = ("valid_miou",)
    search_metric = "valid_miou"

    def _with(self, arch: Architecture, seeds: tuple[int, ...], epochs: int, since: int = 0) -> Task:
        network = partial(network_of, arch, self.recipe, self.data, self.space)
        return PixelTask(arch, network, self.recipe, seeds, epochs, since, self.device, self.kept, self.space)

    def worth(self, training: Training, epochs: int) -> float:
        return reached(training, epochs)

    def tested(self, training: Training) -> float:
        return training.test_miou or 0.0


@dataclass(frozen=True)
class PixelTask(Task):
    """Trainings of one segmentation network that answer a query, all choices made."""

    def value(self, training: Training, data: object) -> float:
        return reached(training, self.epochs)


def reached(training: Training, epochs: int) -> float:
    """Validation mIoU after so many epochs; 0 of a training that failed before."""
    return training.valid_miou[epochs - 1] if len(training.valid_miou) >= epochs else 0.0
