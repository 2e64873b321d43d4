"""A progress bar over the runs of a study, or the trials of a run, and what each worker does."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from nassim.cli.log import LOG

MOST = 16  # workers that are shown


class Bar:
    """What is finished, time spent and time left, and a line a worker; silent where there is no terminal."""

    def __init__(self, out: Console, *, quiet: bool, what: str = "runs") -> None:
        columns: list[ProgressColumn] = [TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        self._what = what
        self._doing: dict[str, float] = {}  # what a worker has -> since when
        self.done, self.total = 0, 0
        self._progress = Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=out)
        self._task = self._progress.add_task(what, total=None)
        self._live = Live(get_renderable=self._lines, console=out, transient=False, refresh_per_second=4)
        self._shown = not quiet and out.is_terminal

    def update(self, done: int, total: int) -> None:
        """``done`` of ``total`` are finished."""
        if done > self.done:
            LOG.info("%d of %d %s have finished", done, total, self._what)
        self.done, self.total = done, total
        self._progress.update(self._task, completed=done, total=total)

    def at_work(self, doing: Sequence[str]) -> None:
        """What each worker does from now on."""
        now = monotonic()
        self._doing = {what: self._doing.get(what, now) for what in doing}

    def _lines(self) -> RenderableType:
        now, doing = monotonic(), list(self._doing.items())
        lines = [
            Text(f"  {k}  {now - since:4.0f} s  {what}", no_wrap=True, overflow="ellipsis")
            for k, (what, since) in enumerate(doing[:MOST])
        ]
        if len(doing) > MOST:
            lines.append(Text(f"  and {len(doing) - MOST} more workers"))
        return Group(self._progress, *(lines if self.done < self.total or not self.total else []))

    def __enter__(self) -> Bar:
        if self._shown:
            self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._live.stop()
