"""Genetic CNN: the spaces of stages of convolutions, whose connections are bits, and a table that nassim trained.

Paper: L. Xie & A. Yuille, "Genetic CNN", ICCV 2017, arXiv:1703.01513; trainings: docs/benchmarks.md.

Splits: of ``fashion14``, ``valid`` are 5,000 of Fashion-MNIST's training images, ``test`` its 10,000 test images.

Noise: two trainings of each of the 1,812 classes of equal networks of the smaller space, with other seeds.

Pitfalls: the table's networks are not the paper's: 3x3 convolutions without normalization on maps of 4 x 4 (two seeds
    do not agree on what the paper's learn in seconds), trained for one epoch of 8,000 images. Without normalization
    deep networks lag behind: what counts is how fast a network learns. Equal networks have the same values.
"""

from __future__ import annotations

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.genetic_cnn import CIFAR, SPACE
from nassim.tabular_data.tabulated import Tabulated
from nassim.tabular_data.trained import about_trained, open_trained, shipped

__all__ = ["SPACES", "TASKS", "load"]

PATH = shipped("genetic_cnn-fashion14.h5")
SPACES = (SPACE, CIFAR)
TASKS = ("fashion14",) if PATH.exists() else ()


def load(task: str, noise: Noise) -> Tabulated:
    """The table, which comes with nassim."""
    table = open_trained(PATH, task)
    header = table.header
    return Tabulated(
        table,
        task,
        space=SPACE,
        noise=noise,
        about=about_trained(
            header,
            f"Genetic CNN's smaller space on small Fashion-MNIST images, {max(header.epochs)} epoch, by nassim",
            "space: Xie & Yuille, ICCV 2017, arXiv:1703.01513; trainings: docs/benchmarks.md",
        ),
        extras={name: table.columns[f"{task}/{name}"] for name in ("parameters", "flops", "latency")},
    )
