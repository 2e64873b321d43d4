"""Rungs: the numbers of epochs at which trainings are compared, and what is known at one of them.

A rung is wanted at r * eta^k epochs and stands at the recorded epochs nearest to that. One that falls on the same
epochs as the rung below is dropped, and what it would have decided is decided there: of eta^2 trainings one goes on.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import groupby

from nassim.errors import InvalidSetting, Unsupported
from nassim.query import Trial


def recorded(owner: str, fidelities: Sequence[int], eta: int, low: int, high: int | None) -> list[int]:
    """The epochs that a benchmark has from ``low`` to ``high`` (None: all), rising; at least two.

    One line for ``owner`` if nothing can be halved between them: `InvalidSetting` for what the user set, `Unsupported`
    where the benchmark has not enough.
    """
    if eta < 2:
        raise InvalidSetting(f"{owner}.eta={eta} would let every training go on: one in eta does, so give 2 or more.")
    if not fidelities:
        raise Unsupported(f"{owner} has not been told which epochs there are: begin(..., fidelities=(1, 3, 9)).")
    if high is not None and low > high:
        raise InvalidSetting(f"{owner}.min_epochs={low} is above max_epochs={high}.")
    if low > fidelities[-1]:
        raise InvalidSetting(f"{owner}.min_epochs={low} is above {fidelities[-1]} epochs, the most there are here.")
    there = [epochs for epochs in fidelities if low <= epochs <= (high or fidelities[-1])]
    if len(fidelities) < 2:
        raise Unsupported(
            f"{owner} compares trainings of few epochs before it goes on with some of them, and here there are results "
            f"after {fidelities[0]} epochs only."
        )
    if len(there) < 2:
        left = f"only {there[0]}" if there else "none"
        known, limits = ", ".join(map(str, fidelities)), f"min_epochs={low} and max_epochs={high}"
        raise InvalidSetting(f"{owner}: {limits} leave {left} of {known} epochs: nothing could go on to more.")
    return there


def rising(there: Sequence[int], eta: int) -> list[int]:
    """The recorded epochs nearest to r, r * eta, ... below R, and R itself; r and R are the first and the last.

    One entry a wanted rung, so that equal ones follow each other where rungs fall together.
    """
    found, wanted = [], there[0]
    while wanted < there[-1]:
        found.append(_nearest(there, wanted, 1))
        wanted *= eta
    return [*found, there[-1]]


def falling(owner: str, there: Sequence[int], eta: int) -> list[int]:
    """The recorded epochs nearest to R / eta^s, ..., R / eta, R, for the greatest s with R / eta^s >= r; as `rising`.

    In whole numbers: floor(log(R / r) / log(eta)) is one too few where R / r is a power of eta.
    """
    found, power = [there[-1]], eta
    while there[0] * power <= there[-1]:
        found.insert(0, _nearest(there, there[-1], power))
        power *= eta
    if len(found) < 2:
        text = f"{owner}.eta={eta} is above {there[-1]} / {there[0]}, the most epochs by the fewest"
        raise Unsupported(f"{text}: there is one rung only. Give a smaller eta.")
    return found


def _nearest(there: Sequence[int], wanted: int, divisor: int) -> int:
    """The recorded epochs nearest to ``wanted / divisor``; the fewer of two that are as near."""
    return min(there, key=lambda epochs: abs(epochs * divisor - wanted))


class Rung:
    """One rung of an asynchronous search: one training of ``factor`` goes on from here."""

    def __init__(self, epochs: int, factor: int) -> None:
        self.epochs = epochs
        self.factor = factor
        self.promoted = 0
        self._values: list[float] = []  # rising
        self._waiting: list[tuple[float, int, Trial]] = []  # a heap of those that have not gone on, best first

    def insert(self, trial: Trial) -> None:
        """A training has reached this rung."""
        insort(self._values, trial.value)
        heappush(self._waiting, (-trial.value, len(self._values), trial))

    def promote(self) -> Trial | None:
        """The best that has not gone on, if fewer than floor(n / factor) have: then it is among the best so many."""
        if self.promoted >= len(self._values) // self.factor:
            return None
        self.promoted += 1
        return heappop(self._waiting)[-1]

    def keeps(self, trial: Trial) -> bool:
        """Whether at most one in ``factor`` of those that are here is strictly better than one of them."""
        better = len(self._values) - bisect_right(self._values, trial.value)
        return better * self.factor <= len(self._values)


def ladder(wanted: Sequence[int], eta: int) -> list[Rung]:
    """The rungs of `rising`, without duplicates."""
    return [Rung(epochs, eta ** len(list(same))) for epochs, same in groupby(wanted)]
