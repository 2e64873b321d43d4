"""NASH: hill climbing by network morphisms, each child trained shortly from its parent's weights.

Paper: T. Elsken, J. Metzen, F. Hutter, "Simple and Efficient Architecture Search for Convolutional Neural Networks",
    2017, arXiv:1711.04528.

Pseudocode:
    1  best <- the initial network, trained
    2  repeat
    3      child 0 <- best itself; each of n_neigh - 1 others <- best after n_NM random morphisms
    4      train all with the weights of best, the learning rate falling from its start to zero
    5      best <- the child of the highest accuracy

Departures:
    1. The loop goes on as long as the budget does (the paper: 5 or 8 steps), and the winner is not trained for another
       100 epochs: the answer is the best child as the search saw it.
    2. Children are trained for as many epochs as any query; the paper trains the first network for 20 and children for
       17. ``epochs`` says otherwise. The rate starts where the recipe says, not at 0.05.
    3. Morphisms are those of `nassim.morphs`: deeper, wider, skips by sum and concatenation, and larger kernels and
       branches, which the paper has not; a sum begins with zeros in place of a convex combination with weight one.
    4. On spaces of fixed length a morphism is a mutation and all are trained from scratch.

Hyperparameters:
    neighbors: n_neigh, children of a step with the unmodified parent. Paper 8.
    morphisms: n_NM, morphs of each other child. Paper 5.
    epochs: of a child's training; none: those of a full training.
    inherit: whether children begin with the weights of their parent; without it this is NASH from scratch.
"""

from __future__ import annotations

import random

from nassim.algorithms.parts.morphing import first, grown, heir_of
from nassim.algorithms.parts.population import fitness
from nassim.errors import InvalidSetting
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate, evaluate_all, strategy


@strategy(family="evolution", year=2017)
def nash(
    space: SearchSpace,
    rng: random.Random,
    *,
    neighbors: int = 8,
    morphisms: int = 5,
    epochs: int | None = None,
    inherit: bool = True,
) -> Search:
    if neighbors < 2 or morphisms < 1:
        raise InvalidSetting(f"nash takes neighbors from 2 and morphisms from 1, not {neighbors} and {morphisms}.")
    best = yield from evaluate(first(space, rng))  # 1
    while True:  # 2
        others = [grown(space, best.arch, rng, morphisms) for _ in range(neighbors - 1)]
        children = [best.arch, *others]  # 3
        if inherit:
            trials = yield from evaluate_all(
                children, epochs, origins=[heir_of(best)] * neighbors, inherit="morph"
            )  # 4
        else:
            trials = yield from evaluate_all(children, epochs)
        best = max(trials, key=fitness)  # 5
