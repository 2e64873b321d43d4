"""What a user waits for: whole processes, from the shell's point of view, and the opening of a table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from speed_row import Row

START = "starting, best of 7"
OPEN = "opening a table, 7 times: least time, most memory"
STUDY = "nassim compare, 150 queries a run"

_SCRIPT = Path(sys.executable).with_name("nassim")
NASSIM = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "nassim.cli.main"]

# Run in a fresh process: the imports are done before the clock starts and the memory is read.
_OPENING = """
import json, os, random, resource, sys, time
import nassim
def resident():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # macOS: the peak, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
__import__(f"nassim.benchmarks.{sys.argv[1].partition('/')[0]}")
before, start = resident(), time.perf_counter()
benchmark = nassim.get_benchmark(sys.argv[1])
opened = time.perf_counter()
arch = benchmark.space.at(0)
benchmark.query(nassim.Query(arch), random.Random(0))
benchmark.mean_accuracy(arch)
print(json.dumps([1e3 * (opened - start), (resident() - before) / 2**20]))
"""


def start_rows() -> Iterator[Row]:
    """Importing the package and asking for help, as whole processes."""
    python = _best_seconds([sys.executable, "-c", "pass"])
    yield Row(START, "python -c pass", python, "s")
    yield Row(START, "python -c 'import nassim'", _best_seconds([sys.executable, "-c", "import nassim"]), "s", 0.3)
    yield Row(START, "nassim --help", _best_seconds([*NASSIM, "--help"]), "s", 0.5)


def opening_rows(benchmark: str) -> Iterator[Row]:
    """Milliseconds and resident megabytes of opening a table that has been converted before."""
    runs = []
    for _ in range(7):
        done = subprocess.run([sys.executable, "-c", _OPENING, benchmark], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    times, memories = zip(*runs, strict=True)
    yield Row(OPEN, f"{benchmark}: time", min(times), "ms", 50.0)
    yield Row(OPEN, f"{benchmark}: memory, with a first query", max(memories), "MB", 30.0)


def study_rows(benchmark: str) -> Iterator[Row]:
    """`make compare`'s study, all but DARTS on one benchmark, and the quick ones with more seeds."""
    quick = "random_search,regularized_evolution,reinforce"
    both = ["nasbench201/cifar10", "nasbench201/digits"]
    studies = (
        (f"{quick},gp_bo,pnas,darts", both, 100, 60.0),
        (f"{quick},gp_bo,pnas", [benchmark], 100, 60.0),
        (quick, [benchmark], 500, 30.0),
    )
    for algos, benchmarks, seeds, target in studies:
        with tempfile.TemporaryDirectory() as folder:
            on = [word for name in benchmarks for word in ("--benchmark", name)]
            command = ["compare", "--algos", algos, *on, "--budget", "150q", "--seeds", str(seeds)]
            before = perf_counter()
            done = subprocess.run([*NASSIM, *command, "--out", f"{folder}/study"], capture_output=True, text=True)
            seconds = perf_counter() - before
        failed = done.stderr.strip().splitlines()[-1:] if done.returncode else []
        what = f"{len(algos.split(','))} strategies x {len(benchmarks)} benchmarks x {seeds} seeds"
        yield Row(STUDY, what, None if done.returncode else seconds, "s", target, *failed)


def _best_seconds(command: Sequence[str], times: int = 7) -> float:
    seconds = []
    for _ in range(times):
        before = perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(perf_counter() - before)
    return min(seconds)
