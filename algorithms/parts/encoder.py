"""Networks as vectors: layers embedded by their attributes, then read by an LSTM from both sides.

Source: the idea is that of Zhou & Diamos, "Neural Architect", SysML 2018; no public text says its sizes or its code.

A layer is one of a space's `groups`, its attributes are the group's decisions; of networks that grow `layer_rows` says
it. Attributes at the same place of groups with the same options share a table of vectors, so that equal layers have
equal embeddings, wherever they stand; the embedding is the sum of the vectors, so that the order in which attributes
are named does not matter.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.layer_rows import rows_of
from nassim.algorithms.parts.lstm import Step, backward, forward
from nassim.algorithms.parts.weights import Floats, Weights
from nassim.space import Architecture, SearchSpace


class Encoded(NamedTuple):
    """States (n, layers, 2 units), read from the left beside those read from the right; the rest is for gradients."""

    states: Floats
    choices: NDArray[np.intp]
    left: list[Step]
    right: list[Step]


class Encoder:
    """The layers of a space as states; ``shapes`` are its weights, which its owner keeps with others."""

    def __init__(self, space: SearchSpace, units: int) -> None:
        self._rows = rows = rows_of(space)
        self.units, self.layers = units, len(rows.groups)
        self._tables: list[list[tuple[int, str]]] = []  # of each layer: decision, name of its table
        self.shapes: dict[str, tuple[int, ...]] = {"place": (self.layers, units)}
        for group in rows.groups:
            tables = []
            for place, decision in enumerate(group):
                options = rows.options[decision]
                name = f"{place} {'/'.join(options)}"
                self.shapes[name] = len(options), units
                tables.append((decision, name))
            self._tables.append(tables)
        for side in ("left", "right"):
            self.shapes |= {side: (2 * units, 4 * units), f"{side} gates": (4 * units,)}

    def embedding(self, weights: Weights, layer: int, attributes: Mapping[int, int]) -> Floats:
        """Of one layer by itself: ``attributes`` maps decisions to options, in any order; shape (units,)."""
        names = dict(self._tables[layer])
        found: Floats = np.sum([weights.arrays[names[i]][option] for i, option in attributes.items()], axis=0)
        return found

    def read(self, weights: Weights, archs: Sequence[Architecture]) -> Encoded:
        """States of architectures."""
        w, n = weights.arrays, len(archs)
        choices = np.array([self._rows.row(arch) for arch in archs], np.intp)
        embedded = np.repeat(w["place"][None], n, axis=0)
        for layer, rows in enumerate(self._tables):
            for decision, name in rows:
                embedded[:, layer] += w[name][choices[:, decision]]
        states = np.empty((n, self.layers, 2 * self.units))
        sides: dict[str, list[Step]] = {}
        for side, order, part in self._sides():
            h = c = np.zeros((n, self.units))
            steps = sides[side] = []
            for layer in order:
                h, c, step = forward(embedded[:, layer], h, c, w[side], w[f"{side} gates"])
                steps.append(step)
                states[:, layer, part] = h
        return Encoded(states, choices, sides["left"], sides["right"])

    def back(self, weights: Weights, encoded: Encoded, dstates: Floats, gradient: Weights) -> None:
        """Add to ``gradient`` what follows from the gradient by the states."""
        w, d, n = weights.arrays, gradient.arrays, len(encoded.choices)
        dembedded = np.zeros((n, self.layers, self.units))
        for side, order, part in self._sides():
            steps = encoded.left if side == "left" else encoded.right
            dh = dc = np.zeros((n, self.units))
            for layer, step in zip(reversed(order), reversed(steps), strict=True):
                parts = w[side], d[side], d[f"{side} gates"]
                dx, dh, dc = backward(dh + dstates[:, layer, part], dc, step, *parts)
                dembedded[:, layer] += dx
        d["place"] += dembedded.sum(axis=0)
        for layer, rows in enumerate(self._tables):
            for decision, name in rows:
                np.add.at(d[name], encoded.choices[:, decision], dembedded[:, layer])

    def _sides(self) -> list[tuple[str, range, slice]]:
        backwards = range(self.layers - 1, -1, -1)
        return [
            ("left", range(self.layers), slice(0, self.units)),
            ("right", backwards, slice(self.units, 2 * self.units)),
        ]


def drawn(weights: Weights, rng: random.Random, scale: float) -> np.random.Generator:
    """Give weights uniform values from -scale to scale; the generator that drew them draws what else is needed."""
    generator = np.random.default_rng(rng.getrandbits(128))
    weights.vector[:] = scale * (2.0 * generator.random(len(weights.vector)) - 1.0)
    return generator
