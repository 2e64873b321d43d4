"""ENAS: a recurrent controller draws paths of a supernet; policy gradient on their shared-weight accuracy trains it.

Paper: H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean, "Efficient Neural Architecture Search via Parameter Sharing",
    ICML 2018, arXiv:1802.03268, section 2.2. On NAS-Bench-201 as Dong & Yang, ICLR 2020, arXiv:2001.00326.

Pseudocode:
    1  repeat
    2      for every training batch: draw m from the controller; w <- descent step down the loss of m's path
    3      repeat controller_steps times
    4          draw m; R <- accuracy (cells: 80 / perplexity) on one validation batch + entropy weight * entropy
    5          baseline <- moving average of R; controller <- Adam step up log p(m) * (R - baseline)
    6  draw architectures; answer with the best on one validation batch each

Departures:
    1. The baseline moves at every step of line 5; in Dong & Yang's script each begins with the last epoch's.
    2. Line 6 also after every epoch, so that the search can be stopped at any time; its seconds are in its cost.
    3. In the paper's own spaces skips, inputs and sources are chosen by attention, and a penalty of 0.8 times the
       divergence from a share of 0.4 keeps skips few; elsewhere decisions follow each other, unbiased.
    4. On digits 30 epochs of 20 steps with 5 samples and the controller's rate 0.02: they have 600 steps,
       NAS-Bench-201's 250 epochs 12,500, and their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    epochs: passes over the training half of the search images. Paper 150, NAS-Bench-201 250.
    batch_size: images of a batch. Paper 160, NAS-Bench-201 128.
    learning_rate: of the weights at the start; a cosine leads it to final_rate, restarted after 10, 20, ... epochs.
    final_rate: of the weights at the end.
    weight_decay: of the weights. Paper 1e-4, NAS-Bench-201 2.5e-4.
    controller_rate: of Adam. Paper 3.5e-3, NAS-Bench-201 1e-3 (betas 0 and 0.999, epsilon 1e-3 in both).
    controller_steps: steps after each epoch. Paper 30, NAS-Bench-201 50.
    controller_samples: architectures averaged in a step. Paper 10, NAS-Bench-201 20.
    entropy_weight: of the entropy (nats) in the reward.
    baseline_decay: of the moving average.
    derived: architectures that line 6 draws. Paper 10, NAS-Bench-201 100.
"""

from __future__ import annotations

import random

from nassim.algorithms.parts import recurrent
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_NASBENCH201 = {"batch_size": 128, "weight_decay": 2.5e-4, "derived": 100}
_DIGITS = {"batch_size": 64, "learning_rate": 0.1, "epochs": 30, "controller_steps": 20, "controller_samples": 5}
_CIFAR = {"epochs": 250, "controller_steps": 50, "controller_samples": 20, "controller_rate": 1e-3}


@strategy(
    family="weight sharing",
    year=2018,
    published={
        "nasbench201": {**_NASBENCH201, **_CIFAR},
        "nasbench201/digits": {**_NASBENCH201, **_DIGITS, "controller_rate": 0.02},
        "darts/fashion14": {**_DIGITS, "epochs": 50, "controller_rate": 0.016},
        **recurrent.ENAS,
        "enas-macro": {**_CIFAR, "epochs": 310, "batch_size": 128, "weight_decay": 2.5e-4},
    },
)
def enas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    epochs: int = 150,
    batch_size: int = 160,
    learning_rate: float = 0.05,
    final_rate: float = 5e-4,
    weight_decay: float = 1e-4,
    controller_rate: float = 3.5e-3,
    controller_steps: int = 30,
    controller_samples: int = 10,
    entropy_weight: float = 1e-4,
    baseline_decay: float = 0.99,
    derived: int = 10,
) -> Search:
    import torch

    from nassim.full_training.relaxations.attention import controller_for
    from nassim.full_training.relaxations.controller import MovingAverage, descend, policy_loss, reward

    def score(arch: Architecture) -> float:
        return reward(supernet.score(supernet.path(arch), next(scoring)), supernet)

    controller, baseline = controller_for(supernet, rng), MovingAverage(baseline_decay)
    adam = torch.optim.Adam(controller.parameters(), controller_rate, betas=(0.0, 0.999), eps=1e-3)
    supernet.schedule(epochs, learning_rate, final_rate, weight_decay=weight_decay, nesterov=True, restart=10)
    for epoch in supernet.epochs(controller=controller, draws=controller.generator, adam=adam, baseline=baseline):  # 1
        for train in supernet.training_batches(epoch, batch_size):  # 2
            supernet.step(supernet.path(Architecture(space.name, controller.sample(1).choices[0])), train)
        scoring = supernet.scoring_batches(epoch, batch_size)
        for _ in range(controller_steps):  # 3
            m = controller.sample(controller_samples)  # 4
            drawn = [Architecture(space.name, choices) for choices in m.choices]
            entropies = m.entropy.tolist()
            rewards = [score(arch) + entropy_weight * h for arch, h in zip(drawn, entropies, strict=True)]
            descend(policy_loss(m, baseline.advantages(rewards)), adam)  # 5
        derivable = [Architecture(space.name, choices) for choices in controller.sample(derived).choices]
        yield from report(max(derivable, key=score), supernet.cost())  # 6
