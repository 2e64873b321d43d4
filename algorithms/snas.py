"""SNAS: options mixed by samples of a concrete distribution; its logits and the weights descend one and the same loss.

Paper: S. Xie, H. Zheng, C. Liu, L. Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019, arXiv:1812.09926,
    sections 2.2 and 2.4.

Pseudocode:
    1  logits A <- 0.001 * normal noise; weights w of the mixture of all options
    2  repeat for every training batch, the temperature falling over the epochs
    3      Z <- softmax((log softmax(A) + Gumbel noise) / temperature), for each edge
    4      w <- step of gradient descent, A <- Adam step, both down the loss of Z on this batch;
           A also down resource_weight * expected cost of Z, a sum over edges and options
    5  architecture <- the option of the largest softmax(A) of every edge

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time. In DARTS' space every node keeps
       its two best edges and never `none`; the paper lets `none` decide.
    2. The cost of an option is its parameters, as a share of those of all options; the paper adds multiply-adds and
       memory, with weights that it does not say. Only the half of the images that trains the weights is used.
    3. The temperature falls geometrically (paper and code differ in how).
    4. On digits 50 epochs and the logits' rate 0.011: they have 1,550 steps, the paper's 150 epochs of CIFAR-10 58,650,
       and their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    first_temperature: of the first epoch.
    last_temperature: of the last epoch.
    resource_weight: eta, of the expected cost in the loss of the logits.
    epochs: passes over the training half of the search images.
    batch_size: images of a batch.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (momentum 0.9).
    arch_rate: learning rate of the logits (Adam, betas 0.5 and 0.999).
    arch_decay: weight decay of the logits.
    hessian_every: epochs after which the eigenvalue of the validation Hessian is measured; none: never.
"""

from __future__ import annotations

import random
from functools import partial

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 50, "learning_rate": 0.1, "arch_rate": 0.011}


@strategy(
    family="weight sharing",
    year=2019,
    published=dict.fromkeys(SMALL, _SMALL),
)
def snas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    first_temperature: float = 1.0,
    last_temperature: float = 0.03,
    resource_weight: float = 0.0,
    epochs: int = 150,
    batch_size: int = 64,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
    arch_rate: float = 3e-4,
    arch_decay: float = 1e-3,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.continuous import concrete, expected_cost, geometric, options
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import seeded, shares, small_logits

    layout, active, sizes = supernet.layout, options(supernet.layout), supernet.option_sizes
    A, draws = small_logits(layout.widths, rng, supernet.device), seeded(rng)  # 1
    adam = torch.optim.Adam([A], arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay)
    for epoch in supernet.epochs(A=A, adam=adam, draws=draws):
        tau = geometric(first_temperature, last_temperature, epoch, epochs)
        for train in supernet.training_batches(epoch, batch_size):  # 2
            Z = concrete(A, tau, draws, active)  # 3
            cost = resource_weight * expected_cost(Z, sizes)
            (A.grad,) = torch.autograd.grad(cost, [A], retain_graph=True)
            supernet.step(Z, train)  # 4: adds the gradient of the loss to A's
            adam.step()
        scores = shares(A, layout.widths)
        seconds, sample = supernet.cost(), partial(concrete, A, tau, torch.Generator().manual_seed(epoch), active)
        seen = watch(supernet, hessian_every, epoch, epochs, A, sample)
        yield from report(layout.answer(scores), seconds, scores, seen)  # 5
