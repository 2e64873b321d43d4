"""The seeds of a study: 0, 1, ... as many as asked for, or ranges of them, so that several machines can share them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nassim.errors import InvalidSetting

MOST = 10_000_000
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)


def parse_seeds(given: int | str | Sequence[int]) -> Sequence[int]:
    """A number means so many from 0 on, a text ranges with both ends: rising, each seed once.

    >>> parse_seeds(3), parse_seeds("3"), list(parse_seeds("0-2,10-11"))
    (range(0, 3), range(0, 3), [0, 1, 2, 10, 11])
    """
    if isinstance(given, str) and given.strip().isdecimal() and len(given) < 20:
        given = int(given)
    if isinstance(given, int):
        if not 1 <= given <= MOST:
            raise InvalidSetting(f"seeds must be at least 1 and at most {MOST:,}, not {given}.")
        return range(given)
    if not isinstance(given, str):
        return _whole(given, "seeds")
    ranges: list[range] = []
    for part in given.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None or int(found[1]) > int(found[2]):
            raise InvalidSetting(
                f"seeds {given!r:.80}: write a number (100), or ranges with both ends (0-499,800-899)."
            )
        ranges.append(range(int(found[1]), int(found[2]) + 1))
    if sum(map(len, ranges)) > MOST:
        raise InvalidSetting(f"seeds {given!r:.80}: at most {MOST:,}.")
    return ranges[0] if len(ranges) == 1 else _whole([seed for part in ranges for seed in part], f"seeds {given!r:.80}")


def seeds_text(seeds: Sequence[int]) -> str:
    """As ranges; empty for 0, 1, ... without a gap, which their number says.

    >>> seeds_text([0, 1, 2, 10, 11]), seeds_text(range(3))
    ('0-2,10-11', '')
    """
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    text = ",".join(f"{first}-{last}" for first, last in ranges)
    return "" if text == f"0-{len(seeds) - 1}" else text


def _whole(seeds: Iterable[int], what: str) -> list[int]:
    found = list(seeds)
    if not found or len(set(found)) < len(found) or min(found) < 0:
        raise InvalidSetting(f"{what}: each is a whole number from 0, named once, and there is at least one.")
    return sorted(found)
