"""REINFORCE with one independent categorical distribution a decision, as in the NAS benchmarks' baselines.

Paper: R. Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
    Learning", Machine Learning 8, 1992; as re-implemented without a controller network for NAS-Bench-101
    (Ying et al., ICML 2019, arXiv:1902.09635) and NAS-Bench-201 (Dong & Yang, ICLR 2020, arXiv:2001.00326).

Pseudocode:
    1  logits of every decision <- 0.001 * normal noise
    2  repeat
    3      sample each decision from the softmax of its logits; train the architecture; R <- accuracy in percent
    4      b <- moving average of the rewards, this one included, corrected for its start at zero
    5      logits <- Adam step along (R - b) * gradient of log p(architecture)

Departures:
    1. No LSTM controller: with it the method is Zoph & Le 2017, whose baseline leaves out the present reward.
    2. On several workers a trial's gradient is taken at the policy of the moment when it finishes.
    3. What is not valid (NAS-Bench-101) is drawn again, at no cost; the gradient does not know of it.

Hyperparameters:
    learning_rate: of Adam. 0.1, the best of a sweep at 150 queries (docs/reinforce.md). NATS-Bench's script
        0.01; NAS-Bench-101's authors 0.1 with plain gradient ascent.
    baseline_decay: of the moving average, below 1. 0.9 in all re-implementations.
"""

from __future__ import annotations

import random

from nassim.algorithms.parts.policy import Policy
from nassim.errors import InvalidSetting
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="reinforcement learning", year=2019, aliases=["rl"])
def reinforce(
    space: SearchSpace, rng: random.Random, *, learning_rate: float = 0.1, baseline_decay: float = 0.9
) -> Search:
    if baseline_decay >= 1:
        raise InvalidSetting(f"reinforce.baseline_decay={baseline_decay} must be below 1.")
    policy = Policy(space.radices, rng, learning_rate)  # 1
    total = weight = 0.0
    while True:  # 2
        for _ in range(10_000):  # what is still not of the space then, the benchmark refuses
            if space.is_valid(arch := Architecture(space.name, policy.sample(rng))):
                break
        for trial in (yield from start(arch)):  # 3
            reward = 100.0 * trial.value
            total = baseline_decay * total + (1.0 - baseline_decay) * reward
            weight = baseline_decay * weight + (1.0 - baseline_decay)
            policy.ascend(trial.arch.choices, reward - total / weight)  # 4, 5
