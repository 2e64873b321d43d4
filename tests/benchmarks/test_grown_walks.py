"""Long walks by all moves there are: every network of them is spelled, valid, and can be built for small images."""

from __future__ import annotations

import random

import pytest

import nassim
from nassim.algorithms.parts.large_scale import mutation
from nassim.morph_space import MorphSpace
from nassim.network import measure

SPACE = nassim.get_space("grown")
assert isinstance(SPACE, MorphSpace)


def walk(seed: int, steps: int) -> None:
    rng = random.Random(seed)
    arch = SPACE.seed if seed % 2 else SPACE.trivial()
    for _ in range(steps):
        arch = SPACE.mutate(arch, rng) if rng.random() < 0.5 else mutation(SPACE, arch, rng)[1]
        assert SPACE.check(arch) == SPACE.parse(str(arch))
        for side in (1, 4, 14, 28):
            measure(SPACE.network(arch, SPACE.frame._replace(image=(3, side, side))))


@pytest.mark.parametrize("seed", range(6))
def test_walks(seed: int) -> None:
    walk(seed, 20)


@pytest.mark.slow
def test_many_longer_walks() -> None:
    for seed in range(100, 180):
        walk(seed, 50)
