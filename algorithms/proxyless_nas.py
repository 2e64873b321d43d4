"""ProxylessNAS: one path of the supernet is trained at a time; gates of two paths, or of all, train its logits.

Paper: H. Cai, L. Zhu, S. Han, "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware", ICLR
    2019, arXiv:1812.00332, section 3; its code.

Pseudocode:
    1  logits a of every decision; for some epochs: weights w <- descent step down the loss of a random path
    2  repeat for every batch
    3      w <- descent step down the loss of a path that is drawn by softmax(a)
    4      every few batches: a <- Adam step by one of
           two paths: draw two options, one gate of them open; dL/da_i = sum_j dL/dg_j p_j (delta_ij - p_i);
               then both logits move by one number, so that all others keep their shares
           all paths: the same with the gates of all options
           reinforcement: up log p(path) * (accuracy * (T / LAT)^0.1 - moving average), mean over ten paths
    5      the loss of two or all paths has the expected latency E = sum p LAT in it:
           CE * alpha * (log E / log T)^beta, or CE + lambda * (E - T) / T
    6  architecture <- the options of the largest logits

Departures:
    1. Line 6 also after every epoch, so that the search can be stopped at any time.
    2. Half of the images train the logits, on CIFAR-10 and ImageNet 5,000 and 50,000 in the paper. Labels are not
       smoothed (the paper's code: 0.1).
    3. In the product T only scales the loss, so that another one moves no answer.
    4. On small images 10 and 30 epochs, line 4 every batch, the logits' rate 0.13: 930 of its steps are made, the
       code has some 120,000 on ImageNet, and their product with the rate is kept. The weights' rate is 0.1.

Hyperparameters:
    gradient: "two" paths, "all", or "reinforce".
    penalty: "product" or "sum" of loss and latency.
    latency: a look-up table (`nassim data measure-latency`), by name or path; macs: by multiply-adds.
    unit: ms or us, in which latency is counted; in the product its logarithm must be positive.
    target: T, in that unit; none: E of the first mixture. Paper 80 ms.
    alpha: of the product.
    beta: of the product.
    weight: lambda, of the sum.
    epochs: passes over the search images after those of line 1.
    warmup: epochs of line 1.
    every: batches from one step of line 4 to the next.
    batch_size: images of a batch.
    learning_rate: of the weights at the start (Nesterov momentum 0.9); a cosine leads it to 0.
    weight_decay: of the weights.
    arch_rate: of the logits (Adam, betas 0 and 0.999, as most are not drawn in a step).
"""

from __future__ import annotations

import random
from typing import Literal

from nassim.algorithms.parts.mobile import MOBILE
from nassim.space import SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 30, "warmup": 10, "every": 1, "batch_size": 64, "learning_rate": 0.1, "arch_rate": 0.13}


@strategy(family="weight sharing", year=2019, published=dict.fromkeys(MOBILE, _SMALL))
def proxyless_nas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    gradient: Literal["two", "all", "reinforce"] = "two",
    penalty: Literal["product", "sum"] = "product",
    latency: str = "macs",
    unit: Literal["ms", "us"] = "ms",
    target: float | None = None,
    alpha: float = 0.2,
    beta: float = 0.3,
    weight: float = 0.1,
    epochs: int = 120,
    warmup: int = 40,
    every: int = 5,
    batch_size: int = 256,
    learning_rate: float = 0.025,
    weight_decay: float = 4e-5,
    arch_rate: float = 1e-3,
) -> Search:
    import torch

    from nassim.full_training.relaxations import gates, mixtures, proxyless

    layout = supernet.layout
    a, draws = mixtures.small_logits(layout.widths, rng, supernet.device), mixtures.seeded(rng)  # 1
    penalized = proxyless.Penalized(supernet, latency, penalty, target, alpha, beta, weight, unit)
    step = proxyless.Step(supernet, a, draws, penalized, gradient)
    adam = torch.optim.Adam([a], arch_rate, betas=(0.0, 0.999))
    supernet.schedule(warmup + epochs, learning_rate, 0.0, weight_decay=weight_decay, nesterov=True)
    for epoch in supernet.epochs(a=a, adam=adam, draws=draws, baseline=step.baseline):
        for i, (train, valid) in enumerate(supernet.batches(epoch, batch_size)):  # 2
            supernet.step(gates.one_path(a, layout, draws), train)  # 3
            if epoch >= warmup and i % every == 0:
                step(adam, valid)  # 4, 5
        scores = mixtures.shares(a, layout.widths)
        answer = layout.answer(scores)
        yield from report(answer, supernet.cost(), scores, {"latency_ms": penalized.of(answer.choices)})  # 6
