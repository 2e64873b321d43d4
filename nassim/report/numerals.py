"""How numbers are written in a report."""

from __future__ import annotations

import math

from nassim.stats import Finding, Interval


def number(value: float) -> str:
    """A regret in percentage points with three decimals."""
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.3f}"


def percent(fraction: float | None) -> str:
    """A fraction in percent with two decimals; a dash for None and NaN."""
    return "–" if fraction is None or math.isnan(fraction) else f"{100 * fraction:.2f}"


def with_limits(found: Interval) -> str:
    """A regret with its confidence interval."""
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


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


def finding(found: Finding[float] | Finding[int], form: str) -> str:
    """A value in a format; a dash where there is none."""
    return "–" if found.value is None else format(found.value, form)
