"""NATS-Bench, size space: 32,768 sizes of one network on three data sets, trained for 1, 12 and 90 epochs.

Paper: X. Dong, L. Liu, K. Musial, B. Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology
    and Size", TPAMI 2021, arXiv:2009.00437.

Tasks: cifar10, cifar100, imagenet16-120: trainings of 1, 12 and 90 epochs, each with its own learning rate
    schedule. With ``:curve`` behind the task: the full training, stopped after any of its 90 epochs.

Splits: those of `nasbench201`. ``valid``: for cifar10 the half of the training set that the network was not trained
    on, for the others one half of the held-out images. ``test``: for cifar10 the test set, with the network trained on
    all training images; for the others the second half of the held-out images.

Noise: seed 777 after 1 and 90 epochs, seeds 777, 888 and 999 after 12.

Pitfalls: the cost is that of the official simulation, all epochs and one validation pass; the authors'
    times are estimates, equal for all epochs. After the first import of a part of the release the other
    sizes are refused by name, and a search that meets one ends there.
"""

from __future__ import annotations

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.natsbench_size import SPACE, flops, parameters
from nassim.tabular_data import natsbench
from nassim.tabular_data.tabulated import Tabulated

__all__ = ["FAMILY", "SPACE", "TASKS", "load"]

FAMILY = "natsbench-size"
_IMAGES = {"cifar10": (10, 32), "cifar100": (100, 32), "imagenet16-120": (120, 16)}  # classes, side in pixels
TASKS = tuple(f"{task}{kind}" for task in _IMAGES for kind in ("", natsbench.CURVE))


def load(task: str, noise: Noise) -> Tabulated:
    """Open a task; `MissingData` until `nassim data import natsbench-size PATH` has made its table."""
    classes, side = _IMAGES[task.removesuffix(natsbench.CURVE)]
    size = {
        "parameters": parameters(SPACE.choice_matrix, classes=classes),
        "flops": flops(SPACE.choice_matrix, classes=classes, side=side),
    }
    return natsbench.load(FAMILY, task, noise, space=SPACE, title="NATS-Bench, size space", size=size)
