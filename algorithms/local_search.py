"""Local search: from the best of a few random architectures uphill through neighbors, then again.

Paper: C. White, S. Nolen, Y. Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021,
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
    3. Asynchronous on several workers, which the paper's is not: a worker for which line 2 or 4 has nothing left while
       others still train is given an untrained neighbor of the best of this climb so far, or a random architecture
       where there is none. "first" moves as soon as a training of this climb beats current; neighbors that were in
       training are waited for too, what an earlier climb left is not. One worker makes the trials of the lines above.

Hyperparameters:
    n_init: random architectures before each climb. Code 10; the paper's Algorithm 1 has 1.
    improvement: "first" moves to the first better neighbor, "best" to the best of all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from nassim.algorithms.parts.population import fitness
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="local search", year=2020, aliases=["ls"], initial="n_init")
def local_search(
    space: SearchSpace,
    rng: random.Random,
    *,
    n_init: int = 10,
    improvement: Literal["first", "best"] = "first",
) -> Search:
    asked: set[Architecture] = set()
    while len(asked) < space.size:  # 1
        climb: set[Architecture] = set()  # asked since this start
        done: list[Trial] = []  # of them
        current: Trial | None = None
        waiting = set(near := _random_unasked(space, rng, asked, n_init))  # 2
        while waiting:  # 3
            queue = iter(near)
            found: list[Trial] = []  # what has ended since the last move
            while waiting and not (improvement == "first" and _better(found, current)):  # 4
                arch = next(queue, None) or _meanwhile(space, rng, asked, done)
                if arch is None:
                    return
                asked.add(arch)
                climb.add(arch)
                news = [trial for trial in (yield from start(arch)) if trial.arch in climb]
                done += news
                found += news
                waiting.difference_update(trial.arch for trial in news)
            if current is not None and not _better(found, current):
                break  # 6
            current = max(found, key=fitness)  # 5
            around = space.neighbors(current.arch)
            near = [arch for arch in around if arch not in asked]
            rng.shuffle(near)
            waiting = {*near, *climb.intersection(around).difference(trial.arch for trial in done)}


def _better(found: Sequence[Trial], current: Trial | None) -> bool:
    return current is not None and any(trial.value > current.value for trial in found)


def _random_unasked(space: SearchSpace, rng: random.Random, asked: set[Architecture], count: int) -> list[Architecture]:
    """At most ``count`` new architectures, fewer only when the space has no more; adds them to ``asked``."""
    found: list[Architecture] = []
    while len(found) < count and len(asked) < space.size:
        arch = space.sample(rng)
        if arch not in asked:
            asked.add(arch)
            found.append(arch)
    return found


def _meanwhile(
    space: SearchSpace, rng: random.Random, asked: set[Architecture], done: Sequence[Trial]
) -> Architecture | None:
    """For a worker that would wait (departure 3); None when everything has been asked."""
    for trial in sorted(done, key=fitness, reverse=True):
        near = [arch for arch in space.neighbors(trial.arch) if arch not in asked]
        if near:
            return rng.choice(near)
    return next(iter(_random_unasked(space, rng, asked, 1)), None)
