"""Files that are there whole or not at all, and names that files may have."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from nassim.errors import OutputFailed

_STALE = 3600.0  # seconds after which a temporary file is certainly nobody's
# .NAME.PROCESS-COMPUTER-RANDOM.tmp; older versions did not name the computer
_TEMPORARY = re.compile(r"\..+\.(\d{1,10})-(?:([0-9a-f]{8})-)?[0-9a-f]{8}\.tmp", re.DOTALL)
_WRITER = re.compile(r"\..+\.(\d{1,10})-([0-9a-f]{8})-[0-9a-f]{8}\.writer", re.DOTALL)  # as above
_LONGEST = 100  # characters of a name that somebody else chose


@contextmanager
def put_in_place(path: Path, hint: str = "Is the folder writable and the disk not full?") -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` at the end of the block; if that fails, what was there stays.

    The folder is made, and what killed writers left in it is removed. `OutputFailed`, ending with the hint, if
    something cannot be written.
    """
    mark = f"{os.getpid()}-{_here()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name[:50]}.{mark}.tmp")  # no longer than names may be
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path.parent)
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


def file_name(name: str) -> str:
    """The name of a benchmark, table or strategy as (part of) a file's name, the same on every system.

    Where more than ``/`` and ``:`` had to be replaced, what it was made of is told apart by a digest at its end.
    """
    usual = name.replace("/", "-").replace(":", "-")
    safe = re.sub(r"[^A-Za-z0-9_.=+-]", "-", usual)[:_LONGEST]
    if safe == usual and re.match(r"[A-Za-z0-9_]", safe):
        return safe
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{safe.lstrip('.-+=') or 'name'}-{digest}"


def sign_writer(path: Path) -> Path | None:
    """Say beside a file that this process writes it, for `is_written`; the sign to be removed, None where it cannot."""
    sign = path.with_name(f".{path.name[:50]}.{os.getpid()}-{_here()}-{secrets.token_hex(4)}.writer")
    try:
        sign.touch(exist_ok=False)
    except OSError:
        return None
    for old in path.parent.glob(f".{path.name[:50]}.*.writer"):  # of processes that were killed
        with suppress(OSError):
            if _of_the_dead(old):
                old.unlink()
    return sign


def is_written(path: Path) -> bool:
    """Whether a process that lives has said that it writes a file; one of another computer counts as living."""
    return any(not _of_the_dead(sign) for sign in path.parent.glob(f".{path.name[:50]}.*.writer"))


def _of_the_dead(sign: Path) -> bool:
    made = _WRITER.fullmatch(sign.name)
    return made is None or (made[2] == _here() and _has_ended(int(made[1])))


def _remove_left(folder: Path) -> None:
    """Remove the temporary files of processes that have ended; of another computer's, those that are old."""
    with os.scandir(folder) as entries:
        left = [(entry, made) for entry in entries if (made := _TEMPORARY.fullmatch(entry.name)) is not None]
    for entry, made in left:
        with suppress(OSError):  # it has just been put in place, or removed by another process
            old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE
            if old or (made[2] == _here() and _has_ended(int(made[1]))):
                Path(entry.path).unlink()


def _has_ended(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking a process is telling it to end
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # somebody else's
        return False
    return False


@cache
def _here() -> str:
    """What tells the numbers of this computer's processes, or this container's, from those of others."""
    import platform

    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return hashlib.blake2b(f"{platform.node()} {space}".encode(), digest_size=4).hexdigest()
