"""Work shared between processes, which end with the one that started them.

`processes` gives a pool, `spread` hands work to it or to any other `concurrent.futures.Executor`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from nassim.errors import NassimError

T = TypeVar("T")
R = TypeVar("R")

BATCH_SECONDS, BATCH_MOST = 0.1, 16  # short work travels in batches: less lies on the way than is worked
LOOK = 1.0  # seconds between two looks of a worker after its parent


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """A pool of processes for the time of the block.

    What is sent may be defined anywhere, in a script or a notebook too, and the script is not run again in the
    workers. They end at once if the block is left by an exception, or if this process is killed in whatever way:
    each holds the reading end of a pipe whose other end is here alone.
    """
    context = multiprocessing.get_context("spawn")  # nothing of this process's threads, locks or handlers
    lifeline, held = context.Pipe(duplex=False)
    with lifeline, _Pool(jobs, context, _begin, (lifeline,)) as pool, held:
        try:
            yield pool
        except BaseException:
            held.close()
            pool.forget_results()
            raise
        pool.shutdown()


def spread(executor: Executor, work: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """The results of ``work`` on all items, as they come: the order is not that of the items.

    The first exception that work raises is raised here; `NassimError` if a process is killed. Results do not depend
    on how items share batches.
    """
    waiting, size = deque(items), 1
    pending: set[Future[_Done]] = set()
    while waiting or pending:
        while waiting and len(pending) < 2 * jobs:
            share = -(-len(waiting) // (2 * jobs))  # none has much left to do when the others have nothing
            batch = [waiting.popleft() for _ in range(min(size, share))]
            pending.add(executor.submit(_batch, work, batch))
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in finished:
            try:
                done = future.result()
            except BrokenExecutor as error:
                raise NassimError(
                    "a worker process ended before its work was done: killed, or out of memory. What had finished is "
                    "kept; fewer processes at once need less memory."
                ) from error
            yield from done.results
            if done.error is not None:
                raise done.error from _InWorker(done.where)
            size = max(1, min(BATCH_MOST, int(BATCH_SECONDS * len(done.results) / done.seconds)))


class _Done(NamedTuple):
    """A batch's results, up to the first error, and the seconds that they took."""

    results: list[Any]
    seconds: float
    error: Exception | None = None
    where: str = ""


class _InWorker(Exception):
    """What was raised in a worker, with the lines where it was."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


def _batch(work: Callable[[T], R], items: Sequence[T]) -> _Done:
    started, results = perf_counter(), []
    for item in items:
        try:
            results.append(work(item))
        except Exception as error:  # noqa: BLE001 - it is raised by `spread`, in the process that asked
            return _Done(results, 1.0, error, traceback.format_exc())
    return _Done(results, max(perf_counter() - started, 1e-9))


class _Pool(ProcessPoolExecutor):
    """Sends functions and results by value where their module cannot be imported by a worker."""

    def forget_results(self) -> None:
        """To be called when the workers end by themselves: nothing that they were sending is waited for.

        A worker that ends in the middle of a result leaves the thread that reads it waiting for the rest, as long as
        this process holds the other end of that pipe too (cpython issue 94777).
        """
        for process in list((self._processes or {}).values()):
            process.join(2 * LOOK)
            process.kill()
            process.join()
        self._result_queue._writer.close()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with _quiet_start():
            return super().submit(_call, _ByValue((fn, args, kwargs)))


class _ByValue:
    """Arrives as the value that it was made of."""

    def __init__(self, value: object) -> None:
        import cloudpickle

        self.content: bytes = cloudpickle.dumps(value)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[bytes]]:
        return pickle.loads, (self.content,)


def _call(sent: Any) -> _ByValue:
    function, args, kwargs = sent
    return _ByValue(function(*args, **kwargs))


_starting = threading.Lock()


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Workers that are started in the block do not run the user's script again, and never see Ctrl-C.

    Both are inherited: the script by way of ``__main__``, in whose place an empty module stands meanwhile; that signals
    are held back as they are in the thread that starts a process.
    """
    with _starting:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
        script, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            if held is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _begin(lifeline: Connection) -> None:
    """The first thing that a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with, args=(lifeline, os.getppid()), daemon=True).start()


def _end_with(lifeline: Connection, parent: int) -> None:
    while not lifeline.poll(LOOK) and os.getppid() == parent:
        pass  # nothing is ever sent: what can be read is the end
    os._exit(1)
