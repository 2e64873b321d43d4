"""Progressive search: from small architectures to large ones, guided by a learned predictor of accuracy.

Paper: C. Liu et al., "Progressive Neural Architecture Search", ECCV 2018, arXiv:1712.00559, Algorithm 1.

Pseudocode:
    1  candidates <- the smallest architectures
    2  for each level of complexity
    3      train the K candidates of the highest predicted accuracy (on the first level: all)
    4      fit the predictor; later: fine-tune it
    5      candidates <- the trained architectures, extended

Departures:
    1. Complexity and extension are the space's own: blocks on nasnet-one (the paper's) and nasnet, vertices on
       NAS-Bench-101, edges on NAS-Bench-201 (the next path). One extension may climb several levels; small
       architectures that extend none join at their level. Equivalent ones are one.
    2. K is scaled to the budget: the trainings left, shared equally by the levels left. Where the first
       level has more than K architectures, K random ones are trained.
    3. The predictor is the paper's ensemble of five MLPs on summed embeddings. On nasnet all blocks share them, as in
       the paper; elsewhere a decision is a place in a graph and has its own, and NAS-Bench-101 adds its paths.
       It sees the architecture that stands for all equivalent ones, so that no order matters.
    4. It starts by predicting the mean accuracy of the first level: the paper's bias of 1.8 is for CIFAR-10.
    5. Fine-tuning goes over the trials of all levels; over those of the new one only, regret was higher.
    As in the paper the search ends after the last level; where levels had too few candidates, budget is left.

Hyperparameters:
    beam_size: K. None scales it to the budget; without a budget it is the paper's 256. A narrow beam can
        lose what pays off later only: 29 (150 queries) is too few for NAS-Bench-201 on CIFAR-100, 59 is not.
    learning_rate: of Adam at the first fit. Paper 0.01.
    fine_tuning_rate: of Adam at later fits. Paper 0.002.
    steps: full-batch steps of the first fit; not in the paper. Tried: 50, 100, 200.
    fine_tuning_steps: of each later fit. Tried: 30, 50, 100, 200 on the three tasks of NAS-Bench-201.
"""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np

from nassim.algorithms.parts.words import representative, words_of
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate_all, strategy
from nassim.surrogates.mlp_ensemble import MLPEnsemble


@strategy(family="model-based", year=2018)
def pnas(
    space: SearchSpace,
    rng: random.Random,
    *,
    horizon: int | None = None,
    beam_size: int | None = None,
    learning_rate: float = 0.01,
    fine_tuning_rate: float = 0.002,
    steps: int = 100,
    fine_tuning_steps: int = 50,
) -> Search:
    candidates: dict[int, set[Architecture]] = defaultdict(set)  # by level of complexity
    for arch in space.smallest():  # 1
        candidates[space.complexity(arch)].add(arch)
    last = _last_level(space)
    trials: list[Trial] = []
    predictor: MLPEnsemble | None = None
    while candidates:  # 2
        level = min(candidates)
        archs = sorted(candidates.pop(level))
        k = beam_size or _share(horizon, len(trials), max(1, last - level + 1))
        if not trials:
            archs = rng.sample(archs, min(k, len(archs)))
        else:
            (seen, radices), values = words_of(space, [t.arch for t in trials]), [t.value for t in trials]
            if predictor is None:
                predictor = MLPEnsemble(radices, rng, average=sum(values) / len(values))
                predictor.fit(seen, values, learning_rate=learning_rate, steps=steps)  # 4
            else:
                predictor.fit(seen, values, learning_rate=fine_tuning_rate, steps=fine_tuning_steps)  # 4
            predicted = predictor.predict(words_of(space, archs)[0])
            archs = [archs[i] for i in np.argsort(-predicted, kind="stable")[:k]]
        trained = yield from evaluate_all(archs)  # 3
        trials += trained
        for trial in trained:  # 5
            for arch in space.grow(trial.arch):
                candidates[space.complexity(arch)].add(representative(space, arch))


def _share(horizon: int | None, trained: int, levels: int) -> int:
    """How many to train on this level, with ``levels`` left; at least one."""
    return 256 if horizon is None else max(1, (horizon - trained) // levels)


def _last_level(space: SearchSpace) -> int:
    """The complexity at which nothing can be extended."""
    arch = space.smallest()[-1]
    while extended := space.grow(arch):
        arch = extended[-1]
    return space.complexity(arch)
