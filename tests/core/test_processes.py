"""Processes that share work: they end with the one that started them, and need nothing of its script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nassim.processes import processes
from nassim.spreading import spread
from nassim.study import compare

GONE_WITHIN = 5.0  # seconds after the parent has been killed
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def children(parent: int) -> set[int]:
    """All processes below one, however deep; zombies are no processes any more."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, above = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            parents[int(entry.name)] = int(above)
    found: set[int] = set()
    fresh = {parent}
    while fresh:
        fresh = {pid for pid, above in parents.items() if above in fresh}
        found |= fresh
    return found


def alive(pids: set[int]) -> set[int]:
    found = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def kill_when_busy(command: list[str], how: signal.Signals, at_least: int) -> tuple[set[int], str]:
    """Kill a command, and nothing else, once it has children; who of them is left, and what it wrote."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    below: set[int] = set()
    while len(below) < at_least and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
        below = children(process.pid)
    time.sleep(0.5)  # they are at work
    below |= children(process.pid)
    assert process.poll() is None and len(below) >= at_least
    process.send_signal(how)
    left, deadline = below, time.monotonic() + GONE_WITHIN
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = alive(left)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left, process.communicate(timeout=60)[0]


@linux
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_comparison_leaves_no_process_behind(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "nassim.cli.main", "compare", "--algos", "re,ls", "--benchmark", "toy/additive"]
    command += ["--budget", "200000q", "--seeds", "40", "--jobs", "3", "--out", str(tmp_path / "study")]
    left, said = kill_when_busy(command, how, at_least=3)
    assert not left
    assert "Traceback" not in said
    assert ("The same command continues" in said) == (how is signal.SIGTERM)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_build_leaves_no_process_behind(tmp_path: Path, how: signal.Signals) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "nassim.cli.main", "data", "build", "nasbench201/digits", "--jobs", "2"]
    left, said = kill_when_busy([*command, "--out", str(tmp_path / "build")], how, at_least=2)
    assert not left
    assert "Traceback" not in said


def test_a_comparison_may_run_off_the_main_thread() -> None:
    found: list[object] = []

    def work() -> None:
        found.append(len(compare(["re"], ["toy/additive"], "20q", seeds=4, jobs=2).runs))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=60)
    assert found == [8]


SCRIPT = """
from __future__ import annotations
import os
import random
from typing import Literal
import nassim
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate, strategy
from nassim.processes import processes
from nassim.study import compare

open("started", "a").write("x")

@strategy(family="other", year=2026)
def first_again(space: SearchSpace, rng: random.Random, *, way: Literal["one", "other"] = "one") -> Search:
    first = yield from evaluate(space.sample(rng))
    while True:
        yield from evaluate(first.arch)

study = compare([first_again], ["toy/additive"], "20q", seeds=6, jobs=2)
runs = study.of("toy/additive", "first_again")
print(study.strategies, len({point.architecture for run in runs for point in run.curve}))
"""


@pytest.mark.slow
def test_a_strategy_of_a_script_is_sent_and_the_script_runs_once(tmp_path: Path) -> None:
    """Names that only annotations use do not travel with a function."""
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == "['random_search', 'first_again'] 6\n", done.stderr
    assert done.stderr == ""
    assert (tmp_path / "started").read_text() == "x"


@pytest.mark.slow
def test_a_worker_that_dies_is_said(tmp_path: Path) -> None:
    script = SCRIPT.replace(
        "first = yield from", "os.getpid() == PARENT or os.kill(os.getpid(), 9); first = yield from"
    )
    (tmp_path / "script.py").write_text(script.replace("import os", "import os\nPARENT = os.getpid()"))
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "NassimError" in done.stderr and "a worker process ended" in done.stderr


@pytest.mark.slow
def test_an_error_of_a_script_comes_back_as_it_was_raised(tmp_path: Path) -> None:
    script = SCRIPT.replace("@strategy", "class Odd(Exception):\n    pass\n\n@strategy", 1)
    script = script.replace("    while True:", "    raise Odd(first.arch)\n    while True:")
    script = script.replace("study = ", "try:\n    study = ").split("print(")[0].split("runs =")[0]
    script += "except Odd as error:\n    print(type(error).__name__, 'first_again' in str(error.__cause__))\n"
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == "Odd True\n", done.stderr


def _large(size: int) -> bytes:
    return bytes(size)


@pytest.mark.slow
def test_workers_that_end_while_they_send_are_not_waited_for() -> None:
    """Results of some megabytes are almost always on the way when the one that asked for them stops listening."""

    def stop_listening() -> None:
        with pytest.raises(KeyError), processes(2) as pool:
            for _ in spread(pool, _large, [30_000_000] * 8, 2):
                raise KeyError

    for _ in range(3):
        listener = threading.Thread(target=stop_listening, daemon=True)
        listener.start()
        listener.join(60)
        assert not listener.is_alive()
