"""A reward that falls beyond limits, and limits that no network meets.

Source: the reward engine of Zhou & Diamos, SysML 2018; what the penalty is and how steep, no public text says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from nassim.algorithms.parts.weights import Floats
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure

TRIES = 1000  # draws for one that keeps to a limit
LOOKED_AT, STEPS = 200, 30  # random networks, and steps from the nearest of them to its best neighbor


def excess(constraint: Constraint, measured: Mapping[str, float]) -> float:
    """By which part of the limit a network is beyond it, 0 within; infinite where it is not measured."""
    used = measured.get(constraint.name)
    if used is None or used != used:
        return float("inf")
    if constraint.met(measured):
        return 0.0
    if constraint.limit <= 0:
        return abs(used - constraint.limit)  # there are no parts of nothing
    beyond = used / constraint.limit if constraint.sign == "<=" else constraint.limit / used if used else float("inf")
    return beyond - 1.0


def kept(draw: Callable[[], Architecture], constraint: Constraint | None, measure: Measure) -> Architecture:
    """The first of ``draw`` that keeps to a limit, known without training; of `TRIES` that do not, the nearest to it.

    Rejection: of uniform draws what is kept is uniform among all that keep to the limit.
    """
    arch = draw()
    if constraint is None:
        return arch
    beyond = excess(constraint, measure(arch))
    for _ in range(TRIES):
        if not beyond:
            break
        other = draw()
        by = excess(constraint, measure(other))
        if by < beyond:
            arch, beyond = other, by
    return arch


def penalty(beyond: float, base: float) -> float:
    """By which a reward is multiplied: 1 within a limit, ``base`` at a tenth beyond it, base^10 at twice the limit."""
    return float(base ** (10.0 * beyond))


def refuse_unmet(
    owner: str, space: SearchSpace, rng: random.Random, measure: Measure, constraint: Constraint | None
) -> None:
    """`InvalidSetting` where none of many networks keeps to a limit, nor any on the way from the nearest towards it."""
    if constraint is None:
        return

    def beyond(arch: Architecture) -> float:
        return excess(constraint, measure(arch))

    archs = [space.sample(rng) for _ in range(LOOKED_AT)]
    nearest = min(archs, key=beyond)
    looked = len(archs)
    for _ in range(STEPS):
        if beyond(nearest) == 0.0:
            return
        near = space.neighbors(nearest)
        looked += len(near)
        step = min(near, key=beyond, default=nearest)
        if beyond(step) >= beyond(nearest):
            break
        nearest = step
    if beyond(nearest) > 0.0:
        value = measure(nearest).get(constraint.name)
        best = f"the nearest has {value:g}{constraint.unit}" if value is not None else "none of them is measured"
        raise InvalidSetting(
            f"{owner}: none of {looked:,} networks of {space.name} keeps to {constraint}; {best}. Give a wider limit."
        )


class Rewards:
    """The reward engine: what a network is worth to a search with limits.

    slowest: seconds of a training, a limit as well; None: any.
    """

    def __init__(self, measure: Measure, constraint: Constraint | None, slowest: float | None, severity: float) -> None:
        self._measure, self._constraint = measure, constraint
        self._slowest, self._severity = slowest, severity

    def __call__(self, archs: Sequence[Architecture], values: Iterable[float], seconds: Iterable[float]) -> Floats:
        """Values, measured or predicted, times the penalties (n,); a value below 0 is divided by them."""
        found = []
        for arch, value, cost in zip(archs, values, seconds, strict=True):
            kept = 1.0
            if self._constraint is not None:
                kept *= penalty(excess(self._constraint, self._measure(arch)), self._severity)
            if self._slowest is not None:
                kept *= penalty(max(0.0, cost / self._slowest - 1.0), self._severity)
            found.append(value * kept if value >= 0 else value / max(kept, 1e-9))
        return np.array(found)

    def of(self, trial: Trial) -> float:
        """What a trial is worth: its value where nothing is limited."""
        if self._constraint is None and self._slowest is None:
            return trial.value
        return float(self([trial.arch], [trial.value], [trial.result.cost])[0])

    def best(self, trials: Sequence[Trial], count: int) -> list[Trial]:
        """The trials that are worth most."""
        of = self([t.arch for t in trials], [t.value for t in trials], [t.result.cost for t in trials])
        return [trials[i] for i in np.argsort(-of, kind="stable")[:count]]
