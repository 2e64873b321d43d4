"""Many workers and many runs: what an engine costs, a thousand simulated workers, and a large report."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from speed_row import Row, best_of

import nassim
from nassim.benchmark import Benchmark
from nassim.engines import engine
from nassim.errors import NassimError
from nassim.query import Query, Result
from nassim.registry import get_benchmark
from nassim.space import Architecture
from nassim.spreading import spread

NAP, NAPS = 0.1, 240  # seconds of a run that only waits, and how many of them
SOME = 3_000  # runs
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
    """How much longer than ideally short runs take on two workers, which only wait; and real runs a second."""
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
    group = f"runs of 150 queries a second, {SOME:,} of them, workers started and ended"
    for name, jobs in (("processes", 1), ("processes", 2), ("dask", 2)):
        if name == "dask" and find_spec("distributed") is None:
            continue
        before = time.perf_counter()
        nassim.compare("re", "nasbench201/digits", "150q", seeds=SOME // 2, jobs=jobs, engine=name).close()
        yield Row(group, f"{name}, {jobs}", SOME / (time.perf_counter() - before), "")


class Rungs(Benchmark):
    """NAS-Bench-101 as if it had the results of few epochs: each is that after 108, at a cost of its epochs.

    Only for how long a trial takes: the official release has them, the compact table has not.
    """

    fidelities, epochs, cost_unit = (4, 12, 36, 108), 108, "epochs"

    def __init__(self, table: Benchmark) -> None:
        self._table = table
        self.name, self.space, self.about, self.noise = table.name, table.space, table.about, table.noise

    def query(self, query: Query, rng: random.Random) -> Result:
        """The table's answer after 108 epochs, whatever was asked for."""
        epochs = self.epochs_of(query)
        return self._table.query(Query(query.arch), rng)._replace(epochs=epochs, cost=float(epochs))

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """The table's."""
        return self._table.mean_accuracy(arch, self._table.search_metric)


def simulated_rows(_: str) -> Iterator[Row]:
    """A trial with a thousand simulated workers over one with a single worker."""
    group = "a trial with 1,000 simulated workers over one with 1"
    for algorithm, name in (
        ("regularized_evolution", "nasbench101/cifar10"),
        ("asha", "nasbench101/cifar10"),
        ("asha", "nasbench201/digits"),
    ):
        what, note = f"{algorithm} on {name}", ""
        try:
            bench = get_benchmark(f"{name}:search_on=test" if name.startswith("nasbench101") else name)
            if algorithm == "asha" and len(bench.fidelities) == 1:
                bench, note = Rungs(bench), "results of few epochs made up: those after 108"
            works = [lambda b=bench, a=algorithm, n=n: nassim.run(a, b, "20000q", workers=n) for n in (1, 1000)]
            one, many = best_of(3, *works)
        except NassimError as error:
            yield Row(group, what, None, "", 2.0, str(error)[:60])
            continue
        yield Row(group, what, many / one, "", 2.0, note)


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
