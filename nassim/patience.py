"""How long a strategy may think without saying anything, in seconds of the host.

On the main thread of a POSIX process whose alarm nobody else uses, the alarm rings (SIGALRM) and ends even a sleep;
elsewhere a second thread raises in the strategy's own, which takes effect when its next line of Python is run.
Neither reaches a single call into compiled code that returns late or never, nor code that catches every BaseException
and goes on.
"""

from __future__ import annotations

import ctypes
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

BLACK_BOX = 600.0  # seconds, unless the user says otherwise


class Overdue(BaseException):
    """Raised inside a strategy that has said nothing for too long; no `except Exception` catches it."""


@contextmanager
def watched(seconds: float, state: Callable[[], object]) -> Iterator[None]:
    """Raise `Overdue` in this thread when a strategy has been at work on one message for ``seconds``.

    ``state`` gives None while the strategy is not at work, else something that changes with every message; it is
    asked a few times a second, so that a search pays nothing for being watched.
    """
    if seconds == math.inf:
        yield
        return
    tick = min(0.5, seconds / 4)
    overdue = _clockwork(seconds, state)
    if _alarm_is_free():

        def ring(*_: object) -> None:
            if overdue():
                raise Overdue

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, tick, tick)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return
    done, thread = threading.Event(), threading.get_ident()
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        while not done.wait(tick):
            if overdue():
                raise_in(ctypes.c_ulong(thread), ctypes.py_object(Overdue))

    watcher = threading.Thread(target=watch, name="nassim-patience", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        raise_in(ctypes.c_ulong(thread), None)  # one that is still on its way comes too late


def _clockwork(seconds: float, state: Callable[[], object]) -> Callable[[], bool]:
    """Whether the state, asked again and again, has been the same for ``seconds``."""
    last: object = None
    since = monotonic()

    def overdue() -> bool:
        nonlocal last, since
        now, found = monotonic(), state()
        if found is None or found != last:
            last, since = found, now
        return found is not None and now - since >= seconds

    return overdue


def _alarm_is_free() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL)[0] == 0
