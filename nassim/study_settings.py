"""The settings of a study, read with suspicion: the file that they stand in may come from anywhere."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy

from nassim.benchmark import Noise
from nassim.clock import Budget
from nassim.errors import CorruptData, InvalidSetting
from nassim.facts import Facts
from nassim.metric import Metric
from nassim.study_file import ADVICE, LARGEST

Check = Callable[[object], bool]


def checked(settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The settings with what older studies lack; `CorruptData` names one that is of another kind than it must be."""
    found = {"one_shot": {}, "left_out": {}, "provenance": {}, "files": {}, **settings}
    for key, right in _RIGHT.items():
        if not right(found.get(key)) and not (key in _OPTIONAL and key not in found):
            raise CorruptData(f"{path} is not a readable study: its setting {key} is not what it must be. {ADVICE}")
    return found


def facts_of(settings: Mapping[str, Any]) -> dict[str, Facts]:
    """The facts of the benchmarks of settings that were checked."""
    return {name: Facts(**facts) for name, facts in settings["benchmarks"].items()}


def provenance() -> dict[str, str]:
    """Where and when a study was begun: kept beside its settings, never compared."""
    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "platform": platform.platform(),
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 100_000


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= 10**12


def _positive(value: object) -> bool:
    return _count(value) and value != 0


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST  # nor NaN


def _map_of(right: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(right, value.values()))


def _parsed_by(parse: Callable[[str], object]) -> Check:
    def right(value: object) -> bool:
        if not isinstance(value, str) or len(value) > 200:
            return False
        try:
            parse(value)
        except InvalidSetting:
            return False
        return True

    return right


def _metric(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        Metric.of(value)
    except InvalidSetting:
        return False
    return True


def _source(value: object) -> bool:
    return isinstance(value, dict) and _text(value.get("note"))


def _benchmarks(value: object) -> bool:
    return isinstance(value, dict) and all(_facts(facts) and facts["name"] == name for name, facts in value.items())


def _facts(value: object) -> bool:
    if not isinstance(value, dict) or not set(Facts._fields) - set(Facts._field_defaults) <= set(value):
        return False
    return all(name in _FACTS and _FACTS[name](part) for name, part in value.items())


WALL = "wall"  # the clock of a study; a simulated one is not written down
_OPTIONAL = ("protocol", "seed_ranges", "trials", "clock", "objectives", "constraint")  # where a study is as most are
_RIGHT: dict[str, Check] = {
    "nassim": _text,
    "benchmarks": _benchmarks,
    "strategies": _map_of(_map_of(lambda value: isinstance(value, dict))),
    "budget": _parsed_by(Budget.parse),
    "seeds": _positive,
    "workers": _positive,
    "noise": _parsed_by(Noise.parse),
    "one_shot": _map_of(_source),
    "left_out": _map_of(_text),
    "files": _map_of(_map_of(_text)),
    "runs": _count,
    "seed_ranges": _text,
    "objectives": _text,
    "constraint": _text,
    "trials": lambda value: isinstance(value, bool),
    "clock": lambda value: value == WALL,
    "provenance": _map_of(_text),
    "protocol": _text,
}
_FACTS: dict[str, Check] = {
    "name": _text,
    "epochs": _positive,
    "best_valid": lambda value: value is None or _number(value),
    "best_test": lambda value: value is None or _number(value),
    "typical_seconds": lambda value: value is None or _number(value),
    "synthetic": lambda value: isinstance(value, bool),
    "sha256": _text,
    "regret_on": lambda value: value in ("", "valid", "test"),
    "cost_unit": _text,
    "metric_record": _metric,
    "surrogate": _text,
    "learned_best": lambda value: value is None or _number(value),
    "constraint": _text,
}
