"""Regularized (ageing) evolution: tournament selection in which the oldest member dies.

Paper: E. Real, A. Aggarwal, Y. Huang, Q. Le, "Regularized Evolution for Image Classifier Architecture Search",
    AAAI 2019, arXiv:1802.01548, Algorithm 1.

Pseudocode:
    1  population <- queue of P random architectures, trained
    2  repeat
    3      sample <- S members, drawn with replacement
    4      parent <- the member of the sample with the highest accuracy
    5      child <- mutate(parent); train it
    6      push the child right, remove the oldest from the left

Departures:
    1. One mutation is the space's own (one decision changed to a different option); the paper's 5 %
       identity mutation is left out, as in all published runs on NAS-Bench-201.
    2. Asynchronous on several workers as in the paper: a member enters the population when its training ends.
    3. The paper trains 20,000 architectures. Where the budget allows fewer than 500 and a space's authors published
        no sizes for so few, P is a fifth of the trainings and at least 10, S a quarter of P and at least 3: with
        P = 100 the search would end in line 1 or soon after.
    4. With ``--constraint`` lines 1 and 5 draw again, up to 1,000 times, what is known to break it; or line 4 goes by
        the accuracy times 0.9 for every tenth that a member is beyond the limit. The paper has no constraint.

Hyperparameters:
    population_size: P, members alive; none: by the budget. Paper 100 (from 500 trainings on, also NAS-Bench-101's
        authors; their notebook 50); NAS-Bench-201's authors 10.
    sample_size: S, members in a tournament; none: a quarter of P, at least 3. Paper 25; NAS-Bench-101's authors 10
        (from 500 trainings on); NAS-Bench-201's authors 3 (a script argument, also 10).
    limit: what a constraint does, "reject" or "penalize".
"""

from __future__ import annotations

import random
from collections import deque
from functools import partial
from typing import Literal

from nassim.algorithms.parts.limits import Rewards, kept
from nassim.algorithms.parts.population import PUBLISHED_SIZES, refuse_sizes, sizes_by_budget
from nassim.objectives import Constraint
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Measure, Search, start, strategy


@strategy(
    family="evolution",
    year=2019,
    aliases=["re", "rea"],
    published=PUBLISHED_SIZES,
    resolve=sizes_by_budget,
    initial="population_size",
)
def regularized_evolution(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    constraint: Constraint | None = None,
    population_size: int | None = None,
    sample_size: int | None = None,
    limit: Literal["reject", "penalize"] = "reject",
) -> Search:
    assert population_size and sample_size  # resolved
    refuse_sizes("regularized_evolution", space, population_size, sample_size)
    allowed, reward = constraint if limit == "reject" else None, Rewards(measure, constraint, None, 0.9)
    population: deque[Trial] = deque(maxlen=population_size)
    while len(population) < population_size:  # 1
        population.extend((yield from start(kept(lambda: space.sample(rng), allowed, measure))))
    while True:  # 2
        sample = rng.choices(population, k=sample_size)  # 3
        parent = max(sample, key=reward.of)  # 4
        child = kept(partial(space.mutate, parent.arch, rng), allowed, measure)  # 5
        population.extend((yield from start(child)))  # 6: the deque drops its oldest
