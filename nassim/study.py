"""`compare`: strategies x benchmarks x seeds, in parallel and resumable, into one SQLite file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from nassim.benchmark import Benchmark, Noise
from nassim.clock import Budget
from nassim.collecting import no_collection
from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.facts import Facts
from nassim.grid import (
    Task,
    by_name,
    execute_all,
    open_once,
    plan_runs,
    refuse_all_on_the_wall,
    refuse_twice,
    told_apart,
    with_baseline,
)
from nassim.outlook import able, horizon
from nassim.own_files import recorded_files, typed_algorithms, typed_place
from nassim.seeds import parse_seeds, seeds_text
from nassim.store import RunEnd, Store, StoredTrial
from nassim.strategy import Algorithm
from nassim.study_settings import WALL, checked, facts_of, provenance
from nassim.version import __version__

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas
    from matplotlib.figure import Figure

FILE = "study.db"
Progress = Callable[[int, int], None]


class Study:
    """Finished runs of a comparison: read from disk with `Study.open`, made by `compare`.

    It prints as a few lines; `summary` and `curves` are data frames, `plot` draws and `report` writes the page.

    >>> print(compare(["re"], ["toy/additive"], "20q", seeds=3))
    Study of 2 strategies on 1 benchmark: 3 seeds, budget 20q, 1 worker; 6 of 6 runs, in memory
      strategies: random_search, regularized_evolution
      toy/additive (synthetic): best mean validation accuracy 75.20 % (3 seeds): random_search
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.settings = checked(store.settings, store.path)
        self.facts = facts_of(self.settings)
        with no_collection():
            self.runs: list[RunEnd] = store.runs()
        self.cpu_seconds: dict[str, list[float]] = {}  # by strategy, of each run that this process had made
        strange = {end.benchmark for end in self.runs} - set(self.facts)
        if strange:
            raise CorruptData(f"{store.path} has runs on {min(strange)!r:.80}, which its settings do not name.")
        if {end.clock for end in self.runs} - {self.settings.get("clock", "simulated")}:
            raise CorruptData(f"{store.path} has runs on another clock than its settings: they are never pooled.")

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

    def trials(self, of: Container[int] | None = None) -> Iterator[StoredTrial]:
        """All trials, in the order of the grid, or those of the runs with these ids."""
        return self._store.trials(of)

    @property
    def complete(self) -> bool:
        """Whether all runs that were asked for are there."""
        return len(self.runs) == int(self.settings["runs"])

    @property
    def folder(self) -> Path | None:
        """Where the study lies; None for one in memory."""
        return None if self._store.path == Path(":memory:") else self._store.path.parent

    def __repr__(self) -> str:
        from nassim.study_view import lines

        return lines(self)

    def summary(self) -> pandas.DataFrame:
        """A row per benchmark and strategy: what the final incumbents reach over seeds, and their regret.

        Columns name statistic, split and unit: ``final_valid_accuracy_mean_percent``, ``final_test_regret_iqm_pp``;
        ``regret_split`` is the split that tables and figures take regret on. As in the file ``summary.csv``.
        """
        from nassim.summary import frame

        return frame(self, "summary")

    def curves(self) -> pandas.DataFrame:
        """A row per run and improvement: strategy, benchmark, seed, and the incumbent from then on.

        It is the answer from ``simulated_seconds`` until ``until_simulated_seconds`` (in the unit that ``cost_unit``
        names); ``queries`` and ``epochs_spent`` had finished. ``valid_accuracy_observed_percent`` is what the search
        saw, ``..._mean_of_repeats_percent`` the mean over repeats after a full training (``source`` says if it is
        another), ``..._regret_pp`` how far that lies below the best mean of the space; empty where not known.
        Medians and quartiles over seeds are `nassim.summary.frame` of ``curves``.
        """
        from nassim.study_view import curves_frame

        return curves_frame(self)

    def plot(self, benchmark: str | None = None) -> Figure:
        """Median regret with quartiles against simulated time: of a benchmark, or of all side by side.

        A matplotlib figure that a notebook shows; ``figure.savefig("name.pdf")`` writes it.
        """
        from nassim.study_view import figure_of

        return figure_of(self, benchmark)

    def report(self, folder: str | Path | None = None, *, figures: bool = True) -> Path:
        """Write the report (page, text, tables, figures for papers) into the study's folder or this one.

        Returns the path of the page, ``report.html``.

        `InvalidSetting` for a study in memory if no folder is given.
        """
        from nassim.study_view import report_page

        return report_page(self, folder, figures=figures)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()


def compare(
    strategies: str | Algorithm | Sequence[str | Algorithm],
    benchmarks: str | Benchmark | Sequence[str | Benchmark],
    budget: str | Budget,
    *,
    seeds: int | str | Sequence[int] = 100,
    workers: int = 1,
    jobs: int | None = 1,
    noise: str = "draw",
    out: str | Path | None = None,
    progress: Progress | None = None,
    live_seeds: int | str | Sequence[int] | None = None,
    device: str = "auto",
    regret: str = "",
    patience: float | None = None,
    objectives: str = "",
    constraint: str = "",
    engine: str = "processes",
    executor: Executor | None = None,
    timeout: float | None = None,
    trials: bool = True,
    clock: str = "simulated",
    told: Callable[[list[str]], None] | None = None,
) -> Study:
    """Run every strategy on every benchmark with seeds 0 ... ``seeds``-1; random search is always in.

    Each is a name, an object, or a list of them.

    A strategy with settings is written ``re[sample_size=10]``, several at once ``re[sample_size=3|10]``; in tables and
    figures it is called so. Algorithms of one name with other settings are called after them too. ``mine.py`` and
    ``mine.py:name`` are strategies in a file of your own, ``mine.py/task`` is a benchmark in one.

    ``seeds`` may be ranges, ``"0-499"``, so that several machines share them; `nassim.merging.merge` joins the studies.

    ``jobs`` workers share the work; results are bit-identical for any number of them, and wherever they are: processes
    of this machine, Dask's (``engine``: `nassim.engines`), or those of any `concurrent.futures.Executor` (None jobs: as
    many as it has). A lost worker's runs are done again. ``timeout``: seconds after which, if nothing has come back,
    it ends with an error. ``out`` is the study's folder (None: in memory): an interrupted comparison continues where
    it stopped. ``progress`` is called with (runs finished, runs in all), ``told`` with what each worker has.
    Without ``trials`` only incumbents are kept. On the ``wall`` ``clock`` (`nassim.run`) the runs go one after another,
    each on ``workers`` workers of the engine; a run that was killed goes on from its file in the folder ``traces``.

    Strategies that share weights replay the recorded ones of these seeds; with ``live_seeds`` they train now, on
    ``device``, with those seeds. One is left out on a benchmark without a supernet, and the study's
    settings say so; `Unsupported` if none that was named can run anywhere.

    ``patience``, ``objectives`` and ``constraint`` are those of `nassim.run`.
    ``regret`` is taken on ``valid`` or ``test``; by default on test where a benchmark has it.

    >>> study = compare("re", "toy/additive", "20q", seeds=3)
    >>> study.strategies, len(study.runs)
    (['random_search', 'regularized_evolution'], 6)
    >>> study.runs[0]
    RunEnd(random_search on toy/additive, seed 0: 20 trials, 4 incumbents)
    """
    if workers < 1 or (jobs is not None and jobs < 1):
        raise InvalidSetting(f"workers and jobs must be at least 1, not {workers} and {jobs}.")
    if timeout is not None and not timeout > 0:
        raise InvalidSetting(f"timeout is a number of seconds above 0, not {timeout}.")
    of_seeds = parse_seeds(seeds)
    live = None if live_seeds is None else parse_seeds(live_seeds)
    limits = Budget.parse(budget) if isinstance(budget, str) else budget
    several = [strategies] if isinstance(strategies, (str, Algorithm)) else list(strategies)
    named = (typed_algorithms(s) if isinstance(s, str) else [s] for s in several)
    chosen = told_apart(with_baseline(list(itertools.chain.from_iterable(named))))
    typed = [benchmarks] if isinstance(benchmarks, (str, Benchmark)) else list(benchmarks)
    places = [typed_place(b) if isinstance(b, str) else b for b in typed]
    opened = [b if isinstance(b, Benchmark) else open_once(b, noise) for b in places]
    names = {b.name: place for b, place in zip(opened, places, strict=True)}
    refuse_twice([a.title for a in chosen], "strategy")
    refuse_twice([b.name for b in opened], "benchmark")
    opened, bounds, lacking = able(opened, objectives, constraint)
    if clock == WALL:
        refuse_all_on_the_wall(chosen, opened, workers, device, engine if executor is None else "")
    path = None if out is None else Path(out) / FILE
    frozen = Store.begun_with(path)  # what was measured when this study began: it stays
    plans = frozen.get("plans") or {b.name: horizon(limits, b, workers) for b in opened}
    facts = {b.name: Facts.of(b, regret, bounds[b.name]).on(clock) for b in opened}
    for b in opened if frozen else ():
        typical = frozen["benchmarks"].get(b.name, {}).get("typical_seconds")
        facts[b.name] = facts[b.name]._replace(typical_seconds=typical)
    sought = objectives, constraint
    pairs, left_out = plan_runs(chosen, opened, of_seeds, live, device, patience, limits, plans, sought)
    options = limits, workers, noise, live is not None, device, patience, objectives, constraint
    tasks = [
        Task._make(
            [
                *(i, by_name(p.algorithm), p.algorithm.title, p.settings, names[p.benchmark.name], seed),
                *(*options, p.plan, trials, p.benchmark.about.sha256, clock, None),
            ]
        )
        for i, (p, seed) in enumerate((p, seed) for p in pairs for seed in p.seeds)
    ]
    settings = {
        "nassim": __version__,
        "benchmarks": {name: of._asdict() for name, of in facts.items()},
        "plans": plans,
        "strategies": {a.title: {p.benchmark.name: p.settings for p in pairs if p.algorithm is a} for a in chosen},
        "algorithms": {a.title: a.name for a in chosen},
        **recorded_files(chosen, names),
        "budget": str(limits),
        "seeds": len(of_seeds),
        **({"seed_ranges": text} if (text := seeds_text(of_seeds)) else {}),
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
        "left_out": {**lacking, **left_out},
        "objectives": objectives,
        "constraint": constraint,
        **({} if trials else {"trials": False}),
        **({"clock": clock} if clock == WALL else {}),
        "runs": len(tasks),
        "provenance": provenance(),
    }
    store = Store.create(path, settings)
    done = store.finished()
    todo = [task for task in tasks if task.number not in done]
    cpu: dict[str, list[float]] = {}
    if progress is not None:
        progress(len(done), len(tasks))
    with closing(
        execute_all(todo, jobs, executor or engine, timeout, told, path and path.parent / "traces")
    ) as finished:  # an error here ends the workers at once
        for count, stored in enumerate(finished, start=len(done) + 1):
            store.add([stored])
            cpu.setdefault(stored.strategy, []).append(stored.cpu_seconds)
            if progress is not None:
                progress(count, len(tasks))
    study = Study(store)
    study.cpu_seconds = {label: cpu[label] for label in study.strategies if label in cpu}
    return study
