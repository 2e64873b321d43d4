"""Steps of a controller by proximal policy optimization, as NASNet and MnasNet learn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nassim.algorithms.parts.controller import Controller
from nassim.algorithms.parts.rewards import clipped
from nassim.algorithms.parts.tokens import tokens_of
from nassim.algorithms.parts.weights import Floats
from nassim.space import Architecture, SearchSpace


class Steps(NamedTuple):
    """How a batch is learned from: how often, how far the ratio may go from 1, the weight of the entropy, the rate."""

    repetitions: int
    clip: float
    entropy_weight: float
    learning_rate: float


def nasnet_controller(space: SearchSpace, rng: random.Random) -> Controller:
    """NASNet's: one layer of 100 units, weights from U(-0.1, 0.1) (Zoph et al., CVPR 2018, arXiv:1707.07012)."""
    return Controller(space, tokens_of(space), rng, units=100, layers=1, scale=0.1)


def improve(controller: Controller, archs: Sequence[Architecture], gains: Floats, steps: Steps) -> None:
    """So many Adam steps up the mean of min(rho A, clip(rho) A) and the entropy, A the gains of what was said.

    rho is a network's probability over that before the first step, so that the controller must be as it was when it
    said them. Without any gain there is no step. Source: `nassim.algorithms.parts.rewards.clipped`.
    """
    if not gains.any():
        return
    before = controller.say(archs).log_probability
    for _ in range(steps.repetitions):
        said = controller.say(archs)
        weights = clipped(np.exp(said.log_probability - before), gains, steps.clip)
        controller.ascend(controller.gradient(said, weights, steps.entropy_weight), steps.learning_rate)
