"""Tables of the user's own, and how somebody would alter one on purpose."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.query import Query
from nassim.tabular_data.own_recipe import own_recipes
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.tabular_data.table import Table, first_lines, read_header

SPEC = """
[decisions]
a = ["x", "y", "z"]
b = [1, 2]
[architectures]
missing = "sample"
[accuracy]
unit = "percent"
valid = "valid"
test = "test"
[training]
epoch = "epoch"
[cost]
column = "cost"
[extras]
lat = "lat"
"""
TRAINED = [("x", 1), ("x", 2), ("y", 1), ("y", 2), ("z", 1)]
ROWS = [f"{a},{b},{e},{50 + e + b},{40 + e},{10 * e},{b}" for a, b in TRAINED for e in (3, 9)]
Fields, Columns = dict[str, Any], dict[str, Any]
Change = Callable[[Fields, Columns], None]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of the user's own that is whole, `csv/mine`."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    (tmp_path / "spec.toml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "results.csv").write_text("\n".join(["a,b,epoch,valid,test,cost,lat", *ROWS]), encoding="utf-8")
    return import_table("mine", tmp_path / "results.csv", tmp_path / "spec.toml")


def sign(path: Path, *, text: int | None = None) -> None:
    """Make the first lines fit what follows, as somebody would who alters a table on purpose.

    text: bytes of the header, which follows the lines; those that the lines say, if they can be read.
    """
    content = path.read_bytes()
    start = content.find(b"{")
    said = re.search(rb"header (\d{1,9}) ", content[: max(start, 0)])
    text = text or (int(said[1]) if said else 100)
    rest = content[start:]
    sha256, lines, length = hashlib.sha256(rest).hexdigest(), b"", -1
    while len(lines) + len(rest) != length:  # which stands in the lines itself
        length = len(lines) + len(rest)
        lines = first_lines(rest[:text], length, sha256)
    path.write_bytes(lines + rest)


def forge(path: Path, change: Change) -> None:
    """Write the table again with another header or other columns; other programs do not know it any more."""
    content = path.read_bytes()
    start = content.index(b"{")
    said = json.JSONDecoder().raw_decode(content[start:].split(b"\0", 1)[0].decode())[0]
    columns = dict(Table.open(path).columns)
    change(said["header"], columns)
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    at = 1 << 16
    places = {}
    for name, values in arrays.items():
        places[name], at = [values.dtype.str, list(values.shape), at], at + values.nbytes
    text = json.dumps({"header": said["header"], "columns": places}).encode()
    lines = first_lines(text, at, "0" * 64)
    made = (lines + text).ljust(1 << 16, b"\0") + b"".join(values.tobytes() for values in arrays.values())
    path.write_bytes(first_lines(text, at, hashlib.sha256(made[len(lines) :]).hexdigest()) + made[len(lines) :])


def use(path: Path) -> list[float]:
    """Everything that is done with a table: what its benchmark says, and each of its answers."""
    read_header(path)
    Table.open(path)
    own_recipes()
    benchmark = nassim.get_benchmark("csv/mine")
    benchmark.optimum()
    benchmark.optimum("test_accuracy")
    assert benchmark.typical_cost > 0
    repr(benchmark.about), benchmark.space.how_to_write()
    rng = random.Random(0)
    values = []
    for arch in benchmark.space.architectures():
        benchmark.space.neighbors(arch)
        assert benchmark.space.parse(benchmark.space.format(arch)) == arch
        for epochs in (None, *benchmark.fidelities):
            result = benchmark.query(Query(arch, epochs), rng)
            dict(result.extras)
            values += [result.value, result.cost]
        benchmark.test_accuracy(arch)
    assert all(math.isfinite(value) for value in values)
    return values


@pytest.fixture(name="sign")
def _sign() -> Callable[..., None]:
    return sign


@pytest.fixture(name="forge")
def _forge() -> Callable[[Path, Change], None]:
    return forge


@pytest.fixture(name="use")
def _use() -> Callable[[Path], list[float]]:
    return use
