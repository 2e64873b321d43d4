"""The file of kept trainings: opened, made, and brought from an earlier version's form to this one's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from nassim.errors import CorruptData, OutputFailed
from nassim.full_training.training import leases
from nassim.full_training.training.lineage import Lineage

VERSION = 2
_SCHEMA = """CREATE TABLE IF NOT EXISTS trainings (
    key TEXT PRIMARY KEY, -- of the lineage, whose parts follow
    space TEXT, network TEXT, recipe TEXT, data TEXT, seed INTEGER, origin TEXT, inherit TEXT,
    epochs INTEGER, record TEXT) WITHOUT ROWID -- epochs trained so far; the record as JSON"""
_ELAPSED = "made by an earlier version: seconds are elapsed time"


@contextmanager
def open_file(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file, which is made if need be.

    `OutputFailed` if it cannot be written, `CorruptData` if it is damaged or of a later version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=60.0)) as db:
            if (version := _version(db)) < VERSION:
                _make(db)
            elif version > VERSION:
                raise CorruptData(f"{path} was made by a later version of nassim. Update it, or move the file away.")
            yield db
    except sqlite3.OperationalError as error:
        raise OutputFailed(f"{path}: {error}. Is the folder writable and the disk not full?") from error
    except sqlite3.DatabaseError as error:
        raise CorruptData(f"{path} is damaged ({error}). Move it away: trainings are made anew.") from error
    except OSError as error:
        if isinstance(error, (CorruptData, OutputFailed)):
            raise
        raise OutputFailed(f"{path}: {error.strerror or error}.") from error


def write(db: sqlite3.Connection, lineage: Lineage, epochs: int, record: str) -> None:
    """Put a training in place of an earlier one with its key; the caller commits."""
    parts = (lineage.space, lineage.network, lineage.recipe, lineage.data, lineage.seed)
    row = (lineage.key, *parts, lineage.origin, lineage.inherit, epochs, record)
    db.execute("INSERT OR REPLACE INTO trainings VALUES (?,?,?,?,?,?,?,?,?,?)", row)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _make(db: sqlite3.Connection) -> None:
    """The tables of this version; what an earlier one kept is taken over, all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    if _version(db) < VERSION:  # no other process was faster
        old: list[tuple[str, str, str, int, int, str]] = []
        if "arch" in [row[1] for row in db.execute("PRAGMA table_info(trainings)")]:
            old = db.execute("SELECT arch, data, recipe, seed, epochs, record FROM trainings").fetchall()
            db.execute("DROP TABLE trainings")
        db.execute(_SCHEMA)
        db.execute(leases.SCHEMA)
        for arch, data, recipe, seed, epochs, record in old:
            write(db, Lineage.read(arch, data, recipe, seed), epochs, _with_note(record))
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.commit()


def _with_note(record: str) -> str:
    """An old record with a word on its seconds; one that cannot be read stays, and is refused when it is asked for."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        values = json.loads(record)
        values["notes"] = [*values["notes"], _ELAPSED]
        return json.dumps(values)
    return record
