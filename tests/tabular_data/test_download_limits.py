"""Servers that never end: requests, time and rate of a download are bounded, and the message names which."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

CONTENT = bytes(range(256)) * 400
HEAD = b"HTTP/1.0 206 Partial Content\r\nContent-Length: %d\r\n\r\n"
Answer = Callable[[socket.socket, int], None]  # a connection, the byte from which on the file is wanted


class Server:
    """Answers every connection in a thread of its own, until it is closed."""

    def __init__(self, answer: Answer) -> None:
        self.requests = 0
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.requests += 1
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            start = request.lower().partition(b"range: bytes=")[2].partition(b"-")[0]
            self._answer(connection, int(start or b"0"))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def make(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def one_byte(connection: socket.socket, start: int) -> None:
    connection.sendall(HEAD % (len(CONTENT) - start) + CONTENT[start : start + 1])


def some_bytes(connection: socket.socket, start: int) -> None:
    connection.sendall(HEAD % (len(CONTENT) - start) + CONTENT[start : start + 2000])


def drip(connection: socket.socket, start: int) -> None:
    connection.sendall(HEAD % (len(CONTENT) - start))
    for byte in CONTENT[start:]:
        time.sleep(0.05)
        connection.sendall(bytes([byte]))


def dripping_head(connection: socket.socket, start: int) -> None:
    while True:
        time.sleep(0.05)
        connection.sendall(b"H")


def head_without_end(connection: socket.socket, start: int) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n")
    while True:
        connection.sendall(b"X-Nothing: " + b"x" * 60 + b"\r\n")


def slow(connection: socket.socket, start: int) -> None:
    connection.sendall(HEAD % (len(CONTENT) - start))
    for i in range(start, len(CONTENT), 1000):
        time.sleep(0.05)
        connection.sendall(CONTENT[i : i + 1000])


CODE = """
import sys
from nassim.errors import MissingData
from nassim.tabular_data.download import Limits, RemoteFile, fetch

file = RemoteFile("owner/data", "0123abc", "values.csv", int(sys.argv[2]), sys.argv[3])
limits = Limits(**eval(sys.argv[4]))
try:
    fetch("example", [file], mirror=sys.argv[1], pause=0.0, limits=limits)
except MissingData as error:
    print(error)
else:
    print("fetched")
"""
FAST = {"window": 0.5, "rate": 1000.0, "requests": 30, "seconds": 60.0}


@pytest.mark.parametrize(
    ("answer", "limits", "words", "most"),
    [
        (one_byte, FAST, "brought less than", 5),
        (some_bytes, {**FAST, "progress": 1000}, "30 requests", 30),
        pytest.param(drip, FAST, "less than 1,000 bytes a second", 5, marks=pytest.mark.slow),
        pytest.param(dripping_head, FAST, "less than 1,000 bytes a second", 5, marks=pytest.mark.slow),
        (head_without_end, FAST, "cannot be fetched", 5),
        pytest.param(slow, {**FAST, "seconds": 1.0}, "took longer than 1 s", 1, marks=pytest.mark.slow),
    ],
    ids=["one byte", "some bytes", "drip", "dripping head", "head without end", "slow"],
)
def test_a_server_without_end(
    serve: Callable[[Answer], Server],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    limits: dict[str, float],
    words: str,
    most: int,
) -> None:
    server = serve(answer)
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    arguments = [server.url, str(len(CONTENT)), hashlib.sha256(CONTENT).hexdigest(), repr(limits)]
    command = [sys.executable, "-c", CODE, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        pytest.fail(f"still asking after 30 s: {server.requests:,} requests")
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.count("\n") == 1
    assert words in done.stdout and "--mirror" in done.stdout, done.stdout
    assert server.requests <= most


@pytest.mark.slow
def test_a_server_that_is_slow_but_good_is_waited_for(
    serve: Callable[[Answer], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nassim.tabular_data.download import Limits, RemoteFile, fetch

    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    file = RemoteFile("owner/data", "0123abc", "values.csv", 40_000, hashlib.sha256(CONTENT[-40_000:]).hexdigest())

    def later(connection: socket.socket, start: int) -> None:
        connection.sendall(HEAD % (40_000 - start))
        for i in range(start, 40_000, 4000):
            time.sleep(0.1)
            connection.sendall(CONTENT[-40_000:][i : i + 4000])

    limits = Limits(window=0.5, rate=1000.0)
    (path,) = fetch("example", [file], mirror=serve(later).url, limits=limits).values()
    assert path.read_bytes() == CONTENT[-40_000:]
