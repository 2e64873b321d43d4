"""`nassim new`: files to start from, which run and pass their own tests as they are written."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("undrawn")

Outcome = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_tests(path: Path) -> int:
    """The tests of a written file, each called as pytest would."""
    tests = {name: value for name, value in runpy.run_path(str(path)).items() if name.startswith("test_")}
    for test in tests.values():
        test()
    return len(tests)


def test_a_new_strategy_runs_as_it_is(outcome: Outcome, folder: Path) -> None:
    code, out, err = outcome("new", "strategy", "climber")
    assert code == 0, err
    assert sorted(path.name for path in folder.iterdir()) == ["climber.py", "test_climber.py"]
    assert "nassim compare --algos climber.py,rs" in out and "pytest test_climber.py" in out
    command = ["compare", "--algos", "climber.py,rs", "--benchmark", "toy/additive", "--budget", "20q", "--seeds", "5"]
    code, out, err = outcome(*command, "--jobs", "1", "--no-report", "--out", "study")
    assert code == 0 and "climber" in out, err
    code, out, _ = outcome("show", "climber.py")
    assert code == 0 and all(word in out for word in ("Pseudocode", "Departures", "Hyperparameters", "mutations"))
    assert run_tests(folder / "test_climber.py") >= 2


def test_a_new_benchmark_runs_as_it_is(outcome: Outcome, folder: Path) -> None:
    code, out, err = outcome("new", "benchmark", "blocks")
    assert code == 0, err
    assert "--benchmark blocks.py/small" in out
    command = ["compare", "--algos", "re", "--benchmark", "blocks.py/small", "--budget", "12q", "--seeds", "2"]
    code, out, err = outcome(*command, "--jobs", "1", "--no-report", "--out", "study")
    assert code == 0 and "blocks/small" in out, err
    assert run_tests(folder / "test_blocks.py") >= 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["strategy", "benchmark"])
@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_pytest_passes(outcome: Outcome, folder: Path, kind: str, mode: str) -> None:
    assert outcome("new", kind, "mine")[0] == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--import-mode={mode}", "test_mine.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["strategy", "benchmark"])
def test_what_is_written_is_neat(outcome: Outcome, folder: Path, kind: str) -> None:
    assert outcome("new", kind, "mine")[0] == 0
    for check in (["check"], ["format", "--check"]):
        command = [
            sys.executable,
            "-m",
            "ruff",
            *check,
            "--config",
            str(ROOT / "pyproject.toml"),
            "mine.py",
            "test_mine.py",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_nothing_is_written_over(outcome: Outcome, folder: Path) -> None:
    (folder / "test_mine.py").write_text("mine", encoding="utf-8")
    code, _, err = outcome("new", "strategy", "mine")
    assert code == 2 and "test_mine.py" in err and err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["test_mine.py"]
    assert (folder / "test_mine.py").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("strategy", "Mine", "small letters"),
        ("strategy", "1st", "small letters"),
        ("strategy", "../x", "small letters"),
        ("strategy", "mine.py", "small letters"),
        ("strategy", "größe", "small letters"),
        ("strategy", "", "small letters"),
        ("strategy", "a" * 300, "small letters"),
        ("strategy", "class", "Python"),
        ("strategy", "random", "Python"),
        ("strategy", "nassim", "Python"),
        ("strategy", "re", "Python"),
        ("strategy", "bo", "nassim"),
        ("strategy", "random_search", "nassim"),
        ("benchmark", "toy", "nassim"),
        ("benchmark", "numpy", "Python"),
    ],
)
def test_a_bad_name_is_one_line(outcome: Outcome, folder: Path, kind: str, name: str, expected: str) -> None:
    code, _, err = outcome("new", kind, name)
    assert code == 2 and expected in err and err.startswith("error: ") and err.count("\n") == 1 and len(err) < 400
    assert list(folder.iterdir()) == []
