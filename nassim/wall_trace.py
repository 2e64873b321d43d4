"""What happened in a run on the wall clock, written as it happens: by it the run goes on after it was killed.

One line of JSON for what the run is, then one for each trial in the order of completion, each report, and the end.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nassim.differences import differences, told
from nassim.errors import CorruptData, InvalidArchitecture, InvalidSetting, OutputFailed
from nassim.files import is_written, sign_writer
from nassim.query import Query, Result, Trial
from nassim.space import Architecture, SearchSpace

FORMAT = 1
MOST_BYTES = 1 << 30
_HEAD = "nassim wall trace"


class Reported(NamedTuple):
    """A report, and when it was made (seconds)."""

    seconds: float
    arch: Architecture


class End(NamedTuple):
    """The end of a run: why it stopped, and when."""

    stopped: str
    seconds: float


Event = Trial | Reported | End


class WallTrace:
    """The file of a run: what it holds already is in ``events``; `write` adds to it.

    `InvalidSetting` if it is of another run or written by a process that lives, `CorruptData` if it is none.
    """

    def __init__(self, path: Path, header: Mapping[str, object], space: SearchSpace) -> None:
        self.path = path
        self.events: deque[Event] = deque()
        if path.exists() and is_written(path):
            raise InvalidSetting(f"{path} is written by another process just now: wait for it, or choose another file.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._read(header, space) if path.exists() else 0
            self._file = path.open("r+b" if path.exists() else "xb")
            self._file.seek(whole)
            self._file.truncate()  # a line that was being written when the run was killed
        except OSError as error:
            if isinstance(error, CorruptData):
                raise
            raise OutputFailed(f"{path} cannot be written: {error.strerror or error}.") from error
        self._sign = sign_writer(path)
        self._head = None if whole else {_HEAD: FORMAT, **header}  # not of a run that is refused before it begins

    def write(self, event: Event) -> None:
        """Add what has happened; it is on the disk then. `OutputFailed` if it cannot be."""
        if self._head is not None:
            self._line(self._head)
            self._head = None
        self._line({type(event).__name__.lower(): _plain(event)})

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        if self._head is not None:
            with suppress(OSError):
                self.path.unlink()
        if self._sign is not None:
            with suppress(OSError):
                self._sign.unlink()

    def _line(self, content: Mapping[str, object]) -> None:
        try:
            self._file.write(json.dumps(content, separators=(",", ":")).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputFailed(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def _read(self, header: Mapping[str, object], space: SearchSpace) -> int:
        """Read the events, and return the bytes of whole lines."""
        if self.path.stat().st_size > MOST_BYTES:
            raise CorruptData(f"{self.path} is too large for what happened in a run.")
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].splitlines()
        if not lines and len(content) < 10_000:  # killed while its first line was written
            return 0
        try:
            first = json.loads(lines[0])
            if not isinstance(first, dict) or first.pop(_HEAD, None) != FORMAT:
                raise ValueError("its first line is of another kind")
            found = differences(first, header)
            if found:
                raise InvalidSetting(f"{self.path} is of another run: {told(found)}. Choose another file.")
            self.events.extend(_event(json.loads(line), space) for line in lines[1:])
        except InvalidSetting:
            raise
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError, InvalidArchitecture) as error:
            reason = " ".join(str(error).split())[:200]
            raise CorruptData(f"{self.path} does not hold what happened in a run ({reason}). Move it away.") from error
        times = [event.finished if isinstance(event, Trial) else event.seconds for event in self.events]
        if times != sorted(times):
            raise CorruptData(f"{self.path}: its times do not rise. Move it away.")
        return whole


def _plain(event: Event) -> list[object]:
    if isinstance(event, Trial):
        query, result = event.query, event.result
        asked = [str(query.arch), *query[1:]]
        return [asked, [*result[:3], dict(result.extras), *result[4:]], event.started, event.finished, event.worker]
    return [str(part) if isinstance(part, Architecture) else part for part in event]


def _event(line: Any, space: SearchSpace) -> Event:
    ((kind, parts),) = line.items()
    if kind == "end":
        return End(_is(str, parts[0]), _number(parts[1]))
    if kind == "reported":
        return Reported(_number(parts[0]), space.parse(_is(str, parts[1])))
    if kind != "trial":
        raise ValueError(f"nothing is called {kind!r:.20}")
    asked, given, started, finished, worker = parts
    arch, epochs, metric, origin, inherit = asked
    query = Query(
        space.parse(_is(str, arch)),
        None if epochs is None else _is(int, epochs),
        None if metric is None else _is(str, metric),
        _is(str, origin),
        _is(str, inherit),
    )
    value, reached, cost, extras, training, paid = given
    known = {_is(str, name): _number(number) for name, number in _is(dict, extras).items()}
    result = Result(_number(value), _is(int, reached), _number(cost), known, _is(str, training), _is(int, paid))
    return Trial(query, result, _number(started), _number(finished), _is(int, worker))


def _is(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)
