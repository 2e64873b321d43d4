"""How numbers are written in a report."""

from __future__ import annotations

import math

from nassim.metric import ACCURACY, Metric
from nassim.stats import Finding, Interval


def number(value: float, metric: Metric = ACCURACY) -> str:
    """A regret: percentage points with three decimals, others with four digits."""
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else metric.regret_text(value)


def percent(fraction: float | None) -> str:
    """A fraction in percent with two decimals; a dash for None and NaN."""
    return "–" if fraction is None or math.isnan(fraction) else f"{100 * fraction:.2f}"


def with_limits(found: Interval, metric: Metric = ACCURACY) -> str:
    """A regret, or a share with three decimals, with its confidence interval."""
    return f"{number(found.value, metric)} [{number(found.low, metric)}, {number(found.high, metric)}]"


def limits_in_percent(found: Interval) -> str:
    """The limits of a fraction, in percent; empty where there are none."""
    return "" if math.isnan(found.low) else f" [{100 * found.low:.0f}, {100 * found.high:.0f}]"


def seeds(count: int) -> str:
    """The seeds of a study in words: "seed 0", "seeds 0 to 9"."""
    return "seed 0" if count == 1 else f"seeds 0 to {count - 1}"


def p_value(p: float) -> str:
    """A p-value with three digits, nothing below 0.0001."""
    return "–" if math.isnan(p) else "<0.0001" if p < 1e-4 else f"{p:.3g}"


def time(value: float) -> str:
    """Seconds, queries or epochs with three digits: 47.2, 394k, 3.75M."""
    if math.isinf(value):
        return "∞"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{float(f'{value / size:.3g}'):g}{letter}"
    return f"{float(f'{value:.3g}'):g}"


def count(value: float) -> str:
    """Queries or epochs: whole numbers, of an expectation the next higher one; from a thousand on three digits."""
    return time(value if math.isinf(value) else math.ceil(value - 1e-9))


def finding(found: Finding[float] | Finding[int], form: str) -> str:
    """A value in a format; a dash where there is none."""
    return "–" if found.value is None else format(found.value, form)
