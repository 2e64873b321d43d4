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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from nassim.errors import CorruptData, InvalidSetting, MissingData, OutputFailed
from nassim.trace import Run

APPLICATION_ID = 0x6E617373  # "nass", in the file's header
FORMAT = 1

_SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);  -- values are JSON
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, benchmark TEXT, strategy TEXT, seed INTEGER, hyperparameters TEXT, mode TEXT,
    trials INTEGER, epochs INTEGER, seconds REAL, worker_seconds REAL, stopped TEXT,
    thinking_seconds REAL, digest TEXT, UNIQUE (benchmark, strategy, seed));
CREATE TABLE trials (
    run INTEGER, number INTEGER, architecture TEXT, epochs INTEGER, valid_accuracy REAL, cost_seconds REAL,
    started_seconds REAL, finished_seconds REAL, worker INTEGER, PRIMARY KEY (run, number)) WITHOUT ROWID;
CREATE TABLE incumbents (
    run INTEGER, number INTEGER, seconds REAL, queries INTEGER, epochs INTEGER, architecture TEXT,
    observed_valid_accuracy REAL, valid_accuracy REAL, test_accuracy REAL,
    PRIMARY KEY (run, number)) WITHOUT ROWID;
"""
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
        if path is not None and path.exists() and path.stat().st_size:
            store = cls.open(path)
            _refuse_other_settings(path, store.settings, settings)
            return store
        where = path or Path(":memory:")
        with _errors(where):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(where, isolation_level=None)
            if path is not None:
                db.execute("PRAGMA journal_mode=WAL")
            db.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT};{_SCHEMA}"
            )
            db.executemany("INSERT INTO settings VALUES (?, ?)", [(k, json.dumps(v)) for k, v in settings.items()])
            db.execute("COMMIT")
        return cls(where, db)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a study; `MissingData` if there is none, `CorruptData` if the file is damaged."""
        if not path.is_file():
            raise MissingData(f"there is no study at {path}: run `nassim compare --out {path.parent}` first.")
        with _errors(path):
            db = sqlite3.connect(path, isolation_level=None)
            kind = db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]
            if kind[0] != APPLICATION_ID:
                raise CorruptData(f"{path} is not a study of nassim. {_ADVICE}")
            if kind[1] != FORMAT:
                raise CorruptData(f"{path} has study format {kind[1]}, this nassim reads {FORMAT}. {_ADVICE}")
            damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise CorruptData(f"{path} is damaged ({damage}). {_ADVICE}")
        return cls(path, db)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the study was made with."""
        with _errors(self.path):
            rows = self._db.execute("SELECT key, value FROM settings").fetchall()
            return {key: json.loads(value) for key, value in rows}

    def add(self, runs: Sequence[StoredRun]) -> None:
        """Write finished runs in one transaction; a run that is already there stays as it is."""
        with _errors(self.path):
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
        with _errors(self.path):
            return {row[0] for row in self._db.execute("SELECT id FROM runs")}

    def trials(self) -> Iterator[Row]:
        """All trials in order: rows of TRIAL_COLUMNS, accuracies as fractions."""
        with _errors(self.path):
            yield from self._db.execute(
                "SELECT r.benchmark, r.strategy, r.seed, t.number, t.architecture, t.epochs, t.valid_accuracy, "
                "t.cost_seconds, t.started_seconds, t.finished_seconds, t.worker "
                "FROM runs r JOIN trials t ON t.run = r.id ORDER BY r.id, t.number"
            )

    def runs(self) -> list[RunEnd]:
        """All runs with their incumbents, in the order of the grid; checks every run's digest."""
        with _errors(self.path):
            headers = self._db.execute("SELECT * FROM runs ORDER BY id").fetchall()
            trials = _by_run(self._db.execute("SELECT * FROM trials ORDER BY run, number"))
            incumbents = _by_run(self._db.execute("SELECT * FROM incumbents ORDER BY run, number"))
        found = []
        for *header, _, digest in headers:
            number = header[0]
            rows = incumbents.get(number, [])
            if _digest(tuple(header), trials.get(number, []), rows) != digest:
                raise CorruptData(f"{self.path}: run {number} ({header[2]}, seed {header[3]}) was altered. {_ADVICE}")
            header[4] = json.loads(header[4])
            found.append(RunEnd._make([*header, [Point._make(row[2:]) for row in rows]]))
        return found


_ADVICE = "Nothing was changed. Move the folder away or choose another --out, and run the command again."


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into the project's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputFailed(f"{path}: {error}. Is the folder writable and the disk not full?") from error
    except (sqlite3.DatabaseError, json.JSONDecodeError) as error:
        raise CorruptData(f"{path} is not a readable study ({error}). {_ADVICE}") from error
    except OSError as error:
        if isinstance(error, (CorruptData, MissingData, OutputFailed)):
            raise
        raise OutputFailed(f"{path}: {error.strerror or error}.") from error


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
