"""What a comparison runs: strategies on benchmarks, seed by seed, in this process or in others."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.errors import Unsupported
from nassim.one_shot import OneShot, one_shot
from nassim.outlook import fidelities
from nassim.own_files import OwnAlgorithm, OwnFile, by_file
from nassim.query import Batch
from nassim.registry import algorithm_names, get_algorithm, get_benchmark
from nassim.run import run
from nassim.store import StoredRun, pack
from nassim.strategy import Algorithm, stream
from nassim.too_small import refuse_too_small

BASELINE = "random_search"  # in every comparison


class Task(NamedTuple):
    number: int
    algorithm: str | OwnFile | Algorithm  # a name where it is registered, a file of the user's: workers look it up
    label: str
    settings: dict[str, object]
    benchmark: str | OwnFile | Benchmark
    seed: int
    budget: Budget
    workers: int
    noise: str
    live: bool
    device: str
    patience: float | None
    objectives: str
    constraint: str
    plan: int | None


class Pair(NamedTuple):
    """A strategy on a benchmark, and the seeds that it is run with there."""

    benchmark: Benchmark
    algorithm: Algorithm
    settings: dict[str, object]
    seeds: Sequence[int]
    source: OneShot | None
    plan: int | None


def plan_runs(
    chosen: list[Algorithm],
    opened: list[Benchmark],
    seeds: int,
    live_seeds: int | None,
    device: str,
    patience: float | None,
    limits: Budget,
    plans: Mapping[str, int | None],
) -> tuple[list[Pair], dict[str, str]]:
    """What is run, and what is left out with the reason; what cannot work is said before anything is run."""
    pairs: list[Pair] = []
    left_out: dict[str, str] = {}
    for benchmark, algorithm in itertools.product(opened, chosen):
        plan = plans.get(benchmark.name)
        if not algorithm.shares_weights:
            refuse_too_small(limits, benchmark)
            try:
                if benchmark.trains:
                    _refuse_first_query(algorithm, benchmark, plan)
                else:
                    run(algorithm, benchmark, Budget(queries=1), patience=patience)
            except Unsupported as error:
                if algorithm.name == BASELINE:  # then it is the benchmark
                    raise
                left_out[f"{algorithm.title} on {benchmark.name}"] = str(error)
                continue
            chosen_there = algorithm.hyperparameters(benchmark.space, horizon=plan)
            pairs.append(Pair(benchmark, algorithm, chosen_there, range(seeds), None, plan))
            continue
        try:
            source = one_shot(algorithm, benchmark, live=live_seeds is not None)
        except Unsupported as error:
            left_out[f"{algorithm.title} on {benchmark.name}"] = str(error)
            continue
        if live_seeds is not None:
            source.begin(0, device)
        known = range(live_seeds or seeds) if source.seeds is None else [k for k in source.seeds if k < seeds]
        pairs.append(Pair(benchmark, algorithm, source.hyperparameters, known, source, plan))
    if left_out and all(pair.algorithm.name == BASELINE for pair in pairs):
        raise Unsupported(f"{next(iter(left_out.values()))} Name another strategy beside it.")
    return pairs, left_out


def _refuse_first_query(algorithm: Algorithm, benchmark: Benchmark, plan: int | None) -> None:
    """Raise what a run would raise at its first question; nothing is trained to find out."""
    measure = benchmark.measure
    begun = algorithm.begin(
        *(benchmark.space, stream(0, "strategy")), horizon=plan, measure=measure, fidelities=fidelities(benchmark)
    )
    message = begun.ask()
    for query in message.queries if isinstance(message, Batch) else ():
        benchmark.space.check(query.arch)
        benchmark.epochs_of(query)


def told_apart(algorithms: list[Algorithm]) -> list[Algorithm]:
    """Where several have a name and other settings, those with settings are called after them."""
    algorithms = by_file(algorithms)
    names = [algorithm.title for algorithm in algorithms]
    return [
        algorithm.variant() if names.count(name) > 1 and algorithm.settings else algorithm
        for algorithm, name in zip(algorithms, names, strict=True)
    ]


def with_baseline(algorithms: list[Algorithm]) -> list[Algorithm]:
    if any(algorithm.name == BASELINE for algorithm in algorithms):
        return algorithms
    return [get_algorithm(BASELINE), *algorithms]


def by_name(algorithm: Algorithm) -> str | OwnFile | Algorithm:
    if isinstance(algorithm, OwnAlgorithm):
        return algorithm.source
    name = algorithm.name
    registered = name in algorithm_names() and get_algorithm(name).function is algorithm.function
    return name if registered else algorithm  # one of a script may have the name of a registered one


@lru_cache(maxsize=64)
def open_once(name: str | OwnFile, noise: str) -> Benchmark:
    """One table per process, however many runs use it."""
    return get_benchmark(name, noise) if isinstance(name, str) else name.benchmark(noise)


def execute_all(tasks: list[Task], jobs: int) -> Generator[StoredRun, None, None]:
    if jobs == 1 or len(tasks) < 2:
        yield from map(_execute, tasks)
        return
    from nassim.processes import processes, spread  # starting a command need not wait for it

    jobs = min(jobs, len(tasks))
    with processes(jobs) as pool:
        yield from spread(pool, _execute, tasks, jobs)


def _execute(task: Task) -> StoredRun:
    named, place = task.algorithm, task.benchmark
    known = named.strategy() if isinstance(named, OwnFile) else named
    algorithm = get_algorithm(known) if isinstance(known, str) else known
    benchmark = place if isinstance(place, Benchmark) else open_once(place, task.noise)
    configured = replace(algorithm.configured(**task.settings), label=task.label)
    return pack(
        task.number,
        run(
            *(configured, benchmark, task.budget),
            seed=task.seed,
            workers=task.workers,
            live=task.live,
            device=task.device,
            patience=task.patience,
            objectives=task.objectives,
            constraint=task.constraint,
            plan=task.plan,
        ),
        extras=benchmark.trains,  # those of a table are looked up
    )
