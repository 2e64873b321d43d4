"""Hierarchical evolution: tournaments in a population that only grows.

Paper: H. Liu, K. Simonyan, O. Vinyals, C. Fernando, K. Kavukcuoglu, "Hierarchical Representations for Efficient
    Architecture Search", ICLR 2018, arXiv:1711.00436, section 3 and Algorithm 1.

Pseudocode:
    1  N times: an architecture that does nothing, mutated M times; train it
    2  repeat
    3      sample <- 5 % of the population, at random
    4      child <- the best of the sample, mutated
    5      train the child; add it to the population (nothing is removed)

Departures:
    1. Spaces without a trivial architecture (all but ``hierarchical``) begin with N uniform samples, which is what
       many mutations lead to. NAS-Bench-101 is then the flat baseline: a graph of one level.
    2. N is 200 from 1,000 trainings on, a fifth of the budget below, at least 10: with 200 the search would be
       random search. In populations of at most 20 a tournament of 5 % is one member, which is no selection.
    3. The validation accuracy of one training is the fitness. Whether the paper averages several is not known.
    Asynchronous on several workers as in the paper: a child enters the population when its training ends. The
    paper's random search is `random_search` on the same space.

Hyperparameters:
    population_size: N; none: by the budget. 200 is from memory of the paper, not checked.
    tournament: the part of the population in a tournament, rounded up. Paper 0.05.
    mutations: M. Paper 1000.
    beginning: where mutations begin: identities as a ``chain`` or on ``all`` edges; accounts of the paper differ.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any, Literal

from nassim.algorithms.parts.population import fitness, refuse_sizes
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, start, strategy

PAPER_POPULATION, MANY = 200, 1000  # MANY: trainings from which on it is a fifth of them or less


def size_by_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """``population_size`` where nobody says it."""
    few = horizon is not None and horizon < MANY
    return {"population_size": chosen["population_size"] or (max(10, (horizon or 0) // 5) if few else PAPER_POPULATION)}


@strategy(family="evolution", year=2018, resolve=size_by_budget, initial="population_size")
def hierarchical(
    space: SearchSpace,
    rng: random.Random,
    *,
    population_size: int | None = None,
    tournament: float = 0.05,
    mutations: int = 1000,
    beginning: Literal["chain", "all"] = "chain",
) -> Search:
    assert population_size  # resolved
    if not 0 < tournament <= 1:
        raise InvalidSetting(f"hierarchical.tournament={tournament} is a part of the population: above 0, at most 1.")
    refuse_sizes("hierarchical", space, population_size, allowed=PAPER_POPULATION)
    population: list[Trial] = []
    for _ in range(population_size):  # 1
        population += yield from start(begun(space, rng, mutations, beginning))
    while not population:  # all of them still run
        population += yield from start(begun(space, rng, mutations, beginning))
    while True:  # 2
        sample = rng.sample(population, math.ceil(tournament * len(population)))  # 3
        child = space.mutate(max(sample, key=fitness).arch, rng)  # 4
        population += yield from start(child)  # 5


def begun(space: SearchSpace, rng: random.Random, mutations: int, kind: str) -> Architecture:
    """A trivial architecture after many mutations; a uniform sample where the space has none."""
    arch = space.trivial(kind)
    if arch is None:
        return space.sample(rng)
    for _ in range(mutations):
        arch = space.mutate(arch, rng)
    return arch
