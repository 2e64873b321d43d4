"""Random search: independent uniform samples.

Paper: the baseline of every comparison; L. Li & A. Talwalkar, "Random Search and Reproducibility for Neural
    Architecture Search", UAI 2019, arXiv:1902.07638.

Pseudocode:
    1  repeat
    2      sample an architecture uniformly
    3      train and validate it

Departures: none. Samples are not de-duplicated: asking the same architecture again costs again. With ``--constraint``
a sample is drawn until one keeps to it: uniform among those that do (after 1,000 in vain, the nearest).
"""

from __future__ import annotations

import random

from nassim.algorithms.parts.limits import kept
from nassim.objectives import Constraint
from nassim.space import SearchSpace
from nassim.strategy import Measure, Search, start, strategy


@strategy(family="baseline", year=2019, aliases=["rs", "random"])
def random_search(
    space: SearchSpace, rng: random.Random, *, measure: Measure, constraint: Constraint | None = None
) -> Search:
    while True:  # 1
        yield from start(kept(lambda: space.sample(rng), constraint, measure))  # 2, 3
