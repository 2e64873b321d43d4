"""The loop of a run on the wall clock: workers train at the same time, and completion orders the events.

A trial's ``started`` and ``finished`` are seconds since the run began; its cost is the device seconds of its training.
Events are taken one at a time, and only when the search has to wait: so the order of completion alone decides what a
search is told, and a trace is replayed exactly, with the same number of workers. A trial that ends after the limit of
a budget is not recorded; limits are looked at before a training is begun.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable
from concurrent.futures import Future
from heapq import heappop, heappush
from queue import Empty, SimpleQueue
from time import monotonic, perf_counter
from typing import NamedTuple

from nassim.ahead import Job, hand_job, too_late
from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.engines import Engine
from nassim.errors import ProtocolError
from nassim.objectives import Constraint
from nassim.query import Batch, Query, Report, Result, Trial
from nassim.slips import Talk, close, explain, refuse_batch
from nassim.spreading import Handed, after_loss, loss
from nassim.strategy import Search
from nassim.trace import Incumbent, Run
from nassim.wall_trace import End, Reported, WallTrace

Tell = Callable[[Run, list[str]], None]


class _Running(NamedTuple):
    """What a worker of the run has; ``answers``: the place in the batch that waits for it (none for `start`)."""

    query: Query
    job: Job
    answers: list[Trial | None] | None
    position: int
    started: float
    lost: Handed = Handed(())


class _Over(Exception):
    """The run is over."""


class Wall:
    """A run in progress. ``trace`` keeps what happens, and says what has happened before."""

    def __init__(
        self,
        benchmark: Benchmark,
        budget: Budget,
        record: Run,
        constraint: Constraint | None,
        engine: Engine,
        *,
        trace: WallTrace | None = None,
        timeout: float | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._benchmark, self._budget, self._record, self._constraint = benchmark, budget, record, constraint
        self._engine, self._trace, self._timeout, self._tell = engine, trace, timeout, tell
        self._past = trace.events if trace is not None else None  # what is still to be replayed
        self._free = list(range(record.workers))  # a heap
        self.running: dict[int, _Running] = {}  # worker -> what it has
        self._futures: dict[Future[Result], int] = {}
        self._done: SimpleQueue[tuple[Future[Result], float]] = SimpleQueue()
        self._now = 0.0  # as far as events have been taken
        self._zero: float | None = None  # this host's time at the clock's 0; None while the past is replayed
        self._news: list[Trial] = []
        self._best: tuple[bool, int, float] = (constraint is None, 0, -math.inf)

    # -- the clock ----------------------------------------------------------------------------------------

    def _clock(self) -> float:
        return self._now if self._zero is None else monotonic() - self._zero

    def _go_on(self) -> None:
        """The past is over: the trainings that were under way then are begun now."""
        if self._zero is None:
            self._zero = monotonic() - self._now
            for worker in sorted(self.running):
                self._submit(worker)

    def _submit(self, worker: int) -> None:
        future = hand_job(self._engine.executor, self.running[worker].job)
        self._futures[future] = worker
        future.add_done_callback(lambda done: self._done.put((done, monotonic())))

    # -- events -------------------------------------------------------------------------------------------

    def _start(self, query: Query, noise: random.Random, answers: list[Trial | None] | None, position: int) -> None:
        if not self._past:
            self._go_on()
        worker = heappop(self._free)
        job = self._benchmark.job(query, noise)
        self.running[worker] = _Running(query, job, answers, position, self._clock())
        if self._zero is not None:
            self._submit(worker)
            self._say()

    def _finish(self) -> list[Trial | None] | None:
        """Wait for the next training to end, and take it; the batch that it belongs to."""
        trial = self._replayed() if self._past else self._waited()
        held = self.running.pop(trial.worker)
        heappush(self._free, trial.worker)
        self._now = trial.finished
        if held.answers is None:
            self._news.append(trial)
        else:
            held.answers[held.position] = trial
        self._keep(trial)
        self._say()
        return held.answers

    def _replayed(self) -> Trial:
        assert self._past
        event = self._past.popleft()
        if isinstance(event, End):
            self._now = event.seconds
            self._record.stopped = event.stopped
            raise _Over
        held = None if isinstance(event, Reported) else self.running.get(event.worker)
        if isinstance(event, Reported) or held is None or held.query != event.query:
            asked = "nothing" if held is None else held.query.arch
            was = event.arch
            raise ProtocolError(
                f"replay: in the trace trial {len(self._record.trials)} was {was}, the search asks for {asked}: "
                "another version, or another number of workers."
            )
        return event

    def _waited(self) -> Trial:
        self._go_on()
        assert self._zero is not None
        while True:
            left = self._budget.seconds - self._clock()
            patience = left if self._timeout is None else min(left, self._timeout)
            try:
                future, at = self._done.get(timeout=None if patience == math.inf else max(0.0, patience))
            except Empty:
                if self._timeout is not None and self._timeout < left:
                    raise too_late(self._timeout) from None
                raise _Over from None
            worker = self._futures.pop(future)
            held = self.running[worker]
            if (reason := loss(future)) is not None:
                self.running[worker] = held._replace(lost=after_loss(held.lost, reason))
                self._submit(worker)
                continue
            result, finished = future.result(), at - self._zero
            if finished > self._budget.seconds:
                raise _Over
            trial = Trial(held.query, result, held.started, max(finished, self._now), worker)
            if self._trace is not None:
                self._trace.write(trial)
            return trial

    def _keep(self, trial: Trial) -> None:
        record, result = self._record, trial.result
        record.trials.append(trial)
        record.epochs += result.paid
        begun = bool(trial.query.origin) and not trial.query.inherit  # who inherits weights begins at epoch 0
        record.restarted += begun and result.paid_epochs in (-1, result.epochs)
        record.worker_seconds += result.cost
        # As on the simulated clock: feasible before infeasible, then the longer training, then the better value.
        feasible = self._constraint is None or self._constraint.met(result.extras)
        record.feasible += feasible and self._constraint is not None
        standing = (feasible, result.epochs, result.value)
        if standing > self._best:
            self._best = standing
            at = (trial.finished, len(record.trials), record.epochs)
            record.incumbents.append(Incumbent(*at, trial.arch, result.value, feasible=feasible))

    def _report(self, report: Report) -> None:
        """Worked by itself: that took its time, which has passed already."""
        if self._past and isinstance(self._past[0], (Reported, End)):
            event = self._past[0]
            if isinstance(event, End):
                raise _Over
            self._past.popleft()
            self._now = event.seconds
        elif self._past:
            self._finish()
            return self._report(report)
        else:
            self._go_on()
            now = self._clock()
            if now > self._budget.seconds:
                raise _Over
            self._now = now
            if self._trace is not None:
                self._trace.write(Reported(now, report.arch))
        made = (self._now, len(self._record.trials), self._record.epochs)
        self._record.answer(made, report.arch, self._benchmark.measure)
        return None

    # -- the loop -----------------------------------------------------------------------------------------

    def drive(self, search: Search, noise: random.Random) -> None:
        """Let the search ask until it or the budget ends; trainings that are under way then are given up."""
        record = self._record
        try:
            with contextlib.suppress(_Over):
                self._talk(search, noise)
            record.stopped = record.stopped or "budget"
            if not self._past and self._trace is not None and self._zero is not None:
                self._trace.write(End(record.stopped, self._now))
        finally:
            for future in self._futures:
                future.cancel()
            if self._futures:
                self._engine.drop()
        record.seconds = self._now
        close(search, record.strategy)

    def _talk(self, search: Search, noise: random.Random) -> None:
        record, benchmark = self._record, self._benchmark
        talk = Talk(record.strategy, record.budget)
        queries_left = math.inf if self._budget.queries is None else self._budget.queries
        epochs_left = math.inf if self._budget.epochs is None else self._budget.epochs
        reply: list[Trial] | None = None
        message: Batch | Report | None = None
        try:
            while queries_left and epochs_left:
                before = perf_counter()
                try:
                    message = search.send(reply)  # type: ignore[arg-type]  # None starts a generator
                except StopIteration:
                    while self.running:
                        self._finish()
                    record.stopped = "finished"
                    return
                except BaseException as error:
                    explain(record.strategy, error)
                    raise
                record.thinking_seconds += perf_counter() - before
                if type(message) is not Batch:
                    self._report(talk.report(message, benchmark.space, len(record.trials) + len(self.running)))
                    reply = []
                    continue
                queries, wait = message
                if not queries:
                    raise ProtocolError(f"{record.strategy} handed out a batch without queries.")
                answers: list[Trial | None] | None = [None] * len(queries) if wait else None
                unanswered = len(queries)
                for position, query in enumerate(queries):
                    while not self._free:
                        unanswered -= self._finish() is answers
                    epochs_left -= benchmark.epochs_to_pay(query)
                    if not queries_left or epochs_left < 0 or self._clock() >= self._budget.seconds:
                        break
                    queries_left -= 1
                    self._start(query, noise, answers, position)
                else:
                    if answers is None:
                        while not self._free:
                            self._finish()
                        reply, self._news = self._news, []
                    else:
                        while unanswered:
                            unanswered -= self._finish() is answers
                        reply = answers  # type: ignore[assignment]  # no None is left in it
                    continue
                break
            while self.running:
                self._finish()
        except _Over:
            raise
        except Exception as error:
            refuse_batch(record.strategy, message, benchmark.space, error)
            raise

    def _say(self) -> None:
        if self._tell is not None and self._zero is not None:
            self._tell(self._record, [str(held.query.arch) for _, held in sorted(self.running.items())])
