"""nassim reproduce: published figures beside this project's own."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.gallery import in_json, print_gallery
from nassim.cli.tables import Column, print_table, say
from nassim.errors import InvalidSetting, UnknownName
from nassim.gallery.results import family_claims, gallery, group_names
from nassim.gallery.row import Row
from nassim.names import unknown

if TYPE_CHECKING:
    from nassim.reproduction import Figure

TABLE_5, ORDERS, FAMILY = "nasbench201", "fewer-epochs", "darts-family"
COMPUTED = (TABLE_5, "published-rows", ORDERS, FAMILY)


def main(
    publication: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="nasbench201 (Table 5 of Dong & Yang 2020), published-rows, fewer-epochs, darts-family: computed now; "
            "any other name of --list: what was measured, and by which command.",
            autocompletion=lambda: group_names(),
        ),
    ] = "",
    listed: Annotated[bool, typer.Option("--list", help="All results in one table, with verdicts.")] = False,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Runs of each strategy, seeds 0, 1, ... Default: 500 (nasbench201), 50 (fewer-epochs)."
        ),
    ] = None,
    signal_noise: Annotated[
        float, typer.Option(min=0.0, help="Points (standard deviation) added to each accuracy that a search sees.")
    ] = 0.0,
    validation_share: Annotated[
        float, typer.Option(min=0.0, help="Of a training's seconds, charged for its validation pass.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Published results beside this project's own, with differences, standard errors, z and a verdict.

    With --list all of them; with a name that result again, computed now where that takes a minute or so.
    """
    if listed == bool(publication):
        raise InvalidSetting(f"give --list, or one of these names: {', '.join(group_names())}.")
    if publication and publication not in group_names():
        raise UnknownName(unknown("published result", publication, group_names()))
    if runs is not None and publication not in (TABLE_5, ORDERS):
        raise InvalidSetting(f"--runs is of {TABLE_5} and {ORDERS}: {publication or '--list'} runs no searches.")
    if (signal_noise or validation_share) and publication != TABLE_5:
        raise InvalidSetting(f"--signal-noise and --validation-share are of {TABLE_5}.")
    if publication == TABLE_5:
        _table_5(500 if runs is None else runs, signal_noise, validation_share, as_json)
        return
    found = gallery([publication] if publication else [])
    if publication in (ORDERS, FAMILY):
        found = [(group, _computed(publication, runs, as_json)) for group, _ in found]
    if as_json:
        print_json(in_json(found))
        return
    print_gallery(found, short=listed)
    if publication and publication not in COMPUTED:
        say("These were measured earlier: it takes longer than a minute or so.")


def _computed(name: str, runs: int | None, quiet: bool) -> list[Row]:
    """The rows of a group, measured now."""
    if name == FAMILY:
        from nassim.gallery.family import rows

        return rows(family_claims())
    from nassim.cli.progress import Bar
    from nassim.gallery.orders import SEEDS, fewer_epochs

    with Bar(console(stderr=True), quiet=quiet) as bar:
        return fewer_epochs(SEEDS if runs is None else runs, bar.update)


def _table_5(runs: int, signal_noise: float, validation_share: float, as_json: bool) -> None:
    """NAS-Bench-201's Table 5, run again."""
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
