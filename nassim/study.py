"""`compare`: strategies x benchmarks x seeds, in parallel and resumable, into one SQLite file."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy

from nassim.benchmark import Benchmark, Noise
from nassim.clock import Budget
from nassim.errors import CorruptData, InvalidSetting, MissingData, Unsupported
from nassim.facts import Facts
from nassim.one_shot import OneShot, one_shot
from nassim.registry import algorithm_names, get_algorithm, get_algorithms, get_benchmark
from nassim.run import horizon, run
from nassim.store import RunEnd, Store, StoredRun, StoredTrial, pack
from nassim.strategy import Algorithm
from nassim.study_settings import checked, facts_of
from nassim.too_small import refuse_too_small
from nassim.version import __version__

FILE = "study.db"
BASELINE = "random_search"  # in every comparison
Progress = Callable[[int, int], None]


class _Task(NamedTuple):
    number: int
    algorithm: str | Algorithm  # a name where it is registered: workers look it up
    label: str
    settings: dict[str, object]
    benchmark: str | Benchmark
    seed: int
    budget: Budget
    workers: int
    noise: str
    live: bool
    device: str
    patience: float | None
    objectives: str
    constraint: str
    plan: int


class Study:
    """Finished runs of a comparison: read from disk with `Study.open`, made by `compare`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.settings = checked(store.settings, store.path)
        self.facts = facts_of(self.settings)
        self.runs: list[RunEnd] = store.runs()
        strange = {end.benchmark for end in self.runs} - set(self.facts)
        if strange:
            raise CorruptData(f"{store.path} has runs on {min(strange)!r:.80}, which its settings do not name.")

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """The study in a folder; `MissingData` or `CorruptData` if there is none or it is damaged."""
        study = cls(Store.open(Path(folder) / FILE))
        if not study.runs:
            raise MissingData(f"the study in {folder} has no finished run yet: repeat the command that made it.")
        return study

    @property
    def benchmarks(self) -> list[str]:
        """The ids of the benchmarks, in the order of the command."""
        return list(dict.fromkeys(r.benchmark for r in self.runs))

    @property
    def strategies(self) -> list[str]:
        """The names of the strategies, in the order of the command."""
        return list(dict.fromkeys(r.strategy for r in self.runs))

    @property
    def algorithms(self) -> dict[str, str]:
        """The name of the algorithm behind each strategy's label."""
        return {**{label: label for label in self.settings["strategies"]}, **self.settings.get("algorithms", {})}

    def of(self, benchmark: str, strategy: str) -> list[RunEnd]:
        """The runs of one strategy on one benchmark, by seed."""
        return [r for r in self.runs if r.benchmark == benchmark and r.strategy == strategy]

    def trials(self) -> Iterator[StoredTrial]:
        """All trials, in the order of the grid."""
        return self._store.trials()

    @property
    def complete(self) -> bool:
        """Whether all runs that were asked for are there."""
        return len(self.runs) == int(self.settings["runs"])

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()


def compare(
    strategies: Sequence[str | Algorithm],
    benchmarks: Sequence[str | Benchmark],
    budget: str | Budget,
    *,
    seeds: int = 100,
    workers: int = 1,
    jobs: int = 1,
    noise: str = "draw",
    out: str | Path | None = None,
    progress: Progress | None = None,
    live_seeds: int | None = None,
    device: str = "auto",
    regret: str = "",
    patience: float | None = None,
    objectives: str = "",
    constraint: str = "",
) -> Study:
    """Run every strategy on every benchmark with seeds 0 ... ``seeds``-1; random search is always in.

    A strategy with settings is written ``re[sample_size=10]``, several at once ``re[sample_size=3|10]``; in tables and
    figures it is called so. Algorithms of one name with other settings are called after them too.

    ``jobs`` processes share the work; results are bit-identical for any number of them. ``out`` is the
    study's folder (None: in memory): an interrupted comparison continues where it stopped. ``progress``
    is called with (runs finished, runs in all).

    Strategies that share weights replay the recorded ones of these seeds; with ``live_seeds`` they train now, on
    ``device``, with seeds 0 ... ``live_seeds``-1. One is left out on a benchmark without a supernet, and the study's
    settings say so; `Unsupported` if none that was named can run anywhere.

    ``patience``, ``objectives`` and ``constraint`` are those of `nassim.run`.
    ``regret`` is taken on ``valid`` or ``test``; by default on test where a benchmark has it.

    >>> study = compare(["re"], ["toy/additive"], "20q", seeds=3)
    >>> study.strategies, len(study.runs)
    (['random_search', 'regularized_evolution'], 6)
    """
    if seeds < 1 or workers < 1 or jobs < 1:
        raise InvalidSetting(f"seeds, workers and jobs must be at least 1, not {seeds}, {workers} and {jobs}.")
    limits = Budget.parse(budget) if isinstance(budget, str) else budget
    named = (get_algorithms(s) if isinstance(s, str) else [s] for s in strategies)
    chosen = _told_apart(_with_baseline(list(itertools.chain.from_iterable(named))))
    opened = [_open(b, noise) if isinstance(b, str) else b for b in benchmarks]
    by_name = {b.name: name for b, name in zip(opened, benchmarks, strict=True)}
    _refuse_twice([a.title for a in chosen], "strategy")
    _refuse_twice([b.name for b in opened], "benchmark")
    pairs, left_out = _plan(chosen, opened, seeds, live_seeds, device, patience, limits, workers)
    options = limits, workers, noise, live_seeds is not None, device, patience, objectives, constraint
    tasks = [
        _Task(
            i, _by_name(p.algorithm), p.algorithm.title, p.settings, by_name[p.benchmark.name], seed, *options, p.plan
        )
        for i, (p, seed) in enumerate((p, seed) for p in pairs for seed in p.seeds)
    ]
    settings = {
        "nassim": __version__,
        "benchmarks": {b.name: Facts.of(b, regret)._asdict() for b in opened},
        "strategies": {a.title: {p.benchmark.name: p.settings for p in pairs if p.algorithm is a} for a in chosen},
        "algorithms": {a.title: a.name for a in chosen},
        "budget": str(limits),
        "seeds": seeds,
        "workers": workers,
        "noise": str(Noise.parse(noise)),
        "one_shot": {
            f"{p.algorithm.title} on {p.benchmark.name}": {
                "configuration": p.source.configuration,
                "note": p.source.note,
            }
            for p in pairs
            if p.source is not None
        },
        "left_out": left_out,
        "objectives": objectives,
        "constraint": constraint,
        "runs": len(tasks),
        "provenance": _provenance(),
    }
    store = Store.create(None if out is None else Path(out) / FILE, settings)
    done = store.finished()
    todo = [task for task in tasks if task.number not in done]
    if progress is not None:
        progress(len(done), len(tasks))
    with closing(_execute_all(todo, jobs)) as finished:  # an error here ends the workers at once
        for count, stored in enumerate(finished, start=len(done) + 1):
            store.add([stored])
            if progress is not None:
                progress(count, len(tasks))
    return Study(store)


class _Pair(NamedTuple):
    """A strategy on a benchmark, and the seeds that it is run with there."""

    benchmark: Benchmark
    algorithm: Algorithm
    settings: dict[str, object]
    seeds: Sequence[int]
    source: OneShot | None
    plan: int


def _plan(
    chosen: list[Algorithm],
    opened: list[Benchmark],
    seeds: int,
    live_seeds: int | None,
    device: str,
    patience: float | None,
    limits: Budget,
    workers: int,
) -> tuple[list[_Pair], dict[str, str]]:
    """What is run, and what is left out with the reason; what cannot work is said before anything is run."""
    pairs: list[_Pair] = []
    left_out: dict[str, str] = {}
    plans = {benchmark.name: horizon(limits, benchmark, workers) for benchmark in opened}
    for benchmark, algorithm in itertools.product(opened, chosen):
        plan = plans[benchmark.name]
        if not algorithm.shares_weights:
            refuse_too_small(limits, benchmark)
            run(algorithm, benchmark, Budget(queries=1), patience=patience)
            chosen_there = algorithm.hyperparameters(benchmark.space, horizon=plan)
            pairs.append(_Pair(benchmark, algorithm, chosen_there, range(seeds), None, plan))
            continue
        try:
            source = one_shot(algorithm, benchmark, live=live_seeds is not None)
        except Unsupported as error:
            left_out[f"{algorithm.title} on {benchmark.name}"] = str(error)
            continue
        if live_seeds is not None:
            source.begin(0, device)
        known = range(live_seeds or seeds) if source.seeds is None else [k for k in source.seeds if k < seeds]
        pairs.append(_Pair(benchmark, algorithm, source.hyperparameters, known, source, plan))
    if left_out and all(pair.algorithm.name == BASELINE for pair in pairs):
        raise Unsupported(f"{next(iter(left_out.values()))} Name another strategy beside it.")
    return pairs, left_out


def _told_apart(algorithms: list[Algorithm]) -> list[Algorithm]:
    """Where several have a name and other settings, those with settings are called after them."""
    names = [algorithm.title for algorithm in algorithms]
    return [
        algorithm.variant() if names.count(name) > 1 and algorithm.settings else algorithm
        for algorithm, name in zip(algorithms, names, strict=True)
    ]


def _with_baseline(algorithms: list[Algorithm]) -> list[Algorithm]:
    if any(algorithm.name == BASELINE for algorithm in algorithms):
        return algorithms
    return [get_algorithm(BASELINE), *algorithms]


def _by_name(algorithm: Algorithm) -> str | Algorithm:
    name = algorithm.name
    registered = name in algorithm_names() and get_algorithm(name).function is algorithm.function
    return name if registered else algorithm  # one of a script may have the name of a registered one


def _provenance() -> dict[str, str]:
    """Where and when a study was begun: kept beside its settings, never compared."""
    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "platform": platform.platform(),
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _refuse_twice(names: list[str], kind: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidSetting(f"the {kind} {name} is named twice.")
    if not names:
        raise InvalidSetting(f"a comparison needs at least one {kind}.")


@lru_cache(maxsize=64)
def _open(name: str, noise: str) -> Benchmark:
    """One table per process, however many runs use it."""
    return get_benchmark(name, noise)


def _execute_all(tasks: list[_Task], jobs: int) -> Generator[StoredRun, None, None]:
    if jobs == 1 or len(tasks) < 2:
        yield from map(_execute, tasks)
        return
    from nassim.processes import processes, spread  # starting a command need not wait for it

    jobs = min(jobs, len(tasks))
    with processes(jobs) as pool:
        yield from spread(pool, _execute, tasks, jobs)


def _execute(task: _Task) -> StoredRun:
    algorithm = get_algorithm(task.algorithm) if isinstance(task.algorithm, str) else task.algorithm
    benchmark = _open(task.benchmark, task.noise) if isinstance(task.benchmark, str) else task.benchmark
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
    )
