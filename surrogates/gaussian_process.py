"""Exact Gaussian-process regression over a fixed list of candidate architectures.

The kernels see an architecture only through sets (its choices, or the paths of its graph), so covariances
depend on small whole numbers and are looked up in a table. Observations arrive one at a time, each with one
new row of the Cholesky factor and of L⁻¹ K(X, all), which keeps the posterior of *all* N candidates up to
date in O(n N) per observation.

Source: Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006: Algorithm 2.1 (posterior),
equation 2.30 (marginal likelihood); the amplitude is the closed-form maximizer of the latter.
Nothing here calls a threaded BLAS: results do not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nassim.encodings import encode
from nassim.space import Architecture, SearchSpace

Floats = NDArray[np.floating]


class Kernel(NamedTuple):
    """Sum over the encodings m of weights[m] · exp(-d_m / scales[m]); noise is relative to k(x, x) = 1."""

    weights: tuple[float, ...]
    scales: tuple[float, ...]
    noise: float


class Distances:
    """Hamming distances of N candidates in one or more binary encodings, as one whole number per pair.

    ``encodings``: arrays of 0 and 1, each of shape (N, features). Two rows with the same code have the
    same distances, hence the same covariance under every `Kernel`.
    """

    def __init__(self, encodings: Sequence[NDArray[np.integer]]) -> None:
        self._columns = [np.ascontiguousarray(e.T, dtype=np.int16) for e in encodings]
        self._totals = [columns.sum(axis=0, dtype=np.int16) for columns in self._columns]
        self.lengths = [int(np.max(total)) * 2 + 1 for total in self._totals]  # |A Δ B| <= |A| + |B|

    def __len__(self) -> int:
        return len(self._totals[0])

    def row(self, candidate: int) -> NDArray[np.intp]:
        """Codes of the distances from one candidate to all, shape (N,)."""
        code = np.zeros(len(self), dtype=np.int32)
        for columns, total, length in zip(self._columns, self._totals, self.lengths, strict=True):
            own = np.flatnonzero(columns[:, candidate])
            common = columns[own].sum(axis=0, dtype=np.int16)  # |A ∩ B|: only the own features are read
            code = code * length + (total[candidate] + total - 2 * common)
        return code.astype(np.intp)

    def table(self, kernel: Kernel) -> NDArray[np.float64]:
        """The covariance of each code, without noise."""
        covariance = np.zeros(1)
        for weight, scale, length in zip(kernel.weights, kernel.scales, self.lengths, strict=True):
            decay = np.array([weight * math.exp(-d / scale) for d in range(length)])
            covariance = (covariance[:, None] + decay).ravel()
        return covariance


def distances_of(space: SearchSpace, kinds: tuple[str, ...], archs: Sequence[Architecture] | None = None) -> Distances:
    """Distances of architectures in the encodings ``kinds`` of `encode`; of the whole space if ``archs`` is None."""
    if archs is None:
        return _whole_space(space, kinds)
    return Distances([encode(space, archs, kind) for kind in kinds])


@lru_cache(maxsize=8)  # the same for every run on a space
def _whole_space(space: SearchSpace, kinds: tuple[str, ...]) -> Distances:
    return Distances([encode(space, None, kind) for kind in kinds])


class GaussianProcess:
    """A zero-mean process with unit amplitude over the candidates of `Distances`.

    ``mean`` and ``variance`` (both of shape (N,), the latter without noise) are the posterior of every
    candidate after the observations so far. ``capacity``: the most observations that will be added.
    """

    def __init__(self, distances: Distances, kernel: Kernel, capacity: int, dtype: DTypeLike = np.float32) -> None:
        self.mean: Floats = np.zeros(len(distances), dtype)
        self.variance: Floats = np.full(len(distances), sum(kernel.weights), dtype)
        self._noise = kernel.noise
        self._distances = distances
        self._table: Floats = distances.table(kernel).astype(dtype)
        self._rows: Floats = np.empty((capacity, len(distances)), dtype)  # L⁻¹ K(X, all)
        self._observed: list[int] = []
        self._diagonal: list[float] = []  # of L

    def add(self, candidate: int, value: float) -> None:
        """Observe ``value`` at a candidate; with noise the same candidate may be observed again."""
        rows = self._rows[: len(self._observed)]
        # The new row of L is L⁻¹ k(X, x): the candidate's own column. So nothing needs to be solved.
        row = self._table.take(self._distances.row(candidate))
        row -= np.einsum("j,jn->n", rows[:, candidate].copy(), rows)
        pivot = math.sqrt(float(row[candidate]) + self._noise)
        row /= row.dtype.type(pivot)
        self.mean += row * row.dtype.type((value - float(self.mean[candidate])) / pivot)
        self.variance -= row * row
        self._rows[len(rows)] = row
        self._observed.append(candidate)
        self._diagonal.append(pivot)

    @property
    def cholesky(self) -> Floats:
        """The factor L of K(X, X) + noise · I, shape (n, n)."""
        n = len(self._observed)
        factor: Floats = np.tril(self._rows[:n, self._observed].T, -1)
        factor[range(n), range(n)] = self._diagonal
        return factor


class Fit(NamedTuple):
    """A kernel with the amplitude σ² and the log marginal likelihood that go with it."""

    kernel: Kernel
    amplitude: float
    likelihood: float


def most_likely(
    distances: Distances, candidates: Sequence[int], values: Sequence[float], kernels: Sequence[Kernel]
) -> Fit:
    """The kernel of the highest marginal likelihood for ``values`` observed at ``candidates``.

    The amplitude multiplies kernel and noise alike; its maximizer is zᵀz / n with z = L⁻¹ y. Likelihoods
    that agree to nine decimals are a tie, settled by the order of ``kernels``.
    """
    n = len(candidates)
    codes = np.stack([distances.row(c)[candidates] for c in candidates])
    # The Cholesky factors of all kernels at once, kernels along the last axis. The values are one more
    # row, which becomes z.
    factors = np.empty((n + 1, n, len(kernels)))
    for k, kernel in enumerate(kernels):
        factors[:n, :, k] = distances.table(kernel).take(codes)
        factors[range(n), range(n), k] += kernel.noise
    factors[n] = np.array(values)[:, None]
    for j in range(n):
        factors[j:, j] -= np.einsum("ikg,kg->ig", factors[j:, :j], factors[j, :j])
        factors[j:, j] /= np.sqrt(factors[j, j])
    amplitudes = np.maximum((factors[n] ** 2).sum(axis=0) / n, 1e-12)  # 0 if all values are equal
    half_log_determinants = np.log(factors[range(n), range(n)]).sum(axis=0)
    likelihoods = -0.5 * n * (np.log(2 * math.pi * amplitudes) + 1) - half_log_determinants
    best = int(np.argmax(np.round(likelihoods, 9)))
    return Fit(kernels[best], float(amplitudes[best]), float(likelihoods[best]))


SCALES = (2.0, 8.0, 32.0)  # in bits of the encoding: one differing choice is two of them, one path one
NOISES = (1e-4, 1e-3, 1e-2, 1e-1)
MIXTURES = {1: ((1.0,),), 2: ((0.25, 0.75), (0.5, 0.5), (0.75, 0.25))}  # by number of encodings


class Regression:
    """Predicts all candidates from the observed ones; takes care of units and of the kernel.

    Values are standardized. Whenever their number has doubled, units and kernel are chosen anew: the
    kernel of the highest marginal likelihood among `SCALES` per encoding x `MIXTURES` x `NOISES`.
    """

    def __init__(self, distances: Distances) -> None:
        parts = len(distances.lengths)
        self._kernels = [
            Kernel(weights, scales, noise)
            for noise in NOISES
            for weights in MIXTURES[parts]
            for scales in product(SCALES, repeat=parts)
        ]
        self._distances = distances
        self.observed: list[int] = []  # candidates, in the order of their observations
        self._values: list[float] = []
        self._fitted = self._added = 0  # observations when the kernel was chosen; in the process

    def observe(self, candidate: int, value: float) -> None:
        """Take in a value, in any unit."""
        self.observed.append(candidate)
        self._values.append(value)

    def posterior(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of every candidate, shapes (N,), in the values' standard deviations."""
        if len(self._values) >= 2 * self._fitted:
            self._choose_kernel()
        for i in range(self._added, len(self._values)):
            self._process.add(self.observed[i], (self._values[i] - self.center) / self.unit)
        self._added = len(self._values)
        return self._process.mean, np.sqrt(np.maximum(self._process.variance, 0) * np.float32(self._amplitude))

    def covariance(self, candidates: Sequence[int]) -> NDArray[np.float64]:
        """The posterior covariance (n, n) of some candidates after `posterior`, in squared standard deviations.

        In double precision and with 10⁻⁶ of the amplitude on the diagonal, so that it has a Cholesky factor.
        """
        table, places = self._distances.table(self._kernel), list(candidates)
        prior = table[np.stack([self._distances.row(place)[[*self.observed, *places]] for place in places])]
        seen = table[np.stack([self._distances.row(place)[self.observed] for place in self.observed])]
        cross = prior[:, : len(seen)]
        explained = cross @ np.linalg.solve(seen + self._kernel.noise * np.eye(len(seen)), cross.T)
        joint: NDArray[np.float64] = prior[:, len(seen) :] - (explained + explained.T) / 2 + 1e-6 * np.eye(len(places))
        return self._amplitude * joint

    def _choose_kernel(self) -> None:
        self._fitted, self._added = len(self._values), 0
        values = np.array(self._values)
        self.center = float(values.mean())
        deviation = float(values.std())
        self.unit = deviation if deviation > 1e-9 * abs(self.center) else 1.0  # all equal, but for rounding
        standardized = ((values - self.center) / self.unit).tolist()
        self._kernel, self._amplitude, _ = most_likely(self._distances, self.observed, standardized, self._kernels)
        self._process = GaussianProcess(self._distances, self._kernel, 2 * self._fitted)
