"""Successive halving with every trade-off between many architectures and many epochs (Hyperband).

Paper: L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh, A. Talwalkar, "Hyperband: A Novel Bandit-Based Approach to
    Hyperparameter Optimization", JMLR 2018, arXiv:1603.06560, Algorithm 1.

Pseudocode:
    1  s_max <- floor(log_eta(R / r))
    2  for s = s_max, ..., 0
    3      n <- ceil((s_max + 1) / (s + 1) * eta^s); T <- n random architectures
    4      for i = 0, ..., s
    5          train all of T for R * eta^(i - s) epochs
    6          T <- the best floor(n / eta^(i + 1)) of T

Departures:
    1. Again from line 2 as long as there is budget.
    2. A rung is at the recorded epochs nearest to R * eta^(i - s). Where two fall together the lower one decides for
       both.
    3. On several workers none waits: the next bracket begins where all that have begun wait (as in HpBandSter).
    4. A training goes on where it ended, and only the difference is paid, on benchmarks that can; elsewhere it begins
       anew, and the run counts it as restarted.

Hyperparameters:
    eta: of so many one goes on. 3, as in the paper.
    min_epochs: r; where there are none so few, the fewest that there are.
    max_epochs: R; none: a full training.
    sizes: n as in line 3 ("paper") or floor((s_max + 1) / (s + 1)) * eta^s ("hpbandster").
"""

from __future__ import annotations

import random
from itertools import cycle

from nassim.algorithms.parts.brackets import Sizes, hyperband_brackets, train_brackets
from nassim.algorithms.parts.rungs import falling, recorded
from nassim.space import SearchSpace
from nassim.strategy import Search, strategy


@strategy(family="fewer epochs", year=2018, aliases=["hb"])
def hyperband(
    space: SearchSpace,
    rng: random.Random,
    *,
    fidelities: tuple[int, ...],
    eta: int = 3,
    min_epochs: int = 1,
    max_epochs: int | None = None,
    sizes: Sizes = "paper",
) -> Search:
    wanted = falling("hyperband", recorded("hyperband", fidelities, eta, min_epochs, max_epochs), eta)  # 1
    brackets = hyperband_brackets(wanted, eta, sizes)  # 2, 3, 4, 6: how many are trained for how long
    yield from train_brackets(cycle(brackets), lambda: space.sample(rng))  # 5
