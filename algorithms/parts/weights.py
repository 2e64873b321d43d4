"""Weights of a small network as one vector, and Adam, which moves all of them at once; float64."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Weights:
    """Named arrays that are parts of one vector."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = dict(shapes)
        self.vector: Floats = np.zeros(sum(map(prod, self.shapes.values())))
        self.arrays: dict[str, Floats] = {}
        first = 0
        for name, shape in self.shapes.items():
            self.arrays[name] = self.vector[first : first + prod(shape)].reshape(shape)
            first += prod(shape)

    def zeros(self) -> Weights:
        """A gradient of the same shapes."""
        return Weights(self.shapes)


class Adam:
    """Steps along gradients (Kingma & Ba 2015, Algorithm 1; its defaults)."""

    def __init__(self, weights: Weights) -> None:
        self._vector = weights.vector
        self._mean, self._square = np.zeros_like(self._vector), np.zeros_like(self._vector)
        self._steps = 0

    def ascend(self, gradient: Floats, rate: float) -> None:
        """One step up a gradient of the whole vector."""
        self._steps += 1
        self._mean += 0.1 * (gradient - self._mean)
        self._square += 0.001 * (gradient * gradient - self._square)
        correction = sqrt(1.0 - 0.999**self._steps)
        step = rate * correction / (1.0 - 0.9**self._steps)
        self._vector += step * self._mean / (np.sqrt(self._square) + 1e-8 * correction)
