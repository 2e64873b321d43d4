"""The tables of `nassim reproduce`: what was published beside what came out here, a table a group."""

from __future__ import annotations

from collections.abc import Sequence

from nassim.cli.tables import Column, print_table, say
from nassim.gallery.row import Group, Row, counted

COLUMNS = (
    "result",
    Column("published", least=9),
    Column("here", least=6),
    Column("s.e.", drop=1, least=6),
    Column("z", least=4),
    Column("verdict", least=11),
)
WORDS = (
    "What was published, and what came out here. s.e.: standard error of our number (of a 95 % interval its width "
    "over 3.92); z: how many of those it lies from the published number or threshold. Each group says its protocol and "
    "the rule of its verdicts, docs/PAGE holds the numbers, the command measures them again. docs/strategies.md has "
    "the same by strategy."
)


def print_gallery(found: Sequence[tuple[Group, Sequence[Row]]], *, short: bool) -> None:
    """All groups with their rows; ``short``: notes only where there is nothing else to read."""
    if len(found) > 1:
        say(WORDS)
    for group, rows in found:
        say(f"\n{group.title}", style="bold")
        say(f"{group.paper}. {group.protocol}.{f' Numbers in {group.unit}.' if group.unit else ''}")
        print_table(COLUMNS, [_line(row) for row in rows])
        for row in rows:
            if row.note and (not short or row.here is None):
                say(f"- {row.name}: {row.note}")
        say(f"{counted(rows)}. docs/{group.page}; measured by: {group.command}")
    if len(found) > 1:
        say(f"\nOf {sum(len(rows) for _, rows in found)}: {counted(row for _, rows in found for row in rows)}.")


def in_json(found: Sequence[tuple[Group, Sequence[Row]]]) -> list[dict[str, object]]:
    """The same as data: a row with its group's fields."""
    return [{**group._asdict(), "group": group.name, **row._asdict()} for group, rows in found for row in rows]


def _line(row: Row) -> list[object]:
    return [row.name, row.published, _number(row.here), _number(row.error), _z(row.z), row.verdict]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.{2 if abs(value) >= 10 else 3}f}"


def _z(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1f}"
