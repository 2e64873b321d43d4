"""Large-scale evolution: pairs are compared, the worse dies, the better has a child that keeps its weights.

Paper: E. Real, S. Moore, A. Selle, S. Saxena, Y. Suematsu, J. Tan, Q. Le, A. Kurakin, "Large-Scale Evolution of Image
    Classifiers", ICML 2017, arXiv:1703.01041.

Pseudocode:
    1  population <- P networks without convolutions, trained
    2  repeat, each worker by itself
    3      draw a pair; the worse of the two dies
    4      child <- the better one with one of eleven mutations, drawn uniformly
    5      train the child, with its parent's weights where name and shape are the same; it joins the population

Departures:
    1. P is 1,000 from 10,000 trainings on, a tenth of the budget below, at least 10.
    2. Widths lie on a grid and are 4 at least, kernels have equal sides, strides are 1 or 2; of inserted convolutions
       half are normalized and rectified. A skip is a sum with a convolution of one that begins with zeros, so that maps
       of other shapes are not cut or padded.
    3. What is mutated but cannot be built, or is too large, is drawn again. No two workers can take the same pair: an
       individual that dies is gone before the next is drawn.
    4. On spaces of fixed length the population begins with random architectures, mutations are identity,
       reset-weights, and the space's own, and nothing is inherited.

Hyperparameters:
    population_size: P; none: by the budget. Paper 1000 (from memory, not checked).
    epochs: of a training; none: those of a full training. Paper 25,600 steps of 50 images.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from nassim.algorithms.parts.large_scale import IDENTITY, RESET, mutation
from nassim.algorithms.parts.morphing import heir_of
from nassim.algorithms.parts.population import fitness, refuse_sizes
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Search, start, strategy

PAPER_POPULATION, PART, LEAST = 1000, 10, 10


def size_by_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """``population_size`` where nobody says it."""
    few = PAPER_POPULATION if horizon is None else min(PAPER_POPULATION, max(LEAST, horizon // PART))
    return {"population_size": chosen["population_size"] or few}


@strategy(family="evolution", year=2017, aliases=["lse"], resolve=size_by_budget, initial="population_size")
def large_scale_evolution(
    space: SearchSpace, rng: random.Random, *, population_size: int | None = None, epochs: int | None = None
) -> Search:
    assert population_size  # resolved
    refuse_sizes("large_scale_evolution", space, population_size)
    population: list[Trial] = []
    for _ in range(max(2, population_size)):  # 1
        population += yield from start(space.trivial() or space.sample(rng), epochs)
    while True:  # 2
        if len(population) < 2:  # the others are still being trained
            population += yield from start(space.trivial() or space.sample(rng), epochs)
            continue
        pair = rng.sample(population, 2)  # 3
        parent = max(pair, key=fitness)
        population.remove(min(reversed(pair), key=fitness))
        name, child = mutation(space, parent.arch, rng)  # 4
        inherits = None if name == RESET else heir_of(parent)
        how = "morph" if name == IDENTITY else "match"
        population += yield from start(child, epochs, origin=inherits, inherit=how)  # 5
