"""Partial channels around the decisions of a supernet: one of K channels goes through, the others past it.

Paper: Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020,
arXiv:1907.05737, section 3.2; which channels, the pooling of those that go past a stride, the shuffle: its code.
"""

from __future__ import annotations

from typing import NamedTuple

from nassim.errors import InvalidSetting, Unsupported
from nassim.network import Draft


class Divided(NamedTuple):
    """What goes through a decision and what goes past it (-1: nothing)."""

    through: int
    past: int


def check_partial(partial: int | None, channels: int) -> None:
    """`InvalidSetting` for a number that does not divide the channels."""
    if partial is not None and (partial < 1 or channels % partial):
        raise InvalidSetting(f"partial channels: K={partial} does not divide the {channels} channels of the supernet.")


def no_partial(partial: int | None, space: str) -> None:
    """`Unsupported` where the decisions of a space's supernet have no channels that could go past them."""
    if partial is not None:
        raise Unsupported(f"{space} has no partial channels: what leaves its decisions differs from what enters them.")


def divided(draft: Draft, name: str, x: int, channels: int, partial: int | None, stride: int = 1) -> Divided:
    """The first of ``partial`` parts of the channels, and the others, pooled where options have a stride."""
    if partial in (None, 1):
        return Divided(x, -1)
    part = channels // (partial or 1)
    through = draft.add(f"{name}.part", "resize_channels", x, channels=part)
    past = draft.add(f"{name}.past", "take_channels", x, first=part, channels=channels - part)
    if stride > 1:
        past = draft.add(f"{name}.pooled", "max_pool", past, kernel=stride, stride=stride, padding=0)
    return Divided(through, past)


def joined(draft: Draft, name: str, mixed: int, past: int, partial: int | None, group: int) -> int:
    """Both together again, shuffled, with the layer that weighs the decision as a whole."""
    if partial is None:
        return mixed
    if past >= 0:
        mixed = draft.add(f"{name}.both", "concat", mixed, past)
        mixed = draft.add(f"{name}.shuffle", "shuffle", mixed, groups=partial)
    return draft.add(f"{name}.edge", "edge", mixed, group=group)
