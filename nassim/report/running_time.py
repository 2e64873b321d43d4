"""Expected running time to regret targets, with success rates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nassim.report.numerals import count, time
from nassim.report.runs import AXES, Part
from nassim.report.table import Table, named, no_table, row
from nassim.stats import Curve, expected_running_time, first_hits, spent_of

TARGETS = 5


def running_time_table(part: Part, axis: str) -> Table:
    """Expected running time to regret targets of the series 1-2-5, with intervals and success rates."""
    curves = part.curves(axis, part.split)
    name = f"running-time-{axis}-{part.name}"
    unit = part.clock.words if axis == "seconds" else axis
    measured = f" [{part.metric.regret_words}]" if part.metric.regret_words else ""
    caption = f"Expected running time on {part.name} in {unit} to a {part.regret_name}{measured}."
    targets = series_targets(curves, part.exponent)
    if not targets:
        return no_table(
            name, caption, "No run reached any target." if curves else "No strategy can be shown on this axis."
        )
    said = time if axis == "seconds" else count
    rows = []
    for strategy, group in curves.items():
        found = expected_running_time(first_hits(group, targets), spent_of(group), resamples=1000).value
        if found is None:
            rows.append(row(named(strategy), *["–"] * len(targets)))
            continue
        entries = [
            f"{said(expected)}{_limits(low, high, said)}{_share(rate)}" if rate else "∞"
            for expected, low, high, rate in zip(found.expected, found.low, found.high, found.success_rate, strict=True)
        ]
        rows.append(row(named(strategy), *entries))
    notes = (
        (
            "All that was spent by successful and failed runs over the number of successes: how long the strategy "
            "takes on average if it is restarted until it succeeds; 95 % bootstrap interval; after the dot how many "
            "percent of the runs succeeded, unless all did. ∞: none did; k: thousand, M: million."
        ),
        *_left_out(part, curves, axis),
    )
    return Table(name, caption, ("strategy", *(f"≤ {t:g}" for t in targets)), rows, notes)


def _left_out(part: Part, curves: dict[str, list[Curve]], axis: str) -> list[str]:
    absent = [s for s in part.strategies if s not in curves]
    return [f"{', '.join(absent)} made no queries: it can be shown against simulated time only."] if absent else []


def series_targets(curves: dict[str, list[Curve]], exponent: int) -> list[float]:
    """The hardest targets of the series that a run reached; of targets without a regret between them, the harder.

    The series is 50, 20, 10, ... 0.01 percentage points; of another unit from so many powers of ten above ``exponent``.
    """
    series = [float(f"{m}e{exponent + e}") for e in (3, 2, 1, 0) for m in (5, 2, 1)]
    seen = [curve.value for group in curves.values() for curve in group if len(curve.value)]
    values = np.unique(np.concatenate(seen)) if seen else np.empty(0)
    below = np.searchsorted(values, [*series, -1.0], side="right")  # how many regrets lie at or below each target
    return [t for t, here, harder in zip(series, below[:-1], below[1:], strict=True) if here > harder][-TARGETS:]


def _limits(low: float, high: float, said: Callable[[float], str]) -> str:
    return "" if math.isnan(low) else f" [{said(low)}, {said(high)}]"


def running_time_tables(part: Part) -> dict[str, Table]:
    """`running_time_table` on every axis."""
    return {axis: running_time_table(part, axis) for axis in AXES}


def _share(rate: float) -> str:
    return "" if rate == 1 else f" · {100 * rate:.0f}"
