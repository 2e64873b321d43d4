"""nassim reproduce: published figures beside this project's own."""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import Json, console, print_json, print_table

if TYPE_CHECKING:
    from nassim.reproduction import Figure


class Publication(str, Enum):
    """What can be reproduced."""

    nasbench201 = "nasbench201"


def main(
    publication: Annotated[Publication, typer.Argument(help="nasbench201: Table 5 of Dong & Yang 2020")],
    runs: Annotated[int, typer.Option(min=1, help="Runs of each strategy: seeds 0, 1, ...")] = 500,
    as_json: Json = False,
) -> None:
    """Run a published comparison again and print its figures beside the published ones, with the differences."""
    from nassim.cli.progress import Bar
    from nassim.reproduction import NOTE, TOLERANCE, nasbench201

    with Bar(console(stderr=True), quiet=as_json) as bar:
        figures = nasbench201(runs, bar.update)
    if as_json:
        print_json([{**f._asdict(), "difference": f.difference, "holds": f.holds} for f in figures])
        return
    typer.echo(
        f"NAS-Bench-201, Table 5: {runs} runs of each search on cifar10's 12-epoch validation accuracy, 12000 s.\n"
        "Accuracies in percent, means over the repeats after 200 epochs of the cells found (mean ± std over runs); "
        "a star marks a difference above the tolerance.\n"
    )
    groups = groupby(figures, key=lambda figure: (figure.method, figure.task))
    heads = ["validation", "published", "diff.", "test", "published", "diff."]
    print_table(["", "queries", "data set", *heads], [_row(list(group)) for _, group in groups])
    missed = [figure for figure in figures if not figure.holds]
    tolerances = ", ".join(f"{value} on {task}" for task, value in TOLERANCE.items())
    typer.echo(f"\nTolerance in percentage points: {tolerances}; single cells to the last digit.")
    typer.echo(f"{len(figures) - len(missed)} of {len(figures)} figures hold.")
    for f in missed:
        typer.echo(f"missed: {f.method}, {f.task} {f.split}: {f.mean:.2f}, published {f.published:.2f}")
    typer.echo(NOTE)


def _row(figures: list[Figure]) -> list[object]:
    """The line of one method and data set: both splits."""
    first = figures[0]
    row: list[object] = [first.method, f"{first.queries:.0f}" if first.queries else "", first.task]
    for f in figures:
        searched = bool(f.published_spread)
        row += [
            f"{f.mean:.2f} ± {f.spread:.2f}" if searched else f"{f.mean:.2f}",
            f"{f.published:.2f} ± {f.published_spread:.2f}" if searched else f"{f.published:.2f}",
            f"{round(f.difference, 2) + 0.0:+.2f}{'' if f.holds else ' *'}",
        ]
    return row
