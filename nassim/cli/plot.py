"""nassim plot: draw a study's figures again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a folder made by nassim compare")],
    to: Annotated[Path | None, typer.Option(help="Where to; default DIR.")] = None,
    as_json: Json = False,
) -> None:
    """Write the tables and figures of a study again, also of one that is still running."""
    from nassim.cli.results import print_summary, write_results
    from nassim.study import Study

    study = Study.open(folder)
    written = write_results(study, folder, to)
    if as_json:
        print_json({"files": written, "complete": study.complete})
    else:
        print_summary(study)
        typer.echo("\nwritten: " + "\n         ".join(map(str, written)))
    study.close()
