"""What candidates promise where more counts than a value: a limit that is to be kept, several objectives.

Sources: Gardner et al., ICML 2014, equation 3 (improvement times the probability that a limit is kept; here as a sum of
logarithms); Emmerich, Deutz, Klinkenberg, IEEE CEC 2011 (hypervolume); Knowles, IEEE TEVC 10(1), 2006 (ParEGO).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.acquisition import (
    expected_hypervolume_improvement,
    expected_improvement,
    log_expected_improvement,
    upper_confidence_bound,
)
from nassim.algorithms.parts.beliefs import COUNTED, Beliefs, Floats, reference_of, scalarized
from nassim.errors import Unsupported
from nassim.objectives import Constraint, Objective
from nassim.surrogates.gaussian_process import Regression

AnyFloats = NDArray[np.floating]
LIKELY = np.log(0.5)  # from which probability on an architecture counts as one that keeps to the limit
LEAST = 1e-300  # improvement, before its logarithm is taken


class Acquiring(NamedTuple):
    """How: "ei" or "ucb" (with ``beta``), "ehvi" or "parego"; and whether costs are "known", "modeled" or "auto"."""

    acquisition: str = "ei"
    beta: float = 2.0
    several: str = "ehvi"
    costs: str = "auto"


class Promises:
    """Scores of all candidates, more is better.

    known, modeled: the names of costs that are needed, by how they are to be believed. known_limit: the constraint if
    what it bounds is known before training. reference: of the hypervolume, from the first n_init trials; fixed then.
    """

    def __init__(
        self,
        owner: str,
        objectives: Sequence[Objective],
        constraint: Constraint | None,
        n_init: int,
        remark: Callable[[str], None],
        how: Acquiring,
    ) -> None:
        if len(objectives) > 2 and how.several == "ehvi":
            advice = f"set {owner}.several=parego"
            raise Unsupported(f"{owner}.several=ehvi takes two objectives, and there are {len(objectives)}: {advice}.")
        names = [o.name for o in objectives if o.minimize] + ([constraint.name] if constraint else [])
        counted = {name: how.costs == "known" or (how.costs == "auto" and name in COUNTED) for name in names}
        self.known = [name for name in counted if counted[name]]
        self.modeled = [name for name in counted if not counted[name]]
        self.known_limit = constraint if constraint is not None and counted[constraint.name] else None
        self._needed = len(objectives) > 1 or constraint is not None
        self.reference: Floats | None = None
        self._objectives, self._constraint, self._how = objectives, constraint, how
        self._n_init, self._remark = n_init, remark

    def __call__(
        self, beliefs: Beliefs, mean: AnyFloats, deviation: AnyFloats, asked: Sequence[int], rng: random.Random
    ) -> AnyFloats:
        """``asked``: the places of what was asked among the candidates, trained or not.

        mean, deviation: of the value, in units of its process.
        """
        if not self._needed:
            if self._how.acquisition == "ucb":
                return upper_confidence_bound(mean, deviation, self._how.beta)
            return expected_improvement(mean, deviation, float(mean[beliefs.model.observed].max()))
        chance = beliefs.chance(self._constraint)
        likely = [place for place in asked if chance[place] >= LIKELY]
        if not np.isfinite(np.delete(chance, asked)).any():
            scores = beliefs.room(self._constraint)  # the nearest to the limit
        elif not likely:
            scores = chance
        elif len(self._objectives) < 2:
            scores = self._of_value(*beliefs.value(), likely, chance)
        elif self._how.several == "ehvi":
            scores = chance + self._of_hypervolume(beliefs, likely)
        else:
            scores = chance + self._of_weights(beliefs, chance, rng)
        return np.nan_to_num(scores, nan=-1e9, neginf=-1e9)

    def _of_value(self, mean: Floats, deviation: Floats, likely: Sequence[int], chance: Floats) -> Floats:
        if self._how.acquisition == "ucb":
            return np.where(chance >= LIKELY, upper_confidence_bound(mean, deviation, self._how.beta), -np.inf)
        return chance + log_expected_improvement(mean, deviation, float(mean[list(likely)].max()))

    def _of_hypervolume(self, beliefs: Beliefs, likely: Sequence[int]) -> Floats:
        means, deviations = beliefs.goals(self._objectives)
        if self.reference is None:
            self.reference = reference_of(beliefs.observed(self._objectives)[: self._n_init])
            shown = ", ".join(
                f"{o.name or 'value'} {self._readable(o, level):.4g}"
                for o, level in zip(self._objectives, self.reference.tolist(), strict=True)
            )
            self._remark(f"hypervolume counts from {shown}, a tenth beyond the worst of the first {self._n_init}")
        front = means[list(likely)]
        front = front[~np.isnan(front).any(axis=1)]
        grown = expected_hypervolume_improvement(means, deviations, front, self.reference)
        return np.log(np.maximum(grown, LEAST))

    @staticmethod
    def _readable(objective: Objective, level: float) -> float:
        """A goal as it is measured."""
        if not objective.minimize:
            return level
        return float(np.exp(level if objective.rate else -level))

    def _of_weights(self, beliefs: Beliefs, chance: Floats, rng: random.Random) -> AnyFloats:
        goals, model = beliefs.observed(self._objectives), Regression(beliefs.distances)
        for place, worth in zip(beliefs.model.observed, scalarized(goals, rng).tolist(), strict=True):
            if worth == worth:
                model.observe(place, worth)
        mean, deviation = model.posterior()
        seen = [place for place in model.observed if chance[place] >= LIKELY] or model.observed
        return log_expected_improvement(mean, deviation, float(mean[seen].max()))
