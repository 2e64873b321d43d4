"""nassim plot: draw a study's figures again, also at the width of a paper's column."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.shipped import StudyArgument
from nassim.errors import InvalidSetting


def main(
    folder: StudyArgument,
    to: Annotated[Path | None, typer.Option(help="Where to; default DIR.")] = None,
    style: Annotated[
        str,
        typer.Option(help="screen; paper: figures and tables for print, in DIR/paper.", metavar="screen|paper"),
    ] = "screen",
    width: Annotated[
        str, typer.Option(help="Of a figure of paper style, in in, cm, mm or TeX's pt; default 3.3in.", metavar="WIDTH")
    ] = "",
    algos: Annotated[
        str, typer.Option(help="The strategies of a figure of paper style, in their order; default all.")
    ] = "",
    names: Annotated[
        list[str] | None,
        typer.Option(help="What strategies are called in print: 're=Regularized evolution'.", metavar="STRATEGY=NAME"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the tables and figures of a study again, also of one that is still running."""
    from nassim.cli.results import print_summary, write_results
    from nassim.study import Study

    if style not in ("screen", "paper"):
        raise InvalidSetting(f"--style {style!r:.40}: there are screen and paper.")
    if style == "screen" and (width or algos or names):
        given = "--width" if width else "--algos" if algos else "--names"
        raise InvalidSetting(f"{given} is of figures for a paper: add --style paper.")
    with closing(Study.open(folder)) as study:
        if style == "paper":
            from nassim.paper import choose, write_paper
            from nassim.paper.choice import WIDTH

            chosen = choose(study, width=width or WIDTH, algos=algos, names=names or ())
            written = write_paper(study, to or folder, chosen)
        else:
            written = write_results(study, folder, to)
        if as_json:
            print_json({"files": written, "complete": study.complete})
        else:
            if style == "screen":
                print_summary(study)
            typer.echo("\nwritten: " + "\n         ".join(map(str, written)))
