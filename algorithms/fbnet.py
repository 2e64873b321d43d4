"""FBNet: every layer's options are mixed by Gumbel-softmax; the loss is multiplied by the logarithm of the latency.

Paper: B. Wu, X. Dai, P. Zhang, Y. Wang, F. Sun, Y. Wu, Y. Tian, P. Vajda, Y. Jia, K. Keutzer, "FBNet: Hardware-Aware
    Efficient ConvNet Design via Differentiable Neural Architecture Search", CVPR 2019, arXiv:1812.03443, section 3.

Pseudocode:
    1  logits theta of every layer's options; a look-up table of their latencies
    2  for some epochs: weights w <- descent step down the loss of m, on four fifths of the images
    3  repeat for every epoch, the temperature falling
    4      w as in line 2, m <- softmax((theta + Gumbel noise) / temperature) for each layer
    5      theta <- Adam step down CE(m) * alpha * log(LAT(m))^beta on the last fifth of the images,
           LAT(m) = sum over layers and options of m times the look-up table
    6  sample architectures from softmax(theta); train them; answer with the best

Departures:
    1. In line 6 shared weights on the last fifth compare them, no trainings; and so after every epoch.
    2. Whether the temperature falls from the first epoch or from the end of line 2, sources disagree: ``cooling``.
    3. On small images 50 epochs, 6 of line 2, the logits' rate 0.2 and the factor 0.922: 528 of its steps are made, of
       the paper's some 10,800; their product with the rate and the last temperature are kept.

Hyperparameters:
    latency: a look-up table (`nassim data measure-latency`), by name or path; macs: by multiply-adds.
    unit: ms or us, in which LAT is counted; its logarithm must be positive.
    alpha: of the loss.
    beta: of the loss; what latency is worth.
    epochs: passes over the search images, those of line 2 among them.
    warmup: epochs in which only weights are trained.
    batch_size: images of a batch.
    learning_rate: of the weights at the start (momentum 0.9); a cosine leads it to 0.
    weight_decay: of the weights.
    arch_rate: of the logits (Adam).
    arch_decay: weight decay of the logits. 1e-4 in other code.
    temperature: the first.
    factor: of the temperature from one epoch to the next.
    cooling: "start" or "warmup": when the temperature begins to fall.
    portion: of the images, that train the weights, where no release says which.
    sampled: architectures of line 6.
"""

from __future__ import annotations

import random
from typing import Literal

from nassim.algorithms.parts.mobile import MOBILE
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_SMALL = {"epochs": 50, "warmup": 6, "batch_size": 64, "arch_rate": 0.2, "factor": 0.922}


@strategy(family="weight sharing", year=2019, published=dict.fromkeys(MOBILE, _SMALL))
def fbnet(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    latency: str = "macs",
    unit: Literal["ms", "us"] = "ms",
    alpha: float = 0.2,
    beta: float = 0.6,
    epochs: int = 90,
    warmup: int = 10,
    batch_size: int = 192,
    learning_rate: float = 0.1,
    weight_decay: float = 1e-4,
    arch_rate: float = 0.01,
    arch_decay: float = 5e-4,
    temperature: float = 5.0,
    factor: float = 0.956,
    cooling: Literal["start", "warmup"] = "start",
    portion: float = 0.8,
    sampled: int = 6,
) -> Search:
    import torch

    from nassim.full_training.relaxations import continuous, gates, mixtures
    from nassim.full_training.relaxations.latency import ExpectedLatency, refuse_short

    layout, active = supernet.layout, continuous.options(supernet.layout)
    theta, draws = mixtures.small_logits(layout.widths, rng, supernet.device), mixtures.seeded(rng)  # 1
    LAT = ExpectedLatency(supernet, latency, unit)
    refuse_short("fbnet", LAT)
    supernet.divide(portion)
    adam = torch.optim.Adam([theta], arch_rate, weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, 0.0, weight_decay=weight_decay)
    for epoch in supernet.epochs(theta=theta, adam=adam, draws=draws):  # 3
        tau = temperature * factor ** (epoch if cooling == "start" else max(0, epoch - warmup))
        for train in supernet.training_batches(epoch, batch_size):  # 2, 4
            supernet.step(continuous.concrete(theta.detach(), tau, draws, active), train)
        for valid in supernet.validation_batches(epoch, batch_size) if epoch >= warmup else ():  # 5
            m = continuous.concrete(theta, tau, draws, active)
            loss = supernet.loss(m, valid) * alpha * torch.log(LAT(m.weights)) ** beta
            (theta.grad,) = torch.autograd.grad(loss, [theta])
            adam.step()
        paths = [gates.one_path(theta, layout, draws) for _ in range(sampled)]  # 6
        m = max(paths, key=supernet.score)
        scores, answer = mixtures.shares(theta, layout.widths), tuple([option for (option,) in m.active])
        yield from report(Architecture(space.name, answer), supernet.cost(), scores, {"latency_ms": LAT.of(answer)})
