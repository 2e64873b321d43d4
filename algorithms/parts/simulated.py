"""Performance that is predicted instead of trained for: accuracy and seconds of a network, by reading its layers.

Source: the performance-simulation networks of Zhou & Diamos, SysML 2018. Sizes, losses and steps are this project's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from nassim.algorithms.parts.encoder import Encoder, drawn
from nassim.algorithms.parts.weights import Adam, Floats, Weights
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace

HIDDEN = 32


class Simulation:
    """Two predictors on one encoder: of the value and of the logarithm of the cost, by mean squared error."""

    def __init__(self, space: SearchSpace, rng: random.Random, *, units: int) -> None:
        self._encoder = Encoder(space, units)
        heads = {"inner": (2 * units, HIDDEN), "inner bias": (HIDDEN,), "outer": (HIDDEN, 2), "outer bias": (2,)}
        self._weights = Weights({**self._encoder.shapes, **heads})
        drawn(self._weights, rng, 0.3)
        self._adam = Adam(self._weights)
        self._mean, self._deviation = np.zeros(2), np.ones(2)

    def fit(self, trials: Sequence[Trial], *, steps: int, rate: float) -> None:
        """Full-batch steps of Adam on all trials; goes on from where it was."""
        rows = np.array([(trial.value, np.log(max(trial.result.cost, 1e-9))) for trial in trials])
        self._mean, self._deviation = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
        wanted = (rows - self._mean) / self._deviation
        archs = [trial.arch for trial in trials]
        for _ in range(steps):
            self._adam.ascend(self.gradient(archs, wanted), rate)

    def predict(self, archs: Sequence[Architecture]) -> tuple[Floats, Floats]:
        """Values (n,) and seconds (n,)."""
        found = self._outputs(archs)[-1] * self._deviation + self._mean
        return found[:, 0], np.exp(np.minimum(found[:, 1], 700.0))

    def loss(self, archs: Sequence[Architecture], wanted: Floats) -> float:
        """Mean over architectures of the squared errors of both outputs, as standardized."""
        return float(((self._outputs(archs)[-1] - wanted) ** 2).sum() / len(archs))

    def gradient(self, archs: Sequence[Architecture], wanted: Floats) -> Floats:
        """Of minus the `loss`, by all weights."""
        encoded, pooled, inner, outputs = self._outputs(archs)
        w, gradient = self._weights.arrays, self._weights.zeros()
        d = gradient.arrays
        by_output = -2.0 * (outputs - wanted) / len(archs)
        d["outer"] += inner.T @ by_output
        d["outer bias"] += by_output.sum(axis=0)
        by_inner = (by_output @ w["outer"].T) * (1.0 - inner * inner)
        d["inner"] += pooled.T @ by_inner
        d["inner bias"] += by_inner.sum(axis=0)
        by_state = (by_inner @ w["inner"].T)[:, None] / self._encoder.layers
        self._encoder.back(self._weights, encoded, np.broadcast_to(by_state, encoded.states.shape), gradient)
        return gradient.vector

    def _outputs(self, archs: Sequence[Architecture]):  # type: ignore[no-untyped-def]
        w = self._weights.arrays
        encoded = self._encoder.read(self._weights, archs)
        pooled = encoded.states.mean(axis=1)
        inner = np.tanh(pooled @ w["inner"] + w["inner bias"])
        return encoded, pooled, inner, inner @ w["outer"] + w["outer bias"]
