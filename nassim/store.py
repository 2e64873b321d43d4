"""A study on disk: one SQLite file with its settings and its runs, each with its trials and incumbents packed.

Every finished run is written in one transaction, so that a killed study loses only the runs in
flight. Each run carries a digest, as do the settings; a file that was truncated or altered is refused.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from nassim import format1
from nassim.differences import differences, told
from nassim.errors import CorruptData, InvalidSetting
from nassim.files import sign_writer
from nassim.packing import Point, TrialRow, pack_incumbents, pack_trials, unpack_incumbents, unpack_trials
from nassim.study_file import ADVICE, FORMAT, Unbegun, begin, connect, digest, errors, refuse_odd_values
from nassim.trace import Run

Row = tuple[object, ...]


class StoredRun(NamedTuple):
    """A run as a row of the table of runs, ready to be written or sent between processes.

    ``cpu_seconds`` of the process that made it: sent, not written.
    """

    row: Row
    cpu_seconds: float = 0.0

    @property
    def strategy(self) -> str:
        """Its label."""
        return str(self.row[2])


class StoredTrial(NamedTuple):
    """A trial of a study, and the run that it belongs to."""

    benchmark: str
    strategy: str
    seed: int
    number: int
    row: TrialRow


class RunEnd(NamedTuple):
    """What a study says of one run; ``curve`` holds its incumbents in order, those that keep to a constraint.

    ``trials`` counts them; ``epochs`` were paid; ``restarted`` trials were to go on from another and began anew;
    ``final_seconds`` were spent on training the last answer once, after the search.
    """

    id: int
    benchmark: str
    strategy: str
    seed: int
    hyperparameters: dict[str, object]
    mode: str
    trials: int
    epochs: int
    seconds: float
    worker_seconds: float
    stopped: str
    curve: list[Point]
    clock: str = "simulated"
    restarted: int = 0
    final_seconds: float = 0.0

    def __repr__(self) -> str:
        where = f"{self.strategy} on {self.benchmark}, seed {self.seed}"
        return f"RunEnd({where}: {self.trials} trials, {len(self.curve)} incumbents)"


def pack(number: int, run: Run, *, extras: bool = False, trials: bool = True) -> StoredRun:
    """A run as a study keeps it: its place in the grid, extras as in `pack_trials`, with or without its trials."""
    head = (
        *(number, run.benchmark, run.strategy, run.seed, json.dumps(run.hyperparameters, sort_keys=True), run.mode),
        *(len(run.trials), run.epochs, float(run.seconds), float(run.worker_seconds), run.stopped),
        *(run.clock, run.restarted, float(run.final_seconds)),
        *(pack_trials(run if trials else replace(run, trials=[]), extras=extras), pack_incumbents(run)),
    )
    return StoredRun((*head, run.thinking_seconds, digest(head)))


def renumbered(run: StoredRun, number: int) -> StoredRun:
    """The same run at another place in a grid."""
    head = (number, *run.row[1:-2])
    return StoredRun((*head, run.row[-2], digest(head)))


def _close(connection: sqlite3.Connection, sign: Path | None) -> None:
    connection.close()
    if sign is not None:
        with suppress(OSError):
            sign.unlink()


_FORMAT1 = ("simulated", 0, 0.0)  # what the first format has no columns for


class Store:
    """The SQLite file of a study. Use `Store.create` or `Store.open`; close it when done."""

    def __init__(self, path: Path, connection: sqlite3.Connection, sign: Path | None = None) -> None:
        self.path = path
        self._db = connection
        self.close = weakref.finalize(self, _close, connection, sign)  # also when the store is forgotten

    @classmethod
    def create(cls, path: Path | None, settings: Mapping[str, object]) -> Store:
        """Make the file, or continue one that was made with the same settings.

        ``path`` None keeps the study in memory. `InvalidSetting` names the settings that differ.
        """
        where = path or Path(":memory:")
        with errors(where):
            found = None
            if path is not None and path.exists():
                with suppress(Unbegun):
                    found = connect(path)
            db = begin(path, _signed(settings)) if found is None else found
            if db is None:  # another process has begun it meanwhile
                db = found = connect(where)
            store = cls(where, db, None if path is None else sign_writer(path))
            if found is not None:
                if store._first_format:
                    raise InvalidSetting(
                        f"{where.parent} holds a study of an earlier nassim (format 1, this one writes {FORMAT}): it "
                        "can be read, not continued. Choose another --out."
                    )
                _refuse_other_settings(where, store.settings, settings)
            if path is not None:
                db.execute("PRAGMA journal_mode=WAL")
        return store

    @classmethod
    def begun_with(cls, path: Path | None) -> dict[str, Any]:
        """The settings of the study that is continued; nothing where one is begun, or cannot be continued."""
        if path is None or not path.exists():
            return {}
        with suppress(Unbegun):
            store = cls.open(path)
            settings = {} if store._first_format else store.settings
            store.close()
            return settings
        return {}

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a study; `MissingData` if there is none, `CorruptData` if the file is damaged."""
        return cls(path, connect(path))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the study was made with."""
        with errors(self.path):
            size = self._db.execute("SELECT count(*), total(length(value)) FROM settings").fetchone()
            if size[0] > _MOST_SETTINGS or size[1] > _MOST_TEXT:
                raise CorruptData(f"{self.path} is not a readable study: its settings are too large. {ADVICE}")
            texts = dict(self._db.execute("SELECT CAST(key AS TEXT), CAST(value AS TEXT) FROM settings"))
            digest = texts.pop(_DIGEST, None)  # of old studies there is none
            if digest is not None and digest != _digest_of(texts):
                raise CorruptData(f"{self.path}: its settings were altered. {ADVICE}")
            return {key: _from_json(value) for key, value in texts.items()}

    def add(self, runs: Sequence[StoredRun]) -> None:
        """Write finished runs in one transaction; a run that is already there stays as it is."""
        with errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for run in runs:
                    marks = ",".join("?" * len(run.row))
                    self._db.execute(f"INSERT OR IGNORE INTO runs VALUES ({marks})", run.row)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def finished(self) -> set[int]:
        """The numbers of the runs that are there."""
        with errors(self.path):
            return {row[0] for row in self._db.execute("SELECT id FROM runs")}

    def trials(self, of: Container[int] | None = None) -> Iterator[StoredTrial]:
        """All trials, in the order of the grid, or those of the runs with these numbers."""
        with errors(self.path):
            if self._first_format:
                kept = (
                    None
                    if of is None
                    else {(run.benchmark, run.strategy, run.seed) for run in self.runs() if run.id in of}
                )
                every = (StoredTrial(*line[:4], line[4]) for line in format1.trials(self._db))
                yield from (trial for trial in every if kept is None or trial[:3] in kept)
                return
            numbers = [run for (run,) in self._db.execute("SELECT id FROM runs ORDER BY id") if of is None or run in of]
            for run in numbers:
                found = self._db.execute("SELECT benchmark, strategy, seed, trials FROM runs WHERE id = ?", (run,))
                benchmark, strategy, seed, content = found.fetchone()
                for number, row in enumerate(unpack_trials(content)):
                    yield StoredTrial(benchmark, strategy, seed, number, row)

    def places(self) -> Iterator[tuple[int, str, str, int]]:
        """Of each run its number, benchmark, strategy and seed."""
        with errors(self.path):
            yield from self._db.execute("SELECT id, benchmark, strategy, seed FROM runs ORDER BY id")

    def run(self, number: int) -> StoredRun:
        """One run as it is stored; `CorruptData` if it was altered, `InvalidSetting` of a study of the first format."""
        if self._first_format:
            raise InvalidSetting(
                f"{self.path.parent} holds a study of an earlier nassim (format 1): it can only be read."
            )
        with errors(self.path):
            *head, thinking, known = self._db.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()
            if digest(tuple(head)) != known:
                raise CorruptData(f"{self.path}: run {number} was altered. {ADVICE}")
            return StoredRun((*head, thinking, known))

    def runs(self) -> list[RunEnd]:
        """All runs with their incumbents, in the order of the grid; checks every run's digest."""
        with errors(self.path):
            refuse_odd_values(self._db, self.path)
            if self._first_format:
                return [_run_end(header, curve) for header, curve in format1.runs(self._db, self.path)]
            found = []
            for *head, _, known in self._db.execute("SELECT * FROM runs ORDER BY id"):
                if digest(tuple(head)) != known:
                    what = f"run {head[0]} ({head[2]:.80}, seed {head[3]})"
                    raise CorruptData(f"{self.path}: {what} was altered. {ADVICE}")
                found.append(_run_end(head[:-2], unpack_incumbents(head[-1])))
        return found

    def new_runs(self, seen: Container[int]) -> list[RunEnd]:
        """The runs of a study that may still be running whose numbers are not among those seen.

        Their digests are not checked.
        """
        with errors(self.path):
            if self._first_format:
                refuse_odd_values(self._db, self.path, ("runs", "incumbents"))
                return [_run_end(h, c) for h, c in format1.runs(self._db, self.path) if h[0] not in seen]
            refuse_odd_values(self._db, self.path)
            new = [number for (number,) in self._db.execute("SELECT id FROM runs ORDER BY id") if number not in seen]
            found = (self._db.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone() for number in new)
            return [_run_end(head[:-4], unpack_incumbents(head[-3])) for head in found]

    @property
    def _first_format(self) -> bool:
        return bool(self._db.execute("PRAGMA user_version").fetchone()[0] == 1)


def _run_end(head: Sequence[Any], curve: list[Point]) -> RunEnd:
    """``head``: the columns of the table of runs up to what is packed, as far as its format has them."""
    hyperparameters = _from_json(head[4])
    if not isinstance(hyperparameters, dict):
        raise ValueError(f"the hyperparameters of run {head[0]} are no names with values")
    if any(a.seconds > b.seconds for a, b in pairwise(curve)) or (curve and curve[0].seconds < 0):
        raise ValueError(f"the times of run {head[0]} do not rise")
    return RunEnd._make([*head[:4], hyperparameters, *head[5:11], curve, *(head[11:] or _FORMAT1)])


_DIGEST, _MOST_SETTINGS, _MOST_TEXT = "digest", 1000, 100_000_000  # a key among the settings; rows; characters


def _signed(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as rows, with a digest of them among them."""
    texts = {key: json.dumps(value) for key, value in settings.items()}
    return {**texts, _DIGEST: _digest_of(texts)}


def _digest_of(texts: Mapping[str, str]) -> str:
    return json.dumps(digest(sorted(texts.items())))


def _from_json(text: str) -> Any:
    """A value that can be written again; `ValueError` or `RecursionError` if it is none."""
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return value


def _refuse_other_settings(path: Path, old: Mapping[str, Any], new: Mapping[str, object]) -> None:
    found = differences(old, new)
    if found:
        raise InvalidSetting(
            f"{path.parent} holds a study made with other settings: {told(found)}. "
            "Choose another --out, or repeat the old command."
        )
