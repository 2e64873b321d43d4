"""Hostile files of studies: each gives one line, and none a traceback or a wait without end."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from nassim.cli.repeat import repeated
from nassim.errors import CorruptData, NassimError
from nassim.facts import Facts
from nassim.report.follow import Follower
from nassim.study import FILE, Study, compare
from nassim.study_file import digest
from nassim.summary import export_tables, summary_rows


def small(folder: Path) -> Path:
    compare(["re"], ["toy/additive"], "20q", seeds=2, out=folder).close()
    return folder / FILE


def change(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def put_back(path: Path, content: bytes) -> None:
    for left in path.parent.glob(f"{path.name}-*"):
        left.unlink()
    path.write_bytes(content)


def set_setting(path: Path, key: str, value: object) -> None:
    """As a file of an older nassim would have it, which has no digest of its settings."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("DELETE FROM settings WHERE key = 'digest'")
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value if key == "raw" else json.dumps(value)))
    db.close()


def read(folder: Path) -> None:
    """Everything that reads a study, short of the report."""
    study = Study.open(folder)
    summary_rows(study)
    export_tables(study)
    study.close()
    repeated(folder)
    follower = Follower(folder)
    follower.refresh()


ODD = [
    None,
    True,
    0,
    -1,
    3,
    1.5,
    10**400,
    "",
    "x",
    "9" * 20_000,
    "\ud800",
    [],
    ["x"],
    [[3]],
    {},
    {"x": 1},
    {"x": {"y": 1}},
]
KEYS = ["nassim", "benchmarks", "strategies", "budget", "seeds", "workers", "noise"]
KEYS += ["one_shot", "left_out", "runs", "provenance", "protocol"]


@pytest.mark.slow
def test_settings_of_other_types_are_said(tmp_path: Path) -> None:
    path = small(tmp_path)
    original = path.read_bytes()
    facts = Facts(**json.loads(json.dumps(Study.open(tmp_path).settings["benchmarks"]["toy/additive"])))
    cases = [(key, value) for key in KEYS for value in ODD]
    for field in Facts._fields:
        cases += [("benchmarks", {"toy/additive": {**facts._asdict(), field: value}}) for value in ODD]
    refused = 0
    for key, value in cases:
        put_back(path, original)
        set_setting(path, key, value)
        try:
            read(tmp_path)
        except NassimError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            refused += 1
    assert refused > len(cases) / 2


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "NaN", '"\\ud800"'])
def test_settings_that_are_no_json_are_said(tmp_path: Path, text: str) -> None:
    path = small(tmp_path)
    set_setting(path, "seeds", 2)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("UPDATE settings SET value = ? WHERE key = 'noise'", (text,))
    db.close()
    with pytest.raises(CorruptData):
        read(tmp_path)


def columns_of(path: Path, table: str) -> list[str]:
    db = sqlite3.connect(path)
    found = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    return found


def forged(path: Path, column: str, value: object) -> None:
    """Put a value into the row of the first run, with a digest that is right."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"UPDATE runs SET {column} = ? WHERE id = 0", (value,))
        head = db.execute("SELECT * FROM runs ORDER BY id LIMIT 1").fetchone()
        db.execute("UPDATE runs SET digest = ? WHERE id = ?", (digest(head[:-2]), head[0]))


@pytest.mark.slow
def test_values_of_other_types_are_said(tmp_path: Path) -> None:
    path = small(tmp_path)
    original = path.read_bytes()
    odd = [None, "x", b"\xff", b"{}", -5, 2**62, float("inf"), 1e308, "[" * 50_000, "[1]", "other/name"]
    for column in columns_of(path, "runs"):
        for value in odd:
            put_back(path, original)
            try:
                forged(path, column, value)
            except sqlite3.IntegrityError:
                continue
            try:
                read(tmp_path)
            except NassimError as error:
                assert "\n" not in str(error)


@pytest.mark.slow
def test_packed_rows_of_other_kinds_are_said(tmp_path: Path) -> None:
    path = small(tmp_path)
    original = path.read_bytes()
    odd = [None, "x", -5, 2**62, float("inf"), [[]], {"a": {}}]
    refused = 0
    for column in ("trials", "incumbents"):
        with closing(sqlite3.connect(path)) as db:
            packed = db.execute(f"SELECT {column} FROM runs WHERE id = 0").fetchone()[0]
        columns = json.loads(zlib.decompress(packed))
        for name in columns:
            for value in odd:
                put_back(path, original)
                changed = {**columns, name: [value, *columns[name][1:]]}
                forged(path, column, zlib.compress(json.dumps(changed).encode()))
                try:
                    read(tmp_path)
                except NassimError as error:
                    assert "\n" not in str(error)
                    refused += 1
    assert refused > 40


# -- hostile schemas ----------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
HOSTILE = {
    "view of runs": ["DROP TABLE runs", f"CREATE VIEW runs AS {ENDLESS} x AS id, {','.join('x' * 17)} FROM c"],
    "view of settings": ["DROP TABLE settings", f"CREATE VIEW settings AS {ENDLESS} 'k' AS key, '1' AS value FROM c"],
    "view beside": [f"CREATE VIEW other AS {ENDLESS} x FROM c"],
    "trigger": [f"CREATE TRIGGER t AFTER INSERT ON runs BEGIN INSERT INTO settings {ENDLESS} x, x FROM c; END"],
    "table beside": ["CREATE TABLE other (x)"],
    "generated column": ["ALTER TABLE runs ADD COLUMN more TEXT AS (hex(zeroblob(100000000)))"],
    "index": ["CREATE INDEX i ON runs (seed) WHERE hex(zeroblob(seed + 1)) > ''"],
    "default": ["ALTER TABLE settings ADD COLUMN more TEXT DEFAULT 'x'"],
    "missing table": ["DROP TABLE runs"],
}
OPEN = "import sys; from nassim.study import Study; from nassim.errors import CorruptData\n"
OPEN += "try: Study.open(sys.argv[1])\nexcept CorruptData as error: print('refused:', error)"


@pytest.mark.slow
def test_a_file_with_other_tables_is_refused(tmp_path: Path) -> None:
    readers = []
    for name, statements in HOSTILE.items():
        change(small(tmp_path / name), *statements)
        readers.append(
            subprocess.Popen([sys.executable, "-c", OPEN, tmp_path / name], stdout=subprocess.PIPE, text=True)
        )
    try:
        for name, reader in zip(HOSTILE, readers, strict=True):
            said = reader.communicate(timeout=20)[0]
            assert said.startswith("refused: ") and said.count("\n") == 1, (name, said)
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


FUZZ = """
import faulthandler, random, sys
from pathlib import Path
from test_store_hostile import mutated, put_back, read
from nassim.errors import NassimError

folder, seed, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
path, original = folder / "study.db", (folder / "study.db").read_bytes()
rng, refused = random.Random(f"study/{seed}"), 0
for number in range(count):
    faulthandler.dump_traceback_later(20, exit=True)  # of one file
    put_back(path, original)
    mutated(path, rng)
    try:
        read(folder)
    except NassimError as error:
        refused += 1
        assert "\\n" not in str(error), error
    except BaseException:
        print("file", number, "of seed", seed, file=sys.stderr)
        raise
print(refused)
"""


def mutated(path: Path, rng: random.Random) -> None:
    """Change a study's file: bytes, pages, length, or values with digests that fit."""
    kind = rng.choice(["bits", "bits", "bytes", "header", "cut", "pages", "values", "values", "settings"])
    data = bytearray(path.read_bytes())
    page = 4096
    if kind == "bits":
        for _ in range(rng.choice([1, 3, 30, 300])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "bytes":
        at = rng.randrange(len(data))
        data[at : at + rng.choice([1, 2, 4, 8, 100])] = rng.randbytes(rng.choice([1, 2, 4, 8, 100]))
    elif kind == "header":
        at = page * rng.randrange(len(data) // page) + rng.randrange(8 if rng.random() < 0.5 else 110)
        data[at] = rng.choice([0, 1, 2, 5, 10, 13, 255, rng.randrange(256)])
    elif kind == "cut":
        del data[rng.randrange(len(data)) :]
    elif kind == "pages":
        a, b = (page * rng.randrange(len(data) // page) for _ in range(2))
        data[a : a + page] = data[b : b + page]
    path.write_bytes(data)
    if kind == "values":
        column = rng.choice(columns_of(path, "runs"))
        value = rng.choice(
            [*(v for v in ODD if not isinstance(v, (list, dict)) and v not in (10**400, "\ud800")), b"x"]
        )
        try:
            forged(path, column, value)
        except sqlite3.IntegrityError:
            return
    if kind == "settings":
        set_setting(path, rng.choice(KEYS), rng.choice(ODD))


@pytest.mark.slow
def test_thousands_of_mutated_files_give_one_line_each(tmp_path: Path) -> None:
    children = []
    for seed in range(2):
        small(tmp_path / str(seed))
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-W", "error", "-c", FUZZ, str(tmp_path / str(seed)), str(seed), "1000"]
        children.append(subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True))
    for child in children:
        out, err = child.communicate(timeout=1200)
        assert child.returncode == 0, err
        assert int(out) > 500  # refused: most mutations matter
