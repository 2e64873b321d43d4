"""Bayesian optimization with a Gaussian process over architectures.

Paper: J. Snoek, H. Larochelle, R. Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", NeurIPS
    2012, arXiv:1206.2944. Expected improvement: D. Jones, M. Schonlau, W. Welch, "Efficient Global Optimization of
    Expensive Black-Box Functions", Journal of Global Optimization 13, 1998. Upper confidence bound: N. Srinivas,
    A. Krause, S. Kakade, M. Seeger, "Gaussian Process Optimization in the Bandit Setting: No Regret and Experimental
    Design", ICML 2010, arXiv:0912.3995. Path encoding: C. White, W. Neiswanger, Y. Savani, "BANANAS: Bayesian
    Optimization with Neural Architectures for Neural Architecture Search", AAAI 2021, arXiv:1910.11858. Constraints:
    Gardner et al., ICML 2014; two objectives: Emmerich et al., IEEE CEC 2011; ParEGO: Knowles, IEEE TEVC 10, 2006.

Pseudocode:
    1  train n random architectures
    2  repeat
    3      whenever the number of trials has doubled: kernel and noise <- the most likely ones
    4      condition the process on all trials
    5      train the architecture of the highest acquisition: under a constraint times the probability that it is met,
           of several objectives the improvement of hypervolume, or of a random weighting

Departures:
    1. The acquisition is maximized exactly, over the whole space where it can be listed; else over a pool of
       random architectures and the neighbors of the five best. What rounding cannot tell apart: by lot.
    2. Nothing is trained twice; the search ends when all are trained. As values are noisy, improvement
       is over the highest posterior mean of a trained architecture, not over the highest value.
    3. Kernel and noise maximize the likelihood over a small grid instead of being sampled.
    4. On several workers, architectures in training are not asked again but otherwise not modeled.
    5. Under a constraint improvement is over what keeps to it with probability 1/2 or more; without such, the
       probability alone counts. Costs are modeled as logarithms. Incumbents are the run's: as observed.

Hyperparameters:
    n_init: n, random architectures at the start. 10, as in BANANAS.
    kernel: exp(-distance / scale), the distance being the number of choices that differ ("hamming", any
        space) or of paths ("path", spaces with a graph); or a weighted sum of both ("hamming+path").
    acquisition: "ei", expected improvement, or "ucb", mean + beta * standard deviation.
    beta: of "ucb"; 0 exploits. 0.5, 1, 2, 3 tried on NAS-Bench-201.
    several: of several objectives: "ehvi", expected hypervolume improvement, exact, of two; or "parego".
    costs: "known" before training, or "modeled" from trials; "auto": parameters and FLOPs known, devices' modeled.
    pool_size: random architectures in the pool, where the space cannot be listed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

import numpy as np

from nassim.algorithms.parts.acquisition import highest
from nassim.algorithms.parts.beliefs import Beliefs
from nassim.algorithms.parts.candidates import fresh, pool_of
from nassim.algorithms.parts.limits import kept
from nassim.algorithms.parts.promises import Acquiring, Promises
from nassim.objectives import Constraint, Objective
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure, Search, start, strategy

ENCODINGS = {"hamming": ("one_hot",), "path": ("path",), "hamming+path": ("one_hot", "path")}


@strategy(family="model-based", year=2012, aliases=["bo"], initial="n_init")
def gp_bo(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    remark: Callable[[str], None],
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    n_init: int = 10,
    kernel: Literal["hamming", "path", "hamming+path"] = "hamming",
    acquisition: Literal["ei", "ucb"] = "ei",
    beta: float = 2.0,
    several: Literal["ehvi", "parego"] = "ehvi",
    costs: Literal["auto", "known", "modeled"] = "auto",
    pool_size: int = 1000,
) -> Search:
    acquiring = Acquiring(acquisition, beta, several, costs)
    listed, promises = space.enumerable, Promises("gp_bo", objectives, constraint, n_init, remark, acquiring)
    asked: dict[Architecture, int] = {}  # with their places among the candidates
    trials: list[Trial] = []
    while len(trials) < n_init and len(asked) < space.size:  # 1
        arch = kept(lambda: fresh(space, asked, rng), promises.known_limit, measure)
        asked[arch] = space.index(arch) if listed else len(asked)
        trials += yield from start(arch)
    model = None
    while len(asked) < space.size:  # 2
        if model is None or not listed:
            pool = None if listed else pool_of(space, asked, trials, rng, pool_size)
            model = Beliefs(space, ENCODINGS[kernel], pool, promises.known, promises.modeled, measure)
        model.learn(trials, asked)
        mean, deviation = model.posterior()  # 3, 4
        scores = promises(model, mean, deviation, list(asked.values()), rng)
        scores[list(asked.values())] = -np.inf
        place = highest(scores, rng)
        arch = pool[place] if pool else space.at(place)
        asked[arch] = place if listed else len(asked)
        trials += yield from start(arch)  # 5
