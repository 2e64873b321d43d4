"""Measure nassim's speed and print it with the machine it was measured on (`make speed`).

Every line with a target says whether it was met; the exit code is 0 all the same: timings are
reported, not tested, because a busy machine proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
from rich.console import Console
from rich.table import Table
from speed_darts import darts_family_rows
from speed_inheritance import inheritance_rows
from speed_networks import network_rows
from speed_processes import opening_rows, start_rows, study_rows
from speed_row import Row
from speed_search import evolution_rows, fewer_epochs_rows, model_rows, peer_rows
from speed_study import large_study_rows
from speed_supernets import supernet_rows
from speed_tables import table_rows
from speed_wall import wall_rows
from speed_workers import engine_rows, many_runs_rows, simulated_rows

import nassim

PARTS: dict[str, Callable[[str], Iterator[Row]]] = {
    "evolution": evolution_rows,
    "models": model_rows,
    "peers": peer_rows,
    "studies": study_rows,
    "opening": opening_rows,
    "tables": table_rows,
    "networks": network_rows,
    "darts-family": darts_family_rows,
    "inheritance": inheritance_rows,
    "fewer-epochs": fewer_epochs_rows,
    "large-study": large_study_rows,
    "supernets": supernet_rows,
    "engines": engine_rows,
    "wall-clock": wall_rows,
    "simulated-workers": simulated_rows,
    "many-runs": many_runs_rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure nassim's speed.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--benchmark", default="nasbench201/cifar10")
    parser.add_argument("--only", choices=[*PARTS, "starting"], help="measure one part")
    options = parser.parse_args()
    progress = Console(stderr=True)
    nassim.get_benchmark(options.benchmark)  # a first opening may convert the table
    rows = []
    with progress.status("measuring") as status:
        for row in measure(options.benchmark, options.only):
            rows.append(row)
            status.update(f"measured: {row.what}")
    if options.json:
        lines = [{**row._asdict(), "verdict": row.verdict} for row in rows]
        sys.stdout.write(json.dumps({"machine": machine(), "benchmark": options.benchmark, "rows": lines}, indent=2))
        sys.stdout.write("\n")
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = 140
        console.print(", ".join(f"{name} {fact}" for name, fact in machine().items()))
        console.print(as_table(rows))


def measure(benchmark: str, only: str | None) -> Iterator[Row]:
    """All rows, or those of one part."""
    for name, part in PARTS.items():
        if only in (None, name):
            yield from part(benchmark)
    if only in (None, "starting"):
        yield from start_rows()


def machine() -> dict[str, object]:
    """Where the numbers come from."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": cores,
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "nassim": nassim.__version__,
    }


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def as_table(rows: list[Row]) -> Table:
    """The rows under their groups' headings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("measured")
    table.add_column("value", justify="right")
    table.add_column("")
    table.add_column("target", justify="right")
    table.add_column("")
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            table.add_row(f"[bold]{group}[/bold]")
        value = "-" if row.value is None else f"{row.value:,.3g}" if row.value < 100 else f"{row.value:,.0f}"
        target = "" if row.target is None else f"<= {row.target:g}"
        color = "red" if row.verdict == "missed" else "green"
        verdict = f"[{color}]{row.verdict}[/{color}]" if row.verdict else ""
        table.add_row(f"  {row.what}", value, row.unit, target, f"{verdict} {row.note}".strip())
    return table


if __name__ == "__main__":
    main()
