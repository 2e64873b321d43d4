"""PC-DARTS: one of K channels goes through the mixture of options; the edges into a node are weighed as well.

Paper: Y. Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020,
    arXiv:1907.05737, section 3.

Pseudocode:
    1  logits alpha of options and beta of edges <- 0.001 * normal noise; weights w of a supernet with partial channels
    2  repeat for every pair of a training and a validation batch
    3      after the warm-up: alpha, beta <- Adam step down the validation loss
    4      w <- step of gradient descent down the training loss
    5  architecture <- the options of the largest softmax(alpha) * softmax(beta)

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time. In NAS-Bench-201 all edges into a
       node are kept, so that beta decides nothing of the answer by itself.
    2. On digits 30 epochs of batches of 64, 9 of them warm-up (the paper's share), and the logits' rate 0.0032: they
       have 651 steps with both, the paper's 35 epochs 3,430, and their product with the rate is kept. There C / K is 2.

Hyperparameters:
    partial: K; must divide the channels of the supernet. 1 is DARTS with weighed edges.
    warmup: epochs in which alpha and beta stay.
    epochs: passes over the search images.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (momentum 0.9).
    arch_rate: learning rate of alpha and beta (Adam, betas 0.5 and 0.999).
    arch_decay: weight decay of alpha and beta.
    hessian_every: epochs after which the eigenvalue of the validation Hessian by alpha is measured; none: never.
"""

from __future__ import annotations

import random
from typing import Any

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 30, "warmup": 9, "batch_size": 64, "arch_rate": 0.0032}


@strategy(
    family="weight sharing",
    year=2020,
    published=dict.fromkeys(SMALL, _SMALL),
)
def pc_darts(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    partial: int = 4,
    warmup: int = 15,
    epochs: int = 50,
    batch_size: int = 256,
    learning_rate: float = 0.1,
    final_rate: float = 0.0,
    weight_decay: float = 3e-4,
    arch_rate: float = 6e-4,
    arch_decay: float = 1e-3,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.continuous import numbers, of_nodes
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import small_logits, softmax

    supernet.shape(partial=partial)
    layout = supernet.layout
    alpha = small_logits(layout.widths, rng, supernet.device)  # 1
    beta = small_logits([1] * len(layout.groups), rng, supernet.device)
    adam = torch.optim.Adam([alpha, beta], arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay)

    def mix() -> Any:
        return softmax(alpha, layout.widths, edges=of_nodes(beta.flatten(), layout.nodes))

    for epoch in supernet.epochs(alpha=alpha, beta=beta, adam=adam):
        for train, valid in supernet.batches(epoch, batch_size):  # 2
            if epoch >= warmup:  # 3
                alpha.grad, beta.grad = torch.autograd.grad(supernet.loss(mix(), valid), [alpha, beta])
                adam.step()
            with torch.no_grad():
                still = mix()
            supernet.step(still, train)  # 4
        now = mix()
        scores = numbers(now.weights * now.edges[:, None], layout)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, alpha, mix)
        yield from report(layout.answer(scores), cost, scores, seen)  # 5
