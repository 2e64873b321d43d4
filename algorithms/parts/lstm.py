"""A step of a long short-term memory and its gradient, for many sequences at once.

Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997, with forget gates (Gers et al.,
2000). The matrix of a cell has its input above its last output; its columns are the gates i, f, o and the candidate g.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nassim.algorithms.parts.weights import Floats


class Step(NamedTuple):
    """What a step leaves for its gradient; all (n, units) but ``seen``."""

    seen: Floats  # input and last output, (n, inputs + units)
    gates: Floats  # i, f, o and g after their functions, (n, 4 units)
    before: Floats  # the memory before
    squashed: Floats  # tanh of the memory after


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)); without overflow."""
    result: Floats = 0.5 * np.tanh(0.5 * x) + 0.5
    return result


def forward(x: Floats, h: Floats, c: Floats, matrix: Floats, bias: Floats) -> tuple[Floats, Floats, Step]:
    """Output and memory after a step from input ``x``, output ``h`` and memory ``c``."""
    units = h.shape[1]
    seen = np.concatenate([x, h], axis=1)
    gates = seen @ matrix
    gates += bias
    gates[:, : 3 * units] *= 0.5
    np.tanh(gates, out=gates)  # of the halves: three are sigmoids
    gates[:, : 3 * units] *= 0.5
    gates[:, : 3 * units] += 0.5
    memory = gates[:, units : 2 * units] * c
    memory += gates[:, :units] * gates[:, 3 * units :]
    squashed = np.tanh(memory)
    return gates[:, 2 * units : 3 * units] * squashed, memory, Step(seen, gates, c, squashed)


def backward(
    dh: Floats, dc: Floats, step: Step, matrix: Floats, dmatrix: Floats, dbias: Floats
) -> tuple[Floats, Floats, Floats]:
    """Gradients by ``x``, ``h`` and ``c`` from those by what the step gave; adds those by its matrix and bias."""
    seen, gates, before, squashed = step
    units = dh.shape[1]
    i, f, o, g = (gates[:, k * units : (k + 1) * units] for k in range(4))
    dmemory = dc + dh * o * (1.0 - squashed * squashed)
    by_gate = np.empty_like(gates)
    by_gate[:, :units] = dmemory * g
    by_gate[:, units : 2 * units] = dmemory * before
    by_gate[:, 2 * units : 3 * units] = dh * squashed
    three = gates[:, : 3 * units]
    by_gate[:, : 3 * units] *= three * (1.0 - three)
    by_gate[:, 3 * units :] = dmemory * i * (1.0 - g * g)
    dmatrix += seen.T @ by_gate
    dbias += by_gate.sum(axis=0)
    back = by_gate @ matrix.T
    inputs = seen.shape[1] - units
    return back[:, :inputs], back[:, inputs:], dmemory * f
