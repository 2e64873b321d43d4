"""Random search with weight sharing: random paths train shared weights, which then score random architectures.

Paper: L. Li & A. Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019,
    arXiv:1902.07638, section 3.2. On NAS-Bench-201 (RSPS) as Dong & Yang, ICLR 2020, arXiv:2001.00326.

Pseudocode:
    1  repeat for every training batch
    2      draw an architecture; w <- step of gradient descent down the loss of its path
    3  draw candidates; score each by its shared-weight accuracy on a few validation batches
    4  finalists <- the best of them, scored on all validation images
    5  architecture <- the best finalist

Departures:
    1. Lines 3 to 5 after every epoch and not only at the end, so that the search can be stopped at any time; their
       seconds are in its cost.
    2. One round of line 3; the paper repeats it once for every 10,000 batches of training.
    3. All strings are equally likely (Dong & Yang draw again where a node is left without an input).
    4. On digits 50 epochs and the weights' rate 0.1; so on darts/fashion14, with 100 candidates on two batches.

Hyperparameters:
    epochs: passes over the training half of the search images.
    batch_size: images of a batch.
    candidates: architectures scored after an epoch. Paper 1,000, NAS-Bench-201 100.
    score_batches: validation batches that score a candidate. Paper 10, NAS-Bench-201 1.
    finalists: candidates that are scored on all validation images. Paper 10, NAS-Bench-201 1 (none).
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (Nesterov momentum 0.9). Paper 3e-4, NAS-Bench-201 5e-4.
"""

from __future__ import annotations

import random
from itertools import islice

from nassim.algorithms.parts import recurrent
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_NASBENCH201 = {"candidates": 100, "score_batches": 1, "finalists": 1, "weight_decay": 5e-4}
_DIGITS = {"epochs": 50, "learning_rate": 0.1}


@strategy(
    family="weight sharing",
    year=2019,
    aliases=["rsps", "rsws"],
    published={
        "nasbench201": {**_NASBENCH201, "epochs": 250},
        "nasbench201/digits": {**_NASBENCH201, **_DIGITS},
        **recurrent.RANDOM_NAS,
        "darts/fashion14": {**_DIGITS, "candidates": 100, "score_batches": 2, "finalists": 1},
    },
)
def random_nas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    epochs: int = 150,
    batch_size: int = 64,
    candidates: int = 1000,
    score_batches: int = 10,
    finalists: int = 10,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
) -> Search:
    def final_score(arch: Architecture) -> float:
        return supernet.score(supernet.path(arch))

    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay, nesterov=True)
    for epoch in supernet.epochs(rng=rng):
        for train in supernet.training_batches(epoch, batch_size):  # 1
            supernet.step(supernet.path(space.sample(rng)), train)  # 2
        scoring = supernet.scoring_batches(epoch, batch_size)
        drawn = [space.sample(rng) for _ in range(candidates)]
        scores = [supernet.score(supernet.path(arch), *islice(scoring, score_batches)) for arch in drawn]
        ranked = [drawn[i] for i in sorted(range(candidates), key=scores.__getitem__, reverse=True)]  # 3
        best = max(ranked[:finalists], key=final_score) if finalists > 1 else ranked[0]  # 4, 5
        yield from report(best, supernet.cost())
