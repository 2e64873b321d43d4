"""BANANAS: Bayesian optimization with an ensemble of networks on path encodings; candidates are mutations of the best.

Paper: C. White, W. Neiswanger, Y. Savani, "BANANAS: Bayesian Optimization with Neural Architectures for Neural
    Architecture Search", AAAI 2021, arXiv:1910.11858, Algorithm 1, in the form of its code (naszilla).

Pseudocode:
    1  train t0 random architectures
    2  repeat
    3      train five networks on the path encodings of all trials
    4      candidates <- 100 mutations of the best trial
    5      for every candidate: a draw from the normal distribution of the networks' mean and deviation
    6      train the k candidates of the highest draws

Departures:
    1. A mutation is the space's own; on NAS-Bench-101 `nasbench101` says which kinds there are.
    2. Networks learn standardized values, the code errors in percent. Its other loss and 10,000 epochs for the space
       of DARTS are left out.
    3. Equivalent architectures are one: the code's hashes tell more of them apart. Paths through ``none`` are left out.
    4. Where all mutations of the five best are known, candidates are random; it ends when these are known too.
    5. Line 3 begins anew each time, as in the code; on several workers each round is waited for.

Hyperparameters:
    n_init: t0, random architectures at the start, at least 2. Code 10.
    batch_size: k, trained between two fits. Code 10.
    encoding: "path" (spaces with a graph), "adjacency" or "one_hot" (any space).
    truncation: how many columns of "path" are kept, the shortest paths first; more than there are: all. Code 40;
        NAS-Bench-201's paths of up to two operations are 30.
    candidates: "mutations" of the best, or "random": the ablation of docs/bananas.md.
    pool_size: mutations, or random candidates. Code 100.
    predictor: "mlp" (the paper's), or "forest", "boosting" or "gp" of `smbo`.
    acquisition: "its" (independent Thompson sampling), or "ts", "ei", "ucb" or "pi".
    beta: of "ucb": mean + beta * deviation. Code 0.5.
    std_scale: factor on all deviations. The code has 0.2 with "ei".
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.acquisition import ranked, score
from nassim.algorithms.parts.candidates import candidates_of, random_ones, unknown
from nassim.encodings import encode
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, evaluate_all, strategy
from nassim.surrogates.predictors import LEAST, predict


@strategy(family="model-based", year=2021, initial="n_init", published={"nasbench201": {"truncation": 30}})
def bananas(
    space: SearchSpace,
    rng: random.Random,
    *,
    n_init: int = 10,
    batch_size: int = 10,
    encoding: Literal["path", "adjacency", "one_hot"] = "path",
    truncation: int = 40,
    candidates: Literal["mutations", "random"] = "mutations",
    pool_size: int = 100,
    predictor: Literal["mlp", "forest", "boosting", "gp"] = "mlp",
    acquisition: Literal["its", "ts", "ei", "ucb", "pi"] = "its",
    beta: float = 0.5,
    std_scale: float = 1.0,
) -> Search:
    if n_init < LEAST:
        raise InvalidSetting(f"bananas.n_init={n_init}: a predictor needs {LEAST} trials to learn from.")

    def encoded(archs: list[Architecture]) -> NDArray[np.uint8]:
        rows = encode(space, archs, encoding)
        return rows[:, :truncation] if encoding == "path" else rows

    generator = np.random.default_rng(rng.getrandbits(128))
    trials: list[Trial] = yield from evaluate_all(random_ones(space, set(), rng, n_init))  # 1
    known = {space.canonical(trial.arch) for trial in trials}
    while True:  # 2
        pool = unknown(
            space, candidates_of(candidates, space, known, trials, rng, pool_size), known, 10 * pool_size
        )  # 4
        pool = pool or random_ones(space, known, rng, pool_size)
        if not pool:
            return
        values = [trial.value for trial in trials]
        seen = encoded([trial.arch for trial in trials])
        predicted = predict(predictor, seen, values, encoded(pool), generator)  # 3
        draws = score(acquisition, predicted, max(values), generator, beta=beta, scale=std_scale)  # 5
        archs = [pool[place] for place in ranked(draws, generator)[:batch_size]]  # 6
        known |= {space.canonical(arch) for arch in archs}
        trials += yield from evaluate_all(archs)
