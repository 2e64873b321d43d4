"""A space's decisions in the order in which a controller makes them: one a token, or all bits of an anchor point.

Source: Zoph & Le, ICLR 2017, arXiv:1611.01578, section 3.3: at an anchor point a layer may take any earlier ones.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from nassim.errors import InvalidSetting, Unsupported
from nassim.space import Architecture, SearchSpace

LOTS = 2000  # of options drawn by lot, to see whether a space's decisions can be made one after the other


class Choice(NamedTuple):
    """One decision: a softmax over its options. Tokens of one ``kind`` share its weights."""

    decision: int
    options: int
    kind: int


class Anchor(NamedTuple):
    """A place that later ones may take; a bit for each earlier place, in their order, that says whether it does."""

    decisions: tuple[int, ...]


Token = Choice | Anchor


def tokens_of(space: SearchSpace, *, anchored: bool = False, parts: int | None = None) -> tuple[Token, ...]:
    """The tokens of a space; a decision of one option needs none, and that a part is absent is nobody's choice.

    ``anchored``: with anchor points where a space has them; then of the first ``parts`` of its groups only.
    """
    options = [n - (i in space.absent) for i, n in enumerate(space.radices)]
    if not (anchored and space.anchors):
        return tuple(Choice(i, n, i) for i, n in enumerate(options) if n > 1)
    tokens: list[Token] = [Anchor(())] if space.anchors[0] else []  # the input is a place of its own
    layers = bool(space.absent)  # parts that are alike: what is said of one is said in the words of all
    for group, bits in list(zip(space.groups, space.anchors, strict=True))[:parts]:
        own = [i for i in group if i not in bits and options[i] > 1]
        tokens += [Choice(i, options[i], place if layers else i) for place, i in enumerate(own)]
        tokens.append(Anchor(bits))
    return tuple(tokens)


def blank(space: SearchSpace) -> list[int]:
    """The choices before any token: the first option, and no part that can be absent."""
    return [space.absent.get(i, 0) for i in range(len(space.radices))]


def can_be_deeper(space: SearchSpace) -> bool:
    """Whether a space has layers of which only the first need be there."""
    return bool(space.anchors and space.absent)


def refuse_unordered(owner: str, space: SearchSpace) -> None:
    """`Unsupported` where no architecture comes of decisions that are made one after the other."""
    decisions = getattr(space, "decisions", ())
    if not any(len(decision.options) > 1 for decision in decisions):
        raise Unsupported(
            f"{owner} makes one decision after the other, and {space.name} has none to make: its architectures are no "
            "rows of options. Use a strategy that mutates (regularized_evolution)."
        )
    rng = random.Random(0)
    options = [n - (i in space.absent) for i, n in enumerate(space.radices)]
    for _ in range(LOTS):
        if space.is_valid(Architecture(space.name, tuple([int(rng.random() * n) for n in options]))):
            return
    raise Unsupported(
        f"{owner} makes one decision after the other, and of {LOTS:,} rows of options of {space.name} none is an "
        "architecture: its decisions have no such order. Use a strategy that mutates (regularized_evolution)."
    )


def complete(space: SearchSpace) -> SearchSpace:
    """The space of which a table lists a part (its attribute ``whole``), where it does; else the space itself."""
    whole: SearchSpace = getattr(space, "whole", space)
    return whole


def nearest(space: SearchSpace, arch: Architecture) -> Architecture:
    """Of a listed part of a space the architecture that differs least; elsewhere itself."""
    return arch if space.is_valid(arch) else space.nearest(arch)  # type: ignore[attr-defined]


def refuse_batch(owner: str, children: int, horizon: int | None) -> None:
    """`InvalidSetting` for a batch that is never complete."""
    if horizon is not None and children > horizon:
        raise InvalidSetting(
            f"{owner}.children={children} is more than the {horizon} trainings of the budget: nothing would be "
            "learned. Give a smaller batch, or a larger budget."
        )
