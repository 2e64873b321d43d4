"""CGP-CNN: networks as graphs on a grid of nodes, most of whose genes are inactive.

Paper: M. Suganuma, S. Shirakawa, T. Nagao, "A Genetic Programming Approach to Designing Convolutional Neural Network
    Architectures", GECCO 2017, arXiv:1704.00764.

Tasks: none. No table of these spaces is published.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.cgp import RESIDUAL, SPACE

__all__ = ["SPACES", "TASKS"]

SPACES = (SPACE, RESIDUAL)
TASKS: tuple[str, ...] = ()
