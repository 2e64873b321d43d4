"""CGP-CNN: a parent and lambda children; genes that do nothing drift.

Paper: M. Suganuma, S. Shirakawa, T. Nagao, "A Genetic Programming Approach to Designing Convolutional Neural Network
    Architectures", GECCO 2017, arXiv:1704.00764, section 3.3 and the code of that paper.

Pseudocode:
    1  parent <- a random architecture, trained
    2  repeat
    3      lambda children <- forced mutations of the parent: every gene changes with probability r, drawn anew from
           the parent until one of its active genes has changed and the child is valid; train them
    4      if the best child is better than the parent: it is the parent
    5      else: neutral mutation of the parent: every inactive gene changes with probability r; it is not trained again

Departures:
    1. Where several inactive genes together could become active (NASBench-101's pruned vertices; never on ``cgp``),
       a neutral mutation is drawn again until what it stands for is the same; after 100 draws the parent stays.
    2. Where 10,000 forced mutations are not valid, the child is the space's own mutation.
    On spaces without inactive decisions line 5 does nothing. Accuracy is that of the last epoch; the paper's fitness
    is the highest of its last ten.

Hyperparameters:
    children: lambda. Paper 2.
    rate: r, the probability that a gene changes. Paper 0.05; a later implementation of its authors has 0.1.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from nassim.algorithms.parts.population import fitness
from nassim.errors import InvalidSetting
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate, evaluate_all, strategy

FORCED, NEUTRAL = 10_000, 100  # draws


@strategy(family="evolution", year=2017, aliases=["cgp_cnn"])
def cgp(space: SearchSpace, rng: random.Random, *, children: int = 2, rate: float = 0.05) -> Search:
    if not 0 < rate <= 1:
        raise InvalidSetting(f"cgp.rate={rate} is the probability that a gene changes: above 0, at most 1.")
    trial = yield from evaluate(space.sample(rng))  # 1
    parent, value = trial.arch, trial.value
    while True:  # 2
        brood = yield from evaluate_all([forced(space, parent, rng, rate) for _ in range(children)])  # 3
        best = max(brood, key=fitness)
        if best.value > value:  # 4
            parent, value = best.arch, best.value
        else:
            parent = neutral(space, parent, rng, rate)  # 5


def forced(space: SearchSpace, parent: Architecture, rng: random.Random, rate: float) -> Architecture:
    """A valid mutant of which at least one active gene is another."""
    active, genes = space.active(parent), range(len(parent.choices))
    for _ in range(FORCED):
        child = changed(space, parent, genes, rng, rate)
        if any(child.choices[i] != parent.choices[i] for i in active) and space.is_valid(child):
            return child
    return space.mutate(parent, rng)


def neutral(space: SearchSpace, parent: Architecture, rng: random.Random, rate: float) -> Architecture:
    """A mutant of the inactive genes that stands for the same network."""
    active = space.active(parent)
    genes = [i for i in range(len(parent.choices)) if i not in active]
    same = space.canonical(parent) if genes else None
    for _ in range(NEUTRAL if genes else 0):
        child = changed(space, parent, genes, rng, rate)
        if space.is_valid(child) and space.canonical(child) == same:
            return child
    return parent


def changed(
    space: SearchSpace, arch: Architecture, genes: Iterable[int], rng: random.Random, rate: float
) -> Architecture:
    """``arch`` with each of these genes another one with probability ``rate``, where there is another."""
    choices = list(arch.choices)
    for i in genes:
        if rng.random() < rate and space.radices[i] > 1:
            choices[i] = (choices[i] + 1 + int(rng.random() * (space.radices[i] - 1))) % space.radices[i]
    return Architecture(space.name, tuple(choices))
