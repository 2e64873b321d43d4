"""Local search: from the best of a few random architectures uphill through neighbors, then again.

Paper: White, Nolen, Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021,
    arXiv:2005.02960, Algorithm 1, in the form of its code (naszilla).

Pseudocode:
    1  repeat
    2      train n random architectures; current <- the best of them
    3      repeat
    4          train the neighbors of current in random order, up to the first better one ("first") or all ("best")
    5          current <- the best of these neighbors if it is better than current
    6      until no neighbor is better

Departures:
    1. The paper's Algorithm 1 starts at one random architecture and trains all neighbors: ``n_init=1,
       improvement="best"``. The defaults are those of its experiments' code, which needs fewer queries.
    2. As in that code, nothing is trained twice in a run: an architecture that was trained before is
       neither drawn as a start nor tried as a neighbor. The search ends when all are trained.
    3. Several workers share the starts and, with "best", a neighborhood; "first" waits for each neighbor.

Hyperparameters:
    n_init: random architectures before each climb. Code 10; the paper's Algorithm 1 has 1.
    improvement: "first" moves to the first better neighbor, "best" to the best of all.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from operator import attrgetter
from typing import Literal

from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, Verb, evaluate, evaluate_all, strategy

_accuracy = attrgetter("result.value")


@strategy(family="local search", year=2020, aliases=["ls"], initial="n_init")
def local_search(
    space: SearchSpace,
    rng: random.Random,
    *,
    n_init: int = 10,
    improvement: Literal["first", "best"] = "first",
) -> Search:
    trained: set[Architecture] = set()
    while len(trained) < space.size:  # 1
        trials = yield from evaluate_all(_random_untrained(space, rng, trained, n_init))  # 2
        current = max(trials, key=_accuracy)
        while True:  # 3
            neighbors = [arch for arch in space.neighbors(current.arch) if arch not in trained]
            rng.shuffle(neighbors)
            if improvement == "first":
                trials = yield from _until_better(neighbors, current, trained)  # 4
            else:
                trained.update(neighbors)
                trials = yield from evaluate_all(neighbors)  # 4
            best = max(trials, key=_accuracy, default=current)
            if best.value <= current.value:
                break  # 6
            current = best  # 5


def _random_untrained(
    space: SearchSpace, rng: random.Random, trained: set[Architecture], count: int
) -> list[Architecture]:
    """At most ``count`` new architectures, fewer only when the space has no more; adds them to ``trained``."""
    found: list[Architecture] = []
    while len(found) < count and len(trained) < space.size:
        arch = space.sample(rng)
        if arch not in trained:
            trained.add(arch)
            found.append(arch)
    return found


def _until_better(neighbors: Iterable[Architecture], current: Trial, trained: set[Architecture]) -> Verb:
    """Train neighbors one after another; stop at the first that beats ``current``."""
    trials = []
    for arch in neighbors:
        trained.add(arch)
        trials.append((yield from evaluate(arch)))
        if trials[-1].value > current.value:
            break
    return trials
