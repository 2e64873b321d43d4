"""SqueezeNAS: options are mixed by Gumbel-softmax, every image by a sample of its own; what they cost is added.

Paper: A. Shaw, D. Hunter, F. Iandola, S. Sidhu, "SqueezeNAS: Fast Neural Architecture Search for Faster Semantic
    Segmentation", ICCV Workshops 2019, arXiv:1908.01748; its code, https://github.com/ashaw596/squeezenas.

Pseudocode:
    1  logits a <- 1 for all options of every decision; the cost of each option, in millions of multiply-adds or ms
    2  for some epochs: weights w <- descent step down CE(m), on a part of the images
    3  repeat for every epoch, the temperature falling
    4      w as in line 2, m <- softmax((a + Gumbel noise) / temperature), with other noise for every image
    5      a <- Adam step down CE(m) + mean over images of multiplier * cost(m), on the other images
    6  architecture <- at every decision the option of the largest a + Gumbel noise: a sample of softmax(a)

Departures:
    1. Line 6 also after every epoch, so that the search can be stopped at any time. One sample answers, as in the
       code; its cost and worth scatter with it.
    2. The code has lines 1, 4, 5 and 6, and no script that trains: epochs, rates, the temperatures and the multiplier
       are not published. Unverified: those of `fbnet`, whose relaxation this is, and a multiplier that makes
       the published networks' billions of multiply-adds worth some tenths of a nat.
    3. The authors search networks that then learn ImageNet, COCO and Cityscapes one after the other. Here an answer
       learns from scratch the images that were searched on.
    4. On canvas 16 epochs, 4 of line 2, batches of 16, the logits' rate 0.2, the factor 0.8 and the multiplier 0.1: a
       search of minutes, nothing of it tuned.

Hyperparameters:
    cost: macs, multiply-adds of an image in millions; or a look-up table of milliseconds (`nassim data
        measure-latency`), by name or path.
    multiplier: what a unit of the cost is worth in nats of a pixel's loss.
    epochs: passes over the search images, those of line 2 among them.
    warmup: epochs in which only weights are trained.
    batch_size: images of a batch.
    learning_rate: of the weights at the start (momentum 0.9); a cosine leads it to 0.
    weight_decay: of the weights.
    arch_rate: of the logits (Adam).
    arch_decay: weight decay of the logits.
    temperature: the first.
    factor: of the temperature from one epoch to the next.
    portion: of the images, that train the weights, where no release says which.
"""

from __future__ import annotations

import random

from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, report, strategy
from nassim.supernet import Supernet

_RATES = {"arch_rate": 0.2, "factor": 0.8, "multiplier": 0.1}
_SMALL = {"epochs": 16, "warmup": 4, "batch_size": 16, "portion": 0.5, **_RATES}


@strategy(family="weight sharing", year=2019, published={"squeezenas-short/canvas": _SMALL})
def squeeze_nas(
    space: SearchSpace,
    rng: random.Random,
    *,
    supernet: Supernet,
    cost: str = "macs",
    multiplier: float = 1e-4,
    epochs: int = 90,
    warmup: int = 10,
    batch_size: int = 192,
    learning_rate: float = 0.1,
    weight_decay: float = 1e-4,
    arch_rate: float = 0.01,
    arch_decay: float = 5e-4,
    temperature: float = 5.0,
    factor: float = 0.956,
    portion: float = 0.8,
) -> Search:
    import torch

    from nassim.full_training.relaxations import continuous, gates, mixtures, per_image
    from nassim.full_training.relaxations.latency import expected_cost

    layout, active = supernet.layout, continuous.options(supernet.layout)
    a, draws = per_image.ones(layout.widths, supernet.device), mixtures.seeded(rng)  # 1
    costs = expected_cost(supernet, cost)
    supernet.divide(portion)
    adam = torch.optim.Adam([a], arch_rate, weight_decay=arch_decay)
    supernet.schedule(epochs, learning_rate, 0.0, weight_decay=weight_decay)
    for epoch in supernet.epochs(a=a, adam=adam, draws=draws):  # 3
        tau = temperature * factor**epoch
        for train in supernet.training_batches(epoch, batch_size):  # 2, 4
            supernet.step(per_image.concrete(a.detach(), tau, draws, active, len(train[1])), train)
        for valid in supernet.validation_batches(epoch, batch_size) if epoch >= warmup else ():  # 5
            m = per_image.concrete(a, tau, draws, active, len(valid[1]))
            loss = supernet.loss(m, valid) + (multiplier * costs(m.weights)).mean()
            (a.grad,) = torch.autograd.grad(loss, [a])
            adam.step()
        answer = tuple([option for (option,) in gates.one_path(a, layout, draws).active])  # 6
        seconds, scores, seen = supernet.cost(), mixtures.shares(a, layout.widths), {costs.unit: costs.of(answer)}
        yield from report(Architecture(space.name, answer), seconds, scores, seen)
