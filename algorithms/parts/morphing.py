"""Moves of strategies whose children inherit: morphs where networks grow, and on other spaces mutations in their place.

On a space of fixed length nothing is inherited, whatever a query wants; the run says `from scratch` then.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from nassim.morph_space import MorphSpace
from nassim.morphs import EXACT
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace


def first(space: SearchSpace, rng: random.Random) -> Architecture:
    """Where a search begins: the seed of networks that grow, else a random architecture."""
    return space.seed if isinstance(space, MorphSpace) else space.sample(rng)


def grown(
    space: SearchSpace, arch: Architecture, rng: random.Random, times: int = 1, kinds: Sequence[str] = EXACT
) -> Architecture:
    """A child by ``times`` morphs, each of a kind and at a place drawn uniformly; mutations where nothing grows.

    Where none of the draws applies or keeps to the space's limits, a morph is left out.
    """
    for _ in range(times):
        if isinstance(space, MorphSpace):
            arch = space.random_morph(arch, rng, kinds) or arch
        else:
            arch = space.mutate(arch, rng)
    return arch


def heir_of(trial: Trial) -> Trial | None:
    """The trial as the origin of another; None for a training that failed, whose child begins from scratch."""
    return None if trial.result.extras.get("failed") else trial


def is_exact(space: SearchSpace, parent: Architecture, child: Architecture) -> bool:
    """Whether a child computes what its parent did once it has inherited; where nothing grows, that is never asked."""
    return not isinstance(space, MorphSpace) or space.transfer(parent, child).exact
