"""NASNet: a recurrent controller says the cells that a network repeats, and learns by proximal policy optimization.

Paper: B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning Transferable Architectures for Scalable Image Recognition",
    CVPR 2018, arXiv:1707.07012, section 3 and appendices A and B.

Pseudocode:
    1  controller <- LSTM of one layer with 100 units, weights uniform from -0.1 to 0.1; b <- none
    2  repeat
    3      say m pairs of cells; train the networks of few cells for some epochs; A <- validation accuracy - b
    4      several times: weights <- Adam step up mean min(rho A, clip(rho) A) + beta * entropy,
           rho = p(child) / p(child) as it was said
    5      b <- moving average of the accuracies, these included
    6  train the best k to the end

Departures:
    1. Clip and repetitions of line 4 are not in the paper, but from others' code. The first batch only sets b.
    2. Line 6 needs ``epochs``. It comes when all trainings of the budget but k are made, and again after as many more.
       Trainings go on where a benchmark can continue them.
    3. Any space is a row of decisions here: two cells on nasnet13 (the paper's), nasnet and darts, one on
       NAS-Bench-101 and 201. What is not valid is said again, at no cost.
    4. m, k and the learning rate follow from budgets below the paper's 20,000 trainings (docs/controllers.md).

Hyperparameters:
    children: m, in a batch; none: by the budget. Paper 20.
    learning_rate: of Adam; none: by the budget. Paper 0.00035.
    repetitions: of line 4 with one batch. Others 10.
    clip: how far rho may go from 1. Others 0.2.
    entropy_weight: beta. Paper 0.00001.
    baseline_decay: of the moving average, below 1. Paper 0.95.
    epochs: that children are trained for; none: to the end. Paper 20.
    finalists: k; none: one in 80 trainings. Paper 250.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from nassim.algorithms.parts.population import fitness
from nassim.algorithms.parts.proximal import Steps, improve, nasnet_controller
from nassim.algorithms.parts.rewards import Baseline, refuse_memory, resolved_by_budget
from nassim.algorithms.parts.tokens import refuse_batch, refuse_unordered
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate_all, strategy

TRAININGS = 20_000  # of the paper


def by_the_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """What nobody says: a batch, a learning rate and a number of finalists that fit the number of trainings."""
    return resolved_by_budget(chosen, horizon, trainings=TRAININGS, children=20, rate=3.5e-4, a_finalist=80)


@strategy(family="reinforcement learning", year=2018, resolve=by_the_budget, initial="children")
def nasnet(
    space: SearchSpace,
    rng: random.Random,
    *,
    horizon: int | None = None,
    children: int | None = None,
    learning_rate: float | None = None,
    repetitions: int = 4,
    clip: float = 0.2,
    entropy_weight: float = 1e-5,
    baseline_decay: float = 0.95,
    epochs: int | None = None,
    finalists: int | None = None,
) -> Search:
    assert children and finalists and learning_rate is not None  # resolved
    refuse_unordered("nasnet", space)
    refuse_batch("nasnet", children, horizon)
    refuse_memory("nasnet", baseline_decay)
    controller = nasnet_controller(space, rng)  # 1
    baseline, trained = Baseline(baseline_decay), dict[Architecture, Trial]()
    steps = Steps(repetitions, clip, entropy_weight, learning_rate)
    left = searching = max(1, (horizon or TRAININGS) - finalists)  # trainings before line 6
    while True:  # 2
        archs = controller.children(children if epochs is None else min(children, left))  # 3
        trials = yield from evaluate_all(archs, epochs)
        gains = baseline.gains([trial.value for trial in trials])  # 5
        improve(controller, archs, gains, steps)  # 4
        if epochs is not None:
            trained |= {trial.arch: trial for trial in trials}
            left -= len(archs)
            if left == 0:
                best = sorted(trained.values(), key=fitness, reverse=True)[:finalists]
                yield from evaluate_all([trial.arch for trial in best], origins=best)  # 6
                trained, left = {}, searching
