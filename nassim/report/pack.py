"""Numbers for the page: typed arrays in one block of base64, referred to from JSON by place."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

KINDS = {
    "f4": "<f4",
    "u4": "<u4",
    "u2": "<u2",
    "u1": "<u1",
}  # single precision: seven digits are more than a chart shows
Place = tuple[str, int, int]  # kind, first byte, number of values


class Block:
    """Arrays one behind the other; each starts at a multiple of four bytes, as typed arrays need it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, values: ArrayLike, kind: str = "f4") -> Place:
        """Append an array and say where it lies; infinite values are kept."""
        array = np.asarray(values).astype(KINDS[kind])
        content = array.tobytes()
        padded = content + b"\0" * (-len(content) % 4)
        place = kind, self.size, int(array.size)
        self._parts.append(padded)
        self.size += len(padded)
        return place

    def text(self) -> str:
        """All of it as base64."""
        return base64.b64encode(b"".join(self._parts)).decode("ascii")


def unpack(text: str, place: Place) -> Any:
    """The array at a place of a block's text: what the page does, for tests."""
    kind, start, count = place
    return np.frombuffer(base64.b64decode(text), dtype=KINDS[kind], count=count, offset=start)
