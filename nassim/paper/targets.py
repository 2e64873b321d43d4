"""Single-target tables: to each regret target, expected running time, success rate and quantiles of the running time.

As IOHanalyzer has them (Wang, Vermetten, Ye, Doerr & Baeck, ACM TELO 2(1), 2022); the targets are those of the report.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nassim.paper.choice import Choice
from nassim.report.numerals import count, time
from nassim.report.running_time import series_targets
from nassim.report.runs import AXES, Part
from nassim.report.table import Entry, Table, no_table, row
from nassim.stats import expected_running_time, first_hits, running_time_quantiles, spent_of
from nassim.summary import Record

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


class Reached(NamedTuple):
    """One strategy and one target on an axis (seconds, queries, epochs); infinite where too few runs succeeded.

    ``ert`` is the expected running time, ``low`` and ``high`` its 95 % limits, NaN for a single run; ``quantiles`` of
    `LEVELS` are over all runs, of which those that failed count as infinite.
    """

    target: float
    strategy: str
    runs: int
    successes: int
    ert: float
    low: float
    high: float
    quantiles: tuple[float, ...]


def reached(part: Part, choice: Choice, axis: str) -> list[Reached]:
    """Each target of the report with each chosen strategy that can be shown on the axis."""
    every = part.curves(axis, part.split)
    curves = {strategy: every[strategy] for strategy in choice.names if every.get(strategy)}
    targets = series_targets(curves, part.exponent)
    found: dict[tuple[int, str], Reached] = {}
    for strategy, group in curves.items() if targets else ():
        hits = first_hits(group, targets)
        expected = expected_running_time(hits, spent_of(group)).value
        assert expected is not None  # there are runs
        quantiles = running_time_quantiles(hits, LEVELS)
        for k, target in enumerate(targets):
            limits = (float(expected.expected[k]), float(expected.low[k]), float(expected.high[k]))
            times = tuple(float(x) for x in quantiles[:, k])
            found[k, strategy] = Reached(target, strategy, len(group), int(expected.successes[k]), *limits, times)
    return [found[k, strategy] for k in range(len(targets)) for strategy in curves]


def target_records(parts: Sequence[Part], choice: Choice) -> Iterator[Record]:
    """What ``targets.csv`` holds: a row per benchmark, axis, target and strategy; ``inf`` where it is never reached."""
    for part in parts:
        for axis in AXES:
            for x in reached(part, choice, axis):
                yield {
                    "benchmark": part.name,
                    "split": part.split,
                    "axis": axis,
                    "unit": part.clock.unit if axis == "seconds" else axis,
                    "target_regret": x.target,
                    "regret_unit": part.metric.regret_unit,
                    "strategy": x.strategy,
                    "name": choice.names[x.strategy],
                    "runs": x.runs,
                    "successes": x.successes,
                    "success_rate": x.successes / x.runs,
                    "expected_running_time": x.ert,
                    "expected_running_time_low": _number(x.low),
                    "expected_running_time_high": _number(x.high),
                    **{f"running_time_q{100 * q:.0f}": t for q, t in zip(LEVELS, x.quantiles, strict=True)},
                }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def target_table(part: Part, choice: Choice, axis: str) -> Table:
    """The table of one benchmark on one axis."""
    found = reached(part, choice, axis)
    unit = part.clock.words if axis == "seconds" else axis
    name = f"targets-{axis}-{part.name}"
    measured = f" [{part.metric.regret_words}]" if part.metric.regret_words else ""
    caption = f"Running time on {part.name} in {unit} to a {part.regret_name}{measured}."
    if not found:
        return no_table(name, caption, "No run reached any target.")
    said = time if axis == "seconds" else count
    best = {x.target: min(y.ert for y in found if y.target == x.target) for x in found}
    rows = []
    for i, x in enumerate(found):
        begins = i == 0 or found[i - 1].target != x.target
        limits = "" if math.isnan(x.low) else f" [{said(x.low)}, {said(x.high)}]"
        rows.append(
            row(
                f"≤ {x.target:g}" if begins else "",
                choice.names[x.strategy],
                f"{x.successes}/{x.runs}",
                Entry(f"{said(x.ert)}{limits}", strong=math.isfinite(x.ert) and x.ert == best[x.target]),
                *(said(t) for t in x.quantiles),
            )
        )
    note = (
        "ERT: expected running time, all that was spent by successful and failed runs over the number of successes, "
        "with its 95 % bootstrap interval. Quantiles are over all runs; a run that failed counts as infinite (∞). "
        "k: thousand, M: million."
    )
    columns = ("target", "strategy", "success", "ERT", *(f"{100 * q:.0f} %" for q in LEVELS))
    return Table(name, caption, columns, rows, (note,))
