"""LEMONADE: a front of networks whose children inherit their weights; what costs little to know is looked at first.

Paper: T. Elsken, J. Metzen, F. Hutter, "Efficient Multi-Objective Neural Architecture Search via Lamarckian
    Evolution", ICLR 2019, arXiv:1804.09081.

Pseudocode:
    1  population <- the front of some small networks, trained
    2  repeat
    3      p <- a kernel density of the population's cheap objectives
    4      n_pc times: a parent drawn in proportion to 1 / p, and a child of it by a morphism, exact or approximate
    5      n_ac of the children, drawn in proportion to 1 / p of their own cheap objectives, are trained: with the
           parent's weights where the morphism was exact, else shortly as its pupil too (distillation)
    6      population <- the front of population and accepted

Departures:
    1. The cheap objectives are those of ``--objectives``, else the parameters; the density is of their logarithms.
       Where a benchmark measures none, parents and children are drawn uniformly and the front is the best value.
    2. A child is one morph of any kind; the paper's list (deeper, wider, skip; layers and skips left out, filters
       pruned by 1/2 or 1/4, separable convolutions) has strides, kernels and branches besides. Pruning keeps the
       filters of the largest norm.
    3. A pupil learns from labels and parent through the whole of its training (public code: 5 epochs, then labels).
    4. Of members with equal objectives one stays. Batches are waited for; the answer is the front of all trials.
    5. On spaces of fixed length a morphism is a mutation and all are trained from scratch.
    6. Children known to break ``--constraint`` are drawn again (up to 1,000 times); in fronts such trials come last.

Hyperparameters:
    initial: networks at the start: the seed and children of it. 4, which is this project's.
    proposals: n_pc. 32, from memory of the paper; not checked.
    accepted: n_ac. 8, from memory; not checked.
    epochs: of a child's training; none: those of a full training. From memory 20; not checked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import numpy as np

from nassim.algorithms.parts.density import SizeDensity, rare
from nassim.algorithms.parts.dominance import PARAMETERS, points_of, ranks, violations_of
from nassim.algorithms.parts.limits import kept
from nassim.algorithms.parts.morphing import first, grown, heir_of, is_exact
from nassim.errors import InvalidSetting
from nassim.morphs import APPROXIMATE, EXACT
from nassim.objectives import Constraint, Objective
from nassim.pareto import Floats
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure, Search, evaluate_all, strategy


@strategy(family="evolution", year=2019, initial="initial")
def lemonade(
    space: SearchSpace,
    rng: random.Random,
    *,
    measure: Measure,
    objectives: tuple[Objective, ...] = (),
    constraint: Constraint | None = None,
    initial: int = 4,
    proposals: int = 32,
    accepted: int = 8,
    epochs: int | None = None,
) -> Search:
    if not 1 <= accepted <= proposals or initial < 1:
        raise InvalidSetting(f"lemonade: initial from 1, accepted up to proposals, not {accepted} and {proposals}.")
    costs = [o for o in objectives if o.minimize] or [PARAMETERS]
    begun = kept(partial(first, space, rng), constraint, measure)
    others = [kept(partial(grown, space, begun, rng), constraint, measure) for _ in range(initial - 1)]
    population = front_of((yield from evaluate_all([begun, *others])), objectives, constraint, measure)  # 1
    while True:  # 2
        density = SizeDensity(cheap([trial.arch for trial in population], costs, measure))  # 3
        crowded = density(cheap([trial.arch for trial in population], costs, measure))
        parents = rare(population, crowded, proposals, rng, again=True)
        kinds = (*EXACT, *APPROXIMATE)
        pairs = [(p, kept(partial(grown, space, p.arch, rng, 1, kinds), constraint, measure)) for p in parents]  # 4
        crowded = density(cheap([child for _, child in pairs], costs, measure))
        chosen = rare(pairs, crowded, accepted, rng, again=False)  # 5
        for way in ("morph", "distill"):
            some = [(p, child) for p, child in chosen if is_exact(space, p.arch, child) is (way == "morph")]
            origins = [heir_of(parent) for parent, _ in some]
            population += yield from evaluate_all([child for _, child in some], epochs, origins=origins, inherit=way)
        population = front_of(population, objectives, constraint, measure)  # 6


def cheap(archs: Sequence[Architecture], costs: Sequence[Objective], measure: Measure) -> Floats:
    """The cheap objectives of architectures, shape (archs, objectives); 1 where one is not measured."""
    found = np.array([[cost.cost(measure(arch)) for cost in costs] for arch in archs])
    return np.asarray(np.nan_to_num(found, nan=1.0))


def front_of(
    trials: Sequence[Trial], objectives: tuple[Objective, ...], constraint: Constraint | None, measure: Measure
) -> list[Trial]:
    """The trials that none dominates, of equal ones the first."""
    points = points_of(trials, objectives, measure)
    best = np.flatnonzero(ranks(points, violations_of(trials, constraint, measure)) == 0).tolist()
    return [trials[i] for i in {tuple(points[i]): i for i in reversed(best)}.values()]
