"""Sequential model-based optimization: predict, choose, train, again; with any predictor and acquisition.

Paper: F. Hutter, H. Hoos, K. Leyton-Brown, "Sequential Model-Based Optimization for General Algorithm Configuration",
    LION 2011 (random forest and expected improvement, as the defaults); predictors and acquisitions for architectures
    are compared in arXiv:1910.11858.

Pseudocode:
    1  train n random architectures
    2  repeat
    3      fit the predictor to all trials
    4      choose the k candidates of the highest acquisition
    5      train them

Departures:
    1. k = 10: a fit for each training would take ten times as long. ``batch_size=1`` is the paper's.
    2. The forest has 20 trees, and its uncertainty is their disagreement; SMAC has ten, adds the variance within their
       leaves, and searches locally for the highest acquisition instead of ranking a pool.
    3. Values far below the median are raised (`without_outliers`): else deviations speak of networks that learn nothing
       and expected improvement is no better than chance on NAS-Bench-201. SMAC takes logarithms for that.
    4. Improvement is over the highest value seen, which may be a lucky training.
    5. Nothing equivalent is trained twice. The search ends when the candidates hold nothing new.

Hyperparameters:
    n_init: n, random architectures at the start, at least 2. 10, as in BANANAS.
    batch_size: k, trained between two fits. 10, as in BANANAS.
    predictor: "forest" (random forest), "boosting" (xgboost, five bootstrapped; pip install nassim[xgb]), "mlp" (the
        five networks of BANANAS) or "gp" (Gaussian process).
    acquisition: "ei" (expected improvement), "ucb", "pi" (probability of improvement), "ts" (Thompson sampling: a
        member of the ensemble, or a function drawn from the process) or "its" (a draw for each candidate).
    encoding: what predictors see: "one_hot" (any space), "adjacency" or "path" (spaces with a graph).
    candidates: "near" (neighbors of the five best, and random ones), "random", "mutations" (of the best, as
        BANANAS) or "all" (spaces that can be listed).
    pool_size: random candidates, or mutations.
    beta: of "ucb": mean + beta * deviation. 0.5 in naszilla.
    std_scale: factor on all deviations. naszilla divides those of "ei" by five, which would be 0.2 here.
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np

from nassim.algorithms.parts.acquisition import ranked, score
from nassim.algorithms.parts.candidates import candidates_of, random_ones, unknown
from nassim.encodings import encode
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate_all, strategy
from nassim.surrogates.predictors import LEAST, predict, without_outliers


@strategy(family="model-based", year=2011, initial="n_init")
def smbo(
    space: SearchSpace,
    rng: random.Random,
    *,
    n_init: int = 10,
    batch_size: int = 10,
    predictor: Literal["forest", "boosting", "mlp", "gp"] = "forest",
    acquisition: Literal["ei", "ucb", "pi", "ts", "its"] = "ei",
    encoding: Literal["one_hot", "adjacency", "path"] = "one_hot",
    candidates: Literal["near", "random", "mutations", "all"] = "near",
    pool_size: int = 1000,
    beta: float = 0.5,
    std_scale: float = 1.0,
) -> Search:
    if n_init < LEAST:
        raise InvalidSetting(f"smbo.n_init={n_init}: a predictor needs {LEAST} trials to learn from.")
    generator = np.random.default_rng(rng.getrandbits(128))
    trials: list[Trial] = yield from evaluate_all(random_ones(space, set(), rng, n_init))  # 1
    known = {space.canonical(trial.arch) for trial in trials}
    while True:  # 2
        pool = candidates_of(candidates, space, known, trials, rng, pool_size)
        if not pool:
            return
        values = [trial.value for trial in trials]
        rows = encode(space, [trial.arch for trial in trials], encoding)
        predicted = predict(predictor, rows, without_outliers(values), encode(space, pool, encoding), generator)  # 3
        scores = score(acquisition, predicted, max(values), generator, beta=beta, scale=std_scale)
        archs = unknown(space, (pool[i] for i in ranked(scores, generator)), known, batch_size)  # 4
        if not archs:
            return
        known |= {space.canonical(arch) for arch in archs}
        trials += yield from evaluate_all(archs)  # 5
