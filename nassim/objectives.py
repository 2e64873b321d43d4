"""Objectives and constraints of a run, read from what a user types and held against what a benchmark has.

``valid_accuracy,latency[pixel3]`` and ``latency[pixel3]<=5ms``: a device stands in brackets; the extra of that name in
a result is ``latency_pixel3``. Units are converted to the benchmark's own and refused where they do not fit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from nassim.errors import InvalidSetting

# unit -> (what it measures, how many of the first unit of its kind)
_UNITS = {
    "s": ("time", 1.0),
    "ms": ("time", 1e-3),
    "us": ("time", 1e-6),
    "µs": ("time", 1e-6),
    "J": ("energy", 1.0),
    "mJ": ("energy", 1e-3),
    "uJ": ("energy", 1e-6),
    "": ("number", 1.0),
    "k": ("number", 1e3),
    "K": ("number", 1e3),
    "M": ("number", 1e6),
    "G": ("number", 1e9),
}
_WORDS = {"seconds": "s", "second": "s", "milliseconds": "ms", "joules": "J", "millijoules": "mJ"}
_NAME = re.compile(r"([A-Za-z]\w{0,60})(?:\[([\w. -]{1,60})\])?", re.ASCII)
_CONSTRAINT = re.compile(
    r"\s*([^<>=]{1,130}?)\s*(<=|>=)\s*(\d{1,30}(?:\.\d{0,30})?(?:e[+-]?\d{1,3})?)\s*([A-Za-zµ]{0,12})\s*"
)
MOST = 4  # objectives


class Objective(NamedTuple):
    """One objective: the metric or extra of a result, its unit, and whether it is a cost, to be minimized.

    Of a rate (images a second) more is better: as a cost it is one over it.
    """

    name: str
    unit: str
    minimize: bool
    rate: bool = False

    def cost(self, measured: Mapping[str, float]) -> float:
        """What is to be minimized of what was measured: the value itself, of a rate one over it; NaN without one."""
        value = measured.get(self.name, math.nan)
        if not self.rate:
            return value
        return 1.0 / value if value > 0 else math.inf if value == value else math.nan


class Constraint(NamedTuple):
    """A bound on an extra of a result, in the benchmark's own unit; `sign` is ``<=`` or ``>=``."""

    name: str
    sign: str
    limit: float
    unit: str

    def __str__(self) -> str:
        size = next((unit for unit in "GM" if not self.unit and self.limit >= _UNITS[unit][1]), "")
        return f"{self.name}{self.sign}{self.limit / _UNITS[size][1]:g}{self.unit or size}"

    def met(self, measured: Mapping[str, float]) -> bool:
        """Whether a result keeps to the bound; a missing value does not."""
        value = measured.get(self.name)
        if value is None or value != value:
            return False
        return value <= self.limit if self.sign == "<=" else value >= self.limit


def parse_objectives(text: str, *, metric: str, extras: Mapping[str, str], benchmark: str) -> tuple[Objective, ...]:
    """Read ``valid_accuracy,latency[pixel3]``; nothing typed is no objectives.

    ``metric`` is what answers the benchmark's queries, ``extras`` maps what its results carry to the unit.
    """
    found = [_objective(part.strip(), metric, extras, benchmark) for part in text.split(",")] if text.strip() else []
    names = [objective.name for objective in found]
    if len(set(names)) < len(names) or len(names) == 1 or len(names) > MOST:
        raise InvalidSetting(f"objectives {text!r:.100}: two to {MOST} different ones are needed.")
    return tuple(found)


def _objective(name: str, metric: str, extras: Mapping[str, str], benchmark: str) -> Objective:
    if name == metric:
        return Objective(name, "", False)
    key = _key(name, [metric, *extras], benchmark, extras)
    return Objective(key, _unit_of(extras[key]), True, is_rate(extras[key]))


def is_rate(description: str) -> bool:
    """Whether an extra's description says that more of it is better: it begins with something a second."""
    return description.strip().partition(" ")[0].rstrip(",;").endswith("/s")


def parse_constraint(text: str, *, extras: Mapping[str, str], benchmark: str) -> Constraint | None:
    """Read ``latency[pixel3]<=5ms`` or ``parameters<=0.5M``; None for nothing typed."""
    if not text.strip():
        return None
    match = _CONSTRAINT.fullmatch(text)
    if match is None:
        raise InvalidSetting(
            f"constraint {text!r:.100} is not a bound: write what is bounded, <= or >=, a number and its unit, "
            'for example "latency[pixel3]<=5ms" or "parameters<=0.5M".'
        )
    name, sign, number, unit = match.groups()
    key = _key(name, list(extras), benchmark, extras)
    own = _unit_of(extras[key])
    kind, factor = _UNITS.get(own, (own, 1.0))
    given, per = _UNITS.get(unit, (unit, 1.0))
    if given != kind:
        measured = f"measured in {own}" if own else "a number (2000, 20k, 1.5M, 3G)"
        raise InvalidSetting(f"constraint {text!r:.100}: {name} of {benchmark} is {measured}, not in {unit!r}.")
    return Constraint(key, sign, float(number) * per / factor, own)


def keys_of(objectives: str) -> list[str] | None:
    """The names in ``valid_accuracy,latency[pixel3]`` as results have them; None for nothing typed."""
    names = [re.sub(r"\[(.*)\]", r"_\1", name.strip()) for name in objectives.split(",") if name.strip()]
    return names or None


def limit_of(constraint: str) -> tuple[str, float]:
    """What a constraint bounds and where, in its own unit, read from how it is printed (`Constraint`)."""
    match = _CONSTRAINT.fullmatch(constraint)
    if match is None:
        raise InvalidSetting(f"constraint {constraint!r:.100} is not a bound.")
    kind, factor = _UNITS.get(match[4], ("", 1.0))
    return match[1], float(match[3]) * (factor if kind == "number" else 1.0)


def _key(name: str, known: list[str], benchmark: str, extras: Mapping[str, str]) -> str:
    match = _NAME.fullmatch(name)
    key = "_".join(part for part in match.groups() if part).replace(" ", "_").replace("-", "_") if match else name
    folded = {other.replace("-", "_").lower(): other for other in extras}
    if key.lower() not in folded:
        kind = match[1] if match else ""
        alike = [other for other in known if match and match[2] and other.startswith(f"{kind}_")]  # of other devices
        shown = ", ".join(alike or known[:40]) or "nothing beside its metric"
        raise InvalidSetting(f"{benchmark} has no {name!r:.80} to search by. It has {shown}.")
    return folded[key.lower()]


def _unit_of(description: str) -> str:
    """The unit at the head of an extra's description: ``seconds, measured by the authors`` is in s."""
    head = re.split(r"[ ,;(]", description.strip(), maxsplit=1)[0]
    head = _WORDS.get(head, head)
    return head if head in _UNITS else ""
