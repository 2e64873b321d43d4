"""Networks that grow by morphs, from which weights are inherited.

Paper: T. Elsken, J. Metzen, F. Hutter, "Simple and Efficient Architecture Search for Convolutional Neural Networks",
    2017, arXiv:1711.04528.

Tasks: none. A table cannot know what a network inherits.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.grown import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
