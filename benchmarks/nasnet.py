"""NASNet's cells in the form of AmoebaNet and PNAS: eight operations, at most five blocks a cell.

Paper: B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning Transferable Architectures for Scalable Image Recognition",
    CVPR 2018, arXiv:1707.07012; in this form arXiv:1802.01548 (AmoebaNet) and arXiv:1712.00559 (PNAS).

Tasks: none. No table of these spaces is published. To train: images need sides that are multiples of four, as cells
are halved twice; five blocks may have ten separable convolutions, several times the work of a cell of NAS-Bench-201.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.nasnet import ONE_CELL, SPACE

__all__ = ["SPACES", "TASKS"]

SPACES = (SPACE, ONE_CELL)
TASKS: tuple[str, ...] = ()
