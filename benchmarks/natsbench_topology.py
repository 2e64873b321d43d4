"""NATS-Bench, topology space: the cells of NAS-Bench-201 from the official release, with every epoch and repeat.

Paper: X. Dong, L. Liu, K. Musial, B. Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology
    and Size", TPAMI 2021, arXiv:2009.00437.

Tasks: cifar10, cifar100, imagenet16-120: trainings of 12 and of 200 epochs, each with its own learning rate
    schedule. ``cifar10:curve``: the full training, stopped after any of its 200 epochs (the other two data sets have a
    validation accuracy after the last epoch only).

Splits, space and architectures: those of `nasbench201`, which holds the same trainings from public sources, without
    single test accuracies and curves, and with latency and energy on devices.

Noise: the recorded repeats, up to three after 200 epochs; after 12 epochs two for cifar10 and one for the others.

Pitfalls: the cost is that of the official simulation, all epochs and one validation pass, where `nasbench201`
    charges the epochs only. The times are the authors' estimates, equal for all epochs and repeats. After the
    import of a part of the release the other cells are refused by name, and a search that meets one ends there.
"""

from __future__ import annotations

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters
from nassim.tabular_data import natsbench
from nassim.tabular_data.tabulated import Tabulated

__all__ = ["FAMILY", "SPACE", "TASKS", "load"]

FAMILY = "natsbench-topology"
_IMAGES = {"cifar10": (10, 32), "cifar100": (100, 32), "imagenet16-120": (120, 16)}  # classes, side in pixels
TASKS = (*_IMAGES, f"cifar10{natsbench.CURVE}")


def load(task: str, noise: Noise) -> Tabulated:
    """Open a task; `MissingData` until `nassim data import natsbench-topology PATH` has made its table."""
    classes, side = _IMAGES[task.removesuffix(natsbench.CURVE)]
    size = {
        "parameters": parameters(SPACE.choice_matrix, classes=classes),
        "flops": flops(SPACE.choice_matrix, classes=classes, side=side),
    }
    return natsbench.load(FAMILY, task, noise, space=SPACE, title="NATS-Bench, topology space", size=size)
