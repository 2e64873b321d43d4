"""Random search: independent uniform samples.

Paper: the baseline of every comparison; L. Li & A. Talwalkar, "Random Search and Reproducibility for Neural
    Architecture Search", UAI 2019, arXiv:1902.07638.

Pseudocode:
    1  repeat
    2      sample an architecture uniformly
    3      train and validate it

Departures: none. Samples are not de-duplicated: asking the same architecture again costs again.
"""

from __future__ import annotations

import random

from nassim.space import SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="baseline", year=2019, aliases=["rs", "random"])
def random_search(space: SearchSpace, rng: random.Random) -> Search:
    while True:  # 1
        yield from start(space.sample(rng))  # 2, 3
