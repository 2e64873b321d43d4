"""What pickles are made of: kinds of things, forms of instructions, and the two ways in which one is not run."""

from __future__ import annotations

import re

DEPTH = 100  # containers in each other
LONGEST_KEY = 4096  # bytes: keys are compared again and again

# Kinds. Those up to PAIR may be keys, those below CONTAINER may stand in several places. A container of containers
# (or of names) is CONTAINER + 1, and so on.
TEXT, NUMBER, PAIR, VALUE, NAME, CONTAINER = range(6)

# Numbers in a row, of one form: group -> bytes and numbers of a repetition.
_NUMBERS = re.compile(
    rb"((?:K.G.{8}){1,10000})|((?:G.{8}){1,10000})|((?:K.){1,10000})|((?:M..){1,10000})|((?:J.{4}){1,10000})"
    rb"|([N\x88\x89]{1,10000})",
    re.DOTALL,
)
_FORMS = ((0, 0), (11, 2), (9, 1), (2, 1), (3, 1), (5, 1), (1, 1))
STARTS_NUMBER = frozenset(b"GKMJN\x88\x89")
# opcode -> bytes of the size behind it, the kind of what follows, and the size from which on it is a VALUE
SIZED = {
    **{ord(opcode): (width, TEXT, LONGEST_KEY) for opcode, width in zip("UTX\x8c\x8d", (1, 4, 4, 1, 8), strict=True)},
    **{ord(opcode): (width, NUMBER, LONGEST_KEY) for opcode, width in zip("CB\x8e", (1, 4, 8), strict=True)},
    0x96: (8, VALUE, 0),
    0x8A: (1, NUMBER, 8),
}


class Refused(Exception):
    """The pickle was not run; the text goes on after "it"."""


class Damaged(Exception):
    """What is there is no pickle."""


def check_keys(kinds: bytes) -> None:
    """`Refused` if one of them cannot be a key."""
    if kinds and max(kinds) > PAIR:
        raise Refused("has keys that are neither texts nor numbers, nor pairs of a text and one of these")


def around(kinds: bytes) -> int:
    """The kind of a container with these things in it."""
    most = max(kinds, default=VALUE)
    if most >= CONTAINER + DEPTH:
        raise Refused(f"has more than {DEPTH} containers in each other")
    return max(most, CONTAINER) + 1 if most >= NAME else CONTAINER


def numbers_at(content: bytes, at: int) -> tuple[int, int]:
    """Where the numbers of one form that begin here end, and how many they are."""
    run = _NUMBERS.match(content, at)
    if run is None:
        raise Damaged("it ends in a number")
    size, numbers = _FORMS[run.lastindex or 0]
    return run.end(), (run.end() - at) // size * numbers
