"""Simulated time: what may be spent, and an event queue over workers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Generic, NamedTuple, TypeVar

from nassim.errors import InvalidSetting, ProtocolError
from nassim.query import make

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"((?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(q|ep|s|min|m|h|d)", re.ASCII)
_LONGEST = 200  # characters of a budget: a text that is longer is none


@dataclass(frozen=True)
class Budget:
    """What a run may spend; the first limit that is reached ends it.

    ``seconds`` of simulated time on the clock, ``queries`` started, ``epochs`` trained in sum.
    """

    seconds: float = math.inf
    queries: int | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        limits = [self.queries, self.epochs, None if self.seconds == math.inf else self.seconds]
        if all(limit is None for limit in limits):
            raise InvalidSetting("a budget needs a limit: seconds, queries or epochs.")
        if any(limit is not None and not 0 < limit < math.inf for limit in limits):
            raise InvalidSetting(f"a budget must be positive and finite, not {self}.")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``150q``, ``12000s``, ``2h``, ``2000ep`` or several joined by commas or plus signs.

        >>> Budget.parse("2h,150q")
        Budget(seconds=7200.0, queries=150, epochs=None)
        """
        if len(text) > _LONGEST:
            raise InvalidSetting(f"budget {text[:40]!r}... has {len(text):,} characters: use one like 2h,150q.")
        limits: dict[str, float] = {}
        for part in re.split(r",|(?<!e)\+", text.strip().lower()):  # the plus of 1e+20s is no joint
            match = _PART.fullmatch(part.strip())
            if match is None:
                raise InvalidSetting(
                    f"budget {text!r}: {part!r} is not a number with a unit. "
                    "Use 150q (queries), 12000s, 90m, 2h, 1d (simulated time), 2000ep (epochs), or 2h,150q."
                )
            number, unit = float(match[1]), match[2]
            kind = {"q": "queries", "ep": "epochs"}.get(unit, "seconds")
            if kind in limits:
                raise InvalidSetting(f"budget {text!r} gives {kind} twice.")
            number *= _UNITS.get(unit, 1.0)
            if not 0 < number < math.inf:
                raise InvalidSetting(f"budget {text!r} must be positive and finite.")
            if kind != "seconds" and number != int(number):
                raise InvalidSetting(f"budget {text!r}: {kind} must be a whole number.")
            limits[kind] = number
        return cls(
            seconds=limits.get("seconds", math.inf),
            queries=int(limits["queries"]) if "queries" in limits else None,
            epochs=int(limits["epochs"]) if "epochs" in limits else None,
        )

    def __str__(self) -> str:
        parts = []
        if self.seconds < math.inf:
            short = f"{self.seconds:.15g}"
            parts.append((short if float(short) == self.seconds else repr(self.seconds)) + "s")
        if self.queries is not None:
            parts.append(f"{self.queries}q")
        if self.epochs is not None:
            parts.append(f"{self.epochs}ep")
        return ",".join(parts)


T = TypeVar("T")


class Event(NamedTuple):
    """Something that finishes at a time. Ties are settled by the order in which they were started."""

    finished: float
    order: int
    started: float
    worker: int
    payload: Any  # a T of the clock; Python 3.10 knows no generic named tuples


class Clock(Generic[T]):
    """Seconds since the start, and ``workers`` that each do one thing at a time.

    Deterministic: a job goes to the free worker of the lowest number, and jobs that finish at the
    same time finish in the order in which they were started.
    """

    def __init__(self, workers: int = 1) -> None:
        if workers < 1:
            raise InvalidSetting(f"a run needs at least one worker, not {workers}.")
        self.now = 0.0
        self.free = list(range(workers))  # a heap
        self.running: list[Event] = []  # a heap: by finishing time, then by order of starting
        self._order = 0

    def start(self, cost: float, payload: T) -> None:
        """Occupy a free worker for ``cost`` seconds from now."""
        if not self.free:
            raise ProtocolError("no worker is free: finish a job first.")
        self._order += 1
        now = self.now
        heappush(self.running, make(Event, (now + cost, self._order, now, heappop(self.free), payload)))

    def next_finish(self) -> float:
        """When the next job finishes; infinity if none is running."""
        return self.running[0][0] if self.running else math.inf

    def finish(self) -> Event:
        """Advance to the next finishing time and free its worker."""
        if not self.running:
            raise ProtocolError("no job is running: start one first.")
        event = heappop(self.running)
        self.now = event.finished
        heappush(self.free, event.worker)
        return event

    def advance(self, moment: float) -> None:
        """Let time pass in which the strategy works by itself; jobs that finish until then must have been taken."""
        if not self.now <= moment < self.next_finish():
            raise ProtocolError(f"the clock cannot go from {self.now} to {moment}: a job finishes first.")
        self.now = moment
