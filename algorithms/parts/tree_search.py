"""A Gaussian process over networks by their distances, and the search of a tree of morphs for its highest bound.

Source: Jin, Song, Hu, KDD 2019, arXiv:1806.10282, sections 3.1 and 3.2, and its code of February 2019. The kernel is
exp(-|p(x) - p(y)|²), p(x) being the distances of x to some trained networks: a function of vectors, so that it is
positive definite, for trained networks and candidates the same. (The code embeds distances for the former alone, seeds
numpy's global generator to do so, and predicts with exp(-d²), which need not be positive definite.)
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nassim.algorithms.parts.network_distance import Distances
from nassim.pareto import Floats
from nassim.space import Architecture

COOLING, COLDEST = 0.9, 1e-4
SAME = 1e-5  # a distance below which networks are the same
DIGITS = 9  # of an acquisition: beyond them it depends on the machine


class Process:
    """The posterior of standardised values, given trained architectures; anew for each proposal."""

    def __init__(
        self, archs: Sequence[Architecture], values: Sequence[float], apart: Distances, landmarks: int, noise: float
    ) -> None:
        self._apart = apart
        spread = float(np.std(values))
        self.scale = spread if spread > 0 else 1.0
        self.mean = float(np.mean(values))
        self.values = (np.asarray(values) - self.mean) / self.scale
        step = max(1, -(-len(archs) // landmarks))
        self._landmarks = list(archs[::step])
        self._points = self.embed(archs)
        gram = self.kernel(self._points, self._points) + noise * np.eye(len(archs))
        self._inverse = np.linalg.inv(np.linalg.cholesky(gram))  # many candidates are asked about: solved once
        self._weights = self._inverse.T @ (self._inverse @ self.values)

    def embed(self, archs: Sequence[Architecture]) -> Floats:
        """The points of architectures, shape (archs, landmarks): no further apart than the architectures."""
        return np.asarray(self._apart(archs, self._landmarks) / math.sqrt(len(self._landmarks)))

    @staticmethod
    def kernel(a: Floats, b: Floats) -> Floats:
        """The covariance of points, shape (a, b)."""
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2.0 * a @ b.T
        return np.asarray(np.exp(-np.maximum(squares, 0.0)))

    def posterior(self, archs: Sequence[Architecture]) -> tuple[Floats, Floats]:
        """Mean and deviation of the standardised values, each of shape (archs,)."""
        cross = self.kernel(self.embed(archs), self._points)
        explained = self._inverse @ cross.T
        return cross @ self._weights, np.sqrt(np.maximum(1.0 - np.einsum("ij,ij->j", explained, explained), 0.0))

    def bound(self, archs: Sequence[Architecture], beta: float) -> list[float]:
        """The upper confidence bounds."""
        mean, deviation = self.posterior(archs)
        return [round(float(each), DIGITS) for each in mean + beta * deviation]


class Found(NamedTuple):
    """What a search of the tree ends with: the architecture, and which trained one it descends from."""

    arch: Architecture
    father: int


def search(
    process: Process,
    trained: Sequence[Architecture],
    values: Sequence[float],
    asked: set[Architecture],
    morph: Callable[[Architecture], Architecture],
    rng: random.Random,
    *,
    beta: float,
    children: int,
) -> Found | None:
    """The descendant of the highest bound; None if all that were made are known.

    The nodes of the tree wait by their value, trained ones by what was measured; the first of them is opened with
    probability exp((value - best) / T), T falling at every step, and its ``children`` by morphs wait with their bounds.
    """
    waiting = [(-float(value), i, arch, i) for i, (value, arch) in enumerate(zip(values, trained, strict=True))]
    heapq.heapify(waiting)
    best, found, temperature, count, seen = -math.inf, None, 1.0, len(waiting), set(asked)
    while waiting and temperature > COLDEST:
        temperature *= COOLING
        value, _, arch, father = heapq.heappop(waiting)
        if rng.random() > math.exp(min((-value - best) / temperature, 0.0)):
            continue
        new = [child for child in dict.fromkeys(morph(arch) for _ in range(children)) if child not in seen]
        seen.update(new)
        for child, bound in zip(new, process.bound(new, beta) if new else [], strict=True):
            heapq.heappush(waiting, (-bound, count, child, father))
            count += 1
            if bound > best:
                best, found = bound, Found(child, father)
    return found
