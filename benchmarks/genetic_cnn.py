"""Genetic CNN: the spaces of stages of convolutions, whose connections are bits.

Paper: Xie & Yuille, "Genetic CNN", ICCV 2017, arXiv:1703.01513.

Tasks: none yet. The smaller space (stages of 3 and 5 nodes, 1,812 classes) can be trained whole.
"""

from __future__ import annotations

from typing import NoReturn

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.genetic_cnn import CIFAR, SPACE
from nassim.errors import UnknownName

__all__ = ["SPACES", "TASKS", "load"]

SPACES = (SPACE, CIFAR)
TASKS: tuple[str, ...] = ()


def load(task: str, noise: Noise) -> NoReturn:
    """There is no task yet."""
    raise UnknownName(f"genetic_cnn has no task {task!r}: there is the space alone.")
