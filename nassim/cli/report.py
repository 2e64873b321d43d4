"""nassim report: the interactive page, the text, and tables and figures for papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import Json, ObjectivesOption, print_json
from nassim.cli.shipped import StudyArgument
from nassim.cli.tables import print_table, say
from nassim.objectives import keys_of

if TYPE_CHECKING:
    from nassim.report.changes import Changes

AgainstOption = Annotated[
    Path | None, typer.Option("--against", metavar="OLD_DIR", help="An older study: say what changed, with a test.")
]


def main(
    folder: StudyArgument,
    objectives: ObjectivesOption = "",
    against: AgainstOption = None,
    to: Annotated[Path | None, typer.Option(help="Where to; default DIR.")] = None,
    as_json: Json = False,
) -> None:
    """Write report.html, report.md, tables/*.tex and figures/ of a study, also of one that is still running."""
    from nassim.report.changes import changes_since
    from nassim.report.content import content_of
    from nassim.report.write import write_content
    from nassim.store import Store
    from nassim.study import FILE, Study

    study = Study(Store.open(folder / FILE))  # not Study.open: a report can say that no run has finished
    changes = None if against is None else changes_since(study, against)
    to = to or folder
    sought = keys_of(objectives or study.settings.get("objectives", ""))
    written = write_content(content_of(study, folder, sought, changes), to, figures=True)
    study.close()
    if as_json:
        found = {} if changes is None else {"changes": changes_in_json(changes)}
        print_json({"files": written, "complete": study.complete, **found})
    else:
        typer.echo(f"written: {written[0]}\n         {written[1]}")
        for kind in ("tables", "figures", "fronts"):
            count = sum(path.parent.name == kind for path in written)
            typer.echo(f"         {to / kind}/ ({count} file{'s' * (count != 1)})")
        say(f"`nassim open {folder}` shows it." if to == folder else f"{written[0]} shows it in a browser.")
        if changes is not None:
            print_changes(changes)


def print_changes(changes: Changes) -> None:
    """The changes since an older study, as a table and in a sentence."""
    from nassim.report.changes import changes_table

    table = changes_table(changes)
    say(f"\n{table.caption}")
    if table.rows:
        print_table(table.columns, [[entry.text for entry in line] for line in table.rows])
    say("\n".join([table.why, *table.notes, changes.sentence]).strip())


def changes_in_json(changes: Changes) -> list[dict[str, object]]:
    """The changes as plain values; regret in the unit that stands in the names, new less old."""
    rows: list[dict[str, object]] = []
    for change in changes.found:
        column, difference = changes.metrics[change.benchmark].regret_column, change.difference.value
        rows.append(
            {
                "benchmark": change.benchmark,
                "strategy": change.strategy,
                "verdict": change.verdict,
                "why": change.why,
                column("regret", "iqm", "old"): change.old.iqm,
                column("regret", "iqm", "new"): change.new.iqm,
                column("difference"): None if difference is None else difference._asdict(),
                "p_holm": change.p_holm,
            }
        )
    return rows
