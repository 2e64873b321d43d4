"""Successive halving: many architectures for few epochs, the best of them for more, until one is trained in full.

Paper: K. Jamieson & A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS
    2016, arXiv:1502.07943; in the form of lines 3 to 9 of Algorithm 1 of Hyperband (arXiv:1603.06560).

Pseudocode:
    1  T <- n random architectures
    2  for k = 0, 1, ... until R epochs are reached
    3      train all of T for r * eta^k epochs
    4      T <- the best floor(n / eta^(k+1)) of T

Departures:
    1. Again with n others as long as there is budget: the paper has one group.
    2. A rung is at the recorded epochs nearest to r * eta^k, the last one at R. Where two fall together the lower one
       decides for both.
    3. On several workers none waits: the next group begins where this one waits for the rest of a rung.
    4. A training goes on where it ended, and only the difference is paid, on benchmarks that can; elsewhere it begins
       anew, and the run counts it as restarted.

Hyperparameters:
    eta: of so many one goes on. 3; the paper halves (2).
    size: n; none: as many as leave one at the last rung, eta to the number of rungs below it.
    min_epochs: r; where there are none so few, the fewest that there are.
    max_epochs: R; none: a full training.
"""

from __future__ import annotations

import random
from itertools import repeat

from nassim.algorithms.parts.brackets import halving, train_brackets
from nassim.algorithms.parts.rungs import recorded, rising
from nassim.space import SearchSpace
from nassim.strategy import Search, strategy


@strategy(family="fewer epochs", year=2016, aliases=["sh"])
def successive_halving(
    space: SearchSpace,
    rng: random.Random,
    *,
    fidelities: tuple[int, ...],
    eta: int = 3,
    size: int | None = None,
    min_epochs: int = 1,
    max_epochs: int | None = None,
) -> Search:
    there = recorded("successive_halving", fidelities, eta, min_epochs, max_epochs)
    wanted = rising(there, eta)
    group = halving(wanted, size or eta ** (len(wanted) - 1), eta)  # 2, 4: how many are trained for how long
    yield from train_brackets(repeat(group), lambda: space.sample(rng))  # 1, 3
