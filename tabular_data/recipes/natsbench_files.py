"""The files of a NATS-Bench release: folder, ``.tar`` of the folder, ``.pickle.pbz2`` or ``.pth``."""

from __future__ import annotations

import bz2
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from nassim.errors import CorruptData, InvalidSetting, MissingData, NassimError
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.archives import DAMAGED
from nassim.tabular_data.pickle_stream import records
from nassim.tabular_data.recipes.natsbench import Release

META = "meta.pickle.pbz2"
_RECORD = "*[0-9].pickle.pbz2"
_LARGEST = 1 << 23  # bytes of one record, unpacked; the known ones have less than 0.5 MB, the list of names 1.4
_UNPACKED = 64  # bytes that a packed one may become, beyond the first _LARGEST; the list of names becomes 39
_VERSIONED = re.compile(r"(NATS-[ts]ss|NAS-Bench-201)-v\d+_\d+-[0-9a-f]+")
_RECIPES = {"NATS-tss": "natsbench-topology", "NAS-Bench-201": "natsbench-topology", "NATS-sss": "natsbench-size"}


def locate(path: Path, release: Release) -> Path:
    """The release itself, where ``path`` is the folder that it lies in."""
    inside = [path / f"{name}-simple" for name in release.names if (path / f"{name}-simple").is_dir()]
    return inside[0] if inside else path


def read(path: Path, release: Release) -> Iterator[tuple[str, Any]]:
    """Records with the name of their file; ``meta`` too, where there is one, which has ``meta_archs``.

    `InvalidSetting` for the release of another recipe, `MissingData` where there are no records, `CorruptData`
    for another version, a file that is cut off or damaged, and one that holds more than plain data.
    """
    _check_version(path, release)
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        head = file.read(4)
    if head[:3] == b"BZh":
        return _stream(path, "bz2")
    if head[:2] == b"PK":
        return _stream(path, "zip")
    if head[:1] == b"\x80":  # PyTorch's old format: pickles, one after the other
        return _stream(path, "plain")
    return _tar(path, release)


def number_of(where: str) -> int | None:
    """The official number of the architecture whose record a file is, by its name."""
    match = re.fullmatch(r"0*(\d+)\.pickle\.pbz2", Path(where).name)
    return int(match[1]) if match else None


def _check_version(path: Path, release: Release) -> None:
    found = _VERSIONED.match(path.name)
    if found is None or found[0] in release.names:
        return
    recipe = _RECIPES[found[1]]
    if recipe != release.recipe:
        raise InvalidSetting(f"{path.name} is a release for another table: nassim data import {recipe} {path}")
    raise CorruptData(f"{path.name} is another version of the release: {' or '.join(release.names)} can be imported.")


def _folder(folder: Path) -> Iterator[tuple[str, Any]]:
    files = sorted(folder.glob(_RECORD))
    if not files:
        raise MissingData(f"{folder} holds no records: there should be 000000.pickle.pbz2 and so on, and {META}.")
    if (folder / META).is_file():
        files.insert(0, folder / META)
    for file in files:
        with _errors(str(file)):
            content = file.read_bytes()
        yield str(file), _unpickle(content, str(file))


def _tar(path: Path, release: Release) -> Iterator[tuple[str, Any]]:
    found = False
    with _errors(str(path)), tarfile.open(path, "r:") as archive:
        for member in archive:
            name = Path(member.name).name
            if not member.isfile() or not (name == META or number_of(name) is not None):
                continue
            file = archive.extractfile(member)
            if file is None or member.size > _LARGEST:
                raise CorruptData(f"{path}: {member.name} has {member.size:,} bytes, more than a record can have.")
            found = True
            yield f"{path}: {name}", _unpickle(file.read(), f"{path}: {name}")
        with path.open("rb") as whole:  # an archive ends with zeros, one that is cut off between two files does not
            whole.seek(archive.offset)
            if whole.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise EOFError("it has no end")
    if not found:
        raise MissingData(f"{path} holds no records of {' or '.join(release.names)}.")


def _stream(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    def opened() -> BinaryIO:
        if kind == "bz2":
            return cast(BinaryIO, _Unpacked(path, bz2.BZ2File(path)))
        if kind == "plain":
            return path.open("rb")
        archive = zipfile.ZipFile(path)
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise CorruptData(f"{path} is not a file of torch.save.")
        return cast(BinaryIO, _Unpacked(path, archive.open(pickles[0])))

    with _errors(str(path)):
        for number, record in enumerate(records(opened, name=str(path))):
            yield f"{path}: record {number}", record


class _Unpacked:
    """A packed file as it is unpacked; refuses one that becomes far larger than a release does."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self._room = _LARGEST + _UNPACKED * path.stat().st_size

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._room -= len(content)
        if self._room < 0:
            raise CorruptData(f"{self._path} becomes more than {_UNPACKED} times as large: no release does.")
        return content


def _unpickle(content: bytes, name: str) -> Any:
    with _errors(name):
        decompressor = bz2.BZ2Decompressor()
        pickled = decompressor.decompress(content, _LARGEST)
        if not decompressor.eof:
            raise EOFError("it is cut off, or too large for a record")
    return safe_pickle.loads(pickled, name=name)


@contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except NassimError:
        raise
    except DAMAGED as error:
        what = " ".join(str(error).split())
        raise CorruptData(
            f"{name} is damaged or cut off ({what:.200}). Fetch it again; nothing was imported."
        ) from error
