"""A study as a race on the terminal: one line a strategy, which moves as runs finish or time passes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.text import Text

from nassim.cli.console import duration
from nassim.cli.log import LOG
from nassim.cli.tables import wrapped
from nassim.files import is_written
from nassim.report.follow import Follower
from nassim.report.runs import Part
from nassim.stats import Curve, log_times, summarize, values_at
from nassim.stats.samples import Floats
from nassim.study import FILE

SPARKS = "▁▂▃▄▅▆▇█"
COLORS = ("white", "blue", "dark_orange", "green", "magenta", "cyan", "yellow", "bright_white")
WIDTH, NARROW, POINTS = 24, 12, 26  # of a bar, of one where there is little room, and of a line of sparks
PAUSE = 0.4  # seconds between two frames of a comparison that runs


class Race:
    """The strategies of a study against each other, as far as their runs have finished."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._follower = Follower(folder)
        self._parts: list[tuple[Part, dict[str, list[Curve]]]] = []

    @property
    def done(self) -> int:
        """The runs that have finished."""
        return self._follower.done

    @property
    def total(self) -> int:
        """The runs that were asked for."""
        return self._follower.total

    @property
    def complete(self) -> bool:
        """Whether all runs are there."""
        return self.done >= self.total

    @property
    def running(self) -> bool:
        """Whether a process writes the study."""
        return is_written(self._file)

    def look(self) -> bool:
        """Read what is new; whether there was anything."""
        if not self._follower.refresh():
            return False
        parts = [Part(self._follower, name) for name in self._follower.facts]
        self._parts = [(part, part.curves("seconds", part.split)) for part in parts if part.runs]
        return True

    def counts(self) -> dict[str, tuple[int, int | None]]:
        """The finished runs on each benchmark, and how many were asked for there; None where a study does not say."""
        settings, names = self._follower.settings, list(self._follower.facts)
        pairs = [(name, title) for title, on in settings["strategies"].items() for name in on]
        shared = [(name, title) for name, title in pairs if f"{title} on {name}" in settings["one_shot"]]
        known = dict.fromkeys(names, 0)
        for pair in pairs:
            known[pair[0]] += settings["seeds"] * (pair not in shared)
        where = {name for name, _ in shared}  # as many runs there as were recorded, or as were asked for
        rest = self.total - sum(known.values())
        wanted = {name: n if name not in where else n + rest if len(where) == 1 else None for name, n in known.items()}
        strategies = self._follower.strategies
        return {name: (sum(len(self._follower.of(name, s)) for s in strategies), wanted[name]) for name in names}

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
        counts = {name: {"runs": done, "of": of} for name, (done, of) in self.counts().items()}
        whole = {"runs": self.done, "of": self.total, "running": self.running}
        return {**whole, "benchmarks": counts, "strategies": rows}

    def frame(self, share: float = 1.0) -> RenderableType:
        """The race as tables, one a benchmark; ``share`` of the (logarithmic) simulated time has passed."""
        return _Frame(self, share)

    def lines(self, share: float, width: int) -> Iterator[Text]:
        """The lines of a frame, none of which is longer than so many characters."""
        if not self._parts:
            yield Text(f"{self.done} of {self.total} runs finished: nothing to show yet.")
            return
        if len(self._follower.facts) > 1:
            yield Text(f"{self.done} of {self.total} runs have finished.")
        for part, curves in self._parts:
            yield from self._table(part, curves, share, width)

    def _table(self, part: Part, curves: dict[str, list[Curve]], share: float, width: int) -> Iterator[Text]:
        every = [curve for group in curves.values() for curve in group]
        at = log_times(every, POINTS)
        now = float(at[0] * (at[-1] / at[0]) ** share) if at.size and share < 1 else math.inf
        after = duration(now) if part.clock.unit == "s" else f"{now:,.0f} {part.clock.unit}"
        unit = f" in {part.metric.regret_words}" if part.metric.regret_words else ""
        best, worst = part.floor, float(f"1e{part.exponent + 4}")  # the ends of a bar
        clock = f"after {after}" if now < math.inf else "at the end of each run"
        done, of = self.counts()[part.name]
        title = f"{part.name}: {done} of {of} runs" if of is not None else f"{part.name}: {done} runs"
        yield from (Text(line, style="bold") for line in wrapped(title, width))
        yield from (Text(line) for line in wrapped(f"{part.regret_name}{unit} {clock}", width))

        names = self._follower.strategies
        incumbents = {name: self._incumbent(part, name, now).partition(":")[2] for name in curves}
        medians = {name: summarize(_values(group, now)).median for name, group in curves.items()}
        shown = {name: part.metric.regret_text(m) if math.isfinite(m) else "–" for name, m in medians.items()}
        ends = f"{worst:g} → {best:g}"
        number = max(7, *map(cell_len, shown.values()))
        name_size = max(8, *map(cell_len, names))
        apart = name_size + 2 + 5 + 2 + number > width  # a name has its own line
        used = (4 if apart else name_size + 2) + 5 + 2 + number
        sizes = _sizes(width - used, len(ends), max(map(cell_len, incumbents.values()), default=0))
        heads = ("an incumbent",) if sizes[2] else ()
        head = [text.ljust(size) for text, size in zip((ends, "so far"), sizes[:2], strict=True) if size]

        def line(name: str, runs: str, median: str, *rest: str, color: str = "") -> Iterator[Text]:
            """A row: name and pictures in the color of the strategy."""
            begin = Text(" " * 4) if apart else Text(name + " " * (name_size + 2 - cell_len(name)), style=color)
            if apart:
                yield from (Text(piece, style=color) for piece in wrapped(name, width))
            yield Text.assemble(begin, f"{runs:>5}  {median:>{number}}", *(("  " + text, color) for text in rest))

        for text in line("strategy", "runs", "median", *head, *heads):
            text.stylize("bold")
            yield text
        for i, name in enumerate(names):
            color = COLORS[i % len(COLORS)]
            if name not in curves:
                yield from line(name, "0", "–", color=color)
                continue
            pictures = []
            if sizes[0]:
                pictures.append(_bar(medians[name], best, worst, sizes[0]))
            if sizes[1]:
                pictures.append(_sparks(curves[name], at, now, best, worst).ljust(POINTS))
            pictures += [incumbents[name]] if sizes[2] else []
            yield from line(name, str(len(part.runs[name])), shown[name], *pictures, color=color)

    def _incumbent(self, part: Part, strategy: str, now: float) -> str:
        """What the run that finished last held to be the best at a time."""
        points = [p for p in self._follower.last[part.name, strategy].curve if p.seconds <= now]
        return points[-1].architecture if points else ""


class _Frame:
    """A frame of a race, as wide as where it is shown."""

    def __init__(self, race: Race, share: float) -> None:
        self._race, self._share = race, share

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in self._race.lines(self._share, options.max_width):
            line.no_wrap = True
            yield line


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
        if done > self.done:
            LOG.info("%d of %d runs have finished", done, total)
        self.done, self.total = done, total
        if monotonic() - self._shown < PAUSE and done < total:
            return
        self._race = self._race or Race(self._folder)
        self._race.look()
        self._live.update(self._race.frame(), refresh=True)
        self._shown = monotonic()

    def at_work(self, doing: Sequence[str]) -> None:
        """What each worker does: a race shows what has finished."""

    def __enter__(self) -> LiveRace:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def _values(group: list[Curve], now: float) -> Floats:
    return values_at(group, [now])[:, 0]


def _sizes(room: int, ends: int, incumbent: int) -> tuple[int, int, int]:
    """The characters of bars, sparks and incumbents where so many are left; 0: left out."""
    narrow = max(NARROW, ends)
    for sizes in ((WIDTH, POINTS, max(12, incumbent)), (WIDTH, POINTS, 0), (narrow, POINTS, 0), (narrow, 0, 0)):
        if sum(size + 2 for size in sizes if size) <= room:
            return sizes
    return 0, 0, 0


def _bar(regret: float, best: float, worst: float, size: int) -> str:
    """The way from the worst regret to the best, on a logarithmic line; empty without an answer."""
    if not math.isfinite(regret):
        return "·" * size
    way = math.log(worst / max(regret, best)) / math.log(worst / best)
    filled = max(0, min(size, round(way * size)))
    return "━" * filled + "·" * (size - filled)


def _sparks(group: list[Curve], at: Floats, now: float, best: float, worst: float) -> str:
    """The median regret over logarithmic time: high is bad."""
    text = ""
    for column in values_at(group, at[at <= now]).T:
        median = summarize(column).median
        height = math.log(max(median, best) / best) / math.log(worst / best) if math.isfinite(median) else 1.0
        text += SPARKS[max(0, min(len(SPARKS) - 1, round(height * (len(SPARKS) - 1))))]
    return text
