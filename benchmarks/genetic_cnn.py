"""Genetic CNN: the spaces of stages of convolutions, whose connections are bits.

Paper: L. Xie & A. Yuille, "Genetic CNN", ICCV 2017, arXiv:1703.01513.

Tasks: none yet. The smaller space (stages of 3 and 5 nodes, 1,812 classes) can be trained whole.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.genetic_cnn import CIFAR, SPACE

__all__ = ["SPACES", "TASKS"]

SPACES = (SPACE, CIFAR)
TASKS: tuple[str, ...] = ()
