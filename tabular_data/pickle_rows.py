"""Rows of a pickle: the same few instructions again and again, taken at once.

Most of a released record are dictionaries from texts like ``x-valid@17`` to floats, and lists of texts. One by one
their instructions would take many times as long to scan as to run.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from nassim.tabular_data.pickle_stored import Stored
from nassim.tabular_data.pickle_tokens import NUMBER, TEXT

ROWS = frozenset(b"\x8cXhj")  # opcodes that a row may begin with
_TEXT, _TEXT_AND_NUMBER = bytes((TEXT,)), bytes((TEXT, NUMBER))
_MOST = 10_000  # rows


def take(content: bytes, at: int, stored: Stored, renumbered: bytearray) -> tuple[int, bytes] | None:
    """The end of the rows that begin here, and the kinds that they put on the stack; None where there are no rows.

    No kinds if they store or fetch other things than texts in order: they have to be gone through one by one.
    renumbered: the same instructions, in which the numbers of stored objects are changed if they are renumbered.
    """
    opcode, size = content[at], content[at + 1] if at + 1 < len(content) else 0
    if (opcode == 0x68 and content[at + 2 : at + 3] != b"G") or (opcode == 0x6A and content[at + 5 : at + 6] != b"G"):
        return None
    run = _pattern(opcode, size if opcode in b"\x8cX" else 0).match(content, at)
    if run is None:
        return None
    end = run.end()
    numbered = run.lastindex == 1
    width = {0x8C: size + 3, 0x58: size + 10, 0x68: 2, 0x6A: 5}[opcode] + (9 if numbered else 0)
    count = (end - at) // width
    kinds = (_TEXT_AND_NUMBER if numbered else _TEXT) * count
    if opcode == 0x8C:
        if not stored.counts:
            return end, b""
        stored.add_texts(count)
        return end, kinds
    first = size + 6 if opcode == 0x58 else 1
    place = slice(first, first + (1 if opcode == 0x68 else 4))
    table = np.frombuffer(content, np.uint8, count * width, at).reshape(count, width)
    numbers = np.zeros((count, 4), np.uint8)
    numbers[:, : place.stop - place.start] = table[:, place]
    given = numbers.view("<u4")[:, 0].tolist()
    small = stored.add_row(given, at) if opcode == 0x58 else stored.find_row(given)
    if small is None:
        return end, b""
    if stored.renumbers and opcode != 0x68:
        changed = np.frombuffer(renumbered, np.uint8, count * width, at).reshape(count, width)
        changed[:, place] = np.array(small, dtype="<u4").view(np.uint8).reshape(count, 4)
    return end, kinds


@cache
def _pattern(opcode: int, size: int) -> re.Pattern[bytes]:
    """Rows with this first opcode (and texts of this size): group 1 if each ends in a float."""
    if opcode == 0x8C:
        row, fewest = rb"\x8c\x%02x.{%d}\x94" % (size, size), 1
    elif opcode == 0x58:
        row, fewest = rb"X\x%02x\0{3}.{%d}r.{4}" % (size, size), 2
    else:
        row, fewest = rb"h." if opcode == 0x68 else rb"j.{4}", 2
    alone = rb"|(?:%s){%d,%d}" % (row, fewest, _MOST) if opcode in b"\x8cX" else b""
    return re.compile(rb"((?:%sG.{8}){%d,%d})%s" % (row, fewest, _MOST, alone), re.DOTALL)
