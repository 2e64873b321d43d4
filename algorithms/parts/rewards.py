"""What a policy learns from: rewards less what earlier ones were, and steps that grow where there are few of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nassim.algorithms.parts.weights import Floats
from nassim.errors import InvalidSetting
from nassim.recurrent import RecurrentSpace
from nassim.space import SearchSpace

SCALE = 80.0  # c of the reward of recurrent cells
FEW = 5  # batches at least, where a batch follows from the budget
FASTEST = 0.01  # learning rate at most, where it follows from the budget: beyond it policies settle too soon


class Baseline:
    """A moving average of earlier rewards; there is none before the first batch, which sets it."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.value: float | None = None

    def gains(self, rewards: Sequence[float]) -> Floats:
        """Rewards less the average of those before this batch, all 0 for the first; then they move it, one by one."""
        found = np.zeros(len(rewards)) if self.value is None else np.array(rewards) - self.value
        for reward in rewards:
            self.value = reward if self.value is None else self.decay * self.value + (1.0 - self.decay) * reward
        return found

    def gains_of(self, rewards: Floats) -> Floats:
        """`gains` of rewards in an array of any shape."""
        return self.gains(rewards.ravel().tolist()).reshape(rewards.shape)


def reward(space: SearchSpace, value: float, power: int) -> float:
    """Of an accuracy its power; of a recurrent cell, whose value is minus the loss, `SCALE` / perplexity^2.

    Source: Zoph & Le, ICLR 2017, arXiv:1611.01578, sections 4.1 and 4.2.
    """
    return SCALE * math.exp(2.0 * value) if isinstance(space, RecurrentSpace) else float(value**power)


def batch_by_budget(paper: int, horizon: int | None) -> int:
    """The paper's number of children in a batch, or a fifth of the trainings of a budget that is too small for it."""
    return paper if horizon is None else min(paper, max(1, horizon // FEW))


def rate_by_budget(paper: float, trainings: int, horizon: int | None) -> float:
    """The paper's learning rate for its number of trainings; for fewer the product of both is kept, up to `FASTEST`."""
    return paper if horizon is None else max(paper, min(FASTEST, paper * trainings / horizon))


def resolved_by_budget(
    chosen: Mapping[str, Any], horizon: int | None, *, trainings: int, children: int, rate: float, a_finalist: int
) -> dict[str, object]:
    """What nobody says: a batch, a learning rate and finalists that fit the number of trainings of the budget.

    The others are of the paper: its trainings, children of a batch, learning rate, trainings for each finalist.
    """
    own = chosen["learning_rate"]
    return {
        "children": chosen["children"] or batch_by_budget(children, horizon),
        "learning_rate": rate_by_budget(rate, trainings, horizon) if own is None else own,
        "finalists": chosen["finalists"] or max(1, (horizon or trainings) // a_finalist),
    }


def clipped(ratio: Floats, gains: Floats, clip: float) -> Floats:
    """By which log-probabilities are to rise under proximal policy optimization, per sample.

    The gradient of min(ratio A, clip(ratio, 1 - clip, 1 + clip) A): ratio A, or nothing where the clipped one is less.
    Source: Schulman et al., "Proximal Policy Optimization Algorithms", 2017, arXiv:1707.06347, equation 7.
    """
    beyond = np.where(gains > 0, ratio > 1.0 + clip, ratio < 1.0 - clip)
    result: Floats = np.where(beyond, 0.0, ratio * gains)
    return result


def refuse_memory(owner: str, decay: float) -> None:
    """`InvalidSetting` for a moving average that never forgets."""
    if decay >= 1:
        raise InvalidSetting(f"{owner}.baseline_decay={decay} must be below 1.")
