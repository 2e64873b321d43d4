"""Children by decisions: each changed with a probability, or exchanged in groups between two parents."""

from __future__ import annotations

import random

from nassim.errors import InvalidSetting, Unsupported
from nassim.space import Architecture, SearchSpace

TRIES = 1000  # for a child that is valid; where the parent is and every decision may stay, one is found long before


def changed(
    space: SearchSpace, arch: Architecture, rate: float, rng: random.Random, *, surely: bool = False
) -> Architecture:
    """Every decision changed to a different option, chosen uniformly, with the probability ``rate``.

    ``surely``: where none is changed, one of them is. Drawn again while the result is not valid (NAS-Bench-101); if
    that is so `TRIES` times, the parent or, ``surely``, a mutation of the space's own.
    """
    for _ in range(TRIES):
        choices = list(arch.choices)
        hit = [i for i, options in enumerate(space.radices) if options > 1 and rng.random() < rate]
        if surely and not hit:
            hit = [rng.choice([i for i, options in enumerate(space.radices) if options > 1])]
        for i in hit:
            option = int(rng.random() * (space.radices[i] - 1))
            choices[i] = option + (option >= choices[i])
        child = Architecture(space.name, tuple(choices))
        if space.is_valid(child):
            return child
    return space.mutate(arch, rng) if surely else arch


def swapped(
    space: SearchSpace, a: Architecture, b: Architecture, rate: float, rng: random.Random
) -> tuple[Architecture, Architecture]:
    """Both children of two parents that exchange each of the space's `groups` with the probability ``rate``.

    Drawn again while one of them is not valid; if that is so `TRIES` times, the parents.
    """
    for _ in range(TRIES):
        first, second = list(a.choices), list(b.choices)
        for group in space.groups:
            if rng.random() < rate:
                for i in group:
                    first[i], second[i] = second[i], first[i]
        children = Architecture(space.name, tuple(first)), Architecture(space.name, tuple(second))
        if all(map(space.is_valid, children)):
            return children
    return a, b


def refuse_unfit(owner: str, space: SearchSpace) -> None:
    """`Unsupported` for a space in which nothing can be changed."""
    if not any(options > 1 for options in space.radices):
        raise Unsupported(
            f"{owner} changes one option into another, and no decision of {space.name} has more than one: there is "
            "nothing to search."
        )


def refuse_probabilities(owner: str, **rates: float) -> None:
    """`InvalidSetting` for a probability above 1."""
    for name, rate in rates.items():
        if rate > 1:
            raise InvalidSetting(f"{owner}.{name}={rate:g} is a probability: give a number from 0 to 1.")
