"""nassim reproduce: published figures beside this project's own."""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.tables import Column, print_table, say

if TYPE_CHECKING:
    from nassim.reproduction import Figure


class Publication(str, Enum):
    """What can be reproduced."""

    nasbench201 = "nasbench201"


def main(
    publication: Annotated[Publication, typer.Argument(help="nasbench201: Table 5 of Dong & Yang 2020")],
    runs: Annotated[int, typer.Option(min=1, help="Runs of each strategy: seeds 0, 1, ...")] = 500,
    signal_noise: Annotated[
        float, typer.Option(min=0.0, help="Points (standard deviation) added to each accuracy that a search sees.")
    ] = 0.0,
    validation_share: Annotated[
        float, typer.Option(min=0.0, help="Of a training's seconds, charged for its validation pass.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Run a published comparison again and print its figures beside the published ones, with differences and z."""
    from nassim.cli.progress import Bar
    from nassim.reproduction import EXPLANATION, LIMIT, NOTE, SAMPLE_SIZES, judgment, nasbench201

    with Bar(console(stderr=True), quiet=as_json) as bar:
        figures = nasbench201(runs, bar.update, signal_noise=signal_noise, validation_share=validation_share)
    if as_json:
        print_json([{**f._asdict(), "difference": f.difference, "z": f.z, "agrees": f.agrees} for f in figures])
        return
    say(
        f"NAS-Bench-201, Table 5: {runs} runs of each search on cifar10's 12-epoch validation accuracy, 12000 s.\n"
        "Accuracies in percent, means over the repeats after 200 epochs of the cells found (mean ± std over runs). "
        f"z: the difference in its standard errors (published: 500 runs); a star marks more than {LIMIT:g}.\n"
    )
    if signal_noise or validation_share:
        say(
            f"Simulated: {signal_noise:g} points of noise on the signal, {validation_share:g} of a training's "
            "seconds charged for validation.\n"
        )
    groups = groupby(figures, key=lambda figure: (figure.method, figure.task))
    heads = ["validation", "published", "diff. (z)", "test", "published", "diff. (z)"]
    print_table(["method", Column("queries", drop=1), "data set", *heads], [_row(list(group)) for _, group in groups])
    say("")
    for line in judgment(figures):
        say(line)
    for f in figures:
        if not f.published_spread and not f.agrees:
            say(f"missed: {f.method}, {f.task} {f.split}: {f.mean:.2f}, published {f.published:.2f}")
    say(f"{NOTE}\n{EXPLANATION}\n{SAMPLE_SIZES}")


def _row(figures: list[Figure]) -> list[object]:
    """The line of one method and data set: both splits."""
    first = figures[0]
    row: list[object] = [
        first.method.removeprefix("regularized "),
        f"{first.queries:.0f}" if first.queries else "",
        first.task,
    ]
    for f in figures:
        searched = bool(f.published_spread)
        row += [
            f"{f.mean:.2f} ± {f.spread:.2f}" if searched else f"{f.mean:.2f}",
            f"{f.published:.2f} ± {f.published_spread:.2f}" if searched else f"{f.published:.2f}",
            f"{round(f.difference, 2) + 0.0:+.2f}"
            + ("" if f.z is None else f" ({round(f.z, 1) + 0.0:+.1f})")
            + " *" * (not f.agrees),
        ]
    return row
