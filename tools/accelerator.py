"""What an accelerator gives: numbers against the CPU, steps a second, many networks at once, trainings and searches.

    python tools/accelerator.py [--device auto] [--out DIR] [--minutes 8] [--only PART] [--dry]

Runs alone, in pieces: every measurement is a job whose result is written to ``DIR/results.json``; after ``--minutes``
it stops between two jobs (trainings and searches: between two epochs) and says what is left. Run it again, and it goes
on. It prints a table under the device's name. ``--dry`` takes tiny networks and one round of everything, on any device:
that shows that the script works, and no speed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from accelerator_runs import searches, trainings
from accelerator_setup import Job, Setup
from accelerator_steps import agreements, many_at_once, speeds

from nassim.errors import NassimError
from nassim.files import put_in_place
from nassim.full_training.training.device import choose_device, describe

PARTS: dict[str, Callable[[Setup], Iterator[Job]]] = {
    "agreement": agreements,
    "speed": speeds,
    "many": many_at_once,
    "trainings": trainings,
    "searches": searches,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what an accelerator gives.")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("results/accelerator"))
    parser.add_argument("--minutes", type=float, default=8.0, help="after which it stops, to be gone on with")
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--dry", action="store_true", help="tiny networks: show that it works")
    options = parser.parse_args()
    device = choose_device(options.device)
    setup = Setup(str(device), options.out, options.dry, time.monotonic() + 60.0 * options.minutes)
    options.out.mkdir(parents=True, exist_ok=True)
    found = _read(options.out / "results.json", describe(device))
    left = _work(setup, [options.only] if options.only else list(PARTS), found, options.out / "results.json")
    out = sys.stdout
    out.write(f"{found['device']}{', dry run' if options.dry else ''}\n\n| part | measured | result |\n|---|---|---|\n")
    for key, value in found.items():
        if key != "device":
            part, _, name = key.partition(": ")
            out.write(f"| {part} | {name} | {value} |\n")
    out.write(f"\n{f'{left} jobs are left: run it again.' if left else 'All done.'}\n")


def _work(setup: Setup, parts: list[str], found: dict[str, str], file: Path) -> int:
    """Do what is not done yet, while there is time; the number of jobs that are left."""
    left = 0
    for part in parts:
        for job in PARTS[part](setup):
            key = f"{part}: {job.name}"
            if key in found:
                continue
            if setup.late:
                left += 1
                continue
            try:
                result = job.work()
            except NassimError as error:
                result = f"cannot be: {' '.join(str(error).split())}"
            if result is None:
                left += 1
                continue
            found[key] = result
            with put_in_place(file) as written:
                written.write(json.dumps(found, indent=1).encode())
    return left


def _read(file: Path, device: str) -> dict[str, str]:
    """What was measured before, on this device."""
    if not file.exists():
        return {"device": device}
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    if found.get("device") != device:
        raise SystemExit(f"{file} is of {found.get('device')}, this is {device}: choose another folder with --out.")
    return found


if __name__ == "__main__":
    main()
