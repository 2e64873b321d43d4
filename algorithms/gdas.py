"""GDAS: one option an edge, drawn by hard Gumbel-softmax, runs; all logits get gradient through the soft weights.

Paper: X. Dong & Y. Yang, "Searching for A Robust Neural Architecture in Four GPU Hours", CVPR 2019,
    arXiv:1910.04465, Algorithm 1. On NAS-Bench-201 as Dong & Yang, ICLR 2020, arXiv:2001.00326.

Pseudocode:
    1  logits A <- 0.001 * normal noise
    2  repeat for every pair of a training and a validation batch, tau falling linearly over the epochs
    3      draw an option for each edge; w <- step of gradient descent down the training loss of that path
    4      draw again; A <- Adam step down the validation loss
    5  architecture <- the options of the largest weights, softmax(A)

Departures:
    1. Line 5 also after every epoch, so that the search can be stopped at any time; all cells draw alike. The fixed
       reduction cell (FRC) is one of the space, as ours has not the paper's own.
    2. On digits 50 epochs and the logits' rate 0.019: they have 1,550 steps there, NAS-Bench-201's 250 epochs of
       CIFAR-10 97,750, and their product with the rate is kept. The weights' rate is 0.1. On darts/fashion14 80 epochs
       of 31 steps with batches of 64; the paper's 250 in DARTS' space have 24,250.

Hyperparameters:
    epochs: passes over the search images.
    batch_size: images of each of the two batches. Paper 256, NAS-Bench-201 64.
    first_temperature: tau of the first epoch.
    last_temperature: tau of the last epoch.
    learning_rate: of the weights at the start; a cosine leads it to final_rate.
    final_rate: of the weights at the end.
    weight_decay: of the weights (Nesterov momentum 0.9). Paper 3e-4, NAS-Bench-201 5e-4.
    arch_rate: learning rate of the logits (Adam, betas 0.5 and 0.999).
    arch_decay: weight decay of the logits.
    reduction_cell: an architecture of the space whose reduction cell is fixed, as DARTS_V2; empty: it is searched too.
    hessian_every: epochs after which the eigenvalue of the validation Hessian is measured, of the softmax; none: never.
"""

from __future__ import annotations

import random
from functools import partial

from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_NASBENCH201 = {"batch_size": 64, "weight_decay": 5e-4}


@strategy(
    family="weight sharing",
    year=2019,
    published={
        "nasbench201": _NASBENCH201,
        "nasbench201/digits": {**_NASBENCH201, "epochs": 50, "learning_rate": 0.1, "arch_rate": 0.019},
        "darts/fashion14": {"batch_size": 64, "epochs": 80, "learning_rate": 0.1, "arch_rate": 0.003},
    },
)
def gdas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    epochs: int = 250,
    batch_size: int = 256,
    first_temperature: float = 10.0,
    last_temperature: float = 0.1,
    learning_rate: float = 0.025,
    final_rate: float = 0.001,
    weight_decay: float = 3e-4,
    arch_rate: float = 3e-4,
    arch_decay: float = 1e-3,
    reduction_cell: str = "",
    hessian_every: int | None = None,
) -> Search:
    import torch

    from nassim.full_training.relaxations.curvature import watch
    from nassim.full_training.relaxations.fixed import fixed, known_cell
    from nassim.full_training.relaxations.mixtures import gumbel, linear, seeded, shares, small_logits, softmax

    layout = supernet.layout
    widths, takes, known = layout.widths, layout.takes, known_cell(layout, reduction_cell)
    A = small_logits(widths, rng, supernet.device)  # 1
    generator = seeded(rng)
    adam = torch.optim.Adam([A], arch_rate, betas=(0.5, 0.999), weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay, nesterov=True)
    for epoch in supernet.epochs(A=A, adam=adam, generator=generator):
        tau = linear(first_temperature, last_temperature, epoch, epochs)  # 2
        for train, valid in supernet.batches(epoch, batch_size):
            supernet.step(fixed(gumbel(A.detach(), tau, generator, widths, takes), known), train)  # 3
            drawn = fixed(gumbel(A, tau, generator, widths, takes), known)
            (A.grad,) = torch.autograd.grad(supernet.loss(drawn, valid), [A])  # 4
            adam.step()
        scores = [known.get(i, row) for i, row in enumerate(shares(A, widths))]
        whole = partial(softmax, A, widths)
        cost, seen = supernet.cost(), watch(supernet, hessian_every, epoch, epochs, A, whole)
        yield from report(supernet.layout.answer(scores), cost, scores, seen)  # 5
