"""A search whose process is killed goes on where it was, and its recording is that of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

EPOCHS = 6
SETTINGS = {
    "gdas": (),
    "enas": ("--set", "controller_steps=2", "--set", "controller_samples=2", "--set", "derived=3"),
}


def command(name: str, folder: Path) -> list[str]:
    typed = ["record", name, "--benchmark", "nasbench201/digits", "--seeds", "1", "--score", "20", "--device", "cpu"]
    typed += ["--set", f"epochs={EPOCHS}", *SETTINGS[name], "--out", str(folder)]
    return [sys.executable, "-m", "nassim", *typed]


def recorded(folder: Path) -> dict[str, Any]:
    """What a recording holds but for its seconds."""
    (file,) = folder.glob("*.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    del content["runs"]["0"]["seconds"], content["digest"]
    return content


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_killed_search_ends_with_the_same_recording(name: str, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(name, whole), check=True, capture_output=True)
    deaths = 0
    for _ in range(2):
        process = subprocess.Popen(command(name, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = {path: path.stat().st_mtime_ns for path in killed.glob("*.search")}
        waited = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < waited:
            if any(path.stat().st_mtime_ns != before.get(path) for path in killed.glob("*.search")):
                os.kill(process.pid, signal.SIGKILL)  # an epoch has ended since it began
                break
            time.sleep(0.01)
        deaths += process.wait() == -signal.SIGKILL
    assert deaths == 2 and not list(killed.glob("*.json"))
    last = subprocess.run(command(name, killed), check=True, capture_output=True, text=True)
    assert "goes on after epoch" in last.stderr
    assert recorded(killed) == recorded(whole)
    assert len(recorded(whole)["runs"]["0"]["cells"].split()) == EPOCHS
    assert not list(killed.glob("*.search"))
