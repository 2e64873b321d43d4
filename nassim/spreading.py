"""Work handed to the workers of a `concurrent.futures.Executor`, in chunks; what a lost worker had is handed out again.

Nothing is known of an executor but how it is given work: a pool of processes or threads, joblib's, Dask's.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

from nassim.errors import NassimError
from nassim.processes import ByValue, WorkerLost, available_cores

T = TypeVar("T")
R = TypeVar("R")

CHUNK_SECONDS, CHUNK_MOST = 1.0, 2000  # short work travels in chunks: handing one out costs some milliseconds
GROWTH = 8  # a chunk is at most so many times as large as one that was measured
MOST_LOSSES = 5  # workers that an item may lose before it is held to be the reason


class Handed(NamedTuple):
    """A chunk on its way, and how many workers it has lost."""

    items: Sequence[Any]
    lost: int = 0


def spread(
    executor: Executor,
    work: Callable[[T], R],
    items: Sequence[T],
    jobs: int,
    *,
    timeout: float | None = None,
    told: Callable[[list[Sequence[T]]], None] | None = None,
) -> Iterator[R]:
    """The results of ``work`` on all items, as they come: the order is not that of the items.

    ``jobs`` is how many workers the executor has. The first exception that work raises is raised here. What a lost
    worker was working on is done again, by another; `NassimError` if that happens `MOST_LOSSES` times to one chunk, if
    the executor is broken, or if nothing has come back for ``timeout`` seconds. How items share chunks changes no
    result. ``told`` is called with what is with the workers whenever that changes.
    """
    waiting, again, size = deque(items), deque[Handed](), 1
    pending: dict[Future[_Done], Handed] = {}
    try:
        while waiting or again or pending:
            while (waiting or again) and len(pending) < 2 * jobs:
                if again:
                    chunk = again.popleft()
                else:
                    share = -(-len(waiting) // (2 * jobs))  # none has much left when the others have nothing
                    chunk = Handed([waiting.popleft() for _ in range(min(size, share))])
                pending[handed(executor, _chunk, work, chunk.items)] = chunk
            if told is not None:
                told([chunk.items for chunk in pending.values()][:jobs])  # the others wait in front of a worker
            finished, _ = wait(pending, timeout, return_when=FIRST_COMPLETED)
            if not finished:
                raise NassimError(
                    f"no worker has given anything back for {timeout:g} s: a run hangs, or takes longer than --timeout "
                    "allows (timeout= in Python). What had finished is kept."
                )
            for future in finished:
                chunk = pending.pop(future)
                if (error := loss(future)) is not None:
                    lost = after_loss(chunk, error)  # one at a time: what is to blame is found, the rest gets through
                    again.extend(lost._replace(items=[item]) for item in lost.items)
                    continue
                done = future.result()
                yield from done.results
                if done.error is not None:
                    raise done.error from _InWorker(done.where)
                fitting = int(CHUNK_SECONDS * len(done.results) / done.seconds)
                size = max(1, min(CHUNK_MOST, GROWTH * len(done.results), fitting))
    finally:
        for future in pending:
            future.cancel()


def handed(executor: Executor, work: Callable[..., R], *args: object) -> Future[R]:
    """``work(*args)`` given to an executor; `NassimError` if it takes nothing any more."""
    try:
        return executor.submit(_call, ByValue((work, args)))
    except (BrokenExecutor, RuntimeError) as error:
        raise NassimError(f"the executor takes no work any more: {error}") from error


def loss(future: Future[Any]) -> Exception | None:
    """Why the work of a finished future has to be done again: its worker was lost. None where it was not.

    `NassimError` where the executor broke with it.
    """
    try:
        error = future.exception()
    except CancelledError as cancelled:  # Dask: the worker that held it has gone
        return cancelled
    if isinstance(error, WorkerLost) or type(error).__name__ == "KilledWorker":  # Dask's, when several were lost
        return error if isinstance(error, Exception) else None
    if isinstance(error, BrokenExecutor):  # the standard library's, joblib's: they end with a single worker
        raise NassimError(
            "a worker process ended before its work was done: killed, or out of memory; the executor ended with it. "
            "What had finished is kept; fewer processes at once need less memory."
        ) from error
    return None


def after_loss(chunk: Handed, error: Exception) -> Handed:
    """The chunk to be handed out again; `NassimError` after too many losses."""
    lost = chunk.lost + 1
    if lost == MOST_LOSSES:
        raise NassimError(
            f"a worker process ended before its work was done, {lost} times in a row with the same work: killed, or "
            "out of memory. What had finished is kept; fewer processes at once need less memory."
        ) from error
    return Handed(chunk.items, lost)


def width(executor: Executor) -> int:
    """How many workers an executor says that it has; of one that says nothing, as many as there are cores here."""
    said = getattr(executor, "_max_workers", None)
    return said if isinstance(said, int) and said > 0 else available_cores()


class _Done(NamedTuple):
    """A chunk's results, up to the first error, and the seconds that they took."""

    results: list[Any]
    seconds: float
    error: Exception | None = None
    where: str = ""


class _InWorker(Exception):
    """What was raised in a worker, with the lines where it was."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


def _chunk(work: Callable[[T], R], items: Sequence[T]) -> _Done:
    started, results = perf_counter(), []
    for item in items:
        try:
            results.append(work(item))
        except Exception as error:  # noqa: BLE001 - it is raised by `spread`, in the process that asked
            return _Done(results, 1.0, error, traceback.format_exc())
    return _Done(results, max(perf_counter() - started, 1e-9))


def _call(sent: Any) -> Any:
    order: Any = sent.value if isinstance(sent, ByValue) else sent  # in a thread it arrives as it was
    return order[0](*order[1])
