"""A study on disk: one SQLite file with its settings, runs, trials and incumbents.

Every finished run is written in one transaction, so that a killed study loses only the runs in
flight. Each run carries a digest of its rows; a file that was truncated or altered is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import weakref
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from nassim.errors import CorruptData, InvalidSetting
from nassim.run import Run
from nassim.study_file import ADVICE, Unbegun, begin, connect, errors, refuse_odd_values

TRIAL_COLUMNS = (  # what Store.trials() gives
    *("benchmark", "strategy", "seed", "number", "architecture", "epochs", "valid_accuracy"),
    *("cost_seconds", "started_seconds", "finished_seconds", "worker"),
)
Row = tuple[object, ...]


class StoredRun(NamedTuple):
    """A run as rows of the three tables, ready to be written or sent between processes."""

    header: Row
    trials: list[Row]
    incumbents: list[Row]


class Point(NamedTuple):
    """One incumbent of a stored run; accuracies are fractions, None where there is none."""

    seconds: float
    queries: int
    epochs: int
    architecture: str
    observed: float | None
    valid: float
    test: float | None


class RunEnd(NamedTuple):
    """What the tables of a study say of one run; ``curve`` holds its incumbents in order."""

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


def pack(number: int, run: Run) -> StoredRun:
    """The rows of a run; ``number`` is its place in the study's grid."""
    trials: list[Row] = [
        (
            *(number, i, str(t.query.arch), t.result.epochs, float(t.result.value)),
            *(float(t.result.cost), float(t.started), float(t.finished), t.worker),
        )
        for i, t in enumerate(run.trials)
    ]
    incumbents: list[Row] = [
        (
            *(number, i, float(x.seconds), x.queries, x.epochs, str(x.arch)),
            *(_null(x.observed), _null(x.valid), _null(x.test)),
        )
        for i, x in enumerate(run.incumbents)
    ]
    header = (
        number,
        run.benchmark,
        run.strategy,
        run.seed,
        json.dumps(run.hyperparameters, sort_keys=True),
        run.mode,
        len(trials),
        run.epochs,
        float(run.seconds),
        float(run.worker_seconds),
        run.stopped,
    )
    return StoredRun((*header, run.thinking_seconds, _digest(header, trials, incumbents)), trials, incumbents)


class Store:
    """The SQLite file of a study. Use `Store.create` or `Store.open`; close it when done."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self.close = weakref.finalize(self, connection.close)  # also when the store is forgotten

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
            store = cls(where, db)
            if found is not None:
                _refuse_other_settings(where, store.settings, settings)
            if path is not None:
                db.execute("PRAGMA journal_mode=WAL")
        return store

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
                    marks = ",".join("?" * len(run.header))
                    self._db.execute(f"INSERT OR IGNORE INTO runs VALUES ({marks})", run.header)
                    self._db.executemany("INSERT OR IGNORE INTO trials VALUES (?,?,?,?,?,?,?,?,?)", run.trials)
                    self._db.executemany("INSERT OR IGNORE INTO incumbents VALUES (?,?,?,?,?,?,?,?,?)", run.incumbents)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def finished(self) -> set[int]:
        """The numbers of the runs that are there."""
        with errors(self.path):
            return {row[0] for row in self._db.execute("SELECT id FROM runs")}

    def trials(self) -> Iterator[Row]:
        """All trials in order: rows of TRIAL_COLUMNS, accuracies as fractions."""
        with errors(self.path):
            refuse_odd_values(self._db, self.path, ("runs", "trials"))
            yield from self._db.execute(
                "SELECT r.benchmark, r.strategy, r.seed, t.number, t.architecture, t.epochs, t.valid_accuracy, "
                "t.cost_seconds, t.started_seconds, t.finished_seconds, t.worker "
                "FROM runs r JOIN trials t ON t.run = r.id ORDER BY r.id, t.number"
            )

    def runs(self) -> list[RunEnd]:
        """All runs with their incumbents, in the order of the grid; checks every run's digest."""
        with errors(self.path):
            refuse_odd_values(self._db, self.path, ("runs", "incumbents"))
            headers = self._db.execute("SELECT * FROM runs ORDER BY id").fetchall()
            trials = _by_run(self._db.execute("SELECT * FROM trials ORDER BY run, number"))
            incumbents = _by_run(self._db.execute("SELECT * FROM incumbents ORDER BY run, number"))
            found = []
            for *header, _, digest in headers:
                number, rows = header[0], incumbents.get(header[0], [])
                if _digest(tuple(header), trials.get(number, []), rows) != digest:
                    what = f"run {number} ({header[2]:.80}, seed {header[3]})"
                    raise CorruptData(f"{self.path}: {what} was altered. {ADVICE}")
                found.append(_run_end(header, rows))
        return found

    def new_runs(self, seen: Container[int]) -> list[RunEnd]:
        """The runs of a study that may still be running whose numbers are not among those seen.

        Their trials are not read, so that their digests are not checked.
        """
        with errors(self.path):
            refuse_odd_values(self._db, self.path, ("runs", "incumbents"))
            headers = [row for row in self._db.execute("SELECT * FROM runs ORDER BY id") if row[0] not in seen]
            points = "SELECT * FROM incumbents WHERE run = ? ORDER BY number"
            return [_run_end(header[:-2], self._db.execute(points, header[:1]).fetchall()) for header in headers]


def _run_end(header: Sequence[Any], incumbents: Sequence[Row]) -> RunEnd:
    hyperparameters = _from_json(header[4])
    curve = [Point._make(row[2:]) for row in incumbents]
    if not isinstance(hyperparameters, dict):
        raise ValueError(f"the hyperparameters of run {header[0]} are no names with values")
    if any(a.seconds > b.seconds for a, b in pairwise(curve)) or (curve and curve[0].seconds < 0):
        raise ValueError(f"the times of run {header[0]} do not rise")
    return RunEnd._make([*header[:4], hyperparameters, *header[5:], curve])


_DIGEST, _MOST_SETTINGS, _MOST_TEXT = "digest", 1000, 100_000_000  # a key among the settings; rows; characters


def _signed(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as rows, with a digest of them among them."""
    texts = {key: json.dumps(value) for key, value in settings.items()}
    return {**texts, _DIGEST: _digest_of(texts)}


def _digest_of(texts: Mapping[str, str]) -> str:
    content = repr(sorted(texts.items()))
    return json.dumps(hashlib.blake2b(content.encode(), digest_size=16).hexdigest())


def _from_json(text: str) -> Any:
    """A value that can be written again; `ValueError` or `RecursionError` if it is none."""
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return value


def _refuse_other_settings(path: Path, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    wanted = json.loads(json.dumps(dict(new)))
    for key in {**wanted, **old}:
        if key != "provenance" and old.get(key) != wanted.get(key):
            raise InvalidSetting(
                f"{path.parent} holds a study made with other settings: its {key} is {_show(old.get(key))}, "
                f"this command's is {_show(wanted.get(key))}. Choose another --out, or repeat the old command."
            )


def _show(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _by_run(rows: sqlite3.Cursor) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return grouped


def _digest(header: Row, trials: list[Row], incumbents: list[Row]) -> str:
    return hashlib.blake2b(repr((header, trials, incumbents)).encode(), digest_size=16).hexdigest()


def _null(value: float) -> float | None:
    """SQLite has no NaN."""
    return None if math.isnan(value) else float(value)
