"""One search on two workers of the wall clock against one: whole commands, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from speed_processes import NASSIM
from speed_row import Row

QUERIES, ROUNDS = 40, 3
INITIAL = (
    f"population_size={QUERIES}"  # the whole run is the initial population: any number of workers, the same trainings
)
COMMAND = ("run", "re", "nasbench201/digits:training", "--set", INITIAL, "--clock", "wall", "--budget", f"{QUERIES}q")
GROUP = f"nassim {' '.join(COMMAND)}, median of {ROUNDS} seeds"


def wall_rows(_: str) -> Iterator[Row]:
    """Trainings a second by the run's own clock, which begins before the workers have started.

    A seed gives each number of workers the same trainings, which end in another order. Where ageing begins they differ,
    and so does what they take: with the default population the three ratios were 1.48, 1.63 and 2.05. Two commands of
    one worker at the same time say how much of two cores the machine gives; on a busy one only the last row counts.
    """
    if find_spec("torch") is None:
        yield Row(GROUP, "one worker", None, "", note="torch is not installed: pip install 'nassim[train]'")
        return
    one, two, apart = [], [], []
    for seed in range(ROUNDS):
        one += _seconds(1, [seed])
        two += _seconds(2, [seed])
        apart.append(max(_seconds(1, [seed, seed])))
    yield Row(GROUP, "trainings a second, one worker", QUERIES / median(one), "")
    yield Row(GROUP, "trainings a second, two workers", QUERIES / median(two), "")
    ratios = [b / a for a, b in zip(one, two, strict=True)]
    note = f"{1 / median(ratios):.2f} times the throughput ({', '.join(f'{1 / ratio:.2f}' for ratio in ratios)})"
    yield Row(GROUP, "the time with two workers over that with one", median(ratios), "", 1 / 1.7, note)
    machine = [2 * a / b for a, b in zip(one, apart, strict=True)]
    note = f"so many times one's: {', '.join(f'{factor:.2f}' for factor in machine)}"
    yield Row(
        GROUP, "trainings a second, two commands of one worker at once", 2 * QUERIES / median(apart), "", None, note
    )
    shares = [2 * b / a for a, b in zip(apart, two, strict=True)]
    note = ", ".join(f"{1 / share:.2f} of it" for share in shares)
    yield Row(GROUP, "the time with two workers over half of theirs", median(shares), "", 1 / 0.85, note)


def _seconds(workers: int, seeds: list[int]) -> list[float]:
    """Seconds of the run of each seed, all at the same time, each with a data folder of its own: nothing is kept."""
    with TemporaryDirectory() as folder:
        begun = []
        for place, seed in enumerate(seeds):
            trace, data = Path(folder, f"{place}.jsonl"), Path(folder, str(place))
            data.mkdir()
            command = [*NASSIM, *COMMAND, "--workers", str(workers), "--seed", str(seed), "--trace", str(trace)]
            surroundings = {**os.environ, "NASSIM_DATA": str(data)}
            begun.append((subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL), trace))
        found = []
        for process, trace in begun:
            if process.wait():
                raise RuntimeError(f"{' '.join(COMMAND)} ended with exit code {process.returncode}")
            events = [json.loads(line) for line in trace.read_text().splitlines()]
            assert sum("trial" in event for event in events) == QUERIES
            found.append(float(events[-1]["end"][1]))
        return found
