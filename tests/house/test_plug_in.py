"""The package of docs/plug-in.md: installed as it stands there, without a network, and found by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plug-in.md"
FILES = ("pyproject.toml", *(f"nassim_example/{name}.py" for name in ("__init__", "schedules", "annealing", "ladder")))


def package() -> dict[str, str]:
    """The files that the page shows: each is named before its block."""
    shown = re.findall(
        r"`([\w/.]+)`[^`\n]*:\n\n```(?:toml|py)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    return dict(shown)


def write(folder: Path) -> None:
    for name, text in package().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def nassim(*arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    command = [sys.executable, "-m", "nassim.cli.main", *arguments]
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)


def test_the_page_shows_a_whole_package() -> None:
    assert tuple(package()) == FILES


@pytest.mark.slow
def test_the_package_is_installed_and_found(tmp_path: Path) -> None:
    source, target, work = (tmp_path / name for name in ("source", "target", "work"))
    write(source)
    work.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    done = subprocess.run([*pip, "--no-build-isolation", "--target", target, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for kind, line in (
        ("algorithms", r"^annealing .*\bsa\b"),
        ("benchmarks", "^ladder/short "),
        ("spaces", "^ladder "),
    ):
        done = nassim("list", kind, path=target, cwd=work)
        assert done.returncode == 0 and re.search(line, done.stdout, re.M), done.stdout + done.stderr
    assert "Kirkpatrick" in nassim("show", "annealing", path=target, cwd=work).stdout
    command = ["compare", "--algos", "sa,re", "--benchmark", "ladder/short", "--budget", "12q", "--seeds", "3"]
    done = nassim(*command, "--jobs", "2", "--no-report", "--out", "study", path=target, cwd=work)
    assert done.returncode == 0 and "annealing" in done.stdout, done.stderr
    check = "import nassim; from nassim.testing import *; from nassim_example import ladder, annealing as a; "
    check += (
        "check_space(ladder.SPACE); check_benchmark(nassim.get_benchmark('ladder/short')); check_strategy(a.annealing)"
    )
    variables = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run([sys.executable, "-c", check], env=variables, cwd=work, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("import nowhere_at_all\n", "the plug-in broken_one cannot be loaded: ModuleNotFoundError"),
        ("x = 1 / 0\n", "the plug-in broken_one cannot be loaded: ZeroDivisionError"),
        ("x = 1\n", "the plug-in broken_one has no strategy broken"),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_it(tmp_path: Path, module: str, expected: str) -> None:
    (tmp_path / "broken_one.py").write_text(module, encoding="utf-8")
    (tmp_path / "broken_one-1.0.dist-info").mkdir()
    (tmp_path / "broken_one-1.0.dist-info" / "METADATA").write_text(
        "Name: broken-one\nVersion: 1.0\n", encoding="utf-8"
    )
    points = "[nassim.algorithms]\nbroken = broken_one\n"
    (tmp_path / "broken_one-1.0.dist-info" / "entry_points.txt").write_text(points, encoding="utf-8")
    done = nassim("list", "algorithms", path=tmp_path, cwd=tmp_path)
    assert done.returncode == 2 and expected in done.stderr and done.stderr.count("\n") == 1
