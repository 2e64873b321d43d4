"""nassim watch: the incumbents of a study moving as it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, console, print_json

FRAMES, PAUSE = 100, 0.1  # of a replay; seconds between two of them
LOOK = 0.5  # seconds between two looks at a study that runs


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a folder that nassim compare writes to")],
    once: Annotated[bool, typer.Option("--once", help="Show the present state and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Watch a study: incumbents move as runs finish; a finished study is replayed along simulated time."""
    from rich.live import Live

    from nassim.cli.race import Race

    race = Race(folder)
    race.look()
    if as_json:
        print_json(race.state())
        return
    out = console()
    if once or not out.is_terminal:
        out.print(race.frame())
        return
    try:
        with Live(race.frame(), console=out, auto_refresh=False) as live:
            while not race.complete:
                time.sleep(LOOK)
                if race.look():
                    live.update(race.frame(), refresh=True)
            for i in range(FRAMES + 1):
                live.update(race.frame(i / FRAMES), refresh=True)
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
