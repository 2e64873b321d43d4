"""The table of hypervolumes: how much of the true front the runs reach."""

from __future__ import annotations

import numpy as np

from nassim.report.fronts import Fronts
from nassim.report.numerals import with_limits
from nassim.report.table import Table, named, no_table, row
from nassim.stats.samples import Floats


def hypervolume_table(fronts: Fronts) -> Table:
    """How much of the true front's hypervolume the runs reach."""
    objectives = " and ".join(fronts.objectives)
    name, true = f"hypervolume-{fronts.benchmark}-{'-'.join(fronts.objectives)}", len(fronts.true_front) > 0
    caption = f"Hypervolume on {fronts.benchmark}: {objectives}."
    if not fronts.strategies:
        return no_table(name, caption, "No strategy made a query.")
    rows = []
    for strategy, found in fronts.strategies.items():
        value = found.hypervolume.value
        text = "–" if value is None else with_limits(value) if value.low == value.low else f"{value.value:.3f}"
        on_front = _members(found.front, fronts.true_front)
        of_true = f"{on_front} of {len(fronts.true_front)}" if true else "–"
        rows.append(row(named(strategy), text, len(found.front), of_true))
    reference = ", ".join(
        f"{n} {v:.6g} {u}".rstrip()
        for n, v, u in zip(fronts.objectives, fronts.scale.reference, fronts.units, strict=True)
    )
    of = (
        "the table's true front"
        if true
        else "the front of all that this study visited (the space is too large to list)"
    )
    notes = [
        f"Interquartile mean over runs with its 95 % bootstrap interval, as a fraction of the hypervolume of {of}.",
        f"Reference point: {reference}; fixed by that front (a tenth of its extent beyond its worst values).",
    ]
    if fronts.guessing:
        of = "the table" if true else "what was visited"
        notes.append(
            f"Left out: {fronts.guessing} architectures of {of} that guess (nothing leads from input to output, or "
            "they are no better than those)."
        )
    if fronts.read:
        notes.append(f"Of a strategy with many runs, those of evenly spread seeds: {fronts.read}.")
    if fronts.without:
        notes.append(f"{fronts.without} of the visited architectures lack a value and are left out.")
    columns = ("strategy", "hypervolume [95 %]", "front of all runs", "of the true front")
    return Table(name, caption, columns, rows, tuple(notes))


def front_records(fronts: Fronts) -> list[dict[str, object]]:
    """The points of a figure of fronts, objectives to be minimized, as a table names them and their unit.

    ``what``: the table's true front; the front of all runs of a strategy, what a quarter, half and three quarters of
    them attain, and their final answers.
    """
    sets = [("true front", "", fronts.true_front)]
    for strategy, found in fronts.strategies.items():
        sets.append(("front of all runs", strategy, found.front))
        sets += [(f"attained by {100 * level:g} %", strategy, points) for level, points in found.surfaces.items()]
        sets.append(("answers", strategy, found.answers))
    heads = [f"{name}_minimized" for name in fronts.objectives]
    return [
        {"what": what, "strategy": strategy, **dict(zip(heads, row, strict=True))}
        for what, strategy, points in sets
        for row in points[np.lexsort(points.T[::-1])].tolist()
    ]


def _members(front: Floats, true_front: Floats) -> int:
    there = {tuple(point) for point in true_front.tolist()}
    return len({tuple(point) for point in front.tolist()} & there)
