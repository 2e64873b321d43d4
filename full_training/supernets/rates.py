"""The learning rates of a search's weights."""

from __future__ import annotations

import math
from collections.abc import Iterator


def cosine(epochs: int, first: float, last: float, restart: int | None = None) -> Iterator[float]:
    """Learning rate of each epoch: half a cosine from ``first`` to ``last``, begun anew after ``restart`` epochs, then
    after twice as many each time (Loshchilov & Hutter, ICLR 2017, equation 5)."""
    length, position = restart or epochs, 0
    for _ in range(epochs):
        yield last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * position / length))
        position += 1
        if position == length:
            length, position = 2 * length, 0
