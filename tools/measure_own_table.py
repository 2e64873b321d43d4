"""Processor time and memory of importing a table of one's own: a million architectures, ten trainings each.

python tools/measure_own_table.py [SEEDS]
"""

from __future__ import annotations

import itertools
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

DECISIONS, OPTIONS = "abcdef", range(10)
SPEC = """
[accuracy]
unit = "percent"
valid = "valid_acc"
[training]
epochs = 20
repeat = "seed"
[cost]
column = "minutes"
unit = "minutes"
"""
# Linux says the peak of a process in /proc; getrusage would add that of the process that started it.
IMPORT = """
import sys
from nassim.cli.main import main
try:
    main(["data", "import", "mine", *sys.argv[1:]])
finally:
    print(open("/proc/self/status").read())
"""


def write(folder: Path, seeds: int) -> None:
    """The results, and what their columns are."""
    rng = random.Random(0)
    with (folder / "mine.csv").open("w") as file:
        file.write(f"{','.join(DECISIONS)},seed,valid_acc,minutes\n")
        for seed in range(seeds):
            for options in itertools.product(OPTIONS, repeat=len(DECISIONS)):
                file.write(f"{','.join(map(str, options))},{seed},{60 + rng.random() * 30:.2f},3.5\n")
    quoted = ", ".join(f'"{option}"' for option in OPTIONS)
    decisions = "".join(f"{name} = [{quoted}]\n" for name in DECISIONS)
    (folder / "mine.toml").write_text(f"[decisions]\n{decisions}{SPEC}")


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, seeds)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        command = [sys.executable, "-c", IMPORT, str(folder / "mine.csv"), "--spec", str(folder / "mine.toml")]
        environment = {**os.environ, "NASSIM_DATA": str(folder / "data")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        peak = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
        memory = f"{int(peak[1]) / 1e6:.2f} GB" if peak else "not known"
        size = (folder / "mine.csv").stat().st_size / 1e6
        sys.stdout.write(f"{seeds} million rows, {size:.0f} MB: {seconds:.0f} s of processor time, memory {memory}\n")


if __name__ == "__main__":
    main()
