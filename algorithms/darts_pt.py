"""DARTS-PT: DARTS whose answer is what the trained supernet misses most, and not what has the largest weights.

Paper: R. Wang, M. Cheng, X. Chen, X. Tang, C. Hsieh, "Rethinking Architecture Selection in Differentiable NAS",
    ICLR 2021, arXiv:2108.04392, section 4.

Pseudocode:
    1  train weights w and logits alpha of the mixture of all options as DARTS does (blank: w alone)
    2  repeat until all edges are fixed
    3      of a random edge mask one option after the other; the one without which the validation accuracy is lowest
           becomes the edge's only one
    4      tune w and alpha of what is left for some epochs, with a tenth of the first learning rate
    5  where a node keeps fewer edges than it has, take away those that are missed least, node by node
    6  architecture <- what is left

Departures:
    1. After every epoch the answer of the moment: the options of the largest weights where an edge is not yet fixed.
    2. First order; a constant rate while tuning also in DARTS' space. An edge of each kind of cell is fixed at a time.
    3. On digits 30 epochs and 25 of tuning, and the logits' rate 0.0126: 30 epochs have 930 steps, NAS-Bench-201's 100
       39,100, and their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    blank: alpha stays at its first values (blank-pt).
    tune: epochs between two edges.
    epochs: passes over the search images in line 1. NAS-Bench-201 100.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end of line 1.
    weight_decay: of the weights (momentum 0.9).
    arch_rate: learning rate of the logits (Adam, betas 0.5 and 0.999).
    arch_decay: weight decay of the logits.
    hessian_every: epochs after which the eigenvalue of the validation Hessian is measured; none: never.
"""

from __future__ import annotations

import random
from typing import Any

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 30, "learning_rate": 0.1, "arch_rate": 0.0126}


@strategy(
    family="weight sharing",
    year=2021,
    published={**dict.fromkeys(SMALL, _SMALL), "nasbench201": {"epochs": 100}},
)
def darts_pt(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    blank: bool = False,
    tune: int = 5,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
    arch_rate: float = 3e-4,
    arch_decay: float = 1e-3,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import small_logits
    from nassim.full_training.relaxations.projection import Projection

    left = Projection(supernet.layout, tune)
    alpha, total = small_logits(supernet.layout.widths, rng, supernet.device), epochs + left.tuning
    adam = torch.optim.Adam([alpha], arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    rates = (epochs, learning_rate, final_rate)
    supernet.schedule(*rates, weight_decay=weight_decay, tail=left.tuning, tail_rate=learning_rate / 10)

    def mix() -> Any:
        return left.mix(alpha)

    for epoch in supernet.epochs(alpha=alpha, adam=adam, left=left, rng=rng):
        for i, (train, valid) in enumerate(supernet.batches(epoch, batch_size)):
            if i == 0 and left.due(epoch - epochs):  # 2
                left.step(supernet, alpha, rng)  # 3, 5
            if not blank:
                (alpha.grad,) = torch.autograd.grad(supernet.loss(mix(), valid), [alpha])
                adam.step()
            with torch.no_grad():
                still = mix()
            supernet.step(still, train)  # 1, 4
        scores = left.scores(alpha)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, total, alpha, mix)
        yield from report(supernet.layout.answer(scores), cost, scores, seen)  # 6
