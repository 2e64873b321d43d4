"""One measured line of `make speed`."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import NamedTuple


class Row(NamedTuple):
    """What was measured; ``value`` is None where it could not be, and ``note`` then says why."""

    group: str
    what: str
    value: float | None
    unit: str
    target: float | None = None  # at most
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is met; empty where there is none or nothing was measured."""
        if self.target is None or self.value is None:
            return ""
        return "ok" if self.value <= self.target else "missed"


def best_of(rounds: int, *works: Callable[[], object]) -> list[float]:
    """CPU seconds of each work, best of ``rounds``; the works take turns, so that a busy moment meets all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            before = process_time()
            work()
            best[i] = min(best[i], process_time() - before)
    return best
