"""Drawing what is rare: a kernel density on the logarithms of sizes, and draws in inverse proportion to it.

Source: Elsken, Metzen, Hutter, "Efficient Multi-Objective Neural Architecture Search via Lamarckian Evolution", ICLR
2019, arXiv:1804.09081, section 3. Bandwidths are Silverman's, "Density Estimation", 1986, rule 4.14, one a size.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from nassim.pareto import Floats

T = TypeVar("T")
LEAST = 0.05  # of a bandwidth, in units of the logarithm: sizes that differ by 5 % are neighbors


class SizeDensity:
    """A Gaussian kernel around each row of ``sizes``, shape (n, sizes), all above 0; without columns it is flat."""

    def __init__(self, sizes: Floats) -> None:
        self._rows = np.log(np.maximum(sizes, 1e-30))
        count, dimensions = self._rows.shape
        scale = (4.0 / ((dimensions + 2) * count)) ** (1.0 / (dimensions + 4))
        self._widths = np.maximum(scale * self._rows.std(axis=0), LEAST)

    def __call__(self, sizes: Floats) -> Floats:
        """The density of the logarithms at ``sizes``, shape (m, sizes): shape (m,), never 0."""
        apart = (np.log(np.maximum(sizes, 1e-30))[:, None, :] - self._rows[None]) / self._widths
        kernels = np.exp(-0.5 * np.minimum((apart**2).sum(axis=2), 600.0))
        return np.asarray(kernels.mean(axis=1))


def rare(items: Sequence[T], density: Floats, count: int, rng: random.Random, *, again: bool) -> list[T]:
    """``count`` items, each drawn in inverse proportion to its density; ``again``: whether one can be drawn twice."""
    weights = [float(weight) for weight in density.min() / density]
    if again:
        return rng.choices(items, weights, k=count)
    keys = sorted(range(len(items)), key=lambda i: -(rng.random() ** (1.0 / max(weights[i], 1e-300))))
    return [items[i] for i in sorted(keys[:count])]
