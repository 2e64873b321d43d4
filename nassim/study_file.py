"""The SQLite file of a study: how it is begun, and how it is opened when one does not know where it comes from."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from nassim.errors import CorruptData, MissingData, NassimError, OutputFailed

APPLICATION_ID = 0x6E617373  # "nass", in the file's header
FORMAT = 1
TABLES = {
    "settings": "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",  # values are JSON
    "runs": """CREATE TABLE runs (
    id INTEGER PRIMARY KEY, benchmark TEXT, strategy TEXT, seed INTEGER, hyperparameters TEXT, mode TEXT,
    trials INTEGER, epochs INTEGER, seconds REAL, worker_seconds REAL, stopped TEXT,
    thinking_seconds REAL, digest TEXT, UNIQUE (benchmark, strategy, seed))""",
    "trials": """CREATE TABLE trials (
    run INTEGER, number INTEGER, architecture TEXT, epochs INTEGER, valid_accuracy REAL, cost_seconds REAL,
    started_seconds REAL, finished_seconds REAL, worker INTEGER, PRIMARY KEY (run, number)) WITHOUT ROWID""",
    "incumbents": """CREATE TABLE incumbents (
    run INTEGER, number INTEGER, seconds REAL, queries INTEGER, epochs INTEGER, architecture TEXT,
    observed_valid_accuracy REAL, valid_accuracy REAL, test_accuracy REAL,
    PRIMARY KEY (run, number)) WITHOUT ROWID""",
}
ADVICE = "Nothing was changed. Move the folder away or choose another --out, and run the command again."
PATIENCE, PACE = 20.0, 2e6  # seconds, and bytes a second, that looking through a file may take
_MAGIC, _PAGE, _ID_AT = b"SQLite format 3\0", 4096, 68


class Unbegun(MissingData):
    """The file is there, but its creation was killed or ran out of disk: it holds nothing."""


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into the project's."""
    try:
        yield
    except NassimError:
        raise
    except sqlite3.OperationalError as error:
        if "decode" in str(error):
            raise CorruptData(f"{path} is not a readable study (text that is no UTF-8). {ADVICE}") from error
        if "interrupted" in str(error):
            raise CorruptData(f"{path} is not a readable study: it takes too long to look through. {ADVICE}") from error
        raise OutputFailed(f"{path}: {error}. Is the folder writable and the disk not full?") from error
    except (sqlite3.DatabaseError, ValueError, RecursionError) as error:
        raise CorruptData(f"{path} is not a readable study ({_line(error)}). {ADVICE}") from error
    except OSError as error:
        raise OutputFailed(f"{path}: {error.strerror or error}.") from error


def begin(path: Path | None, settings: Mapping[str, str]) -> sqlite3.Connection | None:
    """Make the tables in one transaction, in a file that is not there or holds nothing yet.

    None if another process has begun the study meanwhile. ``path`` None keeps it in memory.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size < _PAGE:
            os.truncate(path, 0)  # less than SQLite's smallest file
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.close()
            return None
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={FORMAT}")
        for statement in TABLES.values():
            db.execute(statement)
        db.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that may have been altered by anyone; it is looked through first.

    `MissingData` if there is none, `Unbegun` if it holds nothing yet, `CorruptData` if it is damaged or is no study.
    Where nothing can be written, nothing is.
    """
    with errors(path):
        if not path.is_file():
            raise MissingData(f"there is no study at {path}: run `nassim compare --out {path.parent}` first.")
        if _is_fragment(path):
            raise _unbegun(path)
        db = sqlite3.connect(_address(path), uri=True, isolation_level=None)
        try:
            _look_through(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _unbegun(path: Path) -> Unbegun:
    return Unbegun(f"the study at {path} was never begun: its creation was interrupted. Repeat the command.")


def _is_fragment(path: Path) -> bool:
    """Whether a file is less than SQLite's first page, of a file in which nothing was written yet."""
    with path.open("rb") as file:
        head = file.read(_PAGE)
    identity = head[_ID_AT : _ID_AT + 4]
    return len(head) < _PAGE and head[:16] == _MAGIC[: len(head)] and not any(identity)


def _address(path: Path) -> str:
    """The file's address; where nothing can be written it is told to SQLite, which else makes two files beside it."""
    address = path.resolve().as_uri() + "?mode="
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return address + "rw"
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:  # runs that are not in the file yet: SQLite has to see them
        return address + "ro"
    return address + "ro&immutable=1"


def _look_through(db: sqlite3.Connection, path: Path) -> None:
    deadline = time.monotonic() + PATIENCE + path.stat().st_size / PACE
    db.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    kind = db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]
    # plain tables alone: a view or a trigger is a program
    there = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL OR type <> 'index'").fetchmany(
        9
    )
    if kind == (0, 0) and not there:
        raise _unbegun(path)
    if kind[0] != APPLICATION_ID:
        raise CorruptData(f"{path} is not a study of nassim. {ADVICE}")
    if kind[1] != FORMAT:
        raise CorruptData(f"{path} has study format {kind[1]}, this nassim reads {FORMAT}. {ADVICE}")
    damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise CorruptData(f"{path} is damaged ({_line(damage)}). {ADVICE}")
    if sorted(map(_spaced, there)) != sorted(_spaced(("table", *table)) for table in TABLES.items()):
        raise CorruptData(f"{path} is not a study of nassim: it has other tables than a study has. {ADVICE}")
    db.set_progress_handler(None, 0)


def _spaced(row: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(" ".join(str(value).split()) for value in row)


def _line(what: object) -> str:
    return " ".join(str(what).split())[:200]


# What may stand in the columns; SQLite itself keeps anything anywhere. Beyond it numbers cannot be added up any more.
LARGEST = 1e100
_MAY_LACK = ("observed_valid_accuracy", "test_accuracy")


def refuse_odd_values(db: sqlite3.Connection, path: Path, tables: Iterable[str]) -> None:
    """`CorruptData` if a value of these tables is of another type than its column, infinite or absurdly large."""
    for table in tables:
        odd = []
        for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            allowed = f"'{kind.lower()}'" + (", 'null'" if name in _MAY_LACK else "")
            odd.append(f"typeof({name}) NOT IN ({allowed})")
            if kind != "TEXT":
                odd.append(f"abs({name} + 0.0) > {LARGEST}")
        with closing(db.execute(f"SELECT 1 FROM {table} WHERE {' OR '.join(odd)} LIMIT 1")) as found:
            if found.fetchone() is not None:
                raise CorruptData(f"{path} is not a readable study: its {table} have values of another kind. {ADVICE}")
