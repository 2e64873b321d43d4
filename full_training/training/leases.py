"""Leases: of all processes that want the same training, one makes it and the others wait.

A lease is a row in a database. Its holder renews it from a thread of its own. It is anybody's when the holder has
ended, killed or not (seen at once on the same machine), or gave no sign of life for `SECONDS` (on another machine, or
stopped). Who was stopped and goes on finds that its lease is lost, and waits in its turn.
"""

from __future__ import annotations

import os
import platform
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from nassim.errors import NassimError

SECONDS = 120.0
SCHEMA = """CREATE TABLE IF NOT EXISTS leases (
    key TEXT PRIMARY KEY, token TEXT, machine TEXT, pid INTEGER, started TEXT, renewed REAL) WITHOUT ROWID"""

Open = Callable[[], AbstractContextManager[sqlite3.Connection]]


class LeaseLost(Exception):
    """Another process has taken the lease over; never leaves `nassim.full_training.training.kept`."""


class Lease:
    """The right to make what has a key; `hold` gives it."""

    def __init__(self, open_database: Open, key: str, seconds: float) -> None:
        self._open = open_database
        self.key = key
        self.seconds = seconds
        self._token = secrets.token_hex(16)
        self._ended = threading.Event()

    def take(self) -> str:
        """Take the lease: an empty text, or who has it."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            row = db.execute("SELECT machine, pid, started, renewed FROM leases WHERE key = ?", (self.key,)).fetchone()
            if row is not None and not self._is_over(*row):
                db.rollback()
                return f"process {row[1]} on {str(row[0]).partition(' ')[0]}"
            now = (self.key, self._token, machine(), os.getpid(), started(os.getpid()), time.time())
            db.execute("INSERT OR REPLACE INTO leases VALUES (?,?,?,?,?,?)", now)
            db.commit()
        return ""

    def renew(self) -> bool:
        """Give a sign of life; False if the lease is another's now."""
        with self._open() as db, db:
            mine = "key = ? AND token = ?"
            found = db.execute(f"UPDATE leases SET renewed = ? WHERE {mine}", (time.time(), self.key, self._token))
            return found.rowcount == 1

    def drop(self) -> None:
        """Give it back. Where that fails, it ends with the process or by its time-out."""
        with suppress(NassimError), self._open() as db, db:
            db.execute("DELETE FROM leases WHERE key = ? AND token = ?", (self.key, self._token))

    def _is_over(self, of_machine: str, pid: int, since: str, renewed: float) -> bool:
        if abs(time.time() - renewed) > self.seconds:  # also one from a future: a clock was set back
            return True
        return of_machine == machine() and not is_running(pid, since)

    def _beat(self) -> None:
        while not self._ended.wait(self.seconds / 4):
            with suppress(NassimError):  # a full disk: the next beat may succeed
                self.renew()

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renew the lease, that was taken, until the end of the block; then give it back."""
        beats = threading.Thread(target=self._beat, name=f"lease of {self.key[:8]}", daemon=True)
        beats.start()
        try:
            yield
        finally:
            self._ended.set()
            beats.join()
            self.drop()


@contextmanager
def hold(
    open_database: Open, key: str, *, seconds: float = SECONDS, waits: Callable[[str], None] | None = None
) -> Iterator[Lease]:
    """Wait for the lease of a key, and hold it through the block; ``waits`` is told once whom it waits for."""
    lease, pause = Lease(open_database, key, seconds), 0.05
    while holder := lease.take():
        if waits is not None:
            waits(holder)
            waits = None
        time.sleep(pause)
        pause = min(1.0, 1.5 * pause)
    with lease.kept_alive():
        yield lease


def machine() -> str:
    """This machine since it was started, and which processes it sees: only there a process number says something."""
    parts = [platform.node() or "unknown"]
    with suppress(OSError):  # Linux has both
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def started(pid: int) -> str:
    """When a process was started, as its system says it; empty where it does not."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def is_running(pid: int, since: str) -> bool:
    """Whether a process of this machine, started then, still runs; True where that cannot be known."""
    if os.name != "posix":  # elsewhere signal 0 is one
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    fields = _stat(pid)
    return not fields or (fields[0] not in "ZX" and since in ("", started(pid)))  # ended and not yet fetched: Z


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none where there is no such file."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return []
