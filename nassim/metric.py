"""What a benchmark measures of an architecture: its name, unit and direction, and how a person reads it.

Inside, a *value* is always "more is better": a fraction for an accuracy, minus the loss for a loss. What is printed is
made here and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from nassim.errors import InvalidSetting

SPLITS = {"valid": "validation", "test": "test", "train": "training"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_UNIT = re.compile(r"[ -~°µ²³]{0,40}")  # it becomes part of column names and of axes


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

    Values that are read in percent are fractions in [0, 1], all others any finite numbers (`limits`).
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
        known = set(texts) == set(cls._fields) and len(texts) == len(fields) and texts["reading"] in _READINGS
        if not (known and _NAME.fullmatch(texts["name"]) and _UNIT.fullmatch(texts["unit"])):
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

    def titled(self, split: str) -> str:
        """`title` with the unit, as an axis has it: ``validation loss [nats]``."""
        return f"{self.title(split)} [{self.shown_unit}]" if self.shown_unit else self.title(split)

    def beside(self, word: str) -> str:
        """A word for the split, and what was measured unless that is accuracy: ``test``, ``test loss``."""
        return word if self.name == "accuracy" else f"{word} {_READINGS[self.reading].what or self.name}"

    def head(self, word: str) -> str:
        """The head of a narrow column: ``valid %``, ``valid loss [nats]``."""
        unit = self.shown_unit
        return f"{self.beside(word)} {unit if unit == '%' else f'[{unit}]' if unit else ''}".rstrip()

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

    def signed(self, number: float) -> float:
        """The measured quantity of a value, and the value of a measured quantity: they differ in sign at most."""
        return number if self.more_is_better else -number

    @property
    def limits(self) -> tuple[float, float]:
        """Between what values lie, both included."""
        return (0.0, 1.0) if self.reading == "percent" else (-math.inf, math.inf)

    def fits(self, value: float) -> bool:
        """Whether something is a value of this metric: finite, and a fraction if it is read in percent."""
        return math.isfinite(value) and self.limits[0] <= value <= self.limits[1]

    def text(self, shown: float | None, decimals: int = 2) -> str:
        """What is printed (`shown`) as text: so many decimals of a percentage, two digits more of anything else."""
        if shown is None or math.isnan(shown):
            return "–"
        return f"{shown:.{decimals}f}" if self.reading == "percent" else f"{shown:.{decimals + 2}g}"

    def read(self, value: float | None, decimals: int = 2) -> str:
        """A value as text with its unit: ``91.20 %``, ``1.234 nats``; a dash where there is none."""
        if value is None or math.isnan(value):
            return "–"
        return f"{self.text(self.shown(value), decimals)} {self.shown_unit}".rstrip()

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

    @property
    def regret_words(self) -> str:
        """`regret_unit` in words; empty for a pure number."""
        return "percentage points" if self.reading == "percent" else self.regret_unit

    @property
    def regret_name(self) -> str:
        """``regret``, and of what unless that is accuracy: ``loss regret``."""
        return "regret" if self.name == "accuracy" else f"{self.name} regret"

    def regret_text(self, regret: float) -> str:
        """A printed difference: three decimals of percentage points, four digits of anything else."""
        return f"{regret:.3f}" if self.reading == "percent" else f"{regret:.4g}"

    def regret_exponent(self, highest: float) -> int:
        """The power of ten that counts as no regret, on logarithmic axes and as the hardest target.

        0.01 percentage points: one of 10,000 images. Where the scale is not known, a thousandth of the power of ten
        above ``highest``, the highest regret that was seen.
        """
        if self.reading == "percent":
            return -2
        return math.ceil(math.log10(highest)) - 3 if 0 < highest < math.inf else -4

    @property
    def below_the_best(self) -> str:
        """What a regret is, before the words "the best mean ...": ``percentage points below``, ``nats above``."""
        way = "below" if self.more_is_better else "above"
        words = self.regret_words
        if self.reading == "perplexity":  # the perplexity is printed, the difference is one of losses
            words = f"{words} of {self.name}".strip()
        return f"{words or 'how far'} {way}"

    # Names of columns in files: with the unit in letters.
    def column(self, split: str, statistic: str) -> str:
        """A column of printed values: ``valid_accuracy_mean_percent``, ``valid_loss_mean_nats``."""
        unit = "percent" if self.shown_unit == "%" else self.shown_unit
        return _joined(split, _READINGS[self.reading].what or self.name, statistic, unit)

    def regret_column(self, *words: str) -> str:
        """A column of regrets: ``regret_mean_pp`` for ("regret", "mean")."""
        return _joined(*words, self.regret_unit)


def _joined(*words: str) -> str:
    return "_".join(word.replace(" ", "_") for word in words if word)


ACCURACY = Metric()
