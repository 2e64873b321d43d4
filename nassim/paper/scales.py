"""Logarithmic axes of small panels: limits without empty decades, ticks that do not meet, one kind of label."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter
from numpy.typing import NDArray

GAP = 1.8  # how far below the least regret that is one "none" is drawn, as a factor
MARGIN = 0.04  # of the axis, on each side
_SERIES = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))


def number(value: float) -> str:
    """A tick's label, the same kind on every axis: 0.02, 5, 300, 20k, 1M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers between two limits: 1-2-5, 1-3, decades, or every few decades of them."""
    if not 0 < low < high:
        return []
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for series in _SERIES:
        found = _within([float(f"{m:g}e{e}") for e in range(first, last + 1) for m in series], low, high)
        if 2 <= len(found) <= most:
            return found
    for step in range(2, last - first + 1):
        found = _within([float(f"1e{e}") for e in range(first, last + 1) if e % step == 0], low, high)
        if 2 <= len(found) <= most:
            return found
    return linear_ticks(low, high, most)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers at equal distances between two limits."""
    for exponent in range(math.floor(math.log10(max(high - low, 1e-300))) - 1, 310):
        for m in (1, 2, 5):
            step = m * 10.0**exponent
            count = math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
            if count <= most:
                start = math.ceil(low / step - 1e-9)
                return [float(f"{(start + i) * step:.12g}") for i in range(count)]
    return []


def _within(values: list[float], low: float, high: float) -> list[float]:
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


class Bottom:
    """Where "no regret" is drawn on a logarithmic axis: below the least regret that is one, without an empty decade.

    ``at`` is that place, and ``label`` what stands there; ``used`` says whether anything is.
    """

    def __init__(self, values: NDArray[np.float64], floor: float) -> None:
        finite = values[np.isfinite(values)]
        above = finite[finite > floor * (1 + 1e-9)]
        self.floor = floor
        self.used = len(above) < len(finite)
        self.at = max(floor, float(above.min()) / GAP) if self.used and len(above) else floor
        self.label = f"≤{number(floor)}"

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values as they are drawn."""
        return np.where(values <= self.floor * (1 + 1e-9), self.at, values)


def set_log(
    axes: Axes, which: str, values: Sequence[float], most: int, bottom: Bottom | None = None, *, begins: bool = False
) -> None:
    """A logarithmic axis (``x`` or ``y``) over these values and no more, with at most so many labels.

    ``begins``: there is no margin on the left.
    """
    low, high = min(values), max(values)
    if high <= low * (1 + 1e-6):
        low, high = low / 1.5, high * 1.5
    margin = (high / low) ** MARGIN
    low, high = low if begins else low / margin, high * margin
    axis: Axis = getattr(axes, f"{which}axis")
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    ticks = log_ticks(low, high, most)
    labels = [number(tick) for tick in ticks]
    if bottom is not None and bottom.used:  # its label stands for itself, with room above it
        room = bottom.at * max(1.3, (high / low) ** ((1.0 if which == "x" else 0.7) / most))
        kept = log_ticks(room, high, most - 1) if most > 2 else []
        ticks, labels = [bottom.at, *kept], [bottom.label, *map(number, kept)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(labels))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    least = low if bottom is None or not bottom.used else bottom.at * 1.001
    steps = range(2, 10) if last - first <= 4 else range(1, 2)
    minor = [float(f"{m}e{e}") for e in range(first, last + 1) for m in steps]
    axis.set_minor_locator(FixedLocator(_within(minor, least, high)))
    axis.set_minor_formatter(NullFormatter())


def set_linear(axes: Axes, which: str, low: float, high: float, most: int) -> None:
    """A linear axis between two limits with a margin and at most so many labels."""
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    margin = 0.06 * (high - low)
    getattr(axes, f"set_{which}lim")(low - margin, high + margin)
    ticks = linear_ticks(low - margin, high + margin, most)
    axis: Axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([number(tick) for tick in ticks]))
