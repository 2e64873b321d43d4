"""A study while it runs: its finished runs, read again and again without reading any twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nassim.errors import OutputFailed
from nassim.store import RunEnd, Store
from nassim.study import FILE
from nassim.study_settings import checked, facts_of


class Follower:
    """The finished runs of a study that may still be running; `refresh` reads those that are new.

    `MissingData` or `CorruptData` if there is no study in the folder or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._store = Store.open(folder / FILE)
        self.settings: dict[str, Any] = checked(self._store.settings, self._store.path)
        self.facts = facts_of(self.settings)
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
            new = self._store.new_runs(self._seen)
        except OutputFailed:
            return False
        for run in new:
            self._keep(run)
        return bool(new)

    def _keep(self, run: RunEnd) -> None:
        self._seen.add(run.id)
        self._runs.setdefault((run.benchmark, run.strategy), []).append(run)
        self.last[run.benchmark, run.strategy] = run
        self.done += 1
