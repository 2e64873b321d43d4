"""nassim data build: train the table nasbench201/digits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.errors import UnknownName

if TYPE_CHECKING:
    from nassim.full_training.tables.builder import Progress

NAME = "nasbench201/digits"


def main(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{NAME}: the table that nassim trains itself")],
    out: Annotated[Path, typer.Option(help="Folder of the shards and of the table.")] = Path("results/digits-build"),
    jobs: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 1,
    limit: Annotated[int | None, typer.Option(min=0, help="Train at most so many shards now.")] = None,
    as_json: Json = False,
) -> None:
    """Train every class of equivalent cells under three seeds; interrupted or copied elsewhere, it goes on."""
    from nassim.full_training.tables.digits import assemble
    from nassim.full_training.training.device import require_torch

    if name != NAME:
        raise UnknownName(f"{name!r} is not built here but got: `nassim data get {name}`. Built is {NAME}.")
    require_torch("building the table")
    from nassim.full_training.tables.builder import build

    out = out.expanduser()
    err = console(stderr=True)

    def tell(progress: Progress) -> None:
        minutes = round(progress.seconds_left / 60) if progress.seconds_left >= 0 else None
        left = "?" if minutes is None else f"{minutes // 60} h {minutes % 60:02} min"
        done, of = progress.trainings, progress.of_trainings
        err.print(f"{time.strftime('%H:%M:%S')} {done:,} of {of:,} trainings; left at this pace: {left}")

    try:
        build(out / "shards", jobs=jobs, limit=limit, tell=tell)
    except KeyboardInterrupt:
        err.print("\nInterrupted: finished shards are kept. The same command goes on.")
        raise typer.Exit(130) from None
    target = out / "nasbench201-digits.h5"
    header = assemble(out / "shards", target)
    if as_json:
        print_json({"table": target, "bytes": target.stat().st_size, "notes": header.errata})
    else:
        typer.echo(f"{target} ({target.stat().st_size / 1e3:,.0f} kB)")
        typer.echo("\n".join(header.errata))
