"""`compare`: strategies x benchmarks x seeds, in parallel and resumable, into one SQLite file."""

from __future__ import annotations

import itertools
import platform
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy

from nassim.benchmark import Benchmark, Noise
from nassim.clock import Budget
from nassim.errors import InvalidSetting, MissingData
from nassim.registry import algorithm_names, get_algorithm, get_benchmark
from nassim.run import run
from nassim.store import RunEnd, Store, StoredRun, pack
from nassim.strategy import Algorithm
from nassim.version import __version__

FILE = "study.db"
BASELINE = "random_search"  # in every comparison
Progress = Callable[[int, int], None]


class _Task(NamedTuple):
    number: int
    algorithm: str | Algorithm  # a name where it is registered: workers look it up
    settings: dict[str, object]
    benchmark: str | Benchmark
    seed: int
    budget: Budget
    workers: int
    noise: str


class Facts(NamedTuple):
    """What the analysis needs of a benchmark; kept in the study, so that no table is needed to plot it.

    ``best_valid`` and ``best_test`` are the best mean accuracies of the space (fractions, None where not
    known); ``typical_seconds`` is the mean cost of a full training.
    """

    name: str
    epochs: int
    best_valid: float | None
    best_test: float | None
    typical_seconds: float
    synthetic: bool
    sha256: str

    @classmethod
    def of(cls, b: Benchmark) -> Facts:
        """The facts of a benchmark."""
        best_test = b.optimum("test_accuracy") if b.has_test else None
        best = b.optimum("valid_accuracy")
        return cls(b.name, b.epochs, best, best_test, b.typical_cost, b.about.synthetic, b.about.sha256)

    def best(self, split: str) -> float | None:
        """The best mean accuracy of the space on a split."""
        return self.best_test if split == "test" else self.best_valid

    @property
    def regret_split(self) -> str:
        """The split that regret is taken on: test where there is one, else validation."""
        return "valid" if self.best_test is None else "test"


class Study:
    """Finished runs of a comparison: read from disk with `Study.open`, made by `compare`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.settings = store.settings
        self.runs: list[RunEnd] = store.runs()
        self.facts = {name: Facts(**facts) for name, facts in self.settings["benchmarks"].items()}

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

    def of(self, benchmark: str, strategy: str) -> list[RunEnd]:
        """The runs of one strategy on one benchmark, by seed."""
        return [r for r in self.runs if r.benchmark == benchmark and r.strategy == strategy]

    def trials(self) -> Iterator[tuple[object, ...]]:
        """All trials, as `Store.trials` gives them."""
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
) -> Study:
    """Run every strategy on every benchmark with seeds 0 ... ``seeds``-1; random search is always in.

    ``jobs`` processes share the work; results are bit-identical for any number of them. ``out`` is the
    study's folder (None: in memory): an interrupted comparison continues where it stopped. ``progress``
    is called with (runs finished, runs in all).

    >>> study = compare(["re"], ["toy/additive"], "20q", seeds=3)
    >>> study.strategies, len(study.runs)
    (['random_search', 'regularized_evolution'], 6)
    """
    if seeds < 1 or workers < 1 or jobs < 1:
        raise InvalidSetting(f"seeds, workers and jobs must be at least 1, not {seeds}, {workers} and {jobs}.")
    limits = Budget.parse(budget) if isinstance(budget, str) else budget
    chosen = _with_baseline([get_algorithm(s) if isinstance(s, str) else s for s in strategies])
    opened = [_open(b, noise) if isinstance(b, str) else b for b in benchmarks]
    by_name = {b.name: name for b, name in zip(opened, benchmarks, strict=True)}
    _refuse_twice([a.name for a in chosen], "strategy")
    _refuse_twice([b.name for b in opened], "benchmark")
    for algorithm in chosen:  # what cannot work is said before anything is run
        for benchmark in opened:
            run(algorithm, benchmark, Budget(queries=1))
    grid = itertools.product(opened, chosen, range(seeds))
    tasks = [
        _Task(i, _by_name(a), a.hyperparameters(b.space), by_name[b.name], seed, limits, workers, noise)
        for i, (b, a, seed) in enumerate(grid)
    ]
    settings = {
        "nassim": __version__,
        "benchmarks": {b.name: Facts.of(b)._asdict() for b in opened},
        "strategies": {a.name: {b.name: a.hyperparameters(b.space) for b in opened} for a in chosen},
        "budget": str(limits),
        "seeds": seeds,
        "workers": workers,
        "noise": str(Noise.parse(noise)),
        "runs": len(tasks),
        "provenance": _provenance(),
    }
    store = Store.create(None if out is None else Path(out) / FILE, settings)
    done = store.finished()
    todo = [task for task in tasks if task.number not in done]
    if progress is not None:
        progress(len(done), len(tasks))
    for count, stored in enumerate(_execute_all(todo, jobs), start=len(done) + 1):
        store.add([stored])
        if progress is not None:
            progress(count, len(tasks))
    return Study(store)


def _with_baseline(algorithms: list[Algorithm]) -> list[Algorithm]:
    if any(algorithm.name == BASELINE for algorithm in algorithms):
        return algorithms
    return [get_algorithm(BASELINE), *algorithms]


def _by_name(algorithm: Algorithm) -> str | Algorithm:
    return algorithm.name if algorithm.name in algorithm_names() else algorithm


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


def _execute_all(tasks: list[_Task], jobs: int) -> Iterator[StoredRun]:
    if jobs == 1 or len(tasks) < 2:
        yield from map(_execute, tasks)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered", batch_size="auto")
    yield from parallel(delayed(_execute_in_worker)(task) for task in tasks)


def _execute_in_worker(task: _Task) -> StoredRun:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    return _execute(task)


def _execute(task: _Task) -> StoredRun:
    algorithm = get_algorithm(task.algorithm) if isinstance(task.algorithm, str) else task.algorithm
    benchmark = _open(task.benchmark, task.noise) if isinstance(task.benchmark, str) else task.benchmark
    configured = algorithm.configured(**task.settings)
    return pack(task.number, run(configured, benchmark, task.budget, seed=task.seed, workers=task.workers))
