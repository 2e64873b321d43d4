"""Studies of nassim's first format, which are read and never written: trials and incumbents as rows of tables."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nassim.errors import CorruptData
from nassim.packing import Point, TrialRow

TABLES = {
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


def runs(db: sqlite3.Connection, path: Path) -> Iterator[tuple[list[Any], list[Point]]]:
    """The eleven columns of each run and its incumbents; checks every run's digest."""
    headers = db.execute("SELECT * FROM runs ORDER BY id").fetchall()
    trials = _by_run(db.execute("SELECT * FROM trials ORDER BY run, number"))
    incumbents = _by_run(db.execute("SELECT * FROM incumbents ORDER BY run, number"))
    for *header, _, known in headers:
        rows = incumbents.get(header[0], [])
        content = tuple(header), trials.get(header[0], []), rows
        if hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest() != known:
            what = f"run {header[0]} ({header[2]:.80}, seed {header[3]})"
            raise CorruptData(f"{path}: {what} was altered. Nothing was changed.")
        yield header, [Point(*row[2:]) for row in rows]


def trials(db: sqlite3.Connection) -> Iterator[tuple[str, str, int, int, TrialRow]]:
    """Benchmark, strategy, seed, number and row of every trial."""
    found = db.execute(
        "SELECT r.benchmark, r.strategy, r.seed, t.number, t.architecture, t.epochs, t.valid_accuracy, "
        "t.cost_seconds, t.started_seconds, t.finished_seconds, t.worker "
        "FROM runs r JOIN trials t ON t.run = r.id ORDER BY r.id, t.number"
    )
    for benchmark, strategy, seed, number, arch, *rest in found:
        yield benchmark, strategy, seed, number, TrialRow(arch, None, *rest)


def _by_run(rows: sqlite3.Cursor) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return grouped
