"""R-DARTS: DARTS that stops where the curvature of its validation loss grows, or keeps it small by regularization.

Paper: A. Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020,
    arXiv:1909.09656, sections 4.3 and 5.

Pseudocode:
    1  logits alpha <- 0.001 * normal noise; weights w of the mixture of all options
    2  repeat for every pair of a training and a validation batch
    3      alpha <- Adam step down the validation loss, one step of w ahead; w <- step down the training loss,
           with a large weight decay (l2), or with operations dropped ever more often (drop_path)
    4  after every second epoch: lambda <- largest eigenvalue of the validation Hessian by alpha; where its local
       average has grown by more than ``ratio`` in four evaluations, go back to the epoch before:
           that is the answer (early_stopping); or go on from there with ten times the weight decay (adaptive)
    5  architecture <- the options of the largest softmax(alpha)

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time. One search; the paper's R-DARTS are
       four of different strength, of which a short training chooses.
    2. No cutout in the search: our images are small. The look ahead decays as the step does.
    3. On digits as `darts` there: 30 epochs, the logits' rate 0.0063, the weights' 0.1, first order.

Hyperparameters:
    variant: l2, drop_path, early_stopping or adaptive.
    strength: of l2 the weight decay (paper 3e-4 to 81e-4), of drop_path the last probability (paper 0 to 0.6).
    weight_decay: of the weights (momentum 0.9) in the other variants, and at the start of adaptive.
    most_decay: that adaptive does not go beyond; there it stops.
    ratio: of line 4. Paper 4/3, its code 1.3.
    order: of the gradient of alpha.
    epochs: passes over the search images.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    nesterov: Nesterov momentum of the weights.
    arch_rate: learning rate of the logits (Adam, betas 0.5 and 0.999, weight decay 0.001).
    hessian_every: epochs after which the eigenvalue is measured for whoever looks; none: never.
"""

from __future__ import annotations

import random
from typing import Any, Literal

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 30, "learning_rate": 0.1, "arch_rate": 0.0063, "order": 1, "weight_decay": 5e-4, "nesterov": True}
Variant = Literal["l2", "drop_path", "early_stopping", "adaptive"]


@strategy(family="weight sharing", year=2020, published=dict.fromkeys(SMALL, _SMALL))
def r_darts(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    variant: Variant = "l2",
    strength: float | None = None,
    weight_decay: float = 3e-4,
    most_decay: float = 0.03,
    ratio: float = 1.3,
    order: Literal[1, 2] = 2,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    nesterov: bool = False,
    arch_rate: float = 3e-4,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations import stopping
    from nassim.full_training.relaxations.bilevel import descent
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import shares, small_logits, softmax

    widths, decay, drop = supernet.layout.widths, *stopping.strengths(variant, strength, weight_decay)
    alpha = small_logits(widths, rng, supernet.device)  # 1
    adam = torch.optim.Adam([alpha], arch_rate, betas=(0.5, 0.999), weight_decay=1e-3)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=decay, nesterov=nesterov)
    stop = stopping.Curvature(variant, ratio, decay, most_decay)

    def mix() -> Any:
        return softmax(alpha, widths)

    for epoch in supernet.epochs(alpha=alpha, adam=adam, stop=stop):
        supernet.drop_paths(drop * epoch / epochs, epoch)
        for train, valid in supernet.batches(epoch, batch_size):  # 2
            alpha.grad = descent(supernet, alpha, mix, train, valid, order)  # 3
            adam.step()
            supernet.step(softmax(alpha.detach(), widths), train)
        stop.looked(supernet, epoch, alpha, adam, mix)  # 4
        scores = shares(alpha, widths)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, alpha, mix)
        yield from report(supernet.layout.answer(scores), cost, scores, seen)  # 5
        if stop.ended:
            return
