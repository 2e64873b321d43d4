"""CoDeepNEAT: modules and blueprints evolve side by side, and are credited with the networks that used them.

Paper: R. Miikkulainen, J. Liang, E. Meyerson, A. Rawal, D. Fink, O. Francon, B. Raju, H. Shahrzad, A. Navruzyan,
    N. Duffy, B. Hodjat, "Evolving Deep Neural Networks", 2017, arXiv:1703.00548.

Pseudocode:
    1  modules, blueprints <- random genomes
    2  repeat
    3      sort modules into species by their compatibility
    4      assemble n networks, of each blueprint in turn: each node that points to a species gets a random module of
           it, nodes that point to the same species the same one; train them
    5      the fitness of a genome is the mean of the networks that used it; who was not used keeps the old one
    6      each species has children by its share of fitness, the best of it stays; blueprints as well

Departures:
    1. Genes are those of `nassim.morph_space`: widths of 4 to 256 on a grid (paper 32 to 256), kernels 1 and 3,
       pooling, learning rate and momentum. Dropout, scale of first weights and augmentation have none.
    2. Unequal maps are thinned out to the smallest and concatenated. What cannot be built or is too large is
       assembled anew, and after some tries left out.
    3. Numbers and thresholds of species are not published; 4 species and 0.3 as in a public re-implementation.
       Blueprints are one species.
    4. n is 100 from 1,000 trainings on and a tenth of them below, at least 8; blueprints are a quarter, modules 45 % of
       it, as in the paper: a generation of 100 would be the whole search.
    5. On spaces of fixed length a module is a group's choices and a blueprint has a pointer for each group.

Hyperparameters:
    networks: n, a generation; none: by the budget. Paper 100.
    species: of modules, at most. 4.
    threshold: compatibility distance up to which a module joins a species. 0.3.
    epochs: of a training; none: those of a full training. Paper 8.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from nassim.algorithms.parts.coevolution import Coevolution
from nassim.errors import InvalidSetting
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate_all, strategy

PAPER_NETWORKS, PART, LEAST = 100, 10, 8


def size_by_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """``networks`` where nobody says it."""
    few = PAPER_NETWORKS if horizon is None else min(PAPER_NETWORKS, max(LEAST, horizon // PART))
    return {"networks": chosen["networks"] or few}


@strategy(family="evolution", year=2017, resolve=size_by_budget, initial="networks")
def codeepneat(
    space: SearchSpace,
    rng: random.Random,
    *,
    networks: int | None = None,
    species: int = 4,
    threshold: float = 0.3,
    epochs: int | None = None,
) -> Search:
    assert networks is not None  # resolved
    if not 1 <= networks <= 10_000 or species < 1 or not threshold >= 0:
        raise InvalidSetting("codeepneat takes networks from 1 to 10000, species from 1, a threshold from 0.")
    both = Coevolution(space, rng, modules=max(4, networks * 45 // 100), blueprints=max(2, networks // 4))  # 1
    while True:  # 2
        both.sort(species, threshold)  # 3
        assembled = both.assembled(networks)
        trials = yield from evaluate_all([network.arch for network in assembled], epochs)  # 4
        for network, trial in zip(assembled, trials, strict=True):
            for member in network.used:
                member.seen.append(trial.value)
        both.credit()  # 5
        both.reproduce()  # 6
