"""The loop of a run on the simulated clock: costs order the events."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from nassim.benchmark import Benchmark
from nassim.clock import Budget, Clock
from nassim.errors import Diverged, ProtocolError
from nassim.objectives import Constraint
from nassim.query import Batch, Query, Report, Result, Trial, make
from nassim.slips import Talk, close, explain, refuse_batch
from nassim.strategy import Search
from nassim.trace import FROM_SCRATCH, Incumbent, Run

if TYPE_CHECKING:
    from nassim.ahead import Ahead


class BudgetSpent(Exception):
    """The run is over."""


# What a worker holds: query, result, and the place in the batch that waits for it (none for `start`).
Job = tuple[Query, Result, list[Trial | None] | None, int]


def drive(
    search: Search,
    benchmark: Benchmark,
    budget: Budget,
    clock: Clock[Job],
    noise: random.Random,
    record: Run,
    constraint: Constraint | None,
    ahead: Ahead | None = None,
) -> None:
    """Let a search ask until it or the budget ends, and write into ``record`` what happened.

    ahead: makes the trainings of a batch in several processes; what is recorded does not depend on it.
    """
    trials, answer, send = record.trials, benchmark.query if ahead is None else ahead.answer, search.send
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
            raise BudgetSpent
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
        feasible = constraint is None or constraint.met(extras)
        if constraint is not None:
            record.feasible += feasible
            better = better if feasible is best_feasible else feasible
        if better:
            best_value, best_epochs, best_feasible = value, epochs, feasible
            at = (finished, len(trials), epochs_spent)
            record.incumbents.append(Incumbent(*at, query.arch, value, feasible=feasible))
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
                    raise BudgetSpent
                clock.advance(end)
                worker_seconds += reported.cost
                record.answer((end, len(trials), epochs_spent), reported.arch, benchmark.measure)
                reply = []
                continue
            queries, wait = message
            if not queries:
                raise ProtocolError(f"{record.strategy} handed out a batch without queries.")
            answers: list[Trial | None] | None = [None] * len(queries) if wait else None
            unanswered = len(queries)
            if ahead is not None and wait:
                ahead.begin(_affordable(queries, benchmark, queries_left, epochs_left), noise)
            for position, query in enumerate(queries):
                while not clock.free:
                    unanswered -= finish() is answers
                # Limits come before the question: what is asked may be a training.
                if not queries_left or clock.now >= deadline:
                    raise BudgetSpent
                if counts_epochs:
                    epochs_left -= benchmark.epochs_to_pay(query)
                    if epochs_left < 0:
                        raise BudgetSpent
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
    except BudgetSpent:
        pass
    except Exception as error:
        refuse_batch(record.strategy, message, benchmark.space, error)
        raise
    with contextlib.suppress(BudgetSpent):
        drain()
    record.stopped = record.stopped or "budget"
    record.seconds, record.epochs = clock.now, epochs_spent
    record.worker_seconds, record.thinking_seconds = worker_seconds, thinking
    close(search, record.strategy)


def _affordable(queries: Sequence[Query], benchmark: Benchmark, queries_left: float, epochs_left: float) -> list[Query]:
    """Those of a batch that a budget of queries and epochs allows, in their order."""
    allowed: list[Query] = []
    for query in queries:
        epochs_left -= benchmark.epochs_to_pay(query)
        if epochs_left < 0 or len(allowed) == queries_left:
            break
        allowed.append(query)
    return allowed
