"""NSGA-II: evolution towards a front, by non-dominated sorting and crowding distance.

Paper: K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
    Transactions on Evolutionary Computation 6, 2002.

Pseudocode:
    1  trained <- P different random architectures, trained
    2  repeat
    3      sort the trained into fronts, within each the least crowded first; population <- the first P of them
    4      for each of P children: two parents, each the better of two members drawn at random
    5          with p_C a crossover of both, else the first; then each decision changes with p_M, one at least
    6      trained <- population and children, the children trained

Departures:
    1. Architectures are categorical: crossover is the space's own (uniform where it has no other) and gives one child;
       p_M = 1/n as in the paper, but a child in which nothing changed gets one change.
    2. Crowding is measured on the logarithm of costs, which differ by factors; fronts are the same.
    3. What has no value in an objective (a device that cannot run it) comes last in that objective.
    4. ``steady`` makes one child at a time, so that no worker waits (mu + 1). Not in the paper.

Searches for what ``--objectives`` says; without it for the value (validation accuracy) and the parameters, or for the
value alone where a benchmark does not measure those: then it is a plain genetic algorithm that keeps the best. What
breaks ``--constraint`` comes after all that keeps to it, by how far it is beyond. The answer is the front of all
trials, which a report draws, not of the last population; what was lucky stays in both. Incumbents are the best values.

Hyperparameters:
    population_size: P. 20, which is this project's: a comparison has hundreds of trainings; the paper 100 of 25,000.
    crossover: p_C, probability of a crossover. Paper 0.9.
    mutation: p_M, probability that a decision changes; none: one divided by their number, as in the paper.
    steady: whether children are made one by one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from nassim.algorithms.parts.dominance import by_rank_and_crowding, points_of, violations_of
from nassim.algorithms.parts.population import refuse_sizes
from nassim.algorithms.parts.variation import changed, refuse_probabilities, refuse_unfit
from nassim.objectives import Constraint, Objective
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure, Search, evaluate_all, start, strategy


@strategy(family="evolution", year=2002, initial="population_size")
def nsga2(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    population_size: int = 20,
    crossover: float = 0.9,
    mutation: float | None = None,
    steady: bool = False,
) -> Search:
    refuse_unfit("nsga2", space)
    refuse_sizes("nsga2", space, population_size)
    rate = 1.0 / len(space.decisions) if mutation is None else mutation
    refuse_probabilities("nsga2", crossover=crossover, mutation=rate)
    asked, trained = different(space, rng, population_size), []
    while True:  # 2
        if steady:
            for arch in asked:
                trained += yield from start(arch)  # 1, 6
        else:
            trained += yield from evaluate_all(asked)  # 1, 6
        points, beyond = points_of(trained, objectives, measure), violations_of(trained, constraint, measure)
        population = [trained[i] for i in by_rank_and_crowding(points, beyond)[:population_size]]  # 3
        asked, trained = [], list(population)
        for _ in range(1 if steady else population_size):
            if not population:  # more workers than members: none has ended yet
                asked.append(space.sample(rng))
                continue
            first, second = tournament(population, rng), tournament(population, rng)  # 4
            child = space.crossover(first, second, rng) if rng.random() < crossover else first  # 5
            asked.append(changed(space, child, rate, rng, surely=True))


def tournament(population: Sequence[Trial], rng: random.Random) -> Architecture:
    """The better of two members: the population is sorted, so that it is the one that comes first."""
    return population[min(rng.randrange(len(population)), rng.randrange(len(population)))].arch


def different(space: SearchSpace, rng: random.Random, count: int) -> list[Architecture]:
    """Random architectures, no two equivalent while the space has others (some ten draws each)."""
    found: dict[object, Architecture] = {}
    for draw in range(10 * count):
        arch = space.sample(rng)
        found.setdefault(space.canonical(arch) if draw < 9 * count else ("again", draw), arch)
        if len(found) == count:
            break
    return list(found.values())
