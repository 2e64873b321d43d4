"""A study as a race on the terminal: one line a strategy, which moves as runs finish or time passes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nassim.cli.console import duration
from nassim.report.follow import Follower
from nassim.report.runs import Part
from nassim.stats import Curve, log_times, summarize, values_at
from nassim.stats.samples import Floats

SPARKS = "▁▂▃▄▅▆▇█"
COLORS = ("white", "blue", "dark_orange", "green", "magenta", "cyan", "yellow", "bright_white")
WIDTH, POINTS = 24, 26  # of a bar and of a line of sparks
PAUSE = 0.4  # seconds between two frames of a comparison that runs


class Race:
    """The strategies of a study against each other, as far as their runs have finished."""

    def __init__(self, folder: Path) -> None:
        self._follower = Follower(folder)
        self._parts: list[tuple[Part, dict[str, list[Curve]]]] = []

    @property
    def complete(self) -> bool:
        """Whether all runs are there."""
        return self._follower.done >= self._follower.total

    def look(self) -> bool:
        """Read what is new; whether there was anything."""
        if not self._follower.refresh():
            return False
        parts = [Part(self._follower, name) for name in self._follower.facts]
        self._parts = [(part, part.curves("seconds", part.split)) for part in parts if part.runs]
        return True

    def state(self) -> dict[str, object]:
        """The present state in plain values; regret in the unit that stands in its name."""
        rows = [
            {
                "benchmark": part.name,
                "strategy": strategy,
                "runs": len(part.runs[strategy]),
                "regret_split": part.split,
                part.metric.regret_column("regret", "median"): summarize(_values(group, math.inf)).median,
                "last_incumbent": self._incumbent(part, strategy, math.inf),
            }
            for part, curves in self._parts
            for strategy, group in curves.items()
        ]
        return {"runs": self._follower.done, "of": self._follower.total, "strategies": rows}

    def frame(self, share: float = 1.0) -> RenderableType:
        """The race as tables, one a benchmark; ``share`` of the (logarithmic) simulated time has passed."""
        done, total = self._follower.done, self._follower.total
        if not self._parts:
            return Text(f"{done} of {total} runs finished: nothing to show yet.")
        return Group(*(line for part, curves in self._parts for line in self._table(part, curves, share)))

    def _table(self, part: Part, curves: dict[str, list[Curve]], share: float) -> Iterator[RenderableType]:
        every = [curve for group in curves.values() for curve in group]
        at = log_times(every, POINTS)
        now = float(at[0] * (at[-1] / at[0]) ** share) if at.size and share < 1 else math.inf
        after = duration(now) if part.clock.unit == "s" else f"{now:,.0f} {part.clock.unit}"
        unit = f" in {part.metric.regret_words}" if part.metric.regret_words else ""
        best, worst = part.floor, float(f"1e{part.exponent + 4}")  # the ends of a bar
        clock = f"after {after}" if now < math.inf else "at the end of each run"
        done = f"{self._follower.done} of {self._follower.total} runs"
        title = Text.assemble((part.name, "bold"), f": {done}, {part.regret_name}{unit} {clock}")
        title.no_wrap = True
        yield title
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("strategy", no_wrap=True)
        for name in ("runs", "median"):
            table.add_column(name, justify="right", min_width=7, no_wrap=True)
        table.add_column(f"{worst:g} → {best:g}", no_wrap=True)
        table.add_column("so far", min_width=POINTS, no_wrap=True)
        table.add_column("an incumbent", overflow="ellipsis", no_wrap=True)
        for i, strategy in enumerate(self._follower.strategies):
            if strategy not in curves:
                table.add_row(strategy, "0", "–", "", "", "")
                continue
            median = summarize(_values(curves[strategy], now)).median
            color = COLORS[i % len(COLORS)]
            table.add_row(
                Text(strategy, style=color),
                str(len(part.runs[strategy])),
                part.metric.regret_text(median) if math.isfinite(median) else "–",
                Text(_bar(median, best, worst), style=color),
                Text(_sparks(curves[strategy], at, now, best, worst), style=color),
                self._incumbent(part, strategy, now).partition(":")[2],
            )
        yield table

    def _incumbent(self, part: Part, strategy: str, now: float) -> str:
        """What the run that finished last held to be the best at a time."""
        points = [p for p in self._follower.last[part.name, strategy].curve if p.seconds <= now]
        return points[-1].architecture if points else ""


class LiveRace:
    """A race beside a comparison that runs in this process, in place of a progress bar."""

    def __init__(self, folder: Path, out: Console) -> None:
        self.done, self.total = 0, 0
        self._folder = folder
        self._race: Race | None = None
        self._live = Live(console=out, auto_refresh=False)
        self._shown = 0.0

    def update(self, done: int, total: int) -> None:
        """``done`` of ``total`` runs are finished and in the study's file."""
        self.done, self.total = done, total
        if monotonic() - self._shown < PAUSE and done < total:
            return
        self._race = self._race or Race(self._folder)
        self._race.look()
        self._live.update(self._race.frame(), refresh=True)
        self._shown = monotonic()

    def __enter__(self) -> LiveRace:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def _values(group: list[Curve], now: float) -> Floats:
    return values_at(group, [now])[:, 0]


def _bar(regret: float, best: float, worst: float) -> str:
    """The way from the worst regret to the best, on a logarithmic line; empty without an answer."""
    if not math.isfinite(regret):
        return "·" * WIDTH
    way = math.log(worst / max(regret, best)) / math.log(worst / best)
    filled = max(0, min(WIDTH, round(way * WIDTH)))
    return "━" * filled + "·" * (WIDTH - filled)


def _sparks(group: list[Curve], at: Floats, now: float, best: float, worst: float) -> str:
    """The median regret over logarithmic time: high is bad."""
    text = ""
    for column in values_at(group, at[at <= now]).T:
        median = summarize(column).median
        height = math.log(max(median, best) / best) / math.log(worst / best) if math.isfinite(median) else 1.0
        text += SPARKS[max(0, min(len(SPARKS) - 1, round(height * (len(SPARKS) - 1))))]
    return text
