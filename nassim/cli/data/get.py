"""nassim data get: fetch a released benchmark and make its table."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.data.find import Name, megabytes, recipe


def main(
    name: Name,
    mirror: Annotated[
        str, typer.Option(help="A URL or folder in place of raw.githubusercontent.com; also NASSIM_MIRROR.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Fetch released files at a fixed commit, check their sha256, and convert them; a broken fetch is continued."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    chosen = recipe(name)
    out = console(stderr=True)
    columns = (TextColumn(chosen.name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    start = time.perf_counter()
    try:
        with Progress(*columns, console=out, disable=as_json or not out.is_terminal) as bar:
            task = bar.add_task(chosen.name, total=chosen.size or None)
            path = chosen.get(mirror=mirror, progress=lambda here, _all: bar.update(task, completed=here))
    except KeyboardInterrupt:
        out.print("\nInterrupted: what has arrived is kept. The same command continues.")
        raise typer.Exit(130) from None
    seconds = time.perf_counter() - start
    if as_json:
        print_json({"name": chosen.name, "path": path, "bytes": chosen.bytes_here, "seconds": seconds})
    else:
        typer.echo(f"{chosen.name}: {path} ({megabytes(chosen.bytes_here)}, {seconds:.1f} s)")
        typer.echo(f"adds {chosen.adds}")
