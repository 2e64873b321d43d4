"""Real trainings on the wall clock: a killed worker's goes on from its checkpoint in another, a killed run goes on."""

from __future__ import annotations

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

# Trains cells for five short epochs each, and writes a line for every epoch that is trained.
SCRIPT = """
import random, signal, os, sys, threading, time
from dataclasses import dataclass, replace
from pathlib import Path
import numpy as np
from nassim.benchmark import About
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.engines import engine
from nassim.full_training.images.data import ImageData, Split
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.trained import Task, Trained
from nassim.run import run

HERE = Path.cwd()

@dataclass(frozen=True)
class Logged(Task):
    def training(self, data, seed):
        def tell(curve):
            time.sleep(0.3)
            with (HERE / "epochs").open("a") as file:
                file.write(f"{self.arch}/{seed}/{len(curve.valid)}\\n")
        options = {"network": self.network, "until": self.epochs, "device": self.device, "tell": tell}
        return self.kept.obtain(self.arch, data, self.recipe, seed, **options)

class Bench(Trained):
    def _with(self, *args, **kwargs):
        return Logged(**vars(super()._with(*args, **kwargs)))

def bench(folder):
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (96, 1, 8, 8), dtype=np.uint8), rng.integers(0, 2, 96))
    names = ("train", "valid", "test")
    data = ImageData("grey", 2, dict.fromkeys(names, split), {name: name for name in names}, flip=False)
    tiny = Recipe("tiny", channels=2, cells=1, epochs=5, batch=32, rate=0.1, crop=1, flip=False)
    about = About("grey", "none", "computed", "MIT", "none")
    return Bench("nasbench201/grey:training", SPACE, data, tiny, about, device="cpu", folder=folder)

if __name__ == "__main__":
    name, kills, queries = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    rng, killed, over = random.Random(4), [], threading.Event()
    with engine(name, 2, environments=[{"OMP_NUM_THREADS": "1"}] * 2, devices=True) as at_work:
        def killer():
            while len(killed) < kills and not over.wait(0.2):
                epochs = (HERE / "epochs").read_text().count("\\n") if (HERE / "epochs").exists() else 0
                if epochs >= 6 * (len(killed) + 1):  # they are at work, and have checkpoints
                    victim = rng.choice(at_work.pids())
                    os.kill(victim, signal.SIGKILL)
                    killed.append(victim)
        thread = threading.Thread(target=killer)
        thread.start()
        made = run("re", bench(HERE / "kept"), queries, clock="wall", workers=2, engine=at_work, trace=HERE / "trace")
        over.set()
        thread.join()
    print("trials", len(made.trials), "killed", len(killed))
    for trial in made.trials:
        print(trial.arch, trial.value, trial.result.training)
"""


def once(folder: Path, name: str, kills: int, queries: str) -> tuple[list[str], Counter[str]]:
    (folder / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", name, str(kills), queries]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), Counter((folder / "epochs").read_text().split())


KILLS = int(os.environ.get("NASSIM_TEST_KILLS", "2"))  # on each engine; thirty in all take minutes


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_a_killed_workers_training_goes_on_elsewhere(tmp_path: Path, name: str) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    queries = 4 + 2 * KILLS
    (first, *trials), epochs = once(tmp_path, name, KILLS, f"{queries}q")
    assert first == f"trials {queries} killed {KILLS}"
    distinct = {(line.split()[0], line.split()[2]) for line in trials}
    assert len(epochs) >= 5 * len(distinct)  # every epoch of every training, and those of what was under way at the end
    twice = {epoch: count - 1 for epoch, count in epochs.items() if count > 1}
    assert sum(twice.values()) <= KILLS  # nothing but the epoch that was being written when its worker was killed
    again, unchanged = once(tmp_path, name, 0, f"{queries}q")  # the trace replays, and trains nothing
    assert again[1:] == trials and unchanged == epochs


def test_a_killed_run_goes_on_and_trains_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", "processes", "0", "8q"]
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
    (first, *_), epochs = once(tmp_path, "processes", 0, "8q")
    assert first == "trials 8 killed 0" and trace.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert sum(count - 1 for count in epochs.values()) <= 2  # of each worker at most the epoch that it was in
