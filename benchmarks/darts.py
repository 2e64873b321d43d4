"""DARTS: the space of two cells with four nodes each, of 10^18 architectures.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055.

Tasks: none. No table of this space is published: NAS-Bench-301's predictions are a surrogate's.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.darts import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
