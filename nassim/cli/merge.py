"""nassim merge: studies of other seeds as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.tables import say


def main(
    folders: Annotated[list[Path], typer.Argument(metavar="A B ...", help="Folders that nassim compare wrote.")],
    out: Annotated[Path, typer.Option(help="The folder of the study of all their runs.")],
    with_report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html, report.md and tables/*.tex too.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Merge studies that were made with the same settings and other seeds (compare --seeds 0-499, 500-999).

    The result is the study that one command had made, byte for byte in its tables.
    """
    from nassim.cli.results import print_summary, write_results
    from nassim.merging import merge
    from nassim.report.write import write_report

    study = merge(folders, out)
    written = write_results(study, out)
    if with_report:
        written += write_report(study, out, figures=False)
    if as_json:
        print_json({"out": out, "runs": len(study.runs), "files": written})
    else:
        print_summary(study)
        say(f"\n{len(study.runs)} runs of {len(folders)} studies lie in {out}.")
    study.close()
