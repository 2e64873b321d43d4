"""`nassim --log FILE`: what happened, and when, a line each, at the end of a text file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nassim.errors import OutputFailed

LOG = logging.getLogger("nassim")  # silent until a file is named
LOG.addHandler(logging.NullHandler())
LOG.propagate = False
OPTION = "--log"


class _Line(logging.Formatter):
    """Time with its zone, level and text, in one line whatever the text holds."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(super().format(record).split())


def begin(path: Path) -> None:
    """From now on what happens is written at the end of a file; `OutputFailed` if it cannot be."""
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputFailed(f"{path} cannot be written: {error.strerror}. Name another file after {OPTION}.") from error
    handler.setFormatter(_Line("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)


@contextmanager
def ended() -> Iterator[None]:
    """Close the file at the end of the block; what is left by SystemExit is the end of the command."""
    try:
        yield
    except SystemExit as end:
        LOG.info("ended with exit code %s", end.code or 0)
        raise
    finally:
        for handler in [handler for handler in LOG.handlers if isinstance(handler, logging.FileHandler)]:
            LOG.removeHandler(handler)
            handler.close()


def in_front(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """``--log FILE``, wherever it stands among the arguments, and the others."""
    words = list(arguments)
    for i, word in enumerate(words):
        if word == "--":
            break
        if word == OPTION and i + 1 < len(words):
            return words[i : i + 2], [*words[:i], *words[i + 2 :]]
        if word.startswith(f"{OPTION}="):
            return [word], [*words[:i], *words[i + 1 :]]
    return [], words
