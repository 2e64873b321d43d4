"""A progress bar over the runs of a study."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nassim.cli.log import LOG


class Bar:
    """Runs finished, time spent and time left; silent where there is no terminal."""

    def __init__(self, out: Console, *, quiet: bool) -> None:
        columns = (
            TextColumn("runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=out, disable=quiet or not out.is_terminal)
        self._task = self._progress.add_task("runs", total=None)
        self.done, self.total = 0, 0

    def update(self, done: int, total: int) -> None:
        """``done`` of ``total`` runs are finished."""
        if done > self.done:
            LOG.info("%d of %d runs have finished", done, total)
        self.done, self.total = done, total
        self._progress.update(self._task, completed=done, total=total)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
