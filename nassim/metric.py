"""What a benchmark measures of an architecture: its name, unit and direction, and how a person reads it.

Inside, a *value* is always "more is better": a fraction for an accuracy, minus the loss for a loss. What is printed is
made here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from nassim.errors import InvalidSetting

SPLITS = {"valid": "validation", "test": "test", "train": "training"}


class Reading(NamedTuple):
    """How a value is shown: the function, what it gives, its unit, and whether more of that is better."""

    shown: Callable[[float], float]
    what: str
    unit: str
    more_is_better: bool


_READINGS = {
    "percent": Reading(lambda value: 100 * value, "", "%", True),
    "plain": Reading(lambda value: value, "", "", True),
    "negated": Reading(lambda value: -value, "", "", False),
    "perplexity": Reading(lambda value: math.exp(min(-value, 700.0)), "perplexity", "", False),
    "bits": Reading(lambda value: -value / math.log(2), "", "bits", False),
}


class Metric(NamedTuple):
    """A quantity that trainings are judged by, on any split.

    name: ``accuracy``, ``loss``, ``ssim``, ``miou``, ... ; with a split before it, it names a column (`on`).
    unit: of the value (``fraction``, ``nats``, empty for a pure number).
    reading: how a person reads it: percent, plain, negated (a value that is minus what is printed), perplexity, bits.
    """

    name: str = "accuracy"
    unit: str = "fraction"
    reading: str = "percent"

    @classmethod
    def of(cls, fields: Mapping[str, object] | None) -> Metric:
        """The metric of a table's or a study's record; without one it is accuracy. `InvalidSetting` for another."""
        if not fields:
            return ACCURACY
        texts = {name: text for name, text in fields.items() if isinstance(text, str)}
        if set(texts) != set(cls._fields) or len(texts) < len(fields) or texts["reading"] not in _READINGS:
            raise InvalidSetting(
                f"a metric has a name, a unit and a reading ({', '.join(_READINGS)}), not {str(dict(fields))[:200]}."
            )
        return cls(**texts)

    def on(self, split: str) -> str:
        """The metric's name on a split, as columns and queries have it: ``valid_accuracy``."""
        return f"{split}_{self.name}"

    def title(self, split: str) -> str:
        """What stands at an axis or over a column, without the unit: ``validation accuracy``."""
        return f"{SPLITS.get(split, split)} {_READINGS[self.reading].what or self.name}"

    @property
    def shown_unit(self) -> str:
        """The unit of what is printed: ``%``; empty for a pure number."""
        reading = _READINGS[self.reading]
        return reading.unit or ("" if reading.what else self.unit)

    @property
    def more_is_better(self) -> bool:
        """Whether more of what is *printed* is better; of the value it always is."""
        return _READINGS[self.reading].more_is_better

    def shown(self, value: float) -> float:
        """A value as a person reads it: 91.2 for the accuracy 0.912, 61.3 for a loss as perplexity."""
        return _READINGS[self.reading].shown(value)

    # A difference of two values: percentage points for a percentage; else in the unit of the value itself, as a
    # difference of logarithms cannot be read as perplexity.
    @property
    def regret_factor(self) -> float:
        """What a difference of values is multiplied with to be printed."""
        return {"percent": 100.0, "bits": 1 / math.log(2)}.get(self.reading, 1.0)

    @property
    def regret_unit(self) -> str:
        """The unit of a printed difference: ``pp`` (percentage points), ``nats``, ..."""
        return {"percent": "pp", "bits": "bits"}.get(self.reading, self.unit)


ACCURACY = Metric()
