"""DARTS: the space of two cells with four nodes each, of 10^18 architectures.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055.

Tasks: none. No table of this space is published: NAS-Bench-301's predictions are a surrogate's.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.darts import SPACE
from nassim.full_training.supernets.sources import RECIPES, supernets_of
from nassim.supernet import Supernets

__all__ = ["SPACE", "TASKS", "supernets"]

TASKS: tuple[str, ...] = ()


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs on a set of images come from."""
    images = task.partition(":")[0]
    return supernets_of(SPACE, images) if (SPACE.name, images) in RECIPES else None
