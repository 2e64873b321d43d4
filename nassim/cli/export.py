"""nassim export: a study's runs, trials and incumbents as plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.shipped import StudyArgument


def main(
    folder: StudyArgument,
    to: Annotated[Path | None, typer.Option(help="Where to; default DIR/export.")] = None,
    as_json: Json = False,
) -> None:
    """Write runs.csv, trials.csv and incumbents.csv: every value that the study holds, in full precision."""
    from nassim.study import Study
    from nassim.summary import export_tables, write_csv

    study = Study.open(folder)
    written = [
        write_csv((to or folder / "export") / f"{name}.csv", rows) for name, rows in export_tables(study).items()
    ]
    study.close()
    if as_json:
        print_json({"files": written})
    else:
        typer.echo("written: " + "\n         ".join(map(str, written)))
