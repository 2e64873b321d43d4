"""NetAdapt: a large network is narrowed step by step, each time where the least accuracy is lost for what is saved.

Paper: T. Yang, A. Howard, B. Chen, X. Zhang, A. Go, M. Sandler, V. Sze, H. Adam, "NetAdapt: Platform-Aware Neural
    Network Adaptation for Mobile Applications", ECCV 2018, arXiv:1804.03230; A. Howard, M. Sandler, G. Chu, L. Chen,
    B. Chen, M. Tan, W. Wang, Y. Zhu, R. Pang, V. Vasudevan, Q. Le, H. Adam, "Searching for MobileNetV3", ICCV 2019,
    arXiv:1905.02244, section 4.3 (line 5).

Pseudocode:
    1  best <- a large network, trained; delta <- a part of what it takes of the resource
    2  repeat until best keeps to the target
    3      at each place the mildest narrowing of best that saves delta or more
    4      train all shortly with the weights of best, of a narrowed layer those of the largest norm
    5      best <- the one of the highest change of accuracy for each unit that it saves
    6  train best from scratch

Departures:
    1. The large network is the largest of some random ones; the papers begin with a published one (``begin``).
    2. The resource is what ``--constraint`` bounds, whose limit is the target, else the first cost among the
       objectives, else multiply-adds or parameters, down to ``target`` of the beginning. Where none of them is measured
       it is the sum of the options' numbers.
    3. A place is a width with all that residual sums tie to it where networks grow, else a decision of the space:
       NATS-Bench's widths, a block of a mobile network. There all proposals are trained from scratch.
    4. After line 6 it begins anew with another large network, as long as the budget lasts, or ends if ``begin`` says
       which; where no narrowing saves enough, line 6 follows at once.

Hyperparameters:
    delta: part of the first network's resource that a step saves at least. MobileNetV3 0.01, NetAdapt's code 0.025;
        here 0.05, as a comparison has hundreds of trainings and not thousands.
    target: of the resource, in parts of the first network's, where no constraint says it.
    begin: the first network, as `nassim show` reads it: MobileNetV3-Large in mbconv-v3.
    largest_of: random networks of which the largest is the first.
    criterion: "ratio" (MobileNetV3: line 5) or "accuracy" (NetAdapt: the highest).
    keep: "norm" (NetAdapt) or the "first" filters (MobileNetV3) of a narrowed layer.
    epochs: of the short trainings; none: those of a full training. Paper 10,000 steps.
"""

from __future__ import annotations

import random
from typing import Literal

from nassim.algorithms.parts.morphing import heir_of
from nassim.algorithms.parts.shrinking import proposals, resource_of
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.space import SearchSpace
from nassim.strategy import Measure, Search, evaluate, evaluate_all, strategy


@strategy(family="pruning", year=2018)
def netadapt(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    delta: float = 0.05,
    target: float = 0.5,
    begin: str | None = None,
    largest_of: int = 20,
    criterion: Literal["ratio", "accuracy"] = "ratio",
    keep: Literal["norm", "first"] = "norm",
    epochs: int | None = None,
) -> Search:
    if not (0 < delta < 1 and 0 < target < 1) or largest_of < 1:
        raise InvalidSetting(f"netadapt takes delta and target between 0 and 1, not {delta} and {target}.")
    resource = resource_of(measure, constraint, objectives)
    while True:
        random_ones = (space.sample(rng) for _ in range(largest_of))
        large = max(random_ones, key=resource) if begin is None else space.parse(begin)
        best = yield from evaluate(large)  # 1
        first = resource(best.arch)
        limit = constraint.limit if constraint is not None and constraint.sign == "<=" else target * first
        while (now := resource(best.arch)) > limit:  # 2
            smaller = proposals(space, best.arch, resource, delta * first)  # 3
            if not smaller:
                break
            origins, way = [heir_of(best)] * len(smaller), "norm" if keep == "norm" else "morph"
            trials = yield from evaluate_all(smaller, epochs, origins=origins, inherit=way)  # 4
            saved = {trial.arch: now - resource(trial.arch) if criterion == "ratio" else 1.0 for trial in trials}
            before = best.value
            best = max(trials, key=lambda trial: (trial.value - before) / saved[trial.arch])  # 5
        yield from evaluate(best.arch)  # 6
        if begin is not None:
            return
