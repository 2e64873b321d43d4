"""Opening every table that is here, and the official APIs where package and file are here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from speed_row import Row

from nassim.errors import MissingData, Unsupported
from nassim.registry import benchmark_names, get_benchmark

TABLES = "Opening each table that is here, with a first query"
TARGETS = {"nasbench201": (50.0, 30.0), "nasbench101": (100.0, 60.0)}  # ms, MB
ROUNDS = 5

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
    """Milliseconds and megabytes of each benchmark that can be opened here, one of each family."""
    seen: set[str] = set()
    for name in benchmark_names():
        family = name.partition("/")[0]
        try:
            opened = None if family in seen else get_benchmark(name)
        except (MissingData, Unsupported):
            continue
        if opened is None or opened.about.synthetic:
            continue
        seen.add(family)
        metric = "test_accuracy" if opened.has_test else "valid_accuracy"
        milliseconds, megabytes = _best([_OPEN, name, metric])
        yield Row(TABLES, f"{name}: time", milliseconds, "ms", TARGETS.get(family, (None, None))[0])
        yield Row(TABLES, f"{name}: memory", megabytes, "MB", TARGETS.get(family, (None, None))[1])
    for package, release in OFFICIAL.items():
        path = Path(os.environ.get("TORCH_HOME", Path.home() / ".torch")) / release
        if find_spec(package) is None or not path.exists():
            missing = f"{package} is not installed" if find_spec(package) is None else f"{path} is not here"
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
