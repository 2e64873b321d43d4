"""Real trainings and whole runs: what a killed worker had is done by another, a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("torch")

pytestmark = pytest.mark.slow

TOOLS = Path(__file__).parents[2] / "tools"
# Trains cells for five short epochs each, and writes a line for every epoch that is trained.
SCRIPT = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(TOOLS)!r})
from faults import Log, Tiny
from nassim.run import run

HERE = Path.cwd()

if __name__ == "__main__":
    bench = Tiny(HERE / "kept", Log(HERE / "epochs"))
    made = run("re", bench, sys.argv[1], clock="wall", workers=2, trace=HERE / "trace")
    print("trials", len(made.trials))
"""
KILLS = int(os.environ.get("NASSIM_TEST_KILLS", "2"))  # of each kind; `tools/faults.py` has thirty, which take minutes


@pytest.mark.parametrize("what", ["runs", "batches", "wall"])
@pytest.mark.parametrize("name", ["processes", "dask"])
def test_killed_workers_lose_nothing_and_nothing_is_done_twice_but_what_was_in_flight(name: str, what: str) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    options = ["--kills", str(KILLS), "--engine", name, "--only", what, "--json"]
    command = [sys.executable, str(TOOLS / "faults.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(done.stdout)
    assert found["kills"] == KILLS and found["made"] == found["asked"] and found["same"] and found["in_flight"]


def test_a_killed_run_goes_on_and_trains_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", "8q"]
    log, trace = tmp_path / "epochs", tmp_path / "trace"
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and not (trace.exists() and trace.read_bytes().count(b"\n") >= 4):
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(3.0)  # its workers have seen it
    before = trace.read_bytes()
    lines = log.read_text().count("\n")
    time.sleep(2.0)
    assert log.read_text().count("\n") == lines, "workers go on without the process that started them"
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1200)
    assert done.stdout == "trials 8\n", done.stderr
    assert trace.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    epochs = Counter(line.split()[1] for line in log.read_text().splitlines())
    assert sum(count - 1 for count in epochs.values()) <= 2  # of each worker at most the epoch that it was in
