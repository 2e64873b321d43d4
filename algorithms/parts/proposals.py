"""Proposals of a search that predicts: which of them are really trained, and how large their share is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nassim.algorithms.parts.morphing import heir_of
from nassim.algorithms.parts.weights import Floats
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import Architecture


class Proposals:
    """All that was proposed; at most ``share`` of it is trained, in batches, and the last ``last`` of a budget on top.

    proposed: counts every proposal, also one that was there before.
    """

    def __init__(self, share: float, batch: int, last: int, horizon: int | None) -> None:
        self._share, self._batch, self._last, self._horizon = share, batch, last, horizon
        self._pool: dict[Architecture, Trial | None] = {}
        self.proposed = 0

    def add(self, archs: Sequence[Architecture], origins: Sequence[Trial | None] | None = None) -> None:
        """More proposals, and the trials that they were transformed from; of several the first."""
        self.proposed += len(archs)
        for arch, origin in zip(archs, origins or [None] * len(archs), strict=True):
            self._pool.setdefault(arch, origin)

    def origins(self, archs: Sequence[Architecture]) -> list[Trial | None]:
        """Of each the trial whose weights it begins with; None for one that was drawn."""
        found = (self._pool[arch] for arch in archs)
        return [None if trial is None else heir_of(trial) for trial in found]

    def __iter__(self) -> Iterator[Architecture]:
        return iter(self._pool)

    def due(self, trained: int) -> int:
        """How many are to be trained now; 0 while there are too few proposals for a batch."""
        left = None if self._horizon is None or trained >= self._horizon else self._horizon - trained
        if left is not None and left <= self._last:
            return left
        batch = self._batch if left is None else min(self._batch, left - self._last)
        return batch if trained + batch <= self._share * self.proposed else 0

    def best(
        self, count: int, trials: Sequence[Trial], worth: Callable[[Sequence[Architecture]], Floats]
    ) -> list[Architecture]:
        """The best that were not trained yet, by what is predicted now; where there are too few, of all."""
        trained = {trial.arch for trial in trials}
        archs = [arch for arch in self._pool if arch not in trained]
        if len(archs) < count:
            archs += [arch for arch in self._pool if arch in trained]
        order = np.argsort(-worth(archs), kind="stable")[:count].tolist()
        return [archs[i] for i in order]

    def share(self, trained: int) -> str:
        """A sentence that says it."""
        found = trained / self.proposed
        return (
            f"{trained:,} of {self.proposed:,} proposals are really trained ({100 * found:.1f} %; at most "
            f"{100 * self._share:g} %, and the last {self._last} of the budget); the others were predicted"
        )


def refuse_share(owner: str, share: float, severity: float, batch: int, horizon: int | None) -> None:
    """`InvalidSetting` for shares and penalties that are none, and batches that are never complete."""
    if not 0 < share <= 1 or not 0 < severity <= 1:
        raise InvalidSetting(f"{owner}.real_share={share:g} and severity={severity:g} are above 0 and at most 1.")
    if horizon is not None and batch > max(horizon, 10):
        raise InvalidSetting(
            f"{owner}.batch={batch} is more than the {horizon} trainings of the budget. Give a smaller batch, or a "
            "larger budget."
        )
