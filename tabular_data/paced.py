"""Connections that may not drag on: the pace of whatever a server sends, from the first byte of its head, is watched.

urllib's own time limit is one for silence: a server that sends a byte now and then is waited for without end.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple

_SILENCE = 30.0  # seconds without a byte


class Limits(NamedTuple):
    """What a server may take for one file."""

    requests: int = 100
    progress: int = 1 << 16  # bytes (or the rest) that a request brings, else it counts as failed
    rate: float = 1000.0  # bytes a second, at least ...
    window: float = 60.0  # ... in so many seconds
    seconds: float = 6 * 3600.0  # in all


USUAL = Limits()


class TooSlow(Exception):
    """A server sends less than the slowest rate."""


class TooLong(Exception):
    """The time for a file is over."""


class Pace:
    """Counts what arrives over one connection; ``ends``: when the time for the file is over (`time.monotonic`)."""

    def __init__(self, limits: Limits, ends: float) -> None:
        self._limits, self._ends = limits, ends
        self._since, self._bytes = time.monotonic(), 0

    def count(self, number: int) -> None:
        """Note that so many bytes have arrived; `TooSlow` or `TooLong`."""
        now, limits = time.monotonic(), self._limits
        self._bytes += number
        if now > self._ends:
            raise TooLong(f"it took longer than {limits.seconds:,.0f} s")
        if now - self._since >= limits.window:
            if self._bytes < limits.rate * (now - self._since):
                raise TooSlow(f"it sends less than {limits.rate:,.0f} bytes a second")
            self._since, self._bytes = now, 0


def open_url(request: urllib.request.Request, limits: Limits, ends: float) -> Any:
    """The response to a request, as of `urllib.request.urlopen`, whose head and body come at a pace."""
    pace = Pace(limits, ends)
    opener = urllib.request.build_opener(_Http(pace), _Https(pace))
    return opener.open(request, timeout=min(_SILENCE, limits.window))


class _PacedSocket(io.RawIOBase):
    """The reading end of a socket."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        number: int | None = self._raw.readinto(buffer)
        if number:
            self._pace.count(number)
        return number

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connect(kind: Callable[..., http.client.HTTPConnection], pace: Pace) -> Callable[..., http.client.HTTPConnection]:
    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            self.fp = io.BufferedReader(_PacedSocket(self.fp.detach(), pace))

    def connect(*arguments: Any, **options: Any) -> http.client.HTTPConnection:
        connection = kind(*arguments, **options)
        connection.response_class = Response
        return connection

    return connect


class _Http(urllib.request.HTTPHandler):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_connect(http.client.HTTPConnection, self._pace), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        verified = ssl.create_default_context()  # made where it is needed: it reads all certificates
        return self.do_open(_connect(http.client.HTTPSConnection, self._pace), request, context=verified)
