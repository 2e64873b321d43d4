"""What each worker of a study does, in a file beside it, so that another terminal can show it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer

from nassim.errors import OutputFailed
from nassim.files import put_in_place

NAME = ".workers.json"
PACE = 1.0  # seconds between two writings
MOST, LONGEST = 1000, 300  # workers, and characters of each, that are believed


class Doing:
    """Passes on what the workers do, and writes it down; the file is there while the block is."""

    def __init__(self, folder: Path, then: Callable[[Sequence[str]], None]) -> None:
        self._path, self._then = folder / NAME, then
        self._since: dict[str, float] = {}
        self._written = -PACE
        self._lock = Lock()
        self._later: Timer | None = None  # writes what came too soon after the last writing

    def __call__(self, doing: Sequence[str]) -> None:
        now = time.time()
        with self._lock:
            self._since = {what: self._since.get(what, now) for what in doing[:MOST]}
            wait = self._written + PACE - time.monotonic()
            if wait <= 0:
                self._write()
            elif self._later is None:
                self._later = Timer(wait, self._catch_up)
                self._later.daemon = True
                self._later.start()
        self._then(doing)

    def _catch_up(self) -> None:
        with self._lock:
            if self._later is not None:
                self._later = None
                self._write()

    def _write(self) -> None:
        with suppress(OutputFailed), put_in_place(self._path) as file:  # the study itself says a full disk
            file.write(json.dumps(self._since).encode())
        self._written = time.monotonic()

    def __enter__(self) -> Doing:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            later, self._later = self._later, None
            if later is not None:
                later.cancel()
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def workers(folder: Path) -> list[tuple[str, float]]:
    """What each worker does and for how many seconds, as last written; none where that cannot be read."""
    try:
        with (folder / NAME).open("rb") as file:
            found = json.loads(file.read(MOST * 2 * LONGEST))
        return [(str(what)[:LONGEST], max(0.0, time.time() - float(since))) for what, since in found.items()][:MOST]
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return []
