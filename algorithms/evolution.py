"""Evolution without ageing: tournament selection in which the lowest member dies, however old the others are.

Paper: D. Whitley, "The GENITOR Algorithm and Selection Pressure", ICGA 1989 (a steady-state genetic algorithm: the
    generic procedure of mutating, training and replacing the lowest); it is what arXiv:1802.01548 holds ageing
    against.

Pseudocode:
    1  population <- P random architectures, trained
    2  repeat
    3      sample <- S members, drawn with replacement
    4      parent <- the member of the sample with the highest accuracy
    5      child <- mutate(parent); train it
    6      add the child, remove the member with the lowest accuracy

Departures:
    1. Everything but line 6 is that of ``regularized_evolution``, sizes and mutation included, so that a comparison of
       the two is one of who dies: GENITOR selects by rank, recombines, and has no tournament.
    2. Asynchronous on several workers: a member enters the population when its training ends.
    3. Of equally low members the oldest dies: a child that equals the lowest member takes its place, one below all
       others is gone at once.

A member that was trained once with luck is never trained again and stays: docs/why-ageing.md measures what that costs.

Hyperparameters:
    population_size: P, members alive; none: by the budget, as for ``regularized_evolution``. NAS-Bench-201's
        authors 10.
    sample_size: S, members in a tournament; none: a quarter of P, at least 3. P of them are close to the best member,
        1 is a random one. NAS-Bench-201's authors 3, NAS-Bench-101's 10 (from 500 trainings on).
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from nassim.algorithms.parts.population import PUBLISHED_SIZES, fitness, refuse_sizes, sizes_by_budget
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(
    family="evolution",
    year=1989,
    aliases=["ea"],
    published=PUBLISHED_SIZES,
    resolve=sizes_by_budget,
    initial="population_size",
)
def evolution(
    space: SearchSpace, rng: random.Random, *, population_size: int | None = None, sample_size: int | None = None
) -> Search:
    assert population_size and sample_size  # resolved
    refuse_sizes("evolution", space, population_size, sample_size)
    population: list[Trial] = []  # the oldest first, as in a queue: draws fall on the same ages
    values: list[float] = []  # theirs
    while len(population) < population_size:  # 1
        _add((yield from start(space.sample(rng))), population, values, population_size)
    while True:  # 2
        sample = rng.choices(population, k=sample_size)  # 3
        parent = max(sample, key=fitness)  # 4
        child = space.mutate(parent.arch, rng)  # 5
        _add((yield from start(child)), population, values, population_size)  # 6


def _add(news: Iterable[Trial], population: list[Trial], values: list[float], size: int) -> None:
    """Each of the news enters; while there are too many, the lowest goes, of equal ones the oldest."""
    for trial in news:
        if len(values) == size:
            lowest = min(values)
            if trial.value < lowest:
                continue  # it is the lowest itself
            place = values.index(lowest)
            del population[place], values[place]
        population.append(trial)
        values.append(trial.value)
