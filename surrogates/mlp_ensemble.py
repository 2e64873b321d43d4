"""An ensemble of small networks that predicts accuracies from choices, trained together as one array.

Source: the MLP predictor of PNAS (Liu et al., ECCV 2018, arXiv:1712.00559, section 4.2): embeddings of the
tokens, sigmoid output, L1 loss, Adam, five members that each leave out a fifth of the data.

Only gathers and elementwise sums, no BLAS: its gemm gives other last digits with other numbers of threads
and on other processors, and training would amplify them into other rankings.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_CHUNK = 256  # architectures predicted at once: their hidden units stay in the cache


class MLPEnsemble:
    """``members`` networks: sum of one embedding per decision -> ReLU -> linear -> sigmoid.

    ``radices``: options of each decision; a single number where all decisions share their embeddings.
    ``average``: the accuracy that it predicts before it is trained, set by the bias of the output; the paper's bias of
    1.8 stands for 0.86.
    """

    def __init__(
        self, radices: Sequence[int], rng: random.Random, *, average: float = 0.86, members: int = 5, units: int = 100
    ) -> None:
        self._generator = np.random.default_rng(rng.getrandbits(128))
        self._members, self._units = members, units
        self._offsets = np.cumsum([0, *radices[:-1]])  # the first embedding of each decision
        self._embeddings = self._uniform(sum(radices), members * units)
        self._biases = np.zeros((1, members * units), np.float32)
        self._weights = self._uniform(1, members * units)  # of the output
        average = min(max(average, 0.01), 0.99)
        self._outputs = np.full((1, members), math.log(average / (1 - average)), np.float32)

    def _uniform(self, *shape: int) -> Floats:
        return self._generator.uniform(-0.1, 0.1, shape).astype(np.float32)

    def predict(self, choices: NDArray[np.integer]) -> Floats:
        """Mean prediction of the members for architectures of shape (n, decisions): shape (n,), fractions."""
        mean: Floats = self.predict_each(choices).mean(axis=1)
        return mean

    def predict_each(self, choices: NDArray[np.integer]) -> Floats:
        """The prediction of every member: shape (n, members)."""
        rows = self._offsets + choices
        chunks = [self._forward(rows[i : i + _CHUNK])[1] for i in range(0, len(rows), _CHUNK)]
        return np.concatenate(chunks) if chunks else np.empty((0, self._members), np.float32)

    def _forward(self, rows: NDArray[np.integer]) -> tuple[Floats, Floats]:
        """Hidden units (n, members · units) and outputs (n, members)."""
        hidden = self._embeddings.take(rows[:, 0], axis=0)
        for column in rows.T[1:]:
            hidden += self._embeddings.take(column, axis=0)
        hidden += self._biases
        np.maximum(hidden, 0, out=hidden)
        logits = (hidden * self._weights).reshape(len(rows), self._members, self._units).sum(axis=2) + self._outputs
        return hidden, (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)

    def fit(self, choices: NDArray[np.integer], values: Sequence[float], *, learning_rate: float, steps: int) -> None:
        """Go on training with full-batch Adam steps on the L1 loss; member m leaves out a random fifth.

        ``choices``: shape (n, decisions); ``values``: n accuracies, fractions.
        """
        rows = self._offsets + choices
        targets = np.asarray(values, np.float32)[:, None]
        folds = self._generator.permutation(len(rows)) % self._members
        kept = (folds[:, None] != np.arange(self._members)).astype(np.float32)
        kept /= np.maximum(kept.sum(axis=0), 1)
        holders = [np.nonzero(rows == row)[0] for row in range(len(self._embeddings))]
        parameters = [self._embeddings, self._biases, self._weights, self._outputs]
        moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        for step in range(1, steps + 1):
            rate = np.float32(learning_rate * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step))
            for parameter, gradient, (first, second) in zip(
                parameters, self._gradients(rows, holders, targets, kept), moments, strict=True
            ):
                first += np.float32(0.1) * (gradient - first)
                second += np.float32(0.001) * (gradient * gradient - second)
                parameter -= rate * first / (np.sqrt(second) + np.float32(1e-8))

    def _gradients(
        self, rows: NDArray[np.integer], holders: Sequence[NDArray[np.integer]], targets: Floats, kept: Floats
    ) -> list[Floats]:
        """Of the sum over members of the mean absolute error over the kept data, one per parameter."""
        hidden, outputs = self._forward(rows)
        slopes = np.sign(outputs - targets) * kept * outputs * (1 - outputs)
        spread = np.repeat(slopes, self._units, axis=1)
        weights = (spread * hidden).sum(axis=0, keepdims=True)
        spread *= self._weights
        spread *= hidden > 0
        embeddings = np.stack([spread.take(holder, axis=0).sum(axis=0) for holder in holders])
        return [embeddings, spread.sum(axis=0, keepdims=True), weights, slopes.sum(axis=0, keepdims=True)]
