"""What a search with a model believes of candidates: their value, their costs, and whether they keep to a limit.

Source: J. Gardner, M. Kusner, Z. Xu, K. Weinberger, J. Cunningham, "Bayesian Optimization with Inequality Constraints",
ICML 2014 (independent models, a probability for each constraint); J. Knowles, "ParEGO", IEEE Transactions on
Evolutionary Computation 10(1), 2006 (weights, scalarization).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.dominance import measured
from nassim.objectives import Constraint, Objective
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure
from nassim.surrogates.gaussian_process import Regression, distances_of

Floats = NDArray[np.float64]
COUNTED = ("parameters", "flops")  # what follows from an architecture; anything else is measured on a device
TINY = np.finfo(np.float64).tiny
RHO = 0.05  # of the sum in ParEGO's scalarization


class Beliefs:
    """Means and deviations of all candidates: of the value, and of the logarithms of costs.

    A cost is either known of every candidate, with no deviation, or predicted by a process of its own from the trials.
    Where it is not measured there is no belief (NaN), which keeps to no limit.
    """

    def __init__(
        self,
        space: SearchSpace,
        kinds: tuple[str, ...],
        archs: Sequence[Architecture] | None,
        known: Sequence[str],
        modeled: Sequence[str],
        measure: Measure,
    ) -> None:
        self.distances = distances_of(space, kinds, archs)
        self.model = Regression(self.distances)
        self._modeled = {name: Regression(self.distances) for name in modeled}
        every = [measure(arch) for arch in archs or space.architectures()] if known else []
        self._known = {name: _logarithms(every, name) for name in known}
        self._measure, self._trials = measure, list[Trial]()

    def learn(self, trials: Sequence[Trial], places: Mapping[Architecture, int]) -> None:
        """Take in the trials that are new; ``places``: of architectures among the candidates."""
        for trial in trials[len(self._trials) :]:
            place, costs = places[trial.arch], measured(trial, self._measure)
            self.model.observe(place, trial.value)
            for name, model in self._modeled.items():
                if name in costs:
                    model.observe(place, float(np.log(max(costs[name], TINY))))
        self._trials = list(trials)

    def observed(self, objectives: Sequence[Objective]) -> Floats:
        """What the trials were measured with, as goals to be maximized, shape (trials, objectives); NaN without."""
        rows = []
        for trial in self._trials:
            costs = measured(trial, self._measure)
            rows.append([-np.log(max(o.cost(costs), TINY)) if o.minimize else trial.value for o in objectives])
        return np.array(rows, dtype=np.float64)

    def posterior(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Mean and deviation of the value in units of the process, shapes (N,)."""
        return self.model.posterior()

    def value(self) -> tuple[Floats, Floats]:
        """Mean and deviation of the value, shapes (N,), in its unit."""
        return _in_units(self.model)

    def logarithm(self, name: str) -> tuple[Floats, Floats]:
        """Mean and deviation of the logarithm of what is measured under a name, shapes (N,)."""
        if name in self._known:
            return self._known[name], np.zeros_like(self._known[name])
        model = self._modeled[name]
        if not model.observed:
            return np.full(len(self.distances), np.nan), np.zeros(len(self.distances))
        return _in_units(model)

    def goals(self, objectives: Sequence[Objective]) -> tuple[Floats, Floats]:
        """Means and deviations of the objectives, all to be maximized, shapes (N, objectives)."""
        found = []
        for objective in objectives:
            mean, deviation = self.logarithm(objective.name) if objective.minimize else self.value()
            sign = -1.0 if objective.minimize and not objective.rate else 1.0
            found.append((sign * mean, deviation))
        return np.stack([m for m, _ in found], axis=1), np.stack([d for _, d in found], axis=1)

    def chance(self, constraint: Constraint | None) -> Floats:
        """The logarithm of the probability that a candidate keeps to a limit, shape (N,): 0 without one."""
        from scipy.special import log_ndtr

        if constraint is None:
            return np.zeros(len(self.distances))
        room, deviation = self.room(constraint), self.logarithm(constraint.name)[1]
        z = np.clip(room / np.maximum(deviation, 1e-150), -1e6, 1e6)
        sure = np.where(room >= -1e-12, 0.0, -np.inf)  # a logarithm rounds: the limit itself is kept
        chance: Floats = np.where(deviation > 0, log_ndtr(z), sure)
        chance[np.isnan(room)] = -np.inf
        return chance

    def room(self, constraint: Constraint | None) -> Floats:
        """How far candidates are within a limit, in the mean, as a logarithm, shape (N,): below 0 beyond it."""
        if constraint is None:
            return np.zeros(len(self.distances))
        room: Floats = np.log(max(constraint.limit, TINY)) - self.logarithm(constraint.name)[0]
        return room if constraint.sign == "<=" else -room


def _in_units(model: Regression) -> tuple[Floats, Floats]:
    mean, deviation = model.posterior()
    return model.center + model.unit * mean.astype(np.float64), model.unit * deviation.astype(np.float64)


def _logarithms(measurements: Sequence[Mapping[str, float]], name: str) -> Floats:
    found: Floats = np.array([each.get(name, np.nan) for each in measurements], dtype=np.float64)
    return np.asarray(np.log(np.maximum(found, TINY)))


def reference_of(goals: Floats) -> Floats:
    """The worst of some points, a tenth of their extent beyond, shape (objectives,): below it nothing counts."""
    worst, best = np.nanmin(goals, axis=0), np.nanmax(goals, axis=0)
    reference: Floats = worst - 0.1 * np.where(best > worst, best - worst, 1.0)
    return reference


def scalarized(goals: Floats, rng: random.Random) -> Floats:
    """ParEGO's one number for each point, shape (n,), more is better; weights are drawn uniformly from the simplex.

    -(max_i w_i f_i + 0.05 sum_i w_i f_i) of f: what each goal lacks of the best, as a part of its extent.
    """
    weights = np.array([rng.expovariate(1.0) for _ in range(goals.shape[1])])
    extent = np.nanmax(goals, axis=0) - np.nanmin(goals, axis=0)
    lacking = (np.nanmax(goals, axis=0) - goals) / np.where(extent > 0, extent, 1.0)
    weighted = weights / weights.sum() * lacking
    result: Floats = -(weighted.max(axis=1) + RHO * weighted.sum(axis=1))
    return result
