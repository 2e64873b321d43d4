"""NASNet's search space itself: two cells of five blocks, thirteen operations, added or concatenated.

Paper: B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning Transferable Architectures for Scalable Image Recognition",
    CVPR 2018, arXiv:1707.07012.

Tasks: none. No table of this space is published. To train: images need sides that are multiples of four, as cells are
halved twice; five blocks may have ten separable convolutions, several times the work of a cell of NAS-Bench-201.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.nasnet13 import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
