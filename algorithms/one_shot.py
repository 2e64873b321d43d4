"""The plain one-shot method: a supernet is trained by random paths; then architectures are searched by its accuracy.

Paper: Z. Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV 2020,
    arXiv:1904.00420, sections 3 and 4 (uniform paths, evolution); G. Bender et al., "Understanding and Simplifying
    One-Shot Architecture Search", ICML 2018 (all paths at once, dropped at random).

Pseudocode:
    1  repeat for every training batch
    2      draw a path uniformly (or: drop options of the whole network at random); w <- descent step down its loss
    3  population <- random architectures, scored by their accuracy with the shared weights
    4  repeat: the best are parents; score mutants and crossovers of them
    5  architecture <- the best that was scored, on all validation images

Departures:
    1. Lines 3 to 5 after every epoch with ``rounds_an_epoch`` rounds and after the last with ``rounds``, so that the
       search can be stopped at any time; their seconds are in its cost.
    2. Normalizations have the moments of the scored batches: none are kept that would have to be recalibrated.
    3. With dropout an option of k runs with probability 1 - share * rate^(1/k), the share rising linearly; what runs
       is summed (paper: all paths into k). No limit on multiply-adds.

Hyperparameters:
    paths: single (Guo et al.) or dropout (Bender et al.).
    drop_rate: r of the dropout.
    epochs: passes over the training images.
    batch_size: images of a batch.
    population_size: architectures of a round. Guo et al. 50.
    parents: of a round: the best so far. Guo et al. 10.
    rounds: after the last epoch. Guo et al. 20.
    rounds_an_epoch: after each of the others.
    mutation: probability that a decision of a mutant is changed.
    score_batches: validation batches that score an architecture.
    finalists: the best, scored on all validation images.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (Nesterov momentum 0.9).
"""

from __future__ import annotations

import random
from itertools import islice
from typing import Literal

from nassim.algorithms.parts.variation import changed
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 50, "learning_rate": 0.1}


@strategy(
    family="weight sharing",
    year=2018,
    aliases=["spos"],
    published={"nasbench201/digits": _SMALL, "darts/fashion14": {**_SMALL, "score_batches": 2, "finalists": 2}},
)
def one_shot(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    paths: Literal["single", "dropout"] = "single",
    drop_rate: float = 0.1,
    epochs: int = 250,
    batch_size: int = 64,
    population_size: int = 50,
    parents: int = 10,
    rounds: int = 20,
    rounds_an_epoch: int = 1,
    mutation: float = 0.1,
    score_batches: int = 1,
    finalists: int = 10,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 5e-4,
) -> Search:
    from nassim.full_training.relaxations.mixtures import dropped

    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay, nesterov=True)
    for epoch in supernet.epochs(rng=rng):
        for train in supernet.training_batches(epoch, batch_size):  # 1
            if paths == "single":
                supernet.step(supernet.path(space.sample(rng)), train)  # 2
            else:
                supernet.step(dropped(supernet.layout.widths, drop_rate, epoch / max(1, epochs - 1), rng), train)
        batches = list(islice(supernet.scoring_batches(epoch, batch_size), score_batches))
        scores: dict[Architecture, float] = {}
        drawn = [space.sample(rng) for _ in range(population_size)]  # 3
        for remaining in reversed(range(1 + (rounds if epoch == epochs - 1 else rounds_an_epoch))):
            for arch in dict.fromkeys([arch for arch in drawn if arch not in scores]):
                scores[arch] = supernet.score(supernet.path(arch), *batches)
            if remaining:  # 4
                best = sorted(scores, key=lambda arch: -scores[arch])[:parents]
                mutants = [changed(space, rng.choice(best), mutation, rng) for _ in range(population_size // 2)]
                pairs = [(rng.choice(best), rng.choice(best)) for _ in range(population_size - len(mutants))]
                drawn = mutants + [space.crossover(a, b, rng) for a, b in pairs]
        final = sorted(scores, key=lambda arch: -scores[arch])[:finalists]
        answer = max(final, key=lambda arch: supernet.score(supernet.path(arch)))  # 5
        yield from report(answer, supernet.cost())
