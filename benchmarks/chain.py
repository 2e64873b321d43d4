"""Chains of 6 to 15 convolutions whose layers take any earlier ones: filters, strides and skips.

Paper: B. Zoph, Q. Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578.

Tasks: none. No table of this space is published. A layer may take all earlier ones: its convolution then has some
hundred channels to read, and a training takes several times as long as one without skips.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.chain import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
