"""The trainings of a batch, made in several processes before the run comes to them: it finds their results there."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TooLate

from nassim.benchmark import Benchmark
from nassim.errors import NassimError
from nassim.identity import Identity, identity, refuse_other
from nassim.query import Query, Result
from nassim.spreading import Handed, after_loss, handed, loss

Job = Callable[[], Result]


class Ahead:
    """Answers queries as a benchmark would, and trains those of a batch side by side.

    The random draws of a batch are made in its order, so that results are those of one process. Where the budget is one
    of seconds, ``workers`` - 1 trainings more may be begun than the run comes to: what they cost is known afterwards.
    """

    def __init__(self, benchmark: Benchmark, executor: Executor, workers: int, timeout: float | None) -> None:
        self._benchmark, self._executor, self._workers, self._timeout = benchmark, executor, workers, timeout
        self._drawn: deque[Job] = deque()
        self._begun: deque[tuple[Job, Future[Result]]] = deque()

    def begin(self, queries: Sequence[Query], noise: random.Random) -> None:
        """Train these, in the order in which they will be asked for."""
        if len(queries) > 1:
            self._drawn.extend(self._benchmark.job(query, noise) for query in queries)
            self._hand_out()

    def answer(self, query: Query, noise: random.Random) -> Result:
        """The result of the next one of them; of any other query, the benchmark's."""
        if not self._begun:
            return self._benchmark.query(query, noise)
        job, future = self._begun.popleft()
        lost = Handed(())
        while True:
            try:
                reason = _waited(future, self._timeout)
            except TooLate:
                raise too_late(self._timeout or 0) from None
            if reason is None:
                break
            lost, future = after_loss(lost, reason), hand_job(self._executor, job)
        self._hand_out()
        return future.result()

    def _hand_out(self) -> None:
        while self._drawn and len(self._begun) < self._workers:
            job = self._drawn.popleft()
            self._begun.append((job, hand_job(self._executor, job)))


def hand_job(executor: Executor, job: Job) -> Future[Result]:
    """A training given to a worker, which refuses it if it runs another nassim."""
    return handed(executor, do_job, job, identity())


def do_job(job: Job, mine: Identity) -> Result:
    """In the worker."""
    refuse_other(mine)
    return job()


def too_late(timeout: float) -> NassimError:
    """What is said when nothing comes back."""
    return NassimError(
        f"no worker has given anything back for {timeout:g} s: a training hangs, or takes longer than --timeout allows "
        "(timeout= in Python). What had finished is kept."
    )


def _waited(future: Future[Result], timeout: float | None) -> Exception | None:
    """Wait until a future is done, and say why its work has to be done again, if it has."""
    if not future.cancelled():
        future.exception(timeout)
    return loss(future)
