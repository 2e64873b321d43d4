"""`run`: the only loop in the project. It owns clock, budget, workers, noise and trace."""

from __future__ import annotations

import contextlib
import math
import random
from dataclasses import replace
from functools import partial
from time import perf_counter

from nassim.benchmark import Benchmark
from nassim.clock import Budget, Clock
from nassim.errors import Diverged, InvalidSetting, ProtocolError, Unsupported
from nassim.objectives import Constraint
from nassim.one_shot import OneShot, one_shot
from nassim.outlook import fidelities, horizon, searched_for
from nassim.own_files import typed_algorithm, typed_benchmark
from nassim.patience import BLACK_BOX, Overdue, watched
from nassim.query import Batch, Query, Report, Result, Trial, make
from nassim.slips import Talk, close, explain, refuse_batch
from nassim.space import Architecture
from nassim.strategy import Algorithm, Search, stream
from nassim.too_small import refuse_too_small
from nassim.trace import FROM_SCRATCH, Incumbent, Run


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
    shared = one_shot(algorithm, bench, live=live) if algorithm.shares_weights else None
    if limits.seconds < math.inf and bench.cost_unit != "seconds":
        raise InvalidSetting(
            f"{bench.name} knows no seconds, its costs are {bench.cost_unit}: give a budget of queries, e.g. 150q."
        )
    wanted, bound = searched_for(bench, objectives, constraint)
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
        metric=bench.metric,
        cost_unit=bench.cost_unit,
    )
    clock: Clock[_Job] = Clock(workers)
    search: Search | None = None

    def state() -> object:
        """For `watched`: None while the strategy is not at work, else how many messages it has given."""
        if search is not None and not getattr(search, "gi_running", True):
            return None
        return len(record.trials) + len(clock.running) + len(record.incumbents)

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
            search = begun.search
            _drive(search, bench, limits, clock, stream(seed, "noise"), record, bound)
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


class _BudgetSpent(Exception):
    pass


# What a worker holds: query, result, and the place in the batch that waits for it (none for `start`).
_Job = tuple[Query, Result, list[Trial | None] | None, int]


def _drive(
    search: Search,
    benchmark: Benchmark,
    budget: Budget,
    clock: Clock[_Job],
    noise: random.Random,
    record: Run,
    constraint: Constraint | None,
) -> None:
    trials, answer, send = record.trials, benchmark.query, search.send
    reply: list[Trial] | None = None  # to the strategy's last message
    deadline = budget.seconds
    queries_left = math.inf if budget.queries is None else budget.queries
    epochs_left = math.inf if budget.epochs is None else budget.epochs
    counts_epochs = budget.epochs is not None
    best_value, best_epochs, best_feasible = -math.inf, 0, constraint is None
    message: Batch | Report | None = None
    talk = Talk(record.strategy, record.budget)
    news: list[Trial] = []  # finished trials that `start` has not been told of yet
    epochs_spent, worker_seconds, thinking = 0, 0.0, 0.0

    def finish() -> list[Trial | None] | None:
        """Let the next job end; return the batch that it belongs to."""
        nonlocal best_value, best_epochs, best_feasible, epochs_spent, worker_seconds
        if clock.running[0][0] > deadline:
            raise _BudgetSpent
        answers: list[Trial | None] | None
        finished, _, started, worker, (query, result, answers, position) = clock.finish()
        trial = make(Trial, (query, result, started, finished, worker))
        trials.append(trial)
        value, epochs, cost, extras, _, paid = result
        epochs_spent += epochs if paid < 0 else paid
        if query[3]:
            if query[4] and not benchmark.inherits:
                record.mode = FROM_SCRATCH
            elif not query[4] and paid in (-1, epochs):
                record.restarted += 1
        worker_seconds += cost
        if answers is None:
            news.append(trial)
        else:
            answers[position] = trial
        # Feasible before infeasible; a longer training outranks every shorter one: more epochs say more.
        better = epochs > best_epochs or (epochs == best_epochs and value > best_value)
        if constraint is not None:
            feasible = constraint.met(extras)
            better = better if feasible is best_feasible else feasible
        if better:
            best_value, best_epochs = value, epochs
            best_feasible = constraint is None or feasible
            record.incumbents.append(Incumbent(finished, len(trials), epochs_spent, query.arch, value))
        return answers

    def drain() -> None:
        while clock.running:
            finish()

    try:
        while queries_left and epochs_left:
            before = perf_counter()
            try:
                message = send(reply)  # type: ignore[arg-type]  # None starts a generator
            except StopIteration:
                drain()
                record.stopped = "finished"
                break
            except Diverged as error:  # what it answered before counts
                drain()
                record.stopped, record.note = "failed", "; ".join(filter(None, (record.note, str(error))))
                break
            except BaseException as error:
                explain(record.strategy, error)
                raise
            thinking += perf_counter() - before
            if type(message) is not Batch:
                reported = talk.report(message, benchmark.space, len(trials) + len(clock.running))
                end = clock.now + reported.cost
                while clock.next_finish() <= end:  # jobs go on while the strategy works
                    finish()
                if end > deadline:
                    raise _BudgetSpent
                clock.advance(end)
                worker_seconds += reported.cost
                record.incumbents.append(Incumbent(end, len(trials), epochs_spent, reported.arch, math.nan))
                reply = []
                continue
            queries, wait = message
            if not queries:
                raise ProtocolError(f"{record.strategy} handed out a batch without queries.")
            answers: list[Trial | None] | None = [None] * len(queries) if wait else None
            unanswered = len(queries)
            for position, query in enumerate(queries):
                while not clock.free:
                    unanswered -= finish() is answers
                # Limits come before the question: what is asked may be a training.
                if not queries_left or clock.now >= deadline:
                    raise _BudgetSpent
                if counts_epochs:
                    epochs_left -= benchmark.epochs_to_pay(query)
                    if epochs_left < 0:
                        raise _BudgetSpent
                queries_left -= 1
                result = answer(query, noise)
                clock.start(result[2], (query, result, answers, position))
            if answers is not None:
                while unanswered:
                    unanswered -= finish() is answers
                reply = answers  # type: ignore[assignment]  # no None is left in it
            else:
                while not clock.free:
                    finish()
                reply, news = news, []
    except _BudgetSpent:
        pass
    except Exception as error:
        refuse_batch(record.strategy, message, benchmark.space, error)
        raise
    with contextlib.suppress(_BudgetSpent):
        drain()
    record.stopped = record.stopped or "budget"
    record.seconds, record.epochs = clock.now, epochs_spent
    record.worker_seconds, record.thinking_seconds = worker_seconds, thinking
    close(search, record.strategy)


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
