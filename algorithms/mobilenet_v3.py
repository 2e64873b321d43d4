"""MobileNetV3: a network that was found by MnasNet's reward is narrowed by NetAdapt, where the least accuracy is lost.

Paper: A. Howard, M. Sandler, G. Chu, L. Chen, B. Chen, M. Tan, W. Wang, Y. Zhu, R. Pang, V. Vasudevan, Q. Le, H. Adam,
    "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, section 4.

Pseudocode:
    1  seed <- large: MnasNet-A1; small: the best of a search by reinforcement with MnasNet's reward, exponent -0.15
    2  best <- seed, trained; delta <- 0.01 times its latency
    3  repeat until best keeps to the target
    4      at each place the mildest change of best that saves delta or more
    5      train all shortly, with the weights of best; missing ones are random
    6      best <- the one of the highest change of accuracy for what it saves
    7  train best from scratch

Departures:
    1. Where a space does not hold MnasNet-A1 the large seed is searched as well, with -0.07 as A1 was: the
       first half of the trainings. Controller, reward and what stands for latency are mnasnet's (nassim show mnasnet).
    2. A place is a decision of the space; the paper changes expansions and the widths that residual sums tie. In
       mbconv a width is that of a whole block, so that sums stay tied.
    3. The target is the constraint's limit, else ``target`` times the seed's latency. A seed within it is only trained.
       Where no change saves delta, line 7 follows at once. After it the search ends.
    4. The paper's changes by hand (the last stage, fewer filters in the stem, hard swish in the deep half, squeeze-
       and-excitation of a quarter of the expansion) are no part of the search. The network that has them is the
       widest of mbconv-v3, whence netadapt goes on.

Hyperparameters:
    size: "large" or "small".
    w: minus the reward's exponent; none: 0.07 (large) or 0.15 (small).
    delta: part of the seed's latency that a step saves at least.
    target: part of the seed's latency, where no constraint says it.
    epochs: of the short trainings; none: those of a full training. Paper 10,000 steps.
    searched: trainings of line 1's search; none: half of the budget's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Literal

from nassim.algorithms.parts.latency_reward import LatencyReward
from nassim.algorithms.parts.morphing import heir_of
from nassim.algorithms.parts.proximal import Steps, improve, nasnet_controller
from nassim.algorithms.parts.rewards import Baseline, batch_by_budget, rate_by_budget
from nassim.algorithms.parts.shrinking import proposals, resource_of
from nassim.algorithms.parts.tokens import complete, nearest, refuse_unordered
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Measure, Search, evaluate, evaluate_all, strategy


def by_size(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """The weight of the reward, and half of the trainings for line 1."""
    w = 0.07 if chosen["size"] == "large" else 0.15
    return {"w": chosen["w"] or w, "searched": chosen["searched"] or max(1, (horizon or 2000) // 2)}


@strategy(family="reinforcement learning", year=2019, resolve=by_size)
def mobilenet_v3(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    remark: Callable[[str], None],
    size: Literal["large", "small"] = "large",
    w: float | None = None,
    delta: float = 0.01,
    target: float = 0.75,
    epochs: int | None = None,
    searched: int | None = None,
) -> Search:
    assert w is not None and searched is not None  # resolved
    if not (0 < delta < 1 and 0 < target <= 1):
        raise InvalidSetting(f"mobilenet_v3 takes delta and target between 0 and 1, not {delta} and {target}.")
    R = LatencyReward("mobilenet_v3", space, measure, objectives, constraint, (-w, -w))
    R.tell(remark)
    if size == "large" and "MnasNet-A1" in space.known:  # 1
        seed = space.parse("MnasNet-A1")
    else:
        refuse_unordered("mobilenet_v3", whole := complete(space))
        controller, baseline = nasnet_controller(whole, rng), Baseline(0.95)
        steps, trials = Steps(4, 0.2, 1e-5, rate_by_budget(3.5e-4, 8000, searched)), list[Trial]()
        while len(trials) < searched:
            said = controller.children(min(batch_by_budget(20, searched), searched - len(trials)))
            trials += (new := (yield from evaluate_all([nearest(space, arch) for arch in said])))
            improve(controller, said, baseline.gains([R(trial.arch, trial.value) for trial in new]), steps)
        seed = max(trials, key=lambda trial: R(trial.arch, trial.value)).arch
    resource, best = resource_of(measure, constraint, objectives), (yield from evaluate(seed))  # 2
    first = resource(seed)
    limit = target * first if constraint is None else constraint.limit
    while (now := resource(best.arch)) > limit and (smaller := proposals(space, best.arch, resource, delta * first)):
        origins, before = [heir_of(best)] * len(smaller), best.value  # 3, 4
        trials = yield from evaluate_all(smaller, epochs, origins=origins, inherit="morph")  # 5
        best = max(trials, key=lambda trial: (trial.value - before) / (now - resource(trial.arch)))  # 6
    yield from evaluate(best.arch)  # 7
