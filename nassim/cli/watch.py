"""nassim watch: the incumbents of a study moving as it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from nassim.cli.console import Json, console, print_json
from nassim.cli.doing import workers
from nassim.cli.tables import say

if TYPE_CHECKING:
    from nassim.cli.race import Race

FRAMES, PAUSE = 100, 0.1  # of a replay; seconds between two of them
LOOK = 0.5  # seconds between two looks at a study that runs
MOST_WORKERS = 16  # that are shown
DEAD = 3  # looks in a row at which nobody writes it


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a folder that nassim compare writes to")],
    once: Annotated[bool, typer.Option("--once", help="Show the present state and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Watch a study: incumbents move as runs finish; a finished study is replayed along simulated time.

    It ends by itself when the process that wrote the study has been killed or interrupted.
    """
    from rich.console import Group
    from rich.live import Live

    from nassim.cli.race import Race

    race = Race(folder)
    race.look()
    if as_json:
        doing = [{"does": what, "seconds": since} for what, since in workers(folder)] if race.running else []
        print_json({**race.state(), "workers": doing})
        return
    out = console()
    if once or not out.is_terminal:
        out.print(race.frame())
        for line in _at_work(folder, race):
            out.print(line, soft_wrap=True)
        if not race.complete and not race.running:
            _say_dead(race)
        return
    try:
        with Live(race.frame(), console=out, auto_refresh=False) as live:
            quiet = 0
            while not race.complete and quiet < DEAD:
                time.sleep(LOOK)
                quiet = 0 if race.running else quiet + 1  # looked at before the runs: those of the last moment count
                race.look()
                live.update(Group(race.frame(), *_at_work(folder, race)), refresh=True)
            for i in range(FRAMES + 1) if race.complete else ():
                live.update(race.frame(i / FRAMES), refresh=True)
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not race.complete:
        _say_dead(race)


def _at_work(folder: Path, race: Race) -> list[Text]:
    """A line for each worker of a study that is being made."""
    found = workers(folder) if race.running and not race.complete else []
    lines = [Text(f"worker {k}: {since:,.0f} s on {what}") for k, (what, since) in enumerate(found[:MOST_WORKERS])]
    return lines + [Text(f"and {len(found) - MOST_WORKERS} more workers")] * (len(found) > MOST_WORKERS)


def _say_dead(race: Race) -> None:
    say(
        f"nobody writes this study any more: {race.done} of {race.total} runs have finished. "
        "The command that made it continues it."
    )
