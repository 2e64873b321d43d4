"""NASRL: a recurrent controller says networks token by token, and policy gradients make good ones more likely.

Paper: B. Zoph, Q. Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578.

Pseudocode:
    1  controller <- LSTM of two layers, weights uniform from -0.08 to 0.08; layers <- 6
    2  repeat
    3      say m children of so many layers; train them; R <- accuracy cubed, of recurrent cells 80 / perplexity^2
    4      weights <- Adam step along the mean of (R - b) * gradient of log p(child)
    5      b <- moving average of the rewards, these included
    6      two layers more after every 1,600 children

Departures:
    1. A batch is m = 8 children of one controller; the paper has 100 controllers with 8 each and 20 parameter servers.
    2. R is what the benchmark answers; the paper's is the best of the last five epochs. The first batch sets b.
    3. The depth schedule is for spaces whose later layers can be absent (`chain`). Anchor points, where a space has
       them, are bits of their own (`chain`, and the edges of NAS-Bench-101); elsewhere each decision is a softmax.
    4. What is not valid (NAS-Bench-101) is said again, at no cost; the gradient does not know of it.
    5. m, the learning rate and line 6 follow from budgets below the paper's 12,800 trainings (docs/controllers.md).

Hyperparameters:
    children: m, in a batch; none: by the budget. Paper 8.
    learning_rate: of Adam; none: by the budget. Paper 0.0006.
    units: of each layer of the LSTM. Paper 35.
    power: that the accuracy is raised to. Paper 3.
    baseline_decay: of the moving average, below 1; not in the paper.
    first_layers: said at first, in spaces of any depth. Paper 6.
    deepen_every: children between two increases; none: by the budget. Paper 1,600.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from nassim.algorithms.parts.controller import Controller
from nassim.algorithms.parts.rewards import Baseline, batch_by_budget, rate_by_budget, refuse_memory, reward
from nassim.algorithms.parts.tokens import can_be_deeper, refuse_batch, refuse_unordered, tokens_of
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate_all, strategy

TRAININGS = 12_800  # of the paper


def by_the_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """What nobody says: a batch, a learning rate and a depth schedule that fit the number of trainings."""
    children = chosen["children"] or batch_by_budget(8, horizon)
    rate = chosen["learning_rate"]
    return {
        "children": children,
        "learning_rate": rate_by_budget(6e-4, TRAININGS, horizon) if rate is None else rate,
        "deepen_every": chosen["deepen_every"] or (1600 if horizon is None else max(children, horizon // 8)),
    }


@strategy(family="reinforcement learning", year=2017, resolve=by_the_budget, initial="children")
def nasrl(
    space: SearchSpace,
    rng: random.Random,
    *,
    horizon: int | None = None,
    children: int | None = None,
    learning_rate: float | None = None,
    units: int = 35,
    power: int = 3,
    baseline_decay: float = 0.95,
    first_layers: int = 6,
    deepen_every: int | None = None,
) -> Search:
    assert children and deepen_every and learning_rate is not None  # resolved
    refuse_unordered("nasrl", space)
    refuse_batch("nasrl", children, horizon)
    refuse_memory("nasrl", baseline_decay)
    controller = Controller(space, tokens_of(space, anchored=True), rng, units=units, layers=2, scale=0.08)  # 1
    baseline, said = Baseline(baseline_decay), 0
    while True:  # 2
        layers = first_layers + 2 * (said // deepen_every) if can_be_deeper(space) else None  # 6
        tokens = tokens_of(space, anchored=True, parts=layers)
        archs = controller.children(children, tokens)  # 3
        trials = yield from evaluate_all(archs)
        gains = baseline.gains([reward(space, trial.value, power) for trial in trials])  # 5
        if gains.any():
            controller.ascend(
                controller.gradient(controller.say(archs, tokens), gains, 0.0, tokens), learning_rate
            )  # 4
        said += children
