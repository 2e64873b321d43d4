"""`nassim watch`: on 80 columns, with counts for each benchmark; it ends when nobody writes the study any more."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from nassim.cli import watch as watch_command
from nassim.cli.main import main
from nassim.cli.race import Race
from nassim.study import compare

Capture = pytest.CaptureFixture[str]
NAMES = ["ls", "re[sample_size=3|10]"]
TWO = ["toy/additive", "toy/deceptive"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 24 runs on two benchmarks, the last 7 of which are missing."""
    folder = tmp_path_factory.mktemp("watched")
    compare(NAMES, TWO, "12q", seeds=3, out=folder).close()
    with sqlite3.connect(folder / "study.db") as db:
        db.execute("DELETE FROM runs WHERE id >= 17")
    db.close()
    return folder


def nassim(capsys: Capture, *arguments: str | Path) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert not ended.value.code, err
    return out


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_race_fits(study: Path, width: int, share: float) -> None:
    race = Race(study)
    race.look()
    out = Console(width=width, force_terminal=False)
    with out.capture() as capture:
        out.print(race.frame(share))
    text = capture.get()
    assert max(map(cell_len, text.splitlines())) <= width and "\N{HORIZONTAL ELLIPSIS}" not in text
    for name in ("local_search", "random_search", "re[sample_size=3]", "re[sample_size=10]"):
        rows = [line for line in text.splitlines() if line.startswith(name + " ")]
        assert len(rows) == 2 and all(re.match(r".*?\] +\d+ |\w+ +\d+ ", row) for row in rows)


def test_runs_are_counted_for_each_benchmark(study: Path, capsys: Capture) -> None:
    out = nassim(capsys, "watch", study, "--once")
    assert "17 of 24 runs" in out and "toy/additive: 12 of 12 runs" in out and "toy/deceptive: 5 of 12 runs" in out
    state = json.loads(nassim(capsys, "watch", study, "--json"))
    assert state["benchmarks"] == {"toy/additive": {"runs": 12, "of": 12}, "toy/deceptive": {"runs": 5, "of": 12}}


def test_watching_a_dead_study_ends(study: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_command, "LOOK", 0.01)
    monkeypatch.setattr(watch_command, "console", lambda: Console(force_terminal=True, width=80))
    looks = iter(range(100))
    monkeypatch.setattr(watch_command.time, "sleep", lambda seconds: next(looks))  # StopIteration if it never ends
    out = nassim(capsys, "watch", study)
    assert "nobody writes this study any more: 17 of 24 runs have finished" in " ".join(out.split())
    assert json.loads(nassim(capsys, "watch", study, "--json"))["running"] is False


KILLED = """
import os, signal, sys
from nassim.study import compare
def progress(done, total):
    if done == 3:
        print("three", flush=True)
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGKILL)
compare(["ls"], ["toy/additive"], "9q", seeds=3, out=sys.argv[1], progress=progress)
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process cannot be asked whether it lives")
def test_a_study_that_is_written_is_alive_until_its_process_is_killed(tmp_path: Path, capsys: Capture) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"three\n"

        def state() -> Any:
            return json.loads(nassim(capsys, "watch", tmp_path, "--json"))

        assert state()["running"] is True
        process.stdin.close()
        process.wait(timeout=60)
    assert state()["running"] is False and state()["runs"] == 3
    compare(["ls"], ["toy/additive"], "9q", seeds=3, out=tmp_path).close()
    assert state()["running"] is False and state()["runs"] == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.db"], "no sign of a writer is left"
