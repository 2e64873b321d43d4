"""AmoebaNet: regularized evolution with the paper's own mutations.

Paper: E. Real, A. Aggarwal, Y. Huang, Q. Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI
    2019, arXiv:1802.01548, section 3 and Algorithm 1.

Pseudocode:
    1  population <- queue of P random architectures, trained
    2  repeat
    3      sample <- S members, drawn with replacement
    4      parent <- the member of the sample with the highest accuracy
    5      child <- parent, with one of: nothing changed; an input re-pointed; an operation replaced
    6      train the child; push it right, remove the oldest from the left

Departures:
    1. A mutation always changes: the paper may draw the same operation again.
    2. Inputs are earlier states. The paper would take a later block where that makes no loop.
    3. Spaces that do not tell connections from operations have their own mutation for both; those that do are
       ``nasnet`` and ``darts``.
    4. Asynchronous on several workers as in the paper. P and S follow from budgets below 500 trainings as in
       `regularized_evolution`.
    As in the paper a child that is its parent is trained and charged again: a new draw of the noise.

Hyperparameters:
    population_size: P, members alive; none: by the budget. Paper 100.
    sample_size: S, members in a tournament; none: a quarter of P, at least 3. Paper 25.
    identity: probability of no change. Paper 0.05.
    hidden_state: probability that an input is re-pointed, else an operation is replaced. That both are as likely
        (0.475) is from memory of the paper, not checked.
"""

from __future__ import annotations

import random
from collections import deque

from nassim.algorithms.parts.population import fitness, refuse_sizes, sizes_by_budget
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="evolution", year=2019, aliases=["amoebanet"], resolve=sizes_by_budget, initial="population_size")
def amoeba(
    space: SearchSpace,
    rng: random.Random,
    *,
    population_size: int | None = None,
    sample_size: int | None = None,
    identity: float = 0.05,
    hidden_state: float = 0.475,
) -> Search:
    assert population_size and sample_size  # resolved
    if not 0 <= identity <= identity + hidden_state <= 1:
        raise InvalidSetting(
            f"amoeba.identity={identity} and hidden_state={hidden_state} are probabilities: their sum is at most 1."
        )
    refuse_sizes("amoeba", space, population_size, sample_size)
    population: deque[Trial] = deque(maxlen=population_size)
    while len(population) < population_size:  # 1
        population.extend((yield from start(space.sample(rng))))
    while True:  # 2
        sample = rng.choices(population, k=sample_size)  # 3
        parent = max(sample, key=fitness)  # 4
        child = mutated(space, parent.arch, rng, identity, hidden_state)  # 5
        population.extend((yield from start(child)))  # 6: the deque drops its oldest


def mutated(
    space: SearchSpace, arch: Architecture, rng: random.Random, identity: float, hidden_state: float
) -> Architecture:
    """One of the paper's three mutations."""
    drawn = rng.random()
    if drawn < identity:
        return arch
    if drawn < identity + hidden_state:
        return space.mutate_wiring(arch, rng)
    return space.mutate_operation(arch, rng)
