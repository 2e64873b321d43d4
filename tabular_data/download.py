"""Fetching released files: a fixed commit, a known sha256, resumed where a connection broke.

pooch decides whether a file is there and whole, and puts it in place; the transfer is done here, because
pooch's own starts again from the first byte. The host can be replaced by a mirror: a URL or a folder
below which the files lie as ``OWNER/REPOSITORY/COMMIT/PATH``, like below the host itself. Whatever a server does,
it is asked a bounded number of times, for a bounded time, and has to send at a slowest rate (`Limits`).
"""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nassim.errors import CorruptData, InvalidSetting, MissingData, NassimError, OutputFailed
from nassim.tabular_data.locations import downloads_folder
from nassim.tabular_data.paced import USUAL, Limits, TooLong, TooSlow, open_url

HOST = "https://raw.githubusercontent.com"
VARIABLE = "NASSIM_MIRROR"
ATTEMPTS = 5  # in a row without progress
_CHUNK = 1 << 16

Progress = Callable[[int, int], None]  # bytes that are here, bytes in all


class RemoteFile(NamedTuple):
    """A file of a public repository at a commit; ``size`` in bytes.

    name: how its recipe calls it, where it has several of one path; else it is called by its path.
    """

    repository: str
    commit: str
    path: str
    size: int
    sha256: str
    name: str = ""

    @property
    def key(self) -> str:
        """How the recipe calls it."""
        return self.name or self.path

    @property
    def address(self) -> str:
        """Where it lies below the host, a mirror, and the downloads folder."""
        return f"{self.repository}/{self.commit}/{self.path}"


def fetch(
    name: str,
    files: Sequence[RemoteFile],
    *,
    mirror: str = "",
    progress: Progress | None = None,
    pause: float = 1.0,
    limits: Limits = USUAL,
) -> dict[str, Path]:
    """Bring the files of a recipe here; those that are here and whole are not fetched again.

    name: of the recipe, for the messages.
    mirror: replaces the host, before the environment variable ``NASSIM_MIRROR``.
    pause: seconds before the second attempt of a transfer; twice as many before each further one.
    limits: what a server may take for each file.

    Returns the local path by `RemoteFile.key`. `MissingData` if a file cannot be reached: what has arrived
    of it is kept and continued the next time. `CorruptData` if it is not the one that was released.
    """
    source = mirror or os.environ.get(VARIABLE, "").strip() or HOST
    paths: dict[str, Path] = {}
    before, total = 0, sum(file.size for file in files)
    for number, file in enumerate(files):
        report = (lambda here, before=before: progress(before + here, total)) if progress else _silent
        try:
            paths[file.key] = _fetch_one(file, source, _Transfer(file, pause, limits, report))
        except _Unreachable as failure:
            missing = [file, *(f for f in files[number + 1 :] if not local_path(f).is_file())]
            raise MissingData(
                f"{failure}. {name} needs {len(missing)} more file(s), {sum(f.size for f in missing) / 1e6:.1f} MB "
                f"(`nassim data info {name}` lists them): fetch them elsewhere and put each at "
                f"{downloads_folder()}{os.sep}OWNER/REPOSITORY/COMMIT/PATH, or name a mirror: "
                f"--mirror URL-or-folder (or {VARIABLE})."
            ) from failure
        before += file.size
        report(file.size)
    return paths


def local_path(file: RemoteFile) -> Path:
    """Where a fetched file lies, whether it is there or not."""
    return downloads_folder() / file.address


def _silent(_here: int) -> None:
    pass


class _Unreachable(Exception):
    """The source has no such file, or no connection to it lasts."""


def _fetch_one(file: RemoteFile, source: str, transfer: _Transfer) -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")  # it announces each file; the command shows its own progress
    target = local_path(file)
    try:
        pooch.retrieve(
            _url(source, file),
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=str(target.parent),
            downloader=transfer,
        )
    except (NassimError, _Unreachable):
        raise
    except OSError as error:
        raise OutputFailed(
            f"{target} cannot be written: {error.strerror or error}. "
            "Make room or choose another folder by the environment variable NASSIM_DATA."
        ) from error
    except ValueError as error:  # the checksum
        raise CorruptData(
            f"{_url(source, file)} is not the released file: its sha256 is not {file.sha256}. "
            "It was not kept. Another version, or altered on the way: try again or another mirror."
        ) from error
    return target


def _url(source: str, file: RemoteFile) -> str:
    scheme = urllib.parse.urlsplit(source).scheme
    if scheme in ("http", "https"):
        return f"{source.rstrip('/')}/{urllib.parse.quote(file.address)}"
    if scheme == "file":
        source = urllib.request.url2pathname(urllib.parse.urlsplit(source).path)
    elif "://" in source:
        raise InvalidSetting(f"{source!r} is not a mirror: use a folder or an address with http, https or file.")
    return (Path(source).expanduser().absolute() / file.address).as_uri()


_EARLY = "the connection ended early"


class _Transfer:
    """Copies one file; called by pooch with the URL and the place for the bytes.

    What has arrived lies in ``<file>.part`` until it is complete, also over the end of the process.
    """

    def __init__(self, file: RemoteFile, pause: float, limits: Limits, report: Callable[[int], None]) -> None:
        self._file, self._pause, self._limits, self._report = file, pause, limits, report

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        target, size = local_path(self._file), self._file.size
        part = target.with_name(target.name + ".part")
        if _size(part) > size:
            part.unlink()
        limits = self._limits
        ends = time.monotonic() + limits.seconds
        failures = requests = 0
        while (before := _size(part)) != size:
            requests += 1
            if requests > limits.requests:
                raise _Unreachable(f"{url} cannot be fetched (it is not whole after {limits.requests} requests)")
            reason = self._attempt(url, part, ends)
            brought = max(0, _size(part) - before)
            failures = 0 if brought >= min(limits.progress, size - before) else failures + 1
            if failures >= ATTEMPTS:
                if brought > 0 and reason == _EARLY:
                    reason += f", and {ATTEMPTS} requests in a row brought less than {limits.progress:,} bytes each"
                raise _Unreachable(f"{url} cannot be fetched ({reason})")
            if failures:
                time.sleep(max(0.0, min(self._pause * 2 ** (failures - 1), ends - time.monotonic())))
        part.replace(output_file)

    def _attempt(self, url: str, part: Path, ends: float) -> str:
        """Fetch what is missing; why it did not all come, if it did not. `_Unreachable` if it never will."""
        try:
            self._receive(url, part, ends)
        except TooLong as error:
            raise _Unreachable(f"{url} cannot be fetched ({error})") from error
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code not in (408, 429):
                raise _Unreachable(f"{url} cannot be fetched ({error.code} {error.reason})") from error
            return f"{error.code} {error.reason}"
        except (http.client.HTTPException, urllib.error.URLError, ConnectionError, TimeoutError, TooSlow) as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, FileNotFoundError):
                raise _Unreachable(f"{url}: there is no such file") from cause
            return str(cause) or type(cause).__name__
        return _EARLY

    def _receive(self, url: str, part: Path, ends: float) -> None:
        """Append what is missing, as far as it comes."""
        start = 0 if url.startswith("file:") else _size(part)
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        try:
            response = open_url(request, self._limits, ends)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # there is no such byte
                error.close()
                part.unlink()
                raise self._other(url, f"at most {start:,}") from error
            raise
        with response:
            if start and response.status != 206:
                start = 0  # the server sends the whole file
            length = response.headers.get("Content-Length")
            if length is not None and not length.isdecimal():
                raise http.client.HTTPException(f"a length of {length!r:.40}")
            if length is not None and start + int(length[:18]) != self._file.size:
                raise self._other(url, f"{start + int(length[:18]):,}")
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                while chunk := response.read1(_CHUNK):  # as it comes
                    start += file.write(chunk)
                    if start > self._file.size:
                        raise self._other(url, f"more than {self._file.size:,}")
                    self._report(start)

    def _other(self, url: str, length: str) -> CorruptData:
        return CorruptData(
            f"{url} is not the released file: it has {length} bytes instead of {self._file.size:,}. "
            "Another version, or altered on the way: try another mirror."
        )


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
