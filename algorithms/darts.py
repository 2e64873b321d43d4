"""DARTS: options mixed by a softmax; its logits descend the validation loss, the weights the training loss.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055,
    Algorithm 1. On NAS-Bench-201 as Dong & Yang, ICLR 2020, arXiv:2001.00326 (DARTS-V1, DARTS-V2).

Pseudocode:
    1  logits alpha <- 0.001 * normal noise; weights w of the mixture of all options
    2  repeat for every pair of a training and a validation batch
    3      alpha <- Adam step down the validation loss at w - xi * gradient of the training loss
           (xi = 0: first order; xi = the learning rate: second order, equations 6 to 8)
    4      w <- step of gradient descent down the training loss
    5  architecture <- the options of the largest weights, softmax(alpha); of several runs the best by a training

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time. How weights are an architecture is
       the space's: in DARTS' the two best edges of a node and never `none`; in NAS-Bench-201 `none` can win an edge.
    2. On digits 30 epochs and the logits' rate 0.0063: 930 steps there for NAS-Bench-201's 19,550 on CIFAR-10, their
       product with the rate is kept, and the weights' rate is 0.1; so with 20 epochs, 620 steps, on darts/fashion14.

Hyperparameters:
    order: 1 takes the weights as they are, 2 looks one step ahead.
    epochs: passes over the search images.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights. Paper 3e-4, Dong & Yang 5e-4.
    nesterov: Nesterov momentum (0.9) of the weights. Dong & Yang: yes.
    arch_rate: learning rate of the logits (Adam, betas 0.5 and 0.999).
    arch_decay: weight decay of the logits.
    runs: searches, of whose answers trainings choose (the paper's protocol has four, and short trainings).
    replicas: copies of the supernet that share a batch (multi-device DARTS); must divide it.
    linear_scaling: batch and rates times ``replicas``, as with several devices in pt.darts.
    hessian_every: epochs after which the eigenvalue of the validation Hessian is measured; none: never.
"""

from __future__ import annotations

import random
from typing import Literal

from nassim.algorithms.parts import recurrent
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_NASBENCH201 = {"weight_decay": 5e-4, "nesterov": True}


@strategy(
    family="weight sharing",
    year=2019,
    published={
        "nasbench201": _NASBENCH201,
        "nasbench201/digits": {**_NASBENCH201, "epochs": 30, "learning_rate": 0.1, "arch_rate": 0.0063},
        "darts/fashion14": {"epochs": 20, "learning_rate": 0.1, "arch_rate": 0.0095},
        **recurrent.DARTS,
    },
)
def darts(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    order: Literal[1, 2] = 1,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
    nesterov: bool = False,
    arch_rate: float = 3e-4,
    arch_decay: float = 1e-3,
    runs: int = 1,
    replicas: int = 1,
    linear_scaling: bool = False,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations import bilevel, curvature, mixtures, several

    widths, scale = supernet.layout.widths, replicas if linear_scaling else 1
    if replicas > 1:
        supernet.shape(replicas=replicas)
    alpha = mixtures.small_logits(widths, rng, supernet.device)  # 1
    adam = torch.optim.Adam([alpha], scale * arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    rates = (scale * learning_rate, scale * final_rate)
    supernet.schedule(epochs, *rates, weight_decay=weight_decay, nesterov=nesterov, runs=runs)
    again, mix = several.Several(supernet, runs, epochs, rng), lambda: mixtures.softmax(alpha, widths)
    for epoch in supernet.epochs(alpha=alpha, adam=adam, **again.kept):
        again.begin(epoch, alpha, adam)
        for train, valid in supernet.batches(epoch, scale * batch_size):  # 2
            alpha.grad = bilevel.descent(supernet, alpha, mix, train, valid, order)  # 3
            adam.step()
            supernet.step(mixtures.softmax(alpha.detach(), widths), train)  # 4
        scores = mixtures.shares(alpha, widths)
        answer = again.end(epoch, supernet.layout.answer(scores))
        cost, seen = supernet.cost(), curvature.watch(supernet, hessian_every, epoch, runs * epochs, alpha, mix)
        yield from report(answer, cost, scores, seen)  # 5
    yield from again.choose()
