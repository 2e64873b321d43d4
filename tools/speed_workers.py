"""Many workers and many runs: what an engine costs, a thousand simulated workers, and a large report."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from speed_row import Row, best_of

import nassim
from nassim.engines import engine
from nassim.errors import NassimError
from nassim.registry import get_benchmark
from nassim.spreading import spread

NAP, NAPS = 0.1, 240  # seconds of a run that only waits, and how many of them
RUNS = 10_000  # of evolution and of random search together
MILLION = 1_000_000

# In a fresh process, so that the most memory is that of the report.
_REPORT = """
import json, resource, sys, time
from pathlib import Path
from nassim.report.write import write_report
from nassim.study import Study
folder, before = Path(sys.argv[1]), time.process_time()
write_report(Study.open(folder), folder, figures=False)
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps([time.process_time() - before, most, (folder / "report.html").stat().st_size / 1e6]))
"""


def nap(_: int) -> None:
    """A run of a tenth of a second, whatever else the machine does."""
    time.sleep(NAP)


def engine_rows(_: str) -> Iterator[Row]:
    """How much longer than ideally short runs take on two workers; they only wait, whatever else the machine does."""
    group = f"{NAPS} runs of {NAP:g} s on two workers, over the ideal time"
    for name in ("processes", "dask"):
        if name == "dask" and find_spec("distributed") is None:
            yield Row(group, name, None, "", 1 / 0.85, "distributed is not installed")
            continue
        with engine(name, 2) as at_work:
            list(spread(at_work.executor, nap, range(4), 2))  # the workers have started
            before = time.perf_counter()
            list(spread(at_work.executor, nap, range(NAPS), 2))
            yield Row(group, name, (time.perf_counter() - before) / (NAPS * NAP / 2), "", 1 / 0.85)


def simulated_rows(_: str) -> Iterator[Row]:
    """A trial with a thousand simulated workers over one with a single worker."""
    group = "a trial with 1,000 simulated workers over one with 1"
    cases = (
        ("regularized_evolution", "nasbench101/cifar10"),
        ("asha", "nasbench101/cifar10"),
        ("asha", "nasbench201/digits"),
    )
    for algorithm, name in cases:
        what = f"{algorithm} on {name}"
        try:
            bench = get_benchmark(name)
            if name.startswith("nasbench101") and "valid_accuracy" not in bench.about.splits:
                bench = get_benchmark(f"{name}:search_on=test")
            one, many = best_of(
                3,
                lambda b=bench, a=algorithm: nassim.run(a, b, "20000q"),  # type: ignore[misc]
                lambda b=bench, a=algorithm: nassim.run(a, b, "20000q", workers=1000),  # type: ignore[misc]
            )
        except NassimError as error:
            yield Row(group, what, None, "", 2.0, str(error)[:60])
            continue
        yield Row(group, what, many / one, "", 2.0)


def many_runs_rows(_: str) -> Iterator[Row]:
    """A study of many runs of 150 queries, with trials and without, and its report."""
    group = f"{RUNS:,} runs of 150 queries"
    for trials in (True, False):
        kind = "with trials" if trials else "without trials"
        with TemporaryDirectory() as folder:
            before = time.process_time()
            nassim.compare("re", "nasbench201/digits", "150q", seeds=RUNS // 2, out=folder, trials=trials).close()
            seconds = time.process_time() - before
            size = (Path(folder) / "study.db").stat().st_size / 1e6
            yield Row(group, f"the study, {kind}", seconds, "CPU s")
            yield Row(group, f"study.db, {kind}", size, "MB")
            yield Row(group, f"study.db of 10^6 runs, {kind} (computed from this)", size * MILLION / RUNS / 1e3, "GB")
            if trials:
                done = subprocess.run(
                    [sys.executable, "-c", _REPORT, folder], capture_output=True, text=True, check=True
                )
                cpu, memory, page = json.loads(done.stdout)
                yield Row(group, "the report", cpu, "CPU s", 60.0)
                yield Row(group, "the report: most memory", memory, "MB", 1000.0)
                yield Row(group, "the page", page, "MB", 10.0)
