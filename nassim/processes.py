"""Work shared between processes, which end with the one that started them.

`processes` gives a pool; `nassim.spreading.spread` hands work to it or to any other `concurrent.futures.Executor`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from types import ModuleType
from typing import Any

from nassim.errors import NassimError

LOOK = 1.0  # seconds between two looks of a worker after its parent
_SPAWN = multiprocessing.get_context("spawn")  # nothing of this process's threads, locks or handlers


class WorkerLost(NassimError):
    """A worker process ended before its work was done; the next work finds a new one in its place."""


class ByValue:
    """Arrives in another process as the value that it was made of, also where its module cannot be imported there."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Callable[..., object], tuple[bytes]]:
        import cloudpickle

        return pickle.loads, (cloudpickle.dumps(self.value),)


class Order:
    """Work as bytes (`made`) that whoever passes them on need not understand: `pickle.loads` does the work."""

    def __init__(self, work: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        self._what = work, args, dict(kwargs)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return _do, self._what

    def made(self) -> bytes:
        """Where they are unpickled, what the work gives is given, and what it raises is raised."""
        import cloudpickle

        found: bytes = cloudpickle.dumps(self)
        return found


def _do(work: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
    return work(*args, **kwargs)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(jobs: int, environments: Sequence[Mapping[str, str]] = ()) -> Iterator[Workers]:
    """A pool of processes for the time of the block.

    What is sent may be defined anywhere, in a script or a notebook too, and the script is not run again in the
    workers. They end at once if the block is left by an exception, or if this process is killed in whatever way:
    each holds the reading end of a pipe whose other end is here alone. The k-th is given the k-th of the
    ``environments`` beside this process's own.
    """
    lifeline, held = _SPAWN.Pipe(duplex=False)
    with lifeline, held:
        pool = Workers(jobs, lifeline, environments)
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
        pool.shutdown()


class Workers(Executor):
    """Processes that each do one thing at a time; one that dies is replaced, and its work alone ends in `WorkerLost`.

    A thread here tends each process by a pipe of its own: no lock is shared, so that none stays locked by the dead.
    """

    def __init__(self, jobs: int, lifeline: Connection, environments: Sequence[Mapping[str, str]] = ()) -> None:
        self._lifeline = lifeline
        self._orders: SimpleQueue[tuple[Future[Any], ByValue] | None] = SimpleQueue()
        self._processes: dict[int, BaseProcess] = {}
        self._busy: set[int] = set()
        self._ended = False
        self._tenders = [
            threading.Thread(
                target=self._tend, args=(k, dict(environments[k]) if k < len(environments) else {}), daemon=True
            )
            for k in range(jobs)
        ]
        for tender in self._tenders:
            tender.start()

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes that live, by their place in the pool."""
        return [process.pid or 0 for _, process in sorted(self._processes.items())]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of every executor."""
        if self._ended:
            raise RuntimeError("the pool has ended: no work can be given to it any more.")
        future: Future[Any] = Future()
        self._orders.put((future, ByValue((fn, args, kwargs))))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let what was submitted be done, and the processes end."""
        self._end(cancel_futures)
        if wait:
            for tender in self._tenders:
                tender.join()

    def kill(self) -> None:
        """End the processes at once."""
        self._end(cancel=True)
        for process in list(self._processes.values()):
            process.kill()
        for tender in self._tenders:
            tender.join()

    def drop(self) -> None:
        """End the processes that are at work, whose work ends in `WorkerLost`; the pool goes on."""
        for place in list(self._busy):
            if (process := self._processes.get(place)) is not None:
                process.kill()

    def _end(self, cancel: bool) -> None:
        self._ended = True
        while cancel and not self._orders.empty():
            if (order := self._orders.get()) is not None:
                order[0].cancel()
        for _ in self._tenders:
            self._orders.put(None)

    def _tend(self, place: int, environment: dict[str, str]) -> None:
        pipe: Connection | None = None
        while (order := self._orders.get()) is not None:
            future, work = order
            if not future.set_running_or_notify_cancel():
                continue
            self._busy.add(place)
            try:
                pipe = self._started(place, environment) if pipe is None else pipe
                pipe.send(work)
                value, error = pipe.recv()
            except (EOFError, OSError):
                if pipe is not None:
                    pipe.close()
                pipe, ended = None, self._processes.pop(place, None)
                self._busy.discard(place)
                future.set_exception(WorkerLost(f"a worker process ended before its work was done{_how(ended)}."))
            except Exception as failed:  # noqa: BLE001 - what cannot be sent, or not be made of what was sent
                self._busy.discard(place)
                future.set_exception(failed)
            else:
                self._busy.discard(place)
                future.set_result(value) if error is None else future.set_exception(error)
        if pipe is not None:
            with suppress(OSError):
                pipe.send(None)
            pipe.close()
        if (process := self._processes.pop(place, None)) is not None:
            process.join()

    def _started(self, place: int, environment: dict[str, str]) -> Connection:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(there, self._lifeline, os.getpid(), environment))
        with _quiet_start():
            process.start()
        there.close()
        self._processes[place] = process
        if self._ended:  # `kill` may have looked before this one was there
            process.kill()
        return here


def _how(process: BaseProcess | None) -> str:
    """`` (killed by SIGKILL)``, as far as it is known."""
    if process is None:
        return ""
    process.join(LOOK)
    process.kill()
    process.join()
    code = process.exitcode or 0
    if code < 0:
        with suppress(ValueError):
            return f" (killed by {signal.Signals(-code).name})"
    return f" (exit code {code})"


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


def _work(orders: Connection, lifeline: Connection, parent: int, environment: dict[str, str]) -> None:
    """What a worker does: what it is sent, until it is sent nothing."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with, args=(lifeline, parent), daemon=True).start()
    while (order := _received(orders)) is not None:
        value, error = None, None
        try:
            fn, args, kwargs = order
            value = fn(*args, **kwargs)
        except Exception as raised:  # noqa: BLE001 - it is raised where the work came from
            error = raised
        try:
            orders.send(ByValue((value, error)))
        except OSError:
            return
        except Exception as failed:  # noqa: BLE001 - it is no value that can be sent
            kind = type(value if error is None else error).__name__
            orders.send((None, NassimError(f"what a worker made, a {kind}, cannot be sent back: {failed}")))


def _received(orders: Connection) -> Any:
    try:
        return orders.recv()
    except (EOFError, OSError):
        return None
    except Exception as failed:  # noqa: BLE001 - what was sent cannot be made here: a module that is not there
        return _raise, (failed,), {}


def _raise(error: Exception) -> None:
    raise error


def _end_with(lifeline: Connection, parent: int) -> None:
    while not lifeline.poll(LOOK) and os.getppid() == parent:
        pass  # nothing is ever sent: what can be read is the end
    os._exit(1)
