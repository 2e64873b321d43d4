"""Kill workers that are at work, and count what was lost and what was done twice.

    python tools/faults.py [--kills 30] [--engine processes|dask] [--only runs|batches|wall] [--json]

Each engine has two workers here. What they do: whole runs of a study on a table (`runs`), the batches of a search that
trains, on the simulated clock (`batches`), a search that trains on the wall clock (`wall`); trainings are of tiny
networks on random images, and an epoch takes a third of a second. A worker is killed (SIGKILL) once it has begun
something. Then everything is made once more by one process that nobody disturbs, and has to be the same; only the
order of completion on the wall clock is another one, so there each training is compared. The exit code is 1 if anything
was lost, is another one, or was done twice although it was not on its way: finished runs of a chunk travel with it,
and of a training one epoch is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

import nassim
from nassim.benchmark import About
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.engines import Engine, engine
from nassim.full_training.images.data import ImageData, Split
from nassim.full_training.training.lineage import read_name
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.trained import Task, Trained
from nassim.full_training.training.training import Training
from nassim.strategy import Search, evaluate, evaluate_all, strategy
from nassim.summary import summary_rows, write_csv

if TYPE_CHECKING:
    from nassim.full_training.training.train import Curve

EPOCHS, EPOCH = 5, 0.3  # of a training, and seconds that one takes at least
QUERIES = 5000  # of a run on the table, which takes about a tenth of a second


class Found(NamedTuple):
    """What happened on an engine; ``twice``: began more than once, ``at_once``: the most by one kill."""

    engine: str
    clock: str
    what: str
    kills: int
    asked: int
    made: int
    same: bool
    twice: int
    at_once: int
    in_flight: bool  # all that was done twice was on its way when its worker was killed
    seconds: float

    @property
    def held(self) -> bool:
        """Nothing was lost, and nothing done twice but what was in flight."""
        return self.made == self.asked and self.same and self.in_flight


class Log:
    """What was begun, in order, by which process; a line is written at once, by whoever has the path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, what: str) -> None:
        """In the worker."""
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{os.getpid()} {what}\n".encode())

    def lines(self) -> list[tuple[int, str]]:
        """(process, what) of all that was begun."""
        text = self.path.read_text() if self.path.exists() else ""
        pairs = (line.split(" ", 1) for line in text.splitlines())
        return [(int(pid), what) for pid, what in pairs]

    def twice(self, killed: list[int]) -> tuple[int, int, bool]:
        """How much began more than once, the most by one kill, and if each process's share was the last that it had."""
        lines = [(pid, what) for pid, what in self.lines() if pid != os.getpid()]  # which tries whether a run can begin
        last = {what: position for position, (_, what) in enumerate(lines)}
        lost: Counter[int] = Counter()
        in_flight = True
        for pid in {pid for pid, _ in lines}:
            again = [last[what] != position for position, (by, what) in enumerate(lines) if by == pid]
            lost[pid] = sum(again)
            in_flight &= again == sorted(again) and (pid in killed or not lost[pid])
        return sum(lost.values()), max(lost.values(), default=0), in_flight


@contextmanager
def killing(at_work: Engine, log: Log, kills: int, apart: int) -> Iterator[list[int]]:
    """Kill so many workers, each once it has begun something, while ``apart`` things are begun between two kills."""
    killed: list[int] = []
    over = threading.Event()
    rng = random.Random(4)

    def kill() -> None:
        since = 0
        while len(killed) < kills and not over.wait(0.02):
            lines = log.lines()
            known = {pid for pid, _ in lines} & set(at_work.pids()) - set(killed)
            if known and len(lines) >= since + apart:
                over.wait(rng.random() * EPOCH)
                victim = rng.choice(sorted(known))
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
                since = len(lines)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


# -- whole runs -----------------------------------------------------------------------------------------------


def whole_runs(name: str, kills: int, folder: Path) -> Found:
    """A study of runs on a table, each of which says that it begins."""
    log, quiet = Log(folder / "log"), Log(folder / "quiet")
    seeds = 20 + 20 * kills

    def study(log: Log, place: str, **options: Any) -> tuple[bytes, int]:
        path = log.path

        @strategy(family="example", year=2026)
        def logged(space: Any, rng: random.Random) -> Search:
            Log(path).add(str(zlib.crc32(repr(rng.getstate()).encode())))
            while True:
                yield from evaluate(space.sample(rng))

        made = nassim.compare(
            [logged], "nasbench201/digits", f"{QUERIES}q", seeds=seeds, out=folder / place, trials=False, **options
        )
        written = write_csv(folder / f"{place}.csv", summary_rows(made)).read_bytes()
        count = len(made.of("nasbench201/digits", "logged"))
        made.close()
        return written, count

    before = time.monotonic()
    with engine(name, 2) as at_work, killing(at_work, log, kills, apart=15) as killed:
        disturbed, made = study(log, "disturbed", executor=at_work.executor, jobs=2)
    seconds = time.monotonic() - before
    same = disturbed == study(quiet, "undisturbed")[0] and {w for _, w in log.lines()} == {w for _, w in quiet.lines()}
    return Found(name, "simulated", "runs", len(killed), seeds, made, same, *log.twice(killed), seconds)


# -- trainings ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Logged(Task):
    """A task that says which epochs are trained."""

    log: Log = Log(Path())  # noqa: RUF009 (a value)

    def training(self, data: ImageData, seed: int) -> Training:
        """As of every task, and slower."""

        def tell(curve: Curve) -> None:
            self.log.add(f"{self.arch}/{seed}/{len(curve.valid)}")
            time.sleep(EPOCH)  # its checkpoint is written after that: who is killed meanwhile has lost the epoch

        options: dict[str, Any] = {"network": self.network, "until": self.epochs, "device": self.device, "tell": tell}
        return self.kept.obtain(self.arch, data, self.recipe, seed, **options)


class Tiny(Trained):
    """Cells on random images of eight pixels."""

    def __init__(self, folder: Path, log: Log | None = None) -> None:
        rng = np.random.default_rng(0)
        split = Split(rng.integers(0, 256, (96, 1, 8, 8), dtype=np.uint8), rng.integers(0, 2, 96))
        names = ("train", "valid", "test")
        data = ImageData("grey", 2, dict.fromkeys(names, split), {name: name for name in names}, flip=False)
        recipe = Recipe("tiny", channels=2, cells=1, epochs=EPOCHS, batch=32, rate=0.1, crop=1, flip=False)
        about = About("grey", "none", "computed", "MIT", "none")
        super().__init__("nasbench201/grey:training", SPACE, data, recipe, about, device="cpu", folder=folder)
        self.log = log

    def _with(self, *args: Any, **kwargs: Any) -> Task:
        task = super()._with(*args, **kwargs)
        return task if self.log is None else Logged(**vars(task), log=self.log)


@strategy(family="example", year=2026)
def in_batches(space: Any, rng: random.Random) -> Search:
    """Six at a time."""
    while True:
        yield from evaluate_all([space.sample(rng) for _ in range(6)])


def trainings(name: str, kills: int, folder: Path, clock: str) -> Found:
    """A search that trains, and each of its trainings again."""
    log, queries = Log(folder / "log"), 6 + 2 * kills
    bench, undisturbed = Tiny(folder / "kept", log), Tiny(folder / "undisturbed")
    how: dict[str, Any] = {"jobs": 2} if clock == "simulated" else {"clock": "wall", "workers": 2}
    how |= {"trace": folder / "trace"} if clock == "wall" else {}
    before = time.monotonic()
    with (
        engine(name, 2, environments=[{"OMP_NUM_THREADS": "1"}] * 2, devices=True) as at_work,
        killing(at_work, log, kills, apart=EPOCHS + 1) as killed,
    ):
        found = nassim.run(
            in_batches if clock == "simulated" else "random_search", bench, f"{queries}q", engine=at_work, **how
        )
    seconds = time.monotonic() - before
    if clock == "simulated":
        alone = nassim.run(in_batches, undisturbed, f"{queries}q")
        same = [(t.query, t.result.value) for t in found.trials] == [(t.query, t.result.value) for t in alone.trials]
    else:
        lines = len(log.lines())
        again = nassim.run("random_search", bench, f"{queries}q", engine=name, **how)
        same = again.trials == found.trials and len(log.lines()) == lines  # the trace replays, and trains nothing
        for trial in found.trials:
            ((key,), epochs), arch = read_name(trial.result.training), trial.arch
            (seed,) = (seed for seed in bench.seeds if bench.lineage(arch, seed).key == key)
            same &= trial.result.value == undisturbed.training(arch, seed).valid_accuracy[epochs - 1]
    twice, at_once, in_flight = log.twice(killed)
    return Found(
        *(name, clock, "trainings", len(killed), queries, len(found.trials), same),
        *(twice, at_once, in_flight and at_once <= 1, seconds),
    )


def batches(name: str, kills: int, folder: Path) -> Found:
    """On the simulated clock."""
    return trainings(name, kills, folder, "simulated")


def wall(name: str, kills: int, folder: Path) -> Found:
    """On the wall clock."""
    return trainings(name, kills, folder, "wall")


WORKS: dict[str, Callable[[str, int, Path], Found]] = {"runs": whole_runs, "batches": batches, "wall": wall}


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill workers, and count what was lost and what was done twice.")
    parser.add_argument("--kills", type=int, default=30, help="of each kind of work on each engine")
    parser.add_argument("--engine", choices=["processes", "dask"])
    parser.add_argument("--only", choices=list(WORKS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    found = []
    with Console(stderr=True).status("killing"):
        for name in ("processes", "dask"):
            if options.engine not in (None, name) or (name == "dask" and find_spec("distributed") is None):
                continue
            for what, work in WORKS.items():
                if options.only in (None, what):
                    with TemporaryDirectory() as folder:
                        found.append(work(name, options.kills, Path(folder)))
    if options.json:
        sys.stdout.write(json.dumps([{**one._asdict(), "held": one.held} for one in found]) + "\n")
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = 140
        console.print(as_table(found))
    sys.exit(not all(one.held and one.kills == options.kills for one in found))


def as_table(found: list[Found]) -> Table:
    """A line for each engine and kind of work."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("engine", "clock", "", "kills", "asked for", "made", "same", "began twice", "by one kill", "s"):
        table.add_column(name, justify="left" if name in ("engine", "clock", "") else "right")
    for one in found:
        words = "yes" if one.same else "NO", f"{one.twice}{'' if one.in_flight else ' NOT IN FLIGHT'}"
        numbers = map(str, (one.kills, one.asked, one.made, *words, one.at_once, round(one.seconds)))
        table.add_row(one.engine, one.clock, one.what, *numbers)
    return table


if __name__ == "__main__":
    main()
