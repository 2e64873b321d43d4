"""The candidates among which an acquisition is maximized where a space is not listed.

Mutations of the best: White, Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, as in its code (naszilla).
"""

from __future__ import annotations

import random
from collections.abc import Container, Hashable, Iterable, Sequence, Set

from nassim.errors import Unsupported
from nassim.query import Trial
from nassim.space import Architecture, SearchSpace

SMALL = 1000  # architectures of a space that is listed rather than drawn from
DRAWS = 20  # tries for each random architecture that is wanted
BEST = 5  # whose neighbors or mutations are candidates


def pool_of(
    space: SearchSpace, asked: Iterable[Architecture], trials: Sequence[Trial], rng: random.Random, size: int
) -> list[Architecture]:
    """The architectures asked so far in their order, then new ones: neighbors of the best, and ``size`` random ones."""
    best = sorted(trials, key=lambda trial: -trial.value)[:BEST]
    near = [arch for trial in best for arch in space.neighbors(trial.arch)]
    return list(dict.fromkeys([*asked, *near, *(space.sample(rng) for _ in range(size))]))


def fresh(space: SearchSpace, asked: Container[Architecture], rng: random.Random) -> Architecture:
    """A random architecture that was not asked; there must be one."""
    while (arch := space.sample(rng)) in asked:
        pass
    return arch


def unknown(space: SearchSpace, archs: Iterable[Architecture], known: Set[Hashable], count: int) -> list[Architecture]:
    """The first ``count`` of ``archs`` that are equivalent neither to each other nor to what is ``known``.

    ``known`` holds what `SearchSpace.canonical` says of architectures.
    """
    found: dict[Hashable, Architecture] = {}
    for arch in archs:
        key = space.canonical(arch)
        if key not in known and key not in found:
            found[key] = arch
            if len(found) == count:
                break
    return list(found.values())


def random_ones(space: SearchSpace, known: Set[Hashable], rng: random.Random, count: int) -> list[Architecture]:
    """Up to ``count`` random architectures that are not known; fewer where many draws find no more.

    Small spaces are listed, so that all of them are found.
    """
    if space.size <= SMALL:
        listed = list(space.architectures())
        rng.shuffle(listed)
        return unknown(space, listed, known, count)
    return unknown(space, (space.sample(rng) for _ in range(DRAWS * count)), known, count)


def mutations_of_the_best(
    space: SearchSpace, known: Set[Hashable], trials: Sequence[Trial], rng: random.Random, count: int
) -> list[Architecture]:
    """``count`` mutations of the best trial, without known and equivalent ones.

    Where fewer than ``count`` remain, as many of the next best are added, up to the fifth: there may be more then.
    """
    found: list[Architecture] = []
    for trial in sorted(trials, key=lambda trial: -trial.value)[:BEST]:
        seen = known | {space.canonical(arch) for arch in found}
        found += unknown(space, (space.mutate(trial.arch, rng) for _ in range(count)), seen, count)
        if len(found) >= count:
            break
    return found


def unfinished(space: SearchSpace, asked: set[Architecture], trials: Iterable[Trial]) -> Trial | None:
    """The best of the trials that has a neighbor which was not asked; None where there is none."""
    ranked = sorted(trials, key=lambda trial: -trial.value)
    return next((trial for trial in ranked if any(arch not in asked for arch in space.neighbors(trial.arch))), None)


def candidates_of(
    kind: str, space: SearchSpace, known: Set[Hashable], trials: Sequence[Trial], rng: random.Random, count: int
) -> list[Architecture]:
    """What a model is asked about; known ones may be among it, so that whoever chooses skips them.

    kind: "near" (neighbors of the five best and ``count`` random ones), "random" (``count``), "mutations" (of the
        best, about ``count``) or "all" (the whole space; `Unsupported` where it is too large to list).
    """
    if kind == "all":
        if not space.enumerable:
            raise Unsupported(f"{space.name} has {space.size:,} architectures, too many for candidates=all: use near.")
        return list(space.architectures())
    if kind == "mutations":
        return mutations_of_the_best(space, known, trials, rng, count)
    if kind == "near" and space.size > SMALL:
        return pool_of(space, (), trials, rng, count)
    return random_ones(space, known, rng, count)
