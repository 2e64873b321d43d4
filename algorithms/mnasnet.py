"""MnasNet: NASNet's controller is rewarded by accuracy and by the latency that was measured on the device.

Paper: M. Tan, B. Chen, R. Pang, V. Vasudevan, M. Sandler, A. Howard, Q. Le, "MnasNet: Platform-Aware Neural
    Architecture Search for Mobile", CVPR 2019, arXiv:1807.11626, sections 3 and 4.

Pseudocode:
    1  controller <- that of NASNet
    2  repeat
    3      say m networks; train each for some epochs and take its latency LAT
    4      R <- ACC * (LAT / T)^e, e = alpha where LAT <= T and beta beyond
    5      controller <- steps of proximal policy optimization up R less its moving average
    6  train the best k to the end

Departures:
    1. LAT is what ``--constraint`` bounds, else the first cost among the objectives, else multiply-adds, else
       parameters; where a benchmark measures none of them R is the accuracy. T is the constraint's limit, else the
       median of random networks. A network whose LAT is missing has no reward.
    2. With the soft reward (alpha = beta) T is a common factor of all rewards: which network has the largest does not
       depend on T. Another target moves the answer only with the hard reward, or with another exponent.
    3. Where a table lists a part of its space (Accel-NASBench), what is said is answered by the listed network that
       differs least.
    4. Line 6 needs ``epochs``; m, k and the learning rate follow from budgets below the paper's 8,000 trainings.

Hyperparameters:
    reward: "soft" (alpha = beta = -w) or "hard" (0 and -1).
    w: of the soft reward; at 0.07 twice the latency is worth 5 % of the accuracy.
    children: m; none: by the budget, at most NASNet's 20.
    learning_rate: of Adam; none: by the budget. NASNet 0.00035.
    epochs: that children are trained for; none: to the end. Paper 5, on ImageNet.
    finalists: k; none: one in 533 trainings. Paper 15.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Literal

from nassim.algorithms.parts.latency_reward import LatencyReward
from nassim.algorithms.parts.proximal import Steps, improve, nasnet_controller
from nassim.algorithms.parts.rewards import Baseline, resolved_by_budget
from nassim.algorithms.parts.tokens import complete, nearest, refuse_batch, refuse_unordered
from nassim.objectives import Constraint, Objective
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure, Search, evaluate_all, strategy

TRAININGS = 8_000  # of the paper


def resolved(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """What nobody says: a batch, a learning rate and finalists that fit the budget."""
    return resolved_by_budget(chosen, horizon, trainings=TRAININGS, children=20, rate=3.5e-4, a_finalist=533)


@strategy(family="reinforcement learning", year=2019, resolve=resolved, initial="children")
def mnasnet(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    horizon: int | None = None,
    remark: Callable[[str], None],
    reward: Literal["soft", "hard"] = "soft",
    w: float = 0.07,
    children: int | None = None,
    learning_rate: float | None = None,
    epochs: int | None = None,
    finalists: int | None = None,
) -> Search:
    assert children and finalists and learning_rate is not None  # resolved
    refuse_unordered("mnasnet", whole := complete(space))
    refuse_batch("mnasnet", children, horizon)
    weights = (-w, -w) if reward == "soft" else (0.0, -1.0)  # alpha, beta
    R = LatencyReward("mnasnet", space, measure, objectives, constraint, weights)
    R.tell(remark)
    baseline, trained = Baseline(0.95), dict[Architecture, Trial]()
    controller = nasnet_controller(whole, rng)  # 1
    steps = Steps(4, 0.2, 1e-5, learning_rate)
    left = searching = max(1, (horizon or TRAININGS) - finalists)
    while True:  # 2
        said = controller.children(children if epochs is None else min(children, left))
        trials = yield from evaluate_all([nearest(space, arch) for arch in said], epochs)  # 3
        gains = baseline.gains([R(trial.arch, trial.value) for trial in trials])  # 4
        improve(controller, said, gains, steps)  # 5
        trained |= {trial.arch: trial for trial in trials}
        left -= len(said)
        if epochs is not None and left == 0:
            best = sorted(trained.values(), key=lambda trial: -R(trial.arch, trial.value))[:finalists]
            yield from evaluate_all([trial.arch for trial in best], origins=best)  # 6
            trained, left = {}, searching
