"""A study while it runs: its finished runs, read again and again without reading any twice."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from nassim.errors import CorruptData
from nassim.facts import Facts
from nassim.store import Point, RunEnd, Store
from nassim.study import FILE


class Follower:
    """The finished runs of a study that may still be running; `refresh` reads those that are new.

    `MissingData` or `CorruptData` if there is no study in the folder or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        store = Store.open(self._path)
        self.settings: dict[str, Any] = store.settings
        store.close()
        self.facts = {name: Facts(**facts) for name, facts in self.settings["benchmarks"].items()}
        self.strategies: list[str] = list(self.settings["strategies"])
        self.total = int(self.settings["runs"])
        self.done = 0
        self.last: dict[tuple[str, str], RunEnd] = {}
        self._runs: dict[tuple[str, str], list[RunEnd]] = {}
        self._seen: set[int] = set()

    def of(self, benchmark: str, strategy: str) -> list[RunEnd]:
        """The finished runs of a strategy on a benchmark, in the order in which they were read."""
        return self._runs.get((benchmark, strategy), [])

    def refresh(self) -> bool:
        """Read the runs that are new; whether there were any. A file that is locked just now is read next time."""
        try:
            db = sqlite3.connect(self._path)
            try:
                new = [row[0] for row in db.execute("SELECT id FROM runs") if row[0] not in self._seen]
                for number in new:
                    self._keep(_read(db, number))
            finally:
                db.close()
        except sqlite3.OperationalError:
            return False
        except sqlite3.DatabaseError as error:
            raise CorruptData(f"{self._path} is not a readable study ({error}).") from error
        return bool(new)

    def _keep(self, run: RunEnd) -> None:
        self._seen.add(run.id)
        self._runs.setdefault((run.benchmark, run.strategy), []).append(run)
        self.last[run.benchmark, run.strategy] = run
        self.done += 1


def _read(db: sqlite3.Connection, number: int) -> RunEnd:
    *header, _, _ = db.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()  # thinking time and digest
    points = db.execute("SELECT * FROM incumbents WHERE run = ? ORDER BY number", (number,)).fetchall()
    header[4] = json.loads(header[4])
    return RunEnd._make([*header, [Point._make(row[2:]) for row in points]])
