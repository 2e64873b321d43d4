"""`run`: one strategy on one benchmark. It owns clock, budget, workers, noise and trace.

Its loop is `nassim.simulated.drive` where costs order the events, and `nassim.wall.Wall` where completion does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nassim.benchmark import Benchmark
from nassim.clock import Budget, Clock
from nassim.errors import InvalidSetting, ProtocolError, Unsupported
from nassim.one_shot import OneShot, one_shot
from nassim.outlook import fidelities, horizon, refuse_unmet, searched_for
from nassim.own_files import typed_algorithm, typed_benchmark
from nassim.patience import BLACK_BOX, Overdue, watched
from nassim.query import Query, Result
from nassim.simulated import Job, drive
from nassim.space import Architecture
from nassim.strategy import Algorithm, Search, stream
from nassim.too_small import refuse_too_small
from nassim.trace import Run

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nassim.ahead import Ahead
    from nassim.engines import Engine
    from nassim.wall import Tell, Wall


def run(
    strategy: str | Algorithm,
    benchmark: str | Benchmark,
    budget: str | Budget,
    *,
    seed: int = 0,
    workers: int = 1,
    live: bool = False,
    device: str = "auto",
    patience: float | None = None,
    objectives: str = "",
    constraint: str = "",
    plan: int | None = None,
    clock: str = "simulated",
    jobs: int = 1,
    engine: str | Executor | Engine = "processes",
    trace: str | Path | None = None,
    timeout: float | None = None,
    tell: Tell | None = None,
) -> Run:
    """Run a search strategy on a benchmark until the budget is spent or the strategy ends.

    Everything follows from ``seed``: three independent streams (the strategy's, the table's noise,
    training) are derived from it. A trial that would end after the budget is not recorded; `InvalidSetting` if that is
    so of every training on the benchmark.
    A strategy that shares weights replays a recording, or trains its supernet now if ``live``, on
    ``device`` (auto, cpu, cuda or mps); see `nassim.one_shot`. It makes no queries: a budget of those never ends it.

    A strategy that thinks for ``patience`` host seconds without a message is ended (None: 600, and any time for those
    that share weights; see `nassim.patience` for where that does not reach), and so is one that reports without end:
    `ProtocolError`, as for all that is no message. An exception of the strategy's own code is raised as it is.

    ``objectives`` (``valid_accuracy,latency[pixel3]``) and ``constraint`` (``latency[pixel3]<=5ms``) are passed to
    strategies that ask for them; an incumbent that keeps to the constraint goes before one that does not. ``plan`` is
    the number of full trainings that strategies plan with (None: what the budget allows here).

    On the ``wall`` clock, for benchmarks that train, ``workers`` trainings run at the same time on an ``engine``
    (`nassim.engines`), one on each device; completion orders the events, times are seconds since the run began, and a
    trial's cost is its device seconds. ``trace`` is a file in which that is written: a run that was killed goes on from
    there, one that is over is replayed. ``tell`` is called with the run so far and what each worker trains. On the
    simulated clock ``jobs`` workers of the engine train those of a batch, with the same results. ``timeout``: seconds
    after which, if no training has come back, it ends with an error.

    >>> import nassim
    >>> result = nassim.run("random_search", "toy/additive", "20q", seed=1)
    >>> len(result.trials), result.best.arch.space
    (20, 'toy')
    """
    algorithm = typed_algorithm(strategy) if isinstance(strategy, str) else strategy
    bench = typed_benchmark(benchmark) if isinstance(benchmark, str) else benchmark
    limits = Budget.parse(budget) if isinstance(budget, str) else budget
    if device != "auto":
        bench.move(device)
    if seed < 0:
        raise InvalidSetting(f"a seed is a whole number from 0, not {seed}.")
    if patience is not None and not patience > 0:
        raise InvalidSetting(f"patience is a number of seconds above 0 (inf: without end), not {patience}.")
    if clock not in ("simulated", "wall") or jobs < 1:
        raise InvalidSetting(f"the clock is simulated or wall, not {clock!r:.40}, and jobs at least 1, not {jobs}.")
    if clock == "wall":
        from nassim.on_the_wall import refuse_on_the_wall

        refuse_on_the_wall(algorithm, bench, workers, here=engine in ("processes", "dask"))
    shared = one_shot(algorithm, bench, live=live) if algorithm.shares_weights else None
    if limits.seconds < math.inf and bench.cost_unit != "seconds":
        raise InvalidSetting(
            f"{bench.name} knows no seconds, its costs are {bench.cost_unit}: give a budget of queries, e.g. 150q."
        )
    wanted, bound = searched_for(bench, objectives, constraint)
    refuse_unmet(bench, bound)
    plan = plan or horizon(limits, bench, workers)
    record = Run(
        benchmark=bench.name,
        strategy=algorithm.title,
        hyperparameters=algorithm.hyperparameters(bench.space, horizon=plan)
        if shared is None
        else shared.hyperparameters,
        seed=seed,
        budget=limits,
        workers=workers,
        noise=str(bench.noise),
        sha256=bench.about.sha256,
        mode="black-box" if shared is None else shared.mode,
        note="" if shared is None else shared.note,
        objectives=tuple(objective.name for objective in wanted),
        constraint="" if bound is None else str(bound),
        bound=bound,
        clock=clock,
        metric=bench.metric,
        cost_unit=bench.cost_unit,
    )
    simulated: Clock[Job] = Clock(workers)
    wall: Wall | None = None
    search: Search | None = None

    def state() -> object:
        """For `watched`: None while the strategy is not at work, else how many messages it has given."""
        if search is not None and not getattr(search, "gi_running", True):
            return None
        running = simulated.running if wall is None else wall.running
        return len(record.trials) + len(running) + len(record.incumbents)

    seconds = (BLACK_BOX if shared is None else math.inf) if patience is None else patience
    try:
        with watched(seconds, state):
            if shared is None:
                begun = algorithm.begin(
                    *(bench.space, stream(seed, "strategy")),
                    horizon=plan,
                    measure=lambda arch: bench.measure(arch),
                    objectives=wanted,
                    constraint=bound,
                    fidelities=fidelities(bench),
                    remark=partial(setattr, record, "note"),
                )
            else:
                begun = shared.begin(seed, device)
            search, noise = begun.search, stream(seed, "noise")
            if clock == "wall":
                from nassim.on_the_wall import at_work

                with at_work(bench, record, bound, engine, trace, timeout, tell) as wall:
                    wall.drive(search, noise)
            else:
                with _ahead(bench, jobs, engine, timeout) as ahead:
                    drive(search, bench, limits, simulated, noise, record, bound, ahead)
    except Overdue:
        after = f"{algorithm.name} has said nothing for {seconds:g} s of host time, after {len(record.trials)} trials"
        raise ProtocolError(
            f"{after}: it loops without `yield from evaluate(...)`, or thinks longer than --patience allows "
            "(patience= in Python)."
        ) from None
    except Unsupported as error:  # a strategy cannot know where further epochs come from
        if algorithm.chooses_epochs and bench.epochs_source:
            raise Unsupported(f"{error} {bench.epochs_source}") from None
        raise
    if shared is None and not record.incumbents and record.stopped == "budget":
        refuse_too_small(limits, bench)
    _look_up(record, bench, shared)
    return record


@contextmanager
def _ahead(
    benchmark: Benchmark, jobs: int, chosen: str | Executor | Engine, timeout: float | None
) -> Iterator[Ahead | None]:
    """Who trains the batches of a run on the simulated clock; None where this process does it by itself."""
    if jobs == 1 or not benchmark.trains:
        yield None
        return
    from nassim.ahead import Ahead
    from nassim.engines import engine

    with engine(chosen, jobs, environments=benchmark.devices(), devices=True) as helpers:
        yield Ahead(benchmark, helpers.executor, jobs, timeout)
        helpers.drop()  # trainings that the run did not come to


def _look_up(record: Run, benchmark: Benchmark, shared: OneShot | None) -> None:
    """Give the incumbents their mean accuracies, which no strategy may see; nothing is trained to look at it.

    Where there is no table, the last answer of a search that only reports is trained once, after the search.
    """
    for i, incumbent in enumerate(record.incumbents):
        by = record.trials[incumbent.queries - 1] if record.trials else None
        own = benchmark.own_accuracies(by.result.training) if by is not None and by.query.inherit else None
        if own is not None:
            record.incumbents[i] = replace(incumbent, valid=own[0], test=own[1], source="own")
            continue
        record.incumbents[i] = replace(
            incumbent,
            valid=benchmark.mean_accuracy(incumbent.arch),
            test=benchmark.test_accuracy(incumbent.arch) if benchmark.has_test else math.nan,
        )
    last = record.incumbents[-1] if record.incumbents else None
    if last is None or record.trials or not math.isnan(last.valid):
        return
    known = None if shared is None else shared.final(record.seed)
    if known is not None:
        valid, test, seconds = known
    elif benchmark.trains:
        result, test = final_training(benchmark, last.arch)
        valid, seconds = result.value, result.cost
    else:
        return
    record.incumbents[-1] = replace(last, valid=valid, test=test, source="final training")
    record.final_seconds = seconds


def final_training(benchmark: Benchmark, arch: Architecture) -> tuple[Result, float]:
    """One training of an answer, from scratch and in full, with its test accuracy; for benchmarks that train."""
    result = benchmark.query(Query(arch, benchmark.epochs), stream(0, "final training"))
    return result, benchmark.test_accuracy(arch) if benchmark.has_test else math.nan
