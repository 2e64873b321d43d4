"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nassim.errors import OutputFailed

_STALE = 3600.0  # seconds after which a temporary file is certainly nobody's


@contextmanager
def put_in_place(path: Path, hint: str = "Is the folder writable and the disk not full?") -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` at the end of the block; if that fails, what was there stays.

    The folder is made. `OutputFailed`, ending with the hint, if something cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}.*.tmp"):  # by a process that was killed
            with suppress(FileNotFoundError):  # or by one that has just put it in place
                if time.time() - left.stat().st_mtime > _STALE:
                    left.unlink()
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # torch's writer reports a full disk as a RuntimeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OutputFailed(f"{path} cannot be written: {reason}. {hint}") from error
