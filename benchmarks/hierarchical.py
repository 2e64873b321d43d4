"""Hierarchical representations: motifs of operations, and a cell of motifs.

Paper: H. Liu, K. Simonyan, O. Vinyals, C. Fernando, K. Kavukcuoglu, "Hierarchical Representations for Efficient
    Architecture Search", ICLR 2018, arXiv:1711.00436.

Tasks: none. No table of this space is published.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.hierarchical import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
