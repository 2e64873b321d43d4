"""A terminal that knows few characters: what cannot be shown is written otherwise, and no work is lost over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # every test starts processes that make figures

ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
LATIN = {"PYTHONIOENCODING": "latin-1"}


def nassim(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if k not in (*C_LOCALE, "PYTHONIOENCODING")}
    command = [sys.executable, "-m", "nassim.cli.main", *arguments]
    return subprocess.run(command, env={**kept, **environment}, capture_output=True, timeout=120)


@pytest.mark.parametrize("environment", [ASCII, C_LOCALE, LATIN], ids=["ascii", "C", "latin-1"])
def test_a_comparison_is_printed_in_any_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    toy = ["--algos", "re", "--benchmark", "toy/additive", "--budget", "9q", "--seeds", "2", "--jobs", "1"]
    done = nassim(environment, "compare", *toy, "--no-report", "--out", str(tmp_path / "a"))
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    text = done.stdout.decode("latin-1" if environment is LATIN else "ascii")
    spread = "\u00b1" if environment is LATIN else "+-"
    assert f"mean {spread} std" in text and "regularized_evolution" in text
    shown = nassim(environment, "watch", str(tmp_path / "a"), "--once")
    assert shown.returncode == 0 and b"random_search" in shown.stdout, shown.stderr


def test_json_is_json_in_any_terminal(tmp_path: Path) -> None:
    toy = ["--algos", "re", "--benchmark", "toy/additive", "--budget", "3q", "--seeds", "1", "--jobs", "1", "--json"]
    out = tmp_path / "\u00e9\u2013"
    done = nassim({**ASCII, "PYTHONUTF8": "1"}, "compare", *toy, "--no-report", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("ascii"))["out"] == str(out)


def test_a_mistake_with_odd_characters_is_one_line(tmp_path: Path) -> None:
    for environment in (ASCII, C_LOCALE, {}):
        done = nassim(environment, "show", "\u00b1\u2500\u96ea")
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done.stderr
        done = nassim(environment, "report", os.fsdecode(b"\xff\xfe"))
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done.stderr
