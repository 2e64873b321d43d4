"""Twenty-two thousand altered files for the readers of what comes from outside: answers or our errors, nothing else."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import NassimError
from nassim.supernet import Moment, Recording, Scores
from nassim.tabular_data import recordings
from nassim.tabular_data.recipes import csv_table
from nassim.tabular_data.recipes.csv_rows import Source
from nassim.tabular_data.recipes.csv_spec import read_spec
from nassim.tabular_data.recipes.csv_template import TEMPLATE
from nassim.tabular_data.recipes.nasbench201_sources import help_latency
from nassim.tabular_data.recipes.natsbench_files import read
from nassim.tabular_data.recipes.natsbench_topology import RELEASE
from nassim.tabular_data.tfrecord import checksums, fields, read_records

Read = Callable[[Path], object]
WORDS = [b"[", b"]", b"{", b"}", b'"', b"'", b",", b"\n", b"=", b":", b".", b"\\", b"\0", b"\xff", b"-", b"e", b"true"]
WORDS += [b"null", b"NaN", b"1e308", b"1e999", b"9" * 400, b"[" * 3000, b"{}", b"[[]]", b'"\\ud800"', b'"\\u001b[2J"']
WORDS += [b"0", b"-1", b"0.5", b"\xe2\x82\xac", b"\r\n", b'"""', b"#", b"{epoch}", b"{repeat}", b"1" * 5000, b" " * 200]
ODD: list[Any] = [None, [], {}, "", "x" * 500, -1, 0, 1.5, 10**400, 1e308, float("nan"), True, [[[]]], "\ud800", "\x1b"]


def altered(content: bytes, rng: random.Random) -> bytes:
    """One to three alterations: bytes, words in place of others, parts left out, doubled or moved."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        a, b = sorted(rng.randrange(len(made) + 1) for _ in range(2))
        b = min(b, a + rng.choice((1, 4, 30, len(made))))
        match rng.randrange(8):
            case 0:
                made[a:b] = b""
            case 1:
                del made[a:]
            case 2:
                made[a:a] = made[a:b]
            case 3 | 4:
                made[a : a + rng.choice((0, 1, 5))] = rng.choice(WORDS)
            case 5 if a < len(made):
                made[a] ^= 1 << rng.randrange(8)
            case 6 if a < len(made):
                made[a] = rng.randrange(256)
            case _:
                made[a:a] = rng.randbytes(rng.randrange(5))
        if not made:
            break
    return bytes(made)


def with_odd_values(value: Any, rng: random.Random) -> Any:
    """A value of JSON with odd ones somewhere in it."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2))):
        place = value
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.7:
                place = place[key]
                continue
            if rng.random() < 0.15:
                del place[key]
            else:
                place[key] = rng.choice(ODD)
            break
    return value


def fuzz(path: Path, count: int, make: Callable[[random.Random], bytes], read_one: Read, seed: int) -> None:
    """Read so many altered files; each is an answer or one line."""
    answers = 0
    for number in range(count):
        rng = random.Random(seed * 1_000_000 + number)
        content = make(rng)
        path.write_bytes(content)
        try:
            read_one(path)
            answers += 1
        except NassimError as error:
            message = str(error)
            assert len(message.splitlines()) == 1 and len(message) < 2000, (number, message[:3000])
        except Exception as error:
            kept = path.with_name(f"kept-{number}-{path.name}")
            kept.write_bytes(content)
            raise AssertionError(f"input {number} of seed {seed} ({kept}): {error!r:.300}") from error
    assert answers < count  # something was refused: it was read at all


@pytest.mark.slow
def test_specifications(tmp_path: Path) -> None:
    whole = re.sub(r" *# .*", "", TEMPLATE).encode()
    fuzz(tmp_path / "spec.toml", 4000, lambda rng: altered(whole, rng), read_spec, 1)


SPEC = """
[decisions]
a = ["x", "y"]
b = [1, 2]
[architectures]
missing = "sample"
[accuracy]
unit = "percent"
valid = "valid"
test = "test"
[training]
epoch = "epoch"
repeat = "seed"
[cost]
column = "cost"
unit = "hours"
[extras]
lat = "lat"
"""
RECORDS = [
    {"a": a, "b": b, "epoch": e, "seed": s, "valid": 50.0 + b + e, "test": 40.0 + e, "cost": 2.0 * e, "lat": 1.5 * b}
    for a in "xy"
    for b in (1, 2)
    for e in (3, 9)
    for s in (1, 2)
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "odd json", "csv.gz", "parquet"])
def test_own_results(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows go through every check of an import; only the file in place is left out, which takes longest."""
    monkeypatch.setattr(csv_table, "write_table", lambda path, header, columns: (header, columns))
    (tmp_path / "spec.toml").write_text(SPEC)
    lines = [",".join(RECORDS[0]), *(",".join(map(str, record.values())) for record in RECORDS)]
    text = {"csv": "\n".join(lines), "json": json.dumps(RECORDS), "jsonl": "\n".join(map(json.dumps, RECORDS))}
    if kind == "parquet":
        arrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        from pyarrow import parquet

        buffer = io.BytesIO()
        parquet.write_table(arrow.Table.from_pylist(RECORDS), buffer)
        whole = buffer.getvalue()
    elif kind == "csv.gz":
        import gzip

        whole = gzip.compress(text["csv"].encode(), mtime=0)
    else:
        whole = text.get(kind, "").encode()

    def make(rng: random.Random) -> bytes:
        if kind == "odd json":
            return json.dumps(with_odd_values(RECORDS, rng)).encode()
        return altered(whole, rng)

    path = tmp_path / f"results.{kind.split()[-1]}"

    def import_one(path: Path) -> None:
        Source(path).names()
        csv_table.import_table("mine", path, tmp_path / "spec.toml")

    fuzz(path, 1000, make, import_one, 2)


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_recordings(signed: bool, tmp_path: Path) -> None:
    moments = tuple(Moment(SPACE.at(i), 1.5) for i in range(3))
    scores = Scores((5, 700), {0: (0.125, 0.5)})
    made = Recording("darts", "nasbench201/stripes", {"order": 1}, {"channels": 2}, "a machine", {0: moments}, scores)
    path = recordings.write_recording(made, tmp_path)
    whole = path.read_bytes()
    content = json.loads(whole)

    def make(rng: random.Random) -> bytes:
        if not signed:
            return altered(whole, rng)
        value = with_odd_values({key: value for key, value in content.items() if key != "digest"}, rng)
        return json.dumps({**value, "digest": recordings._digest(value)}).encode()

    def read_one(path: Path) -> None:
        recordings._read.cache_clear()
        for recording in recordings.read_recordings("nasbench201/stripes", SPACE, "darts", tmp_path):
            json.dumps([recording.configuration, recording.machine])
            assert all(0 <= moment.seconds < 1e15 for run in recording.runs.values() for moment in run)

    fuzz(path, 2000, make, read_one, 3)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["bytes", "signed bytes", "header"])
def test_tables(how: str, own: Path, sign: Any, forge: Any, use: Any) -> None:
    whole = own.read_bytes()
    start = whole.index(b"{")
    header = json.JSONDecoder().raw_decode(whole[start : whole.index(b"\0", start)].decode())[0]["header"]

    def make(rng: random.Random) -> bytes:
        if how == "header":
            own.write_bytes(whole)
            forge(own, lambda fields, columns: fields.update(with_odd_values(header, rng)))
        else:
            own.write_bytes(altered(whole, rng))
            if how == "signed bytes" and b"{" in own.read_bytes():
                sign(own)
        return own.read_bytes()

    fuzz(own, 1000, make, use, 4)


def framed(records: list[bytes]) -> bytes:
    parts = []
    for record in records:
        length = struct.pack("<Q", len(record))
        for part in (length, record):
            (checksum,) = checksums(part, np.array([0]), np.array([len(part)]))
            parts += [part, struct.pack("<I", int(checksum))]
    return b"".join(parts)


@pytest.mark.slow
@pytest.mark.parametrize("inside", [False, True])
def test_record_files(inside: bool, tmp_path: Path) -> None:
    """Frames, and what is inside of them: the fields of a protocol buffer, read by their numbers."""
    message = b"\x0a\x12\x08\x01\x11" + struct.pack("<d", 7.5) + b"\x1d" + struct.pack("<f", 0.5) + b"\x10\xac\x02"
    records = [message * 3, b"", message]
    whole = framed(records)

    def make(rng: random.Random) -> bytes:
        return framed([altered(message, rng)[: 1 << 16] for _ in range(3)]) if inside else altered(whole, rng)

    def read_one(path: Path) -> None:
        for record in read_records(path):
            try:
                list(fields(record))
            except ValueError as error:
                assert "protocol buffer" in str(error)  # the recipe says which record
                raise NassimError("one line") from error

    fuzz(tmp_path / "a.tfrecord", 800 if inside else 2500, make, read_one, 5)


def archives() -> dict[str, bytes]:
    pickled = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01}q\x02X\x01\x00\x00\x00bq\x03K\x01su."
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        import bz2

        for name in ("000001.pickle.pbz2", "meta.pickle.pbz2"):
            content = bz2.compress(pickled)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return {"zip": zipped.getvalue(), "tar": tarred.getvalue()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives(kind: str, tmp_path: Path) -> None:
    whole = archives()[kind]

    def read_one(path: Path) -> None:
        if kind == "zip":
            with pytest.raises(NassimError):
                help_latency(path, np.arange(SPACE.size))
        list(read(path, RELEASE))

    fuzz(tmp_path / f"file.{kind}", 1000, lambda rng: altered(whole, rng), read_one, 6)
