from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from nassim import Noise, Query
from nassim.benchmark import About
from nassim.benchmarks.toy import SPACE
from nassim.errors import CorruptData, InvalidQuery, MissingData, OutputFailed, Unsupported
from nassim.tabular_data.table import Header, Table, digest, write_table
from nassim.tabular_data.tabulated import Tabulated
from nassim.testing import check_benchmark

HEADER = Header(
    space="toy",
    tasks=("noise",),
    metrics=("valid_accuracy", "test_accuracy"),
    splits={"noise/valid_accuracy": "none"},
    repeats=3,
    seeds="1, 2, 3",
    epochs=(9,),
    units={"valid_accuracy": "fraction"},
    source="made by a test",
    licence="MIT",
    citation="none",
)


def made_up() -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(5)
    valid = generator.random((SPACE.size, 3))
    valid[::2, 2] = np.nan
    return {
        "noise/valid_accuracy": valid,
        "noise/test_accuracy": valid - 0.01 * valid**2,
        "noise/train_seconds": 1.0 + np.arange(SPACE.size),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_table(tmp_path / "made" / "toy.h5", HEADER, made_up())
    return tmp_path / "made" / "toy.h5"


def test_a_table_comes_back(path: Path) -> None:
    table = Table.open(path)
    columns = made_up()
    assert table.header == replace(HEADER, sha256=digest(columns))
    assert set(table.columns) == set(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(table.columns[name], column)
        with pytest.raises(ValueError, match="read-only"):
            table.columns[name][0] = 0.0


def test_columns_stay_on_disk(path: Path) -> None:
    base: Any = Table.open(path).columns["noise/train_seconds"]
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "mmap"


def test_other_programs_read_it(path: Path) -> None:
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["noise/valid_accuracy"][()], made_up()["noise/valid_accuracy"])
        assert json.loads(file.attrs["licence"]) == "MIT"
        assert set(file.attrs) == {*asdict(HEADER), "columns"}


def test_the_same_columns_have_the_same_digest() -> None:
    columns = made_up()
    assert digest(dict(reversed(columns.items()))) == digest(columns)
    for name in columns:
        changed = {**columns, name: columns[name].copy()}
        changed[name].flat[0] += 1e-12
        assert digest(changed) != digest(columns)
    assert digest({"other": columns["noise/train_seconds"]}) != digest({"column": columns["noise/train_seconds"]})


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(CorruptData) as caught:
        Table.open(path)
    assert path.read_bytes() == content
    message = str(caught.value)
    assert str(path) in message
    assert "Delete it" in message
    return message


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    rng = random.Random(3)
    for position in [*range(0, 520, 3), *rng.sample(range(len(whole)), 150)]:
        altered = bytearray(whole)
        altered[position] ^= 1 << rng.randrange(8)
        refused(path, bytes(altered))


def test_truncated_and_longer_tables(path: Path) -> None:
    whole = path.read_bytes()
    for length in (0, 1, 100, 511, 512, 513, len(whole) // 2, len(whole) - 1):
        refused(path, whole[:length])
    assert f"{len(whole):,}" in refused(path, whole + b"\0")


def test_foreign_files(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w", userblock_size=512) as file:
        file["valid_accuracy"] = np.zeros(100)
    foreign = [(tmp_path / "other.h5").read_bytes(), b"PK\3\4" * 400, b"nassim table of contents\n" * 50, b"\0" * 2000]
    for content in foreign:
        assert "not a nassim table" in refused(path, content)


def test_another_format_is_named(path: Path) -> None:
    assert "format 9" in refused(path, path.read_bytes().replace(b"nassim table 2\n", b"nassim table 9\n", 1))
    assert "format 1" in refused(path, b"nassim table 1\nbytes 2000\n".ljust(2000, b"\0"))


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"none\.h5"):
        Table.open(tmp_path / "none.h5")
    with pytest.raises(CorruptData, match="cannot be read"):
        Table.open(tmp_path)


# -- writing --------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made(path: Path) -> None:
    with pytest.raises(OutputFailed, match="NASSIM_DATA"):
        write_table(path / "below a file" / "toy.h5", HEADER, made_up())


CHILD = """
import os, resource, signal, sys
from pathlib import Path
import numpy as np
from nassim.tabular_data.table import Header, write_table

path, moment = Path(sys.argv[1]), sys.argv[2]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
elif moment == "writing":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
elif moment == "written":
    os.fsync = die
elif moment == "synced":
    Path.replace = die
elif moment == "replaced":
    Path.unlink = die
header = Header("toy", (), (), {}, 1, "", (9,), {}, "", "", "")
write_table(path, header, {"noise/train_seconds": np.full(1000, 2.0)})
"""


def child(path: Path, moment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD, str(path), moment]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")
def test_a_full_disk_leaves_the_old_table(path: Path) -> None:
    before = path.read_bytes()
    done = child(path, "full")
    assert done.returncode == 1
    assert "OutputFailed" in done.stderr.splitlines()[-1]
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")
@pytest.mark.parametrize("moment", ["writing", "written", "synced", "replaced"])
@pytest.mark.parametrize("existed", [True, False])
def test_a_killed_writer_leaves_nothing_half_made(path: Path, moment: str, existed: bool) -> None:
    before = path.read_bytes()
    if not existed:
        path.unlink()
    assert child(path, moment).returncode < 0
    if moment == "replaced":
        assert Table.open(path).columns["noise/train_seconds"][0] == 2.0
    elif existed:
        assert path.read_bytes() == before
    else:
        assert not path.exists()
    write_table(path, HEADER, made_up())
    assert Table.open(path).columns["noise/train_seconds"][0] == 1.0


def test_what_a_killed_writer_left_is_swept_after_an_hour(path: Path) -> None:
    old, new = (path.with_name(f".toy.h5.{name}.tmp") for name in ("1-0000000a", "2-0000000b"))
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    write_table(path, HEADER, made_up())
    assert not old.exists()
    assert new.exists()


# -- answers from a table ---------------------------------------------------------------------------


def tabulated(path: Path, noise: str = "draw", metrics: tuple[str, ...] = HEADER.metrics) -> Tabulated:
    columns = made_up()
    write_table(path, replace(HEADER, metrics=metrics), columns)
    about = About("toy", "none", "a test", "MIT", "none", extras={"parameters": "count"})
    extras = {"parameters": np.arange(SPACE.size)}
    return Tabulated(
        Table.open(path), "noise", space=SPACE, noise=Noise.parse(noise), about=about, extras=extras, test_source="Ask."
    )


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1", "repeat=2"])
def test_it_meets_the_contract_of_a_benchmark(path: Path, noise: str) -> None:
    check_benchmark(tabulated(path, noise))


def test_draw_takes_existing_repeats_with_equal_probability(path: Path) -> None:
    benchmark = tabulated(path)
    rng = random.Random(0)
    for row in (4, 5):
        recorded = made_up()["noise/valid_accuracy"][row]
        recorded = recorded[~np.isnan(recorded)]
        drawn = Counter(benchmark.query(Query(SPACE.at(row)), rng).value for _ in range(3000))
        assert set(drawn) == set(recorded)
        expected = 3000 / len(recorded)
        assert all(abs(n - expected) < 5 * math.sqrt(expected) for n in drawn.values())


def test_only_draw_draws(path: Path) -> None:
    for noise, uses in (("draw", True), ("mean", False), ("repeat=1", False)):
        rng = random.Random(0)
        tabulated(path, noise).query(Query(SPACE.at(3)), rng)
        assert (rng.getstate() != random.Random(0).getstate()) is uses


def test_means_leave_missing_repeats_out(path: Path) -> None:
    benchmark = tabulated(path, "mean")
    for row in (4, 5):
        recorded = [value for value in made_up()["noise/valid_accuracy"][row].tolist() if value == value]
        assert len(recorded) == 2 + row % 2
        expected = pytest.approx(sum(recorded) / len(recorded), rel=1e-15)
        assert benchmark.mean_accuracy(SPACE.at(row)) == expected
        assert benchmark.query(Query(SPACE.at(row)), random.Random()).value == benchmark.mean_accuracy(SPACE.at(row))
    best = SPACE.at(int(benchmark.mean_accuracies().argmax()))
    assert benchmark.optimum() - benchmark.mean_accuracy(best) == 0.0
    assert benchmark.optimum("test_accuracy") != benchmark.optimum()


def test_a_repeat_that_some_lack_is_refused(path: Path) -> None:
    with pytest.raises(InvalidQuery, match=r"repeat=3 for 41 of 81 .* repeat=1 to 2"):
        tabulated(path, "repeat=3")
    with pytest.raises(InvalidQuery, match="repeat=4 for 81 of 81"):
        tabulated(path, "repeat=4")


def test_a_missing_test_split_is_named(path: Path) -> None:
    benchmark = tabulated(path, metrics=("valid_accuracy",))
    assert not benchmark.has_test
    for ask in (benchmark.test_accuracy, lambda arch: benchmark.mean_accuracy(arch, "test_accuracy")):
        with pytest.raises(Unsupported, match=r"no test split\. Ask\."):
            ask(SPACE.at(0))
    with pytest.raises(InvalidQuery, match="valid_accuracy"):
        benchmark.optimum("accuracy")


def test_results_are_shared_read_only_and_can_be_pickled(path: Path) -> None:
    benchmark = tabulated(path, "mean")
    result = benchmark.query(Query(SPACE.at(7)), random.Random())
    assert result is benchmark.query(Query(SPACE.at(7)), random.Random())
    assert result.cost == 8.0
    assert dict(result.extras) == {"parameters": 7.0}
    assert deepcopy(result) == result  # by the same protocol as between processes
    with pytest.raises(TypeError):
        result.extras["parameters"] = 0.0  # type: ignore[index]
