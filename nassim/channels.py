"""Channels as numbers, the same where their values are the same: which of a layer's inputs carry what it is to get.

`nassim.inheritance` follows them through two networks.
"""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN, ZERO = -1, -2  # what is known of a channel: nothing; that it is zero


def passed_on(channels: Sequence[int], wanted: Sequence[int], width: int) -> list[int]:
    """Which of its input channels each output of an identity passes on: those that carry what is ``wanted``, or all."""
    places: dict[int, list[int]] = {}
    for place, channel in enumerate(channels):
        places.setdefault(channel, []).append(place)
    passed = list(range(len(channels)))
    if wanted and all(channel in places for channel in wanted):
        ranks = [list(wanted[:c]).count(channel) for c, channel in enumerate(wanted)]
        passed = [places[channel][rank % len(places[channel])] for channel, rank in zip(wanted, ranks, strict=True)]
    return [passed[c % len(passed)] for c in range(width)]


def assigned(channels: Sequence[int], old: Sequence[int]) -> tuple[list[int], list[float], bool]:
    """For each channel the place of the ``old`` one with its value (-1: none) and its share; whether all are found.

    Where more channels carry a value than did, they share the weights, in unequal parts, so that they can part ways.
    """
    places: dict[int, list[int]] = {}
    for place, channel in enumerate(old):
        if channel >= 0:
            places.setdefault(channel, []).append(place)
    seen: dict[int, int] = {}
    inputs = []
    for channel in channels:
        there = places.get(channel, [])
        rank = seen[channel] = seen.get(channel, -1) + 1
        inputs.append(there[rank % len(there)] if there else -1)
    counts: dict[int, int] = {}
    for place in inputs:
        counts[place] = counts.get(place, 0) + 1
    ranks: dict[int, int] = {}
    shares = []
    for place in inputs:
        ranks[place] = ranks.get(place, 0) + 1
        shares.append(1.0 if place < 0 else 2.0 * ranks[place] / (counts[place] * (counts[place] + 1)))
    return inputs, shares, all(channel == ZERO or place in counts for place, channel in enumerate(old))
