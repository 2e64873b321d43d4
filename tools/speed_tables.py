"""Opening every table that is here, and the official APIs where package and file are here; looking up in them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from speed_row import Row, best_of

from nassim.benchmark import Benchmark
from nassim.errors import MissingData, Unsupported
from nassim.query import Query
from nassim.registry import benchmark_names, get_benchmark
from nassim.tabular_data.tabulated import Tabulated
from nassim.tabular_data.tabulated_graphs import TabulatedGraphs

TABLES = "Opening each table that is here, with a first query"
TARGETS = {"nasbench201": (50.0, 30.0), "nasbench101": (100.0, 60.0)}  # ms, MB
ROUNDS = 5
LOOK_UPS = "Looking up, CPU time"
LOOK_UP_TARGETS = {"nasbench101": (20.0, 0.2)}  # µs a query, seconds for a million by an array of rows
QUERIES, MANY = 1_000, 1_000_000

# Prints milliseconds and resident megabytes of opening a benchmark whose module is imported.
_OPEN = """
import json, random, sys
from pathlib import Path
from time import perf_counter
from nassim.query import Query
from nassim.registry import benchmark_names, get_benchmark
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
benchmark_names()
before, start = resident(), perf_counter()
bench = get_benchmark(sys.argv[1])
milliseconds = 1000 * (perf_counter() - start)
bench.mean_accuracy(bench.space.sample(random.Random(0)), sys.argv[2])
print(json.dumps([milliseconds, resident() - before]))
"""
_OFFICIAL = """
import json, sys
from pathlib import Path
from time import perf_counter
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
if sys.argv[1] == "nas_201_api":
    from nas_201_api import NASBench201API
    create = lambda path: NASBench201API(path, verbose=False)
else:
    import nats_bench
    create = lambda path: nats_bench.create(path, "tss", fast_mode=True, verbose=False)
before, start = resident(), perf_counter()
api = create(sys.argv[2])
api.get_more_info(0, "cifar10")
print(json.dumps([1000 * (perf_counter() - start), resident() - before]))
"""
# Package -> its release, looked for in the folder TORCH_HOME as the packages do.
OFFICIAL = {"nas_201_api": "NAS-Bench-201-v1_1-096897.pth", "nats_bench": "NATS-tss-v1_0-3ffb9-simple"}


def table_rows(_benchmark: str) -> Iterator[Row]:
    """Milliseconds and megabytes of each table that can be opened here, and of looking up in it."""
    tables = list(_one_of_each())
    for name, opened in tables:
        family = name.partition("/")[0]
        metric = "test_accuracy" if opened.has_test else "valid_accuracy"
        milliseconds, megabytes = _best([_OPEN, name, metric])
        yield Row(TABLES, f"{name}: time", milliseconds, "ms", TARGETS.get(family, (None, None))[0])
        yield Row(TABLES, f"{name}: memory", megabytes, "MB", TARGETS.get(family, (None, None))[1])
    yield from _official_rows()
    for name, opened in tables:
        yield from _look_up_rows(name, opened)


def _one_of_each() -> Iterator[tuple[str, Benchmark]]:
    """The first benchmark of each table that is here: of a family, and of its single epochs where it has them."""
    seen: set[tuple[str, str]] = set()
    for name in benchmark_names():
        table = name.partition("/")[0], name.partition(":")[2]
        try:
            opened = None if table in seen else get_benchmark(name)
        except (MissingData, Unsupported):
            continue
        if opened is not None and not opened.about.synthetic:
            seen.add(table)
            yield name, opened


def _look_up_rows(name: str, benchmark: Benchmark) -> Iterator[Row]:
    """Microseconds of a query that was not made before, and seconds of a million look-ups by an array of rows."""
    if isinstance(benchmark, TabulatedGraphs) and not benchmark.searchable:
        name = f"{name}:search_on=test"
        benchmark = get_benchmark(name)
    if not isinstance(benchmark, (Tabulated, TabulatedGraphs)):
        return
    rng = random.Random(0)
    metric = benchmark.search_metric
    there = np.flatnonzero(~np.isnan(benchmark.mean_accuracies(metric)))  # of a part of a release
    drawn = {benchmark.space.sample(rng): None for _ in range(4 * QUERIES)}
    if len(there) < benchmark.space.size:
        drawn = {benchmark.space.at(int(row)): None for row in there}
    queries = [Query(arch) for arch in islice(drawn, QUERIES)]
    parts = [queries[i::ROUNDS] for i in range(ROUNDS) if queries[i::ROUNDS]]
    each = [best_of(1, lambda part=part: [benchmark.query(q, rng) for q in part])[0] / len(part) for part in parts]
    rows = np.random.default_rng(0).choice(there, MANY)
    (many,) = best_of(ROUNDS, lambda: benchmark.mean_accuracies(metric)[rows])
    targets = LOOK_UP_TARGETS.get(name.partition("/")[0], (None, None))
    yield Row(LOOK_UPS, f"{name}: Benchmark.query", 1e6 * sorted(each)[len(each) // 2], "µs", targets[0])
    yield Row(LOOK_UPS, f"{name}: a million rows", many, "s", targets[1])


def _official_rows() -> Iterator[Row]:
    """The official APIs opening their releases."""
    for package, release in OFFICIAL.items():
        path = Path(os.environ.get("TORCH_HOME", Path.home() / ".torch")) / release
        if find_spec(package) is None or not path.exists():
            missing = f"{package} is not installed" if find_spec(package) is None else f"not in {path.parent}"
            yield Row(TABLES, f"{package}, {release}", None, "", note=missing)
            continue
        milliseconds, megabytes = _best([_OFFICIAL, package, str(path)], rounds=1)
        yield Row(TABLES, f"{package}, {release}: time", milliseconds, "ms")
        yield Row(TABLES, f"{package}, {release}: memory", megabytes, "MB")


def _best(arguments: list[str], rounds: int = ROUNDS) -> tuple[float, float]:
    """The shortest time and the most memory of some processes."""
    found = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    times, memories = zip(*found, strict=True)
    return min(times), max(memories)
