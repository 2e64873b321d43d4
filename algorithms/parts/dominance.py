"""Trials under several objectives and a constraint: their points, what they violate, and which go before which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nassim.objectives import Constraint, Objective
from nassim.pareto import Floats, crowding, fronts
from nassim.query import Trial
from nassim.strategy import Measure

USUAL = "parameters"  # what is searched for beside the value of a trial where nobody says anything else
VALUE, PARAMETERS = Objective("", "", False), Objective(USUAL, "", True)


def measured(trial: Trial, measure: Measure) -> Mapping[str, float]:
    """What is known of a trial's architecture beside its value; trials read from a study carry nothing themselves."""
    return trial.result.extras or measure(trial.arch)


def points_of(trials: Sequence[Trial], objectives: Sequence[Objective], measure: Measure) -> Floats:
    """The points of trials, shape (trials, objectives), all to be minimized; infinite where there is no value.

    No objectives are the value and the parameters, or the value alone where those are not measured.
    """
    extras = [measured(trial, measure) for trial in trials]
    wanted = list(objectives) or [VALUE, *([PARAMETERS] if any(USUAL in each for each in extras) else [])]
    rows = [
        [objective.cost(each) if objective.minimize else -trial.value for objective in wanted]
        for trial, each in zip(trials, extras, strict=True)
    ]
    points = np.array(rows, dtype=np.float64).reshape(len(trials), len(wanted))
    for column, objective in enumerate(wanted):
        if objective.minimize and (points[:, column] > 0).all():
            points[:, column] = np.log(points[:, column])  # costs differ by factors; changes the crowding alone
    return np.where(np.isnan(points), np.inf, points)


def violations_of(trials: Sequence[Trial], constraint: Constraint | None, measure: Measure) -> Floats:
    """How far each trial is beyond the constraint's limit, shape (trials,): 0 if met, infinite without a value."""
    if constraint is None:
        return np.zeros(len(trials))
    return np.array([_violation(constraint, measured(trial, measure)) for trial in trials])


def _violation(constraint: Constraint, extras: Mapping[str, float]) -> float:
    value = extras.get(constraint.name, math.nan)
    return 0.0 if constraint.met(extras) else math.inf if math.isnan(value) else abs(value - constraint.limit)


def ranks(points: Floats, violations: Floats) -> NDArray[np.intp]:
    """The front of each point under a constraint, shape (points,), from 0.

    What keeps to it goes by domination, what does not comes after all that does, by how far it is beyond it
    (Deb et al. 2002, section VI).
    """
    kept = violations == 0.0
    rank = np.zeros(len(points), dtype=np.intp)
    rank[kept] = fronts(points[kept])
    beyond = np.unique(violations[~kept], return_inverse=True)[1]
    rank[~kept] = beyond + (rank[kept].max() + 1 if kept.any() else 0)
    return rank


def by_rank_and_crowding(points: Floats, violations: Floats) -> list[int]:
    """The positions of points, the best first: by `ranks`, then the least crowded, of equal ones the first."""
    rank = ranks(points, violations)
    distance = np.zeros(len(points))
    for front in range(rank.max() + 1 if len(rank) else 0):
        members = rank == front
        distance[members] = crowding(points[members])
    order: list[int] = np.lexsort((-distance, rank)).tolist()
    return order
