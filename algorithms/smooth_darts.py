"""SmoothDARTS: DARTS whose weights learn with mixtures that were moved, at random or by an adversary.

Paper: X. Chen & C. Hsieh, "Stabilizing Differentiable Architecture Search via Perturbation-based Regularization",
    ICML 2020, arXiv:2002.05283, section 3.

Pseudocode:
    1  logits alpha <- 0.001 * normal noise; weights w of the mixture of all options
    2  repeat for every pair of a training and a validation batch, epsilon rising linearly over the epochs
    3      alpha <- Adam step down the validation loss of softmax(alpha)
    4      move softmax(alpha) by at most epsilon: uniformly (random), or to where seven steps of projected gradient
           ascent find the training loss highest (adversarial); cut to 0 to 1, and divide each row by its sum
    5      w <- step of gradient descent down the training loss of the moved mixture
    6  architecture <- the options of the largest softmax(alpha)

Departures:
    1. Line 6 also after every epoch, so that the search can be stopped at any time.
    2. First order. The attack sees the batch's moments, like everything of our supernets.
    3. On digits 30 epochs and the logits' rate 0.0126: they have 930 steps, NAS-Bench-201's 100 epochs 39,100, and
       their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    perturbation: random (SDARTS-RS) or adversarial (SDARTS-ADV).
    first_epsilon: of the first epoch; at most 1.
    last_epsilon: of the end; at most 1.
    epochs: passes over the search images. NAS-Bench-201 100.
    batch_size: images of each of the two batches.
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
from typing import Any, Literal

from nassim.algorithms.parts.small import SMALL
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 30, "learning_rate": 0.1, "arch_rate": 0.0126}


@strategy(
    family="weight sharing",
    year=2020,
    published={**dict.fromkeys(SMALL, _SMALL), "nasbench201": {"epochs": 100}},
)
def smooth_darts(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    perturbation: Literal["random", "adversarial"] = "random",
    first_epsilon: float = 0.03,
    last_epsilon: float = 0.3,
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

    from nassim.full_training.relaxations import perturbation as moved
    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.mixtures import seeded, shares, small_logits, softmax

    moved.check_epsilon(first_epsilon, last_epsilon)
    widths = supernet.layout.widths
    alpha, draws = small_logits(widths, rng, supernet.device), seeded(rng)  # 1
    adam = torch.optim.Adam([alpha], arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay)

    def mix() -> Any:
        return softmax(alpha, widths)

    for epoch in supernet.epochs(alpha=alpha, adam=adam, draws=draws):
        epsilon = first_epsilon + (last_epsilon - first_epsilon) * epoch / epochs
        for train, valid in supernet.batches(epoch, batch_size):  # 2
            (alpha.grad,) = torch.autograd.grad(supernet.loss(mix(), valid), [alpha])  # 3
            adam.step()
            if perturbation == "random":  # 4
                near = moved.random_perturbation(mix(), epsilon, draws)
            else:
                near = moved.adversarial_perturbation(mix(), epsilon, draws, partial(supernet.loss, batch=train))
            supernet.step(near, train)  # 5
        scores = shares(alpha, widths)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, alpha, mix)
        yield from report(supernet.layout.answer(scores), cost, scores, seen)  # 6
