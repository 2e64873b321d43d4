"""A process of its own that reads the pickles named on its input under limits: ``hostile_reader.py READER``.

For each it prints ``["begin", name]`` and ``["end", name, outcome, seconds]``; the outcome should be "refused".
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from nassim.errors import NassimError
from nassim.tabular_data import pickle_stream, safe_pickle
from nassim.tabular_data.recipes import nasbench201_sources, natsbench_files, natsbench_topology

MEMORY = 200_000_000  # bytes beyond what the process has when it begins
ran: list[str] = []


def whole(path: Path) -> None:
    safe_pickle.load(path)


def record(path: Path) -> None:
    for _ in pickle_stream.records(lambda: path.open("rb"), name=str(path)):
        pass


def archive(path: Path) -> None:
    for _ in natsbench_files.read(path, natsbench_topology.RELEASE):
        pass


def latency(path: Path) -> None:
    nasbench201_sources.help_latency(path, np.arange(15_625))


def watch(event: str, arguments: object) -> None:
    """Notes what only a pickle can have asked for."""
    if event in ("os.mkdir", "os.system", "exec", "subprocess.Popen") and "pickles" in repr(arguments):
        ran.append(event)


def outcome(path: Path) -> str:
    try:
        globals()[sys.argv[1]](path)
    except NassimError as error:
        if isinstance(error.__cause__, MemoryError) or len(str(error).splitlines()) != 1:
            return repr(error.__cause__ or error)
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"[:200]
    else:
        return "was read"
    return f"ran {ran}" if ran else "refused"


def main() -> None:
    sys.addaudithook(watch)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    for line in sys.stdin:
        path = Path(line.strip())
        print(json.dumps(["begin", path.name]), flush=True)
        start = time.process_time()
        found = outcome(path)
        print(json.dumps(["end", path.name, found, time.process_time() - start]), flush=True)


if __name__ == "__main__":
    main()
