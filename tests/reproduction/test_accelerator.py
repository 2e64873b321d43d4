"""tools/accelerator.py: its dry run, which goes on where it stopped, and what its table says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]


def dry(folder: Path, *arguments: str) -> str:
    command = [sys.executable, ROOT / "tools" / "accelerator.py", "--dry", "--device", "cpu", "--out", folder]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(table: str) -> dict[str, str]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line]
    return {f"{part}: {name}": result for part, name, result in cells[2:]}


@pytest.mark.slow
def test_a_dry_run_does_everything_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    nothing = dry(tmp_path, "--minutes", "0")
    assert rows(nothing) == {} and "jobs are left: run it again" in nothing
    part = dry(tmp_path, "--only", "agreement")
    first = rows(part)
    assert "torch" in part.splitlines()[0] and "dry run" in part.splitlines()[0] and "All done." in part
    assert {key.partition(":")[0] for key in first} == {"agreement"} and len(first) == 18
    same = [float(value) for key, value in first.items() if "difference" in key]
    assert len(same) == 16 and max(same) < 1e-9  # the CPU against itself
    whole = dry(tmp_path)
    found = rows(whole)
    assert {key: found[key] for key in first} == first and "All done." in whole
    assert {key.partition(":")[0] for key in found} == {"agreement", "speed", "many", "trainings", "searches"}
    assert json.loads((tmp_path / "results.json").read_text())["device"] in whole
    assert not any("cannot be" in value for value in found.values()), found
    on_cuda = [value for key, value in found.items() if "graph" in key or "compiled" in key]
    assert on_cuda and set(on_cuda) == {"on CUDA only"}


@pytest.mark.slow
def test_results_of_another_device_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"device": "another"}')
    command = [sys.executable, ROOT / "tools" / "accelerator.py", "--dry", "--device", "cpu", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "choose another folder" in done.stderr and done.stderr.count("\n") == 1
