"""Neural Architect: a policy transforms networks, and predictors of accuracy and time say most of its rewards.

Paper: Y. Zhou, G. Diamos, "Neural Architect: A Multi-objective Neural Architecture Search with Performance Prediction",
    SysML 2018; longer: Y. Zhou et al., "Resource-Efficient Neural Architect", 2018, arXiv:1806.07912.

Pseudocode:
    1  train random networks; fit the predictors of accuracy and seconds
    2  repeat
    3      from good networks, T times: read the layers, draw a transformation; every result is a proposal
    4      R <- predicted accuracy, less where a limit is broken; policy <- Adam step up log p * (gain in R - baseline)
    5      if the share of trained proposals allows a batch: train the best by R; fit the predictors again
    6  train the best k by R

Departures:
    1. All constants are this project's: no public text says the poster's.
    2. A transformation is one decision's change or one morph, of one masked softmax; the trained inherit from line 3's.
    3. Limits are the run's ``constraint``, which is measured, and ``slowest``, whose seconds are predicted.
    4. Line 6 comes when k trainings of the budget are left. Predictions are no trials; the share is the run's remark.

Hyperparameters:
    initial: random networks; none: a fifth of the budget, at most 50.
    real_share: of all proposals, the initial ones included, that are trained at most; the last k come on top.
    last: k.
    batch: trained together.
    episodes: networks that are transformed at once.
    steps: T, transformations in a row.
    slowest: limit on the seconds of a training. None: any.
    severity: what a reward is multiplied by at a tenth beyond a limit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nassim.algorithms.parts.layer_rows import refuse_unread
from nassim.algorithms.parts.limits import Rewards, refuse_unmet
from nassim.algorithms.parts.proposals import Proposals, refuse_share
from nassim.algorithms.parts.rewards import Baseline
from nassim.algorithms.parts.simulated import Simulation
from nassim.algorithms.parts.transformer import Transformer
from nassim.algorithms.parts.weights import Floats
from nassim.objectives import Constraint
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure, Search, evaluate_all, strategy


def by_the_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """How many random networks there are at first, where nobody says it."""
    return {"initial": chosen["initial"] or (50 if horizon is None else min(50, max(1, horizon // 5)))}


@strategy(family="reinforcement learning", year=2018, resolve=by_the_budget, initial="initial")
def neural_architect(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    remark: Callable[[str], None],
    horizon: int | None = None,
    constraint: Constraint | None = None,
    initial: int | None = None,
    real_share: float = 0.3,
    last: int = 5,
    batch: int = 10,
    episodes: int = 8,
    steps: int = 5,
    slowest: float | None = None,
    severity: float = 0.9,
) -> Search:
    assert initial
    refuse_unread("neural_architect", space)
    refuse_share("neural_architect", real_share, severity, batch, horizon)
    refuse_unmet("neural_architect", space, rng, measure, constraint)
    reward, baseline = Rewards(measure, constraint, slowest, severity), Baseline(0.9)
    simulation, policy = Simulation(space, rng, units=24), Transformer(space, rng, units=24)

    def worth(archs: Sequence[Architecture]) -> Floats:
        return reward(archs, *simulation.predict(archs))

    proposals = Proposals(real_share, batch, last, horizon)
    proposals.add(first := [space.sample(rng) for _ in range(initial)])
    trials = yield from evaluate_all(dict.fromkeys(first))  # 1
    simulation.fit(trials, steps=100, rate=0.01)
    while True:  # 2
        parents = [rng.choice(reward.best(trials, 2 * episodes)) for _ in range(episodes)]  # 3
        moves, rewards = [], [worth(archs := [parent.arch for parent in parents])]
        for _ in range(steps):
            moves.append(policy.transform(archs))
            proposals.add(archs := moves[-1].results, parents)
            rewards.append(worth(archs))
        policy.learn(moves, baseline.gains_of(rewards[-1] - np.array(rewards[:-1])), 0.01)  # 4
        if count := proposals.due(len(trials)):
            remark(proposals.share(len(trials) + count))
            best = proposals.best(count, trials, worth)  # 5, 6
            trials += yield from evaluate_all(best, origins=proposals.origins(best), inherit="morph")
            simulation.fit(trials, steps=30, rate=0.01)
