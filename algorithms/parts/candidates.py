"""The candidates among which an acquisition is maximized where a space cannot be listed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from nassim.query import Trial
from nassim.space import Architecture, SearchSpace

BEST = 5  # whose neighbors are candidates


def pool_of(
    space: SearchSpace, asked: Iterable[Architecture], trials: Sequence[Trial], rng: random.Random, size: int
) -> list[Architecture]:
    """The architectures asked so far in their order, then new ones: neighbors of the best, and ``size`` random ones."""
    best = sorted(trials, key=lambda trial: -trial.value)[:BEST]
    near = [arch for trial in best for arch in space.neighbors(trial.arch)]
    return list(dict.fromkeys([*asked, *near, *(space.sample(rng) for _ in range(size))]))
