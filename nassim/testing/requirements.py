"""How a check says that something does not hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

LISTED = 20_000  # spaces up to this size are checked architecture by architecture


def require(holds: object, message: str) -> None:
    if not holds:  # not an assert statement: those vanish under python -O
        raise AssertionError(message)


def refused(error: type[Exception], call: Callable[[], object], what: str) -> None:
    try:
        answer = call()
    except error:
        return
    raise AssertionError(f"{what} must raise {error.__name__}, it gave {answer!r}")


@contextmanager
def global_generators_untouched(name: str) -> Iterator[None]:
    def state() -> tuple[object, ...]:
        words, numbers, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - looked at, not used
        return random.getstate(), words, np.asarray(numbers).tobytes(), *rest

    before = state()
    yield
    require(state() == before, f"{name} draws from a global random generator: use the one it is given")
