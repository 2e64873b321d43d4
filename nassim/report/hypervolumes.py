"""The table of hypervolumes: how much of the true front the runs reach."""

from __future__ import annotations

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


def _members(front: Floats, true_front: Floats) -> int:
    there = {tuple(point) for point in true_front.tolist()}
    return len({tuple(point) for point in front.tolist()} & there)
