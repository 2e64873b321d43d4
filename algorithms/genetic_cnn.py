"""Genetic CNN: a genetic algorithm of generations on bit strings, which exchanges whole stages.

Paper: L. Xie & A. Yuille, "Genetic CNN", ICCV 2017, arXiv:1703.01513, Algorithm 1.

Pseudocode:
    1  individuals <- N random architectures (every bit 1 with probability 1/2), trained
    2  for T generations
    3      chosen <- N of the individuals by a roulette, in proportion to r - min r
    4      for each pair of the chosen: with p_C, exchange each of their stages with q_C
    5          or, where they were not crossed: with p_M for each of the two, flip each of its bits with q_M
    6      individuals <- the chosen, all of them trained again

Departures:
    1. On other spaces than the paper's a decision that "flips" changes to another of its options, uniformly, and a
       stage is a group of decisions (`SearchSpace.groups`): on NAS-Bench-101, whose cell would be one stage, a vertex
       with the edges that lead to it and its operation; where a space says of no groups, each decision is one.
    2. What is not valid (NAS-Bench-101) is drawn again, at no cost.
    3. The last of an odd number of individuals has no partner: it may be mutated, not crossed.
    4. On several workers a generation is trained together and waited for, as in the paper.

The search ends after exactly N (T + 1) trainings, repeated ones included. The best of all is the answer. With the
default sizes that are 1,020; a smaller budget ends it earlier. Where all r are equal, the roulette is uniform.

Seven generations are too few for it to be better than random search. Mean regret in percentage points (50 seeds,
standard errors about 0.03, random search in brackets): NAS-Bench-201, cifar10, 0.59 (0.47) after 200 trainings, 0.13
(0.24) after 1,020; nasbench201_3ops/fashion14 0.22 (0.21) after 200; NAS-Bench-101, searched on test, 0.67 (0.61)
after 200 and 0.51 (0.49) after 500; genetic_cnn/fashion14 1.39 (1.18, standard errors 0.14 and 0.11) after 200, 0.47
(0.85, 0.06 and 0.08) after 1,020. On six decisions 0.05 leaves three of four children what they were.

Hyperparameters:
    population_size: N. Paper 20.
    generations: T. Paper 50.
    crossover: p_C, probability that a pair is crossed. Paper 0.2.
    swap: q_C, probability that a pair that is crossed exchanges a stage. 0.2, which is unverified for CIFAR-10; 0.3 on
        the smaller space, as the paper on MNIST.
    mutation: p_M, probability that an individual that was not crossed is mutated. Paper 0.8.
    flip: q_M, probability that a bit of one that is mutated flips. Paper 0.05 on CIFAR-10, 0.1 on MNIST (the smaller
        space).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from nassim.algorithms.parts.population import fitness, refuse_sizes
from nassim.algorithms.parts.variation import changed, refuse_probabilities, refuse_unfit, swapped
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate_all, strategy


@strategy(
    family="evolution",
    year=2017,
    aliases=["gcnn"],
    published={"genetic_cnn": {"swap": 0.3, "flip": 0.1}},
    initial="population_size",
)
def genetic_cnn(
    space: SearchSpace,
    rng: random.Random,
    *,
    population_size: int = 20,
    generations: int = 50,
    crossover: float = 0.2,
    swap: float = 0.2,
    mutation: float = 0.8,
    flip: float = 0.05,
) -> Search:
    refuse_unfit("genetic_cnn", space)
    refuse_sizes("genetic_cnn", space, population_size)
    refuse_probabilities("genetic_cnn", crossover=crossover, swap=swap, mutation=mutation, flip=flip)
    individuals = yield from evaluate_all([space.sample(rng) for _ in range(population_size)])  # 1
    for _ in range(generations):  # 2
        chosen = roulette(individuals, rng)  # 3
        children: list[Architecture] = []
        for pair in (chosen[i : i + 2] for i in range(0, population_size, 2)):
            if len(pair) == 2 and rng.random() < crossover:  # 4
                children += swapped(space, pair[0], pair[1], swap, rng)
            else:  # 5
                children += [changed(space, one, flip, rng) if rng.random() < mutation else one for one in pair]
        individuals = yield from evaluate_all(children)  # 6


def roulette(individuals: Sequence[Trial], rng: random.Random) -> list[Architecture]:
    """As many as there are, drawn with replacement: the lowest never, unless all are equal."""
    lowest = min(map(fitness, individuals))
    weights = [trial.value - lowest for trial in individuals]
    archs = [trial.arch for trial in individuals]
    return rng.choices(archs, weights if any(weights) else None, k=len(archs))
