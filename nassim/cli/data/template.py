"""nassim data template: the specification of a table of your own, to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nassim.cli.console import console
from nassim.errors import InvalidSetting
from nassim.files import put_in_place


def main(
    results: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RESULTS]", help="your results (CSV, JSON, Parquet): its columns are guessed from them"
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Where to write what was guessed; - prints it. Default: RESULTS with .toml at its end, here."
        ),
    ] = None,
) -> None:
    """Print a commented specification for `nassim data import`, or write the one that your results look like."""
    if results is None:
        from nassim.tabular_data.recipes.csv_template import TEMPLATE

        if to is not None:
            raise InvalidSetting("--to is for what was guessed from a file: `nassim data template mine.csv --to FILE`.")
        typer.echo(TEMPLATE, nl=False)
        return
    from nassim.tabular_data.recipes.csv_guess import guess

    target = to or Path(f"{results.name.partition('.')[0]}.toml")
    if str(target) != "-" and target.exists():
        raise InvalidSetting(f"{target} is there already: name another file with --to, or move it away.")
    guessed = guess(results)
    for sentence in guessed.unsure:
        console(stderr=True).print(f"unsure: {escape(sentence)}", highlight=False)
    if str(target) == "-":
        typer.echo(guessed.text, nl=False)
        return
    with put_in_place(target) as file:
        file.write(guessed.text.encode())
    typer.echo(f"written: {target}")
    typer.echo(f"read it, then:\n    nassim data import {target.stem} {results} --spec {target}")
