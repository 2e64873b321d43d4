"""What a comparison runs: strategies on benchmarks, seed by seed, in this process or in others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.errors import CorruptData, InvalidSetting, Unsupported
from nassim.files import file_name
from nassim.identity import Identity, identity, refuse_other
from nassim.one_shot import OneShot, one_shot
from nassim.outlook import fidelities, searched_for
from nassim.own_files import OwnAlgorithm, OwnFile, by_file
from nassim.query import Batch
from nassim.registry import algorithm_names, get_algorithm, get_benchmark
from nassim.run import run
from nassim.store import StoredRun, pack
from nassim.strategy import Algorithm, stream
from nassim.too_small import refuse_too_small
from nassim.trace import Run

if TYPE_CHECKING:
    from concurrent.futures import Executor

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
    trials: bool
    sha256: str  # of the benchmark's data where the work comes from
    clock: str
    nassim: Identity | None = None  # that worker and sender must share; None: they do


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
    seeds: Sequence[int],
    live_seeds: Sequence[int] | None,
    device: str,
    patience: float | None,
    limits: Budget,
    plans: Mapping[str, int | None],
    sought: tuple[str, str] = ("", ""),
) -> tuple[list[Pair], dict[str, str]]:
    """What is run, and what is left out with the reason; what cannot work is said before anything is run.

    sought: objectives and constraint, as they are typed.
    """
    pairs: list[Pair] = []
    left_out: dict[str, str] = {}
    for benchmark, algorithm in itertools.product(opened, chosen):
        plan = plans.get(benchmark.name)
        if not algorithm.shares_weights:
            refuse_too_small(limits, benchmark)
            try:
                if benchmark.trains:
                    _refuse_first_query(algorithm, benchmark, plan, sought)
                else:
                    what, limit = sought
                    run(algorithm, benchmark, Budget(queries=1), patience=patience, objectives=what, constraint=limit)
            except Unsupported as error:
                if algorithm.name == BASELINE:  # then it is the benchmark
                    raise
                left_out[f"{algorithm.title} on {benchmark.name}"] = str(error)
                continue
            chosen_there = algorithm.hyperparameters(benchmark.space, horizon=plan)
            pairs.append(Pair(benchmark, algorithm, chosen_there, seeds, None, plan))
            continue
        try:
            source = one_shot(algorithm, benchmark, live=live_seeds is not None)
        except Unsupported as error:
            left_out[f"{algorithm.title} on {benchmark.name}"] = str(error)
            continue
        if live_seeds is not None:
            source.begin(0, device)
        wanted = live_seeds or seeds
        known = wanted if source.seeds is None else [seed for seed in source.seeds if seed in set(wanted)]
        pairs.append(Pair(benchmark, algorithm, source.hyperparameters, known, source, plan))
    if left_out and all(pair.algorithm.name == BASELINE for pair in pairs):
        raise Unsupported(f"{next(iter(left_out.values()))} Name another strategy beside it.")
    return pairs, left_out


def _refuse_first_query(algorithm: Algorithm, benchmark: Benchmark, plan: int | None, sought: tuple[str, str]) -> None:
    """Raise what a run would raise at its first question; nothing is trained to find out."""
    wanted, bound = searched_for(benchmark, *sought)
    begun = algorithm.begin(
        *(benchmark.space, stream(0, "strategy")),
        horizon=plan,
        measure=benchmark.measure,
        objectives=wanted,
        constraint=bound,
        fidelities=fidelities(benchmark),
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


def execute_all(
    tasks: list[Task],
    jobs: int | None,
    chosen: str | Executor = "processes",
    timeout: float | None = None,
    told: Callable[[list[str]], None] | None = None,
    traces: Path | None = None,
) -> Generator[StoredRun, None, None]:
    """The finished runs as they come, from ``jobs`` workers of an engine (`nassim.engines`); None: all that it has.

    ``told`` is called with what each worker has whenever that changes. On the wall clock each run has the engine for
    itself, and what happens in it is written to a file in ``traces``.
    """
    if tasks and tasks[0].clock == "wall":
        yield from _on_the_wall(tasks, chosen, timeout, told, traces)
        return
    if not tasks or (chosen == "processes" and (len(tasks) == 1 or jobs == 1) and timeout is None):
        for task in tasks:
            if told is not None:
                told([_title([task])])
            yield _execute(task)
        return
    from nassim.engines import engine  # starting a command need not wait for it
    from nassim.spreading import spread

    if chosen != "processes":
        tasks = [task._replace(nassim=identity()) for task in tasks]
    tell = None if told is None else lambda chunks: told([_title(chunk) for chunk in chunks])
    with engine(chosen, min(jobs or 1, len(tasks)) if chosen in ("processes", "dask") else jobs) as at_work:
        yield from spread(at_work.executor, _execute, tasks, at_work.workers, timeout=timeout, told=tell)


def _on_the_wall(
    tasks: list[Task],
    chosen: str | Executor,
    timeout: float | None,
    told: Callable[[list[str]], None] | None,
    traces: Path | None,
) -> Generator[StoredRun, None, None]:
    from nassim.engines import engine

    first = tasks[0]
    environments = _opened(first).devices()
    with engine(chosen, first.workers, environments=environments, devices=True) as at_work:
        for task in tasks:

            def tell(_: Run, doing: list[str], title: str = _title([task])) -> None:
                if told is not None:
                    told([f"{title}: {arch}" for arch in doing])

            name = f"{file_name(task.label)}-{file_name(_opened(task).name)}-{task.seed}.jsonl"
            trace = None if traces is None else traces / name
            yield _execute(task, {"engine": at_work, "timeout": timeout, "trace": trace, "tell": tell, "clock": "wall"})


def refuse_all_on_the_wall(
    chosen: list[Algorithm], opened: list[Benchmark], workers: int, device: str, engine: str
) -> None:
    """Raise where a study cannot be made on the wall clock."""
    from nassim.on_the_wall import refuse_on_the_wall

    for benchmark, algorithm in itertools.product(opened, chosen):
        if benchmark.trains and device != "auto":
            benchmark.move(device)
        refuse_on_the_wall(algorithm, benchmark, workers, here=engine in ("processes", "dask"))


def _title(chunk: Sequence[Task]) -> str:
    """What a worker has, in words."""
    first, seeds = chunk[0], [task.seed for task in chunk if task.label == chunk[0].label]
    named = first.benchmark
    place = named if isinstance(named, str) else named.name
    of = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    more = f", and {len(chunk) - len(seeds)} more runs" if len(chunk) > len(seeds) else ""
    return f"{first.label} on {place}, {of}{more}"


def refuse_other_data(benchmark: Benchmark, sha256: str) -> None:
    """`CorruptData` in a worker whose data are not those of the process that sent the work."""
    if benchmark.about.sha256 != sha256:
        here, there = benchmark.about.sha256[:12] or "none", sha256[:12] or "none"
        raise CorruptData(
            f"a worker has other data of {benchmark.name} (sha256 {here}) than where the work comes from ({there}): "
            "give it the same data folder (NASSIM_DATA), or fetch the data there anew."
        )


def _opened(task: Task) -> Benchmark:
    place = task.benchmark
    return place if isinstance(place, Benchmark) else open_once(place, task.noise)


def _execute(task: Task, on_the_wall: dict[str, Any] | None = None) -> StoredRun:
    if task.nassim is not None:
        refuse_other(task.nassim)
    named, benchmark = task.algorithm, _opened(task)
    known = named.strategy() if isinstance(named, OwnFile) else named
    algorithm = get_algorithm(known) if isinstance(known, str) else known
    refuse_other_data(benchmark, task.sha256)
    configured = replace(algorithm.configured(**task.settings), label=task.label)
    before = process_time()
    stored = pack(
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
            **(on_the_wall or {}),
        ),
        extras=benchmark.trains,  # those of a table are looked up
        trials=task.trials,
    )
    return stored._replace(cpu_seconds=process_time() - before)


def refuse_twice(names: list[str], kind: str) -> None:
    """`InvalidSetting` for a name that is there twice, and where there is none."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidSetting(f"the {kind} {name} is named twice.")
    if not names:
        raise InvalidSetting(f"a comparison needs at least one {kind}.")
