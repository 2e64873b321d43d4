"""ASHA: successive halving in which no worker waits for a rung to fill.

Paper: L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, M. Hardt, B. Recht, A. Talwalkar, "A System for Massively
    Parallel Hyperparameter Tuning", MLSys 2020, arXiv:1810.05934, Algorithm 2; stopping as in Syne Tune.

Pseudocode:
    1  repeat, for every free worker
    2      promotion: for each rung, from the top: if a training among its best floor(n / eta) has not gone on,
    3          it goes on to the next rung
    4      stopping: if the training that has just ended is among the best n / eta of its rung (at most n / eta are
    5          strictly better), it goes on to the next rung at once
    6      otherwise a random architecture begins at the lowest rung
    7      when the training ends, its result enters its rung

Departures:
    1. Never more than floor(n / eta) of a rung go on. The paper lets a late better one go on at once, though as many
       have gone on before it was there; here it is the next one when the rung has grown.
    2. A rung is at the recorded epochs nearest to r * eta^k, the last one at R. Where two fall together the lower one
       decides for both: of eta^2 one goes on.
    3. A training goes on where it ended, and only the difference is paid, on benchmarks that can; elsewhere it begins
       anew, and the run counts it as restarted.

Hyperparameters:
    mode: "promotion" lets trainings pause and go on later; "stopping" decides when one reaches a rung, once for all.
    eta: of so many one goes on. 3; the paper 4.
    min_epochs: r; where there are none so few, the fewest that there are.
    max_epochs: R; none: a full training.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Literal

from nassim.algorithms.parts.rungs import ladder, recorded, rising
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="fewer epochs", year=2020)
def asha(
    space: SearchSpace,
    rng: random.Random,
    *,
    fidelities: tuple[int, ...],
    mode: Literal["promotion", "stopping"] = "promotion",
    eta: int = 3,
    min_epochs: int = 1,
    max_epochs: int | None = None,
) -> Search:
    rungs = ladder(rising(recorded("asha", fidelities, eta, min_epochs, max_epochs), eta), eta)
    level = {rung.epochs: number for number, rung in enumerate(rungs)}
    kept: deque[Trial] = deque()  # in "stopping": those that go on at once
    while True:  # 1
        if mode == "promotion":
            origin = next((trial for rung in reversed(rungs[:-1]) if (trial := rung.promote())), None)  # 2
        else:
            origin = kept.popleft() if kept else None
        if origin is None:
            news = yield from start(space.sample(rng), rungs[0].epochs)  # 6
        else:
            above = rungs[level[origin.result.epochs] + 1]
            news = yield from start(origin.arch, above.epochs, origin=origin)  # 3, 5
        for trial in news:
            rung = rungs[level[trial.result.epochs]]
            rung.insert(trial)  # 7
            if mode == "stopping" and rung is not rungs[-1] and rung.keeps(trial):  # 4
                kept.append(trial)
