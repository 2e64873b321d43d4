"""A policy that transforms a network: it reads the layers and says which attribute of which layer becomes what.

Source: the transformations of Zhou & Diamos, SysML 2018, where heads choose an action, a layer and its parameters. Here
all of it is one softmax over the single edits of a network (`layer_rows`): one to an absent part or to no connection
removes, one from there inserts, any other scales; where networks grow edits are morphs. Others are masked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.encoder import Encoded, Encoder, drawn
from nassim.algorithms.parts.layer_rows import rows_of
from nassim.algorithms.parts.weights import Adam, Floats, Weights
from nassim.space import Architecture, SearchSpace


class Move(NamedTuple):
    """Edits of several networks at once: what was read, the probabilities (n, edits), and which were chosen (n,)."""

    encoded: Encoded
    p: Floats
    chosen: NDArray[np.intp]
    results: list[Architecture]


class Transformer:
    """The policy and its Adam."""

    def __init__(self, space: SearchSpace, rng: random.Random, *, units: int) -> None:
        self.space = space
        self._encoder = Encoder(space, units)
        self._rows = rows_of(space)
        self.edits, self._layers = self._rows.edits, self._rows.layers
        heads = {"edits": (len(self.edits), 2 * units), "bias": (len(self.edits),)}
        self._weights = Weights({**self._encoder.shapes, **heads})
        self._draws = drawn(self._weights, rng, 0.1)
        self._adam = Adam(self._weights)

    def possible(self, archs: Sequence[Architecture]) -> NDArray[np.bool_]:
        """Which edits (n, edits) there are."""
        return np.array([self._rows.possible(arch) for arch in archs])

    def transform(self, archs: Sequence[Architecture]) -> Move:
        """One edit of each network, drawn; a network without a possible edit stays as it is."""
        possible = self.possible(archs)
        stuck = possible.sum(axis=1) == 0
        encoded, p = self.probabilities(archs, possible | stuck[:, None])
        below = np.cumsum(p, axis=1) < self._draws.random((len(archs), 1))
        chosen = np.minimum(below.sum(axis=1), p.shape[1] - 1)
        results = [
            arch if stuck[i] else self._rows.edited(arch, int(edit))
            for i, (arch, edit) in enumerate(zip(archs, chosen, strict=True))
        ]
        return Move(encoded, p, chosen, results)

    def probabilities(self, archs: Sequence[Architecture], possible: NDArray[np.bool_]) -> tuple[Encoded, Floats]:
        """What was read, and the probability of each edit; 0 where it is masked."""
        w = self._weights.arrays
        encoded = self._encoder.read(self._weights, archs)
        logits = np.einsum("neu,eu->ne", encoded.states[:, self._layers], w["edits"]) + w["bias"]
        logits = np.where(possible, logits, -np.inf)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return encoded, e / e.sum(axis=1, keepdims=True)

    def gradient(self, move: Move, gains: Floats) -> Floats:
        """Of the mean of ``gains`` (n,) times the log-probability of the chosen edits, by all weights."""
        encoded, p, chosen, _ = move
        w, gradient, n = self._weights.arrays, self._weights.zeros(), len(chosen)
        d = gradient.arrays
        by_logit = -gains[:, None] * p / n
        by_logit[np.arange(n), chosen] += gains / n
        d["edits"] += np.einsum("ne,neu->eu", by_logit, encoded.states[:, self._layers])
        d["bias"] += by_logit.sum(axis=0)
        dstates = np.zeros_like(encoded.states)
        for layer in range(self._encoder.layers):
            own = np.flatnonzero(self._layers == layer)
            dstates[:, layer] = by_logit[:, own] @ w["edits"][own]
        self._encoder.back(self._weights, encoded, dstates, gradient)
        return gradient.vector

    def learn(self, moves: Sequence[Move], gains: Floats, rate: float) -> None:
        """One step of Adam up all moves of an episode; ``gains`` (moves, n)."""
        pairs = zip(moves, gains, strict=True)
        self._adam.ascend(np.sum([self.gradient(move, row) for move, row in pairs], axis=0), rate)
