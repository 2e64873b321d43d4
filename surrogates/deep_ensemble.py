"""An ensemble of deep, narrow networks that predicts values from encodings, trained together as arrays.

Source: the predictor of White, Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, in the form of its code
(naszilla): five networks of ten layers of 20 rectified units, mean absolute error, Adam (0.01, 0.9, 0.99), batches of
32, 150 epochs; the networks differ in their first weights and in the order of their batches.

Training amplifies the last digits of a matrix product, and those depend on the processor and the threads of the BLAS.
So operands are kept on grids (weights on multiples of 2⁻¹⁸, units of 2⁻¹⁶, errors of 2⁻²⁰) which are far finer than
what training can tell apart, and coarse enough that every product is exact in double precision: as long as weights and
errors are below 16 and units below 128, all sums of products need at most 53 bits, and the order of adding is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FIRST, _SECOND, _EPSILON = np.float32(0.9), np.float32(0.99), np.float32(1e-7)  # of Adam


def _shift(bits: int) -> float:
    """What, added and subtracted again, rounds a number to the multiples of 2 to the power of -``bits``."""
    return 1.5 * 2.0 ** (52 - bits)


WEIGHT, UNIT, ERROR = _shift(18), _shift(16), _shift(20)


class DeepEnsemble:
    """``members`` networks of ``width`` inputs, ``layers`` layers of ``units`` rectified units and a linear output."""

    def __init__(
        self,
        width: int,
        generator: np.random.Generator,
        *,
        members: int = 5,
        layers: int = 10,
        units: int = 20,
        learning_rate: float = 0.01,
        epochs: int = 150,
        batch: int = 32,
    ) -> None:
        self._generator, self._members, self._units = generator, members, units
        self._rate, self._epochs, self._batch = learning_rate, epochs, batch
        fans = [(width, units), *[(units, units)] * (layers - 1), (units, 1)]
        shapes = [(members, fan_in + 1, fan_out) for fan_in, fan_out in fans]  # the last row is the bias
        self._ends = np.cumsum([0, *map(math.prod, shapes)])
        self._shapes = shapes
        self._flat = np.zeros(self._ends[-1])
        self._weights = self._layers(self._flat)
        for weights, (fan_in, fan_out) in zip(self._weights, fans, strict=True):  # Glorot's uniform
            limit = math.sqrt(6 / (fan_in + fan_out))
            weights[:, :-1] = generator.uniform(-limit, limit, (members, fan_in, fan_out))
        _round(self._flat, WEIGHT)
        self._center, self._unit = 0.0, 1.0

    def _layers(self, flat: Floats) -> list[Floats]:
        """The parts of a vector of all weights, as views."""
        return [flat[a:b].reshape(s) for a, b, s in zip(self._ends, self._ends[1:], self._shapes, strict=False)]

    def fit(self, features: NDArray[np.integer], values: Sequence[float]) -> None:
        """Train on n encodings of 0 and 1, shape (n, width), and their values, which are standardized."""
        targets = np.asarray(values, np.float64)
        deviation = float(targets.std())
        self._center = float(targets.mean())
        self._unit = deviation if deviation > 1e-9 * abs(self._center) else 1.0  # all equal, but for rounding
        targets = (targets - self._center) / self._unit
        inputs, n = _with_ones(features), len(targets)
        gradient = np.empty_like(self._flat)
        gradients = self._layers(gradient)
        first, second, change, root = np.zeros((4, len(gradient)), np.float32)
        buffers = {size: self._buffers(size) for size in {min(n, self._batch), n % self._batch or self._batch}}
        step = 0
        for _ in range(self._epochs):
            order = np.argsort(self._generator.random((self._members, n)), axis=1)
            rows, wanted = inputs[order], targets[order][:, :, None]
            for start in range(0, n, self._batch):
                step += 1
                size = min(self._batch, n - start)
                units, errors = buffers[size]
                units[0] = rows[:, start : start + size]
                self._gradients(units, errors, wanted[:, start : start + size], gradients)
                np.multiply(gradient, 1 / size, out=change, casting="same_kind")
                np.multiply(change, change, out=root)
                first *= _FIRST
                first += np.multiply(change, 1 - _FIRST, out=change)
                second *= _SECOND
                second += np.multiply(root, 1 - _SECOND, out=root)
                np.sqrt(second, out=root)
                root += _EPSILON
                np.divide(first, root, out=change)
                change *= np.float32(self._rate * math.sqrt(1 - float(_SECOND) ** step) / (1 - float(_FIRST) ** step))
                self._flat -= change
                _round(self._flat, WEIGHT)

    def predict_each(self, features: NDArray[np.integer]) -> Floats:
        """The prediction of every member: shape (members, n), in the values' unit."""
        units, _ = self._buffers(len(features))
        units[0] = np.broadcast_to(_with_ones(features), (self._members, len(features), features.shape[1] + 1))
        predicted: Floats = self._center + self._unit * self._forward(units)[:, :, 0]
        return predicted

    def _buffers(self, size: int) -> tuple[list[Floats], list[Floats]]:
        """The inputs of all layers (members, size, fan-in + 1), of which the last is 1, and their errors."""
        units = [np.ones((self._members, size, shape[1])) for shape in self._shapes]
        return units, [np.empty_like(layer) for layer in units]

    def _forward(self, units: list[Floats]) -> Floats:
        for below, above, weights in zip(units, units[1:], self._weights, strict=False):
            np.matmul(below, weights, out=above[:, :, :-1])
            np.maximum(above, 0, out=above)  # the ones stay ones; whole arrays are twice as fast as parts
            _round(above, UNIT)
        outputs: Floats = np.matmul(units[-1], self._weights[-1])
        return outputs

    def _gradients(self, units: list[Floats], errors: list[Floats], targets: Floats, gradients: list[Floats]) -> None:
        """Of each member's sum of absolute errors, into ``gradients``."""
        above = np.sign(self._forward(units) - targets)
        for layer in range(len(gradients) - 1, -1, -1):
            np.matmul(units[layer].transpose(0, 2, 1), above, out=gradients[layer])
            if layer:
                below = errors[layer]
                np.matmul(above, self._weights[layer].transpose(0, 2, 1), out=below)
                below *= units[layer] > 0
                _round(below, ERROR)
                above = below[:, :, :-1]  # without that of the ones


def _round(numbers: Floats, shift: float) -> None:
    numbers += shift
    numbers -= shift


def _with_ones(features: NDArray[np.integer]) -> Floats:
    return np.hstack([features, np.ones((len(features), 1))]).astype(np.float64)
