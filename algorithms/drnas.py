"""DrNAS: mixtures are drawn from Dirichlet distributions, whose concentrations descend the validation loss.

Paper: X. Chen et al., "DrNAS: Dirichlet Neural Architecture Search", ICLR 2021, arXiv:2006.10355, sections 3.1 and 3.2.

Pseudocode:
    1  alpha <- 0.001 * normal noise; concentrations elu(alpha) + 1, near 1: uniform over each simplex
    2  repeat for every pair of a training and a validation batch
    3      draw mixtures; alpha <- Adam step down the validation loss by the path-wise gradient,
           with weight decay (l2) or with the divergence from the uniform distribution in the loss (kl)
    4      draw again; w <- step of gradient descent down the training loss
    5  architecture <- the option of the largest concentration (= mean) of every edge

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time. In NAS-Bench-201 `none` can win an
       edge, as in the paper; in DARTS' space it is no option.
    2. All channels, one stage: the progressive scheme with partial channels is not built.
    3. On digits 30 epochs and the logits' rate 0.0126: they have 930 steps, NAS-Bench-201's 100 epochs 39,100, and
       their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    regularizer: l2 (weight decay, which pulls alpha to 0) or kl.
    strength: of either.
    epochs: passes over the search images. NAS-Bench-201 100.
    batch_size: images of each of the two batches.
    learning_rate: of the weights at the start; a cosine leads it to final_rate. Paper 0.1 and 0, NAS-Bench-201 0.025
        and 0.001.
    final_rate: of the weights at the end.
    weight_decay: of the weights (momentum 0.9).
    arch_rate: learning rate of alpha (Adam, betas 0.5 and 0.999). Paper 6e-4, NAS-Bench-201 3e-4.
    hessian_every: epochs after which the eigenvalue of the validation Hessian, at the means, is measured; none: never.
"""

from __future__ import annotations

import random
from typing import Any, Literal

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_NASBENCH201 = {"epochs": 100, "learning_rate": 0.025, "final_rate": 0.001, "arch_rate": 3e-4}
_SMALL = {"epochs": 30, "learning_rate": 0.1, "final_rate": 0.001, "arch_rate": 0.0126}


@strategy(
    family="weight sharing",
    year=2021,
    published={**dict.fromkeys(SMALL, _SMALL), "nasbench201": _NASBENCH201},
)
def drnas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    regularizer: Literal["l2", "kl"] = "l2",
    strength: float = 1e-3,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 0.1,
    final_rate: float = 0.0,
    weight_decay: float = 3e-4,
    arch_rate: float = 6e-4,
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.continuous import dirichlet, divergence, mean_of_dirichlet, numbers, options
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import Mix, seeded, small_logits

    layout = supernet.layout
    active = options(layout, none=layout.none_wins)
    alpha, draws = small_logits(layout.widths, rng, supernet.device), seeded(rng)  # 1
    decay, divergent = (strength, 0.0) if regularizer == "l2" else (0.0, strength)
    adam = torch.optim.Adam([alpha], arch_rate, betas=(0.5, 0.999), weight_decay=decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay)

    def mean() -> Any:
        return Mix(active, mean_of_dirichlet(alpha, active))

    for epoch in supernet.epochs(alpha=alpha, adam=adam, draws=draws):
        for train, valid in supernet.batches(epoch, batch_size):  # 2
            loss = supernet.loss(dirichlet(alpha, draws, active), valid) + divergent * divergence(alpha, active)  # 3
            (alpha.grad,) = torch.autograd.grad(loss, [alpha])
            adam.step()
            supernet.step(dirichlet(alpha.detach(), draws, active), train)  # 4
        scores = numbers(mean().weights, layout)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, alpha, mean)
        yield from report(layout.answer(scores), cost, scores, seen)  # 5
