"""Fair DARTS: every option has a sigmoid of its own, so that a skip connection gains nothing from the others' loss.

Paper: X. Chu, T. Zhou, B. Zhang, J. Li, "Fair DARTS: Eliminating Unfair Advantages in Differentiable Architecture
    Search", ECCV 2020, arXiv:1911.12126, section 4.

Pseudocode:
    1  logits alpha <- 0 (sigmoids 1/2); weights w of the sum of all options, each times its sigmoid
    2  repeat for every pair of a training and a validation batch
    3      alpha <- Adam step down the validation loss + zero_one_weight * L_0-1,
           L_0-1 = - mean of (sigmoid(alpha) - 1/2)^2
    4      w <- step of gradient descent down the training loss
    5  architecture <- of every edge the option of the largest sigmoid, where that reaches the threshold

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time.
    2. `none` is no option (the paper removes it from the space): in NAS-Bench-201 it stands where no other reaches
       the threshold, but every node keeps its best edge. In DARTS' space every node keeps its best two.
    3. On digits 30 epochs of batches of 64 and the logits' rate 0.031: they have 930 steps, the paper's 50 epochs
       9,750, and their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    zero_one_weight: of L_0-1 in the loss of the logits.
    threshold: of the sigmoids in line 5.
    epochs: passes over the search images.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (momentum 0.9).
    arch_rate: learning rate of the logits (Adam, betas 0.9 and 0.999, as the published code is run).
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

_SMALL = {"epochs": 30, "batch_size": 64, "learning_rate": 0.1, "arch_rate": 0.031}


@strategy(
    family="weight sharing",
    year=2020,
    published=dict.fromkeys(SMALL, _SMALL),
)
def fair_darts(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    zero_one_weight: float = 10.0,
    threshold: float = 0.85,
    epochs: int = 50,
    batch_size: int = 128,
    learning_rate: float = 0.005,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
    arch_rate: float = 3e-3,
    arch_decay: float = 1e-3,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.continuous import numbers, options, sigmoid, zero_one
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.thresholds import above, check_threshold

    check_threshold(threshold)
    layout = supernet.layout
    active = options(layout, none=False)
    alpha = torch.zeros(len(active), max(layout.widths), device=supernet.device, requires_grad=True)  # 1
    adam = torch.optim.Adam([alpha], arch_rate, betas=(0.9, 0.999), weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay)

    def mix() -> Any:
        return sigmoid(alpha, active)

    for epoch in supernet.epochs(alpha=alpha, adam=adam):
        for train, valid in supernet.batches(epoch, batch_size):  # 2
            loss = supernet.loss(mix(), valid) + zero_one_weight * zero_one(alpha, active)  # 3
            (alpha.grad,) = torch.autograd.grad(loss, [alpha])
            adam.step()
            supernet.step(sigmoid(alpha.detach(), active), train)  # 4
        scores = numbers(torch.sigmoid(alpha), layout)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, alpha, mix)
        yield from report(layout.answer(above(scores, layout, threshold)), cost, scores, seen)  # 5
