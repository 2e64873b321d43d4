"""Files with pictures in a folder or an archive (zip, tar and its compressed forms), one after the other.

An archive is read, never unpacked: nothing is written beside it. What comes from outside is bounded: members, bytes of
each and of all, depth; names that lead out of the archive and links are refused.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from nassim.errors import CorruptData, MissingData
from nassim.tabular_data.archives import DAMAGED

SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_MEMBERS = 2_000_000
MOST_BYTES = 16 << 30  # of all members, unpacked
MOST_OF_ONE = 32 << 20  # bytes of a member that is read
DEEPEST = 8  # folders above a picture


class Picture(NamedTuple):
    """A file by its path below the source, and its bytes when they are asked for."""

    path: PurePosixPath
    read: Callable[[], bytes]


def pictures(source: Path) -> Iterator[Picture]:
    """All files of a source that end like pictures; in a folder by name, in an archive as they lie there.

    `MissingData` if there is no such source, `CorruptData` for one that is damaged, beyond the bounds, or not harmless.
    """
    if source.is_dir():
        yield from _in_folder(source)
    elif not source.is_file():
        raise MissingData(f"{source} is not there: name a folder or an archive (zip, tar) with one folder a class.")
    elif zipfile.is_zipfile(source):
        with _errors(source):
            yield from _in_zip(source)
    else:
        with _errors(source):
            yield from _in_tar(source)


def _wanted(path: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _in_folder(folder: Path) -> Iterator[Picture]:
    count = 0
    for place, folders, files in os.walk(folder):
        folders.sort()
        below = PurePosixPath(Path(place).relative_to(folder).as_posix())
        if len(below.parts) > DEEPEST:
            raise CorruptData(f"{place} lies more than {DEEPEST} folders deep: is {folder} the folder you mean?")
        for file in sorted(files):
            path = Path(place) / file
            if path.is_symlink() or not _wanted(below / file):
                continue
            count += 1
            if count > MOST_MEMBERS:
                raise CorruptData(f"{folder} has more than {MOST_MEMBERS:,} pictures.")
            yield Picture(below / file, partial(_bytes, path))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return _all(file)


def _all(file: IO[bytes]) -> bytes:
    content = file.read(MOST_OF_ONE + 1)
    if len(content) > MOST_OF_ONE:
        raise ValueError(f"more than {MOST_OF_ONE >> 20} MiB")
    return content


class _Count:
    """What has been seen of an archive's members; refuses what is too much or not harmless."""

    def __init__(self, archive: Path) -> None:
        self.archive, self.members, self.bytes = archive, 0, 0

    def check(self, name: str, size: int, *, link: bool) -> PurePosixPath:
        path = PurePosixPath(name)
        self.members += 1
        self.bytes += max(0, size)
        what = ""
        if link:
            what = f"its member {name!r:.80} is a link or a device"
        elif path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
            what = f"its member {name!r:.80} leads out of it"
        elif len(path.parts) > DEEPEST + 1:
            what = f"its member {name!r:.80} lies more than {DEEPEST} folders deep"
        elif self.members > MOST_MEMBERS:
            what = f"it has more than {MOST_MEMBERS:,} members"
        elif size < 0 or self.bytes > MOST_BYTES:
            what = f"unpacked it has more than {MOST_BYTES >> 30} GiB"
        if what:
            raise CorruptData(f"{self.archive} is refused: {what}. Nothing of it was taken.")
        return path


def _in_zip(archive: Path) -> Iterator[Picture]:
    count = _Count(archive)
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            path = count.check(info.filename, info.file_size, link=kind not in (0, stat.S_IFREG, stat.S_IFDIR))
            if _wanted(path) and not info.is_dir():
                yield Picture(path, partial(_member, file, info))


def _member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with file.open(info) as opened:
        return _all(opened)


def _in_tar(archive: Path) -> Iterator[Picture]:
    count = _Count(archive)
    with _unpacking(archive) as opened, tarfile.open(fileobj=cast(IO[bytes], _Bounded(opened)), mode="r:") as tar:
        for member in tar:
            link = not (member.isreg() or member.isdir())
            path = count.check(member.name, member.size, link=link)
            if _wanted(path) and member.isreg():
                yield Picture(path, partial(_part, tar, member))
            vars(tar)["members"] = []  # it would keep them all


def _part(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    assert opened is not None, "a regular file"
    return _all(opened)


def _unpacking(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        first = file.read(6)
    if first.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(archive))
    if first.startswith(b"BZh"):
        return bz2.open(archive)
    if first.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(archive)
    return archive.open("rb")


class _Bounded:
    """A file to read in which nothing is read at once that is larger than a picture may be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_OF_ONE + 1024:
            raise ValueError(f"a header of {size:,} bytes")
        return self._file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        if position > 2 * MOST_BYTES:
            raise ValueError(f"a member that ends at byte {position:,}")
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except (CorruptData, MissingData):
        raise
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise CorruptData(f"{archive} is no zip or tar archive or is damaged ({reason:.120}).") from error
