"""DARTS: the space of two cells with four nodes each, of 10^18 architectures.

Paper: Liu, Simonyan, Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055.

Tasks: none. No table of this space is published: NAS-Bench-301's predictions are a surrogate's.
"""

from __future__ import annotations

from typing import NoReturn

from nassim.benchmark import Noise
from nassim.benchmarks.spaces.darts import SPACE
from nassim.errors import UnknownName

__all__ = ["SPACE", "TASKS", "load"]

TASKS: tuple[str, ...] = ()


def load(task: str, noise: Noise) -> NoReturn:
    """There is no task yet."""
    raise UnknownName(f"darts has no task {task!r}: there is the space alone.")
