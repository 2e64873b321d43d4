"""A run on the wall clock: what it needs, and what is refused before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from nassim.benchmark import Benchmark
from nassim.engines import Engine, engine
from nassim.errors import InvalidSetting, Unsupported
from nassim.objectives import Constraint
from nassim.strategy import Algorithm
from nassim.trace import Run
from nassim.wall import Tell, Wall
from nassim.wall_trace import End, WallTrace


def refuse_on_the_wall(algorithm: Algorithm, benchmark: Benchmark, workers: int, here: bool) -> None:
    """Raise where there is nothing to measure, or not a device for every worker; ``here``: they are on this machine."""
    if not benchmark.trains:
        raise Unsupported(
            f"{benchmark.name} trains nothing, so that the wall clock would measure how fast answers are looked up: "
            "leave --clock wall out, or search on a benchmark that trains (SPACE/DATA:training)."
        )
    if algorithm.shares_weights:
        raise Unsupported(
            f"{algorithm.title} shares weights: it trains one supernet in one process and hands out no trainings. "
            "Leave --clock wall out."
        )
    there = len(benchmark.devices())
    if here and workers > there:
        raise InvalidSetting(
            f"{workers} workers are asked for, and this machine has {there} device{'s' * (there != 1)} to train on: "
            f"each worker takes one. Use --workers {there}, or --engine dask:HOST:PORT for those of other machines."
        )


@contextmanager
def at_work(
    benchmark: Benchmark,
    record: Run,
    constraint: Constraint | None,
    chosen: str | Executor | Engine,
    trace: str | Path | None,
    timeout: float | None,
    tell: Tell | None,
) -> Iterator[Wall]:
    """A run with its workers and its trace, for the time of the block."""
    header = {
        "benchmark": record.benchmark,
        "strategy": record.strategy,
        "hyperparameters": record.hyperparameters,
        "seed": record.seed,
        "budget": str(record.budget),
        "workers": record.workers,
        "noise": record.noise,
        "sha256": record.sha256,
        "objectives": list(record.objectives),
        "constraint": record.constraint,
        "nassim": record.version,
    }
    kept = None if trace is None else WallTrace(Path(trace), header, benchmark.space)
    over = kept is not None and kept.events and isinstance(kept.events[-1], End)
    chosen = Engine(Executor(), record.workers) if over else chosen  # nobody is needed to replay
    try:
        with engine(chosen, record.workers, environments=benchmark.devices(), devices=True) as helpers:
            yield Wall(benchmark, record.budget, record, constraint, helpers, trace=kept, timeout=timeout, tell=tell)
    finally:
        if kept is not None:
            kept.close()
