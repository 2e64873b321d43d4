"""What the jobs of tools/accelerator.py are given, and what they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Setup(NamedTuple):
    """Where and how much: ``dry`` is tiny; ``deadline`` is when to stop, in seconds of `time.monotonic`."""

    device: str
    folder: Path
    dry: bool
    deadline: float

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.deadline


class Job(NamedTuple):
    """A measurement: what it is called, and what gives its result in words; None: unfinished, to be gone on with."""

    name: str
    work: Callable[[], str | None]
