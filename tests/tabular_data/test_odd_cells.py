"""What stands where a number, a text or an archive should be: a line with its place, never a traceback."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import CorruptData, NassimError
from nassim.supernet import Moment, Recording
from nassim.tabular_data import recordings
from nassim.tabular_data.recipes import natsbench_topology
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.tabular_data.recipes.nasbench201_sources import help_latency
from nassim.tabular_data.recipes.natsbench_files import read

SPEC = """
[decisions]
a = ["x", "y"]
b = [1, 2]
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
DEEP: Any = json.loads("[" * 150 + "]" * 150)


def records() -> list[dict[str, Any]]:
    return [
        {"a": a, "b": b, "epoch": 9, "seed": 1, "valid": 50.0 + b, "test": 40.0 + b, "cost": 2.0, "lat": 1.5 * b}
        for a in "xy"
        for b in (1, 2)
    ]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Imports a text as JSON."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    (tmp_path / "spec.toml").write_text(SPEC)

    def run(text: str) -> Path:
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
        return import_table("mine", tmp_path / "results.json", tmp_path / "spec.toml")

    return run


def test_odd_cells_of_json(imported: Callable[[str], Path]) -> None:
    imported(json.dumps(records()))
    odd = ([], [1], {}, {"x": 1}, DEEP, 10**400, -(10**400), 10**30, 1e308, True, "\ud800", "x" * 10_000, None, "")
    for column in records()[0]:
        for value in odd:
            made = records()
            made[2][column] = value
            try:
                imported(json.dumps(made))
            except NassimError as error:
                message = str(error)
                assert "\n" not in message and len(message) < 700
                assert "row 3" in message or value in (None, "", True, 10**30, 1e308), (column, value, message)
                continue
            assert (
                column == "lat"
                or (column, value) in (("epoch", True), ("cost", True), ("valid", True))
                or (column in ("b", "seed", "test") and value is True)
                or (column == "seed" and isinstance(value, (int, float, str)))
            ), (column, value)


@pytest.mark.parametrize("cost", [1e308, 1e17, -1.0, 0.0])
def test_costs_that_no_clock_counts(imported: Callable[[str], Path], cost: float) -> None:
    made = records()
    made[1]["cost"] = cost
    with pytest.raises(CorruptData, match="row 2, column cost: a training cannot cost"):
        imported(json.dumps(made))


def signed(content: dict[str, Any]) -> str:
    content = {key: value for key, value in content.items() if key != "digest"}
    return json.dumps({**content, "digest": recordings._digest(content)})


def test_odd_recordings(tmp_path: Path) -> None:
    moments = tuple(Moment(SPACE.at(i), 1.5) for i in range(3))
    made = Recording("darts", "nasbench201/stripes", {"order": 1}, {"channels": 2}, "a machine", {0: moments})
    path = recordings.write_recording(made, tmp_path)
    whole = json.loads(path.read_text())
    nested = "[" * 100_000
    seconds = ["NaN", "-1.0", "1e999", "[]", "1" * 400, '"1.5"', "true"]
    texts = [nested, '{"format": 1, "runs": ' + nested, "[]", "1" * 5_000, '"' + "x" * 100]
    texts += [
        signed({**whole, "runs": {"0": {**whole["runs"]["0"], "seconds": [json.loads(text), 1.5, 1.5]}}})
        for text in seconds
    ]
    for field in whole:
        texts += [signed({**whole, field: value}) for value in (None, 3, [], {}, "x", DEEP, {"0": DEEP}, 10**400)]
    taken: list[str] = []
    for number, text in enumerate(texts):
        path.write_text(text)
        recordings._read.cache_clear()
        try:
            found = recordings.read_recordings("nasbench201/stripes", SPACE, "darts", tmp_path)
        except NassimError as error:
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 1000
            continue
        taken += [text[:300] for recording in found if recording != made]
        assert number >= 5
    # A digest and a version of nassim are taken as they come; seconds and texts are not.
    assert all('"runs": {}' in text or '"machine": "x"' in text for text in taken), taken


def archive(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        made.writestr("archive/data.pkl", b"\x80\x02]q\x00." + bytes(500))
    return buffer.getvalue()


def with_method(method: int) -> bytes:
    content = bytearray(archive())
    struct.pack_into("<H", content, 8, method)
    struct.pack_into("<H", content, content.index(b"PK\1\2") + 10, method)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(archive())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def broken_stream() -> bytes:
    content = bytearray(archive())
    start = 30 + len("archive/data.pkl")
    content[start : start + 4] = b"\xff\xff\xff\xff"
    return bytes(content)


def large() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("archive/data.pkl", bytes(20_000_000))
    return buffer.getvalue()


ARCHIVES = {
    "encrypted": encrypted(),
    "unknown method": with_method(77),
    "bzip2 that is none": with_method(12),
    "lzma that is none": with_method(14),
    "broken stream": broken_stream(),
    "without end": archive()[:-30],
    "large": large(),
}


def test_odd_archives(tmp_path: Path) -> None:
    for name, content in ARCHIVES.items():
        for ending in (".pth", ".pt"):
            path = tmp_path / f"file{ending}"
            path.write_bytes(content)
            with pytest.raises(CorruptData) as first:
                help_latency(path, None)  # type: ignore[arg-type]  # not reached
            with pytest.raises(CorruptData) as second:
                list(read(path, natsbench_topology.RELEASE))
            for caught in (first, second):
                assert "\n" not in str(caught.value) and "file.p" in str(caught.value), name
