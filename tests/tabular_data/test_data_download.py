"""Fetching: a loopback server that breaks connections, ignores ranges and lies, and a folder as the mirror."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nassim.errors import CorruptData, InvalidSetting, MissingData, OutputFailed
from nassim.tabular_data.download import ATTEMPTS, RemoteFile, fetch, local_path

CONTENT = random.Random(0).randbytes(300_000)
FILE = RemoteFile("owner/data", "0123abc", "a folder/values.csv", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
OTHER = RemoteFile("owner/data", "0123abc", "b.csv", 5, hashlib.sha256(b"hello").hexdigest())


@dataclass
class Server:
    """What is served, how badly, and what was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True  # understands Range
    breaks_after: list[int] = field(default_factory=list)  # bytes of the body, for one answer after the other
    statuses: list[int] = field(default_factory=list)  # refusals before the first answer
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        self.asked.append((handler.path, asked))
        body = self.files.get(handler.path)
        if self.statuses:
            return handler.send_error(self.statuses.pop(0))
        if body is None:
            return handler.send_error(404)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if start >= len(body) and asked and self.ranges:
            return handler.send_error(416)
        handler.send_response(206 if asked and self.ranges else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        end = start + self.breaks_after.pop(0) if self.breaks_after else len(body)
        handler.wfile.write(body[start:end])
        return None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    state = Server(files={f"/{FILE.address.replace(' ', '%20')}": CONTENT, f"/{OTHER.address}": b"hello"})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # the connection ends with the answer

        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}"
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


def get(server: Server, *files: RemoteFile, **options: object) -> dict[str, Path]:
    return fetch("example", files or (FILE,), **{"mirror": server.url, "pause": 0.0, **options})  # type: ignore[arg-type]


def part() -> Path:
    return local_path(FILE).with_name("values.csv.part")


def left() -> list[str]:
    return sorted(path.name for path in local_path(FILE).parent.iterdir())


def test_files_arrive_whole_and_once(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    paths = get(server, FILE, OTHER, progress=lambda here, total: seen.append((here, total)))
    assert paths == {FILE.path: tmp_path / "data" / "downloads" / FILE.address, OTHER.path: local_path(OTHER)}
    assert paths[FILE.path].read_bytes() == CONTENT
    assert left() == ["values.csv"]
    assert len(server.asked) == 2
    total = FILE.size + OTHER.size
    assert seen == sorted(seen) and seen[-1] == (total, total) and len(seen) > 4
    get(server, FILE, OTHER)
    assert len(server.asked) == 2


def test_a_broken_connection_is_continued(server: Server) -> None:
    server.breaks_after = [100_000, 1, 50_000]
    assert get(server)[FILE.path].read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-", "bytes=100001-", "bytes=150001-"]


def test_what_had_arrived_before_the_process_ended_is_kept(server: Server) -> None:
    part().parent.mkdir(parents=True)
    part().write_bytes(CONTENT[:299_000])
    assert get(server)[FILE.path].read_bytes() == CONTENT
    assert server.asked[0][1] == "bytes=299000-"
    assert left() == ["values.csv"]


def test_a_server_that_cannot_continue_sends_all_again(server: Server) -> None:
    server.ranges = False
    server.breaks_after = [100_000]
    assert get(server)[FILE.path].read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_refusal_is_tried_again(server: Server, status: int) -> None:
    server.statuses = [status] * (ATTEMPTS - 1)
    assert get(server)[FILE.path].read_bytes() == CONTENT


@pytest.mark.parametrize("statuses", [[503] * ATTEMPTS, [404], [403]])
def test_a_lasting_refusal_is_one_line(server: Server, statuses: list[int], tmp_path: Path) -> None:
    server.statuses = list(statuses)
    with pytest.raises(MissingData) as caught:
        get(server, FILE, OTHER)
    message = str(caught.value)
    assert len(server.asked) == len(statuses)
    assert f"{server.url}/owner/data/0123abc/a%20folder/values.csv cannot be fetched ({statuses[0]} " in message
    assert "example needs 2 more file(s), 0.3 MB (`nassim data info example` lists them)" in message
    assert str(tmp_path / "data" / "downloads") in message and "--mirror" in message and "NASSIM_MIRROR" in message
    assert "\n" not in message


def test_without_a_connection(server: Server) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(MissingData, match=r"cannot be fetched \(.*refused\)\. example needs 1 more"):
            get(server, mirror=f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_connections_that_break_at_once_are_given_up_and_nothing_is_lost(server: Server) -> None:
    server.breaks_after = [1000] + [0] * ATTEMPTS
    with pytest.raises(MissingData, match="the connection ended early"):
        get(server)
    assert part().read_bytes() == CONTENT[:1000]
    assert get(server)[FILE.path].read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=1000-"


# -- other bytes ------------------------------------------------------------------------------------


def test_a_wrong_checksum(server: Server) -> None:
    path = next(iter(server.files))
    server.files[path] = CONTENT[:-1] + b"?"
    with pytest.raises(CorruptData, match=f"sha256 is not {FILE.sha256}"):
        get(server)
    assert left() == []
    server.files[path] = CONTENT
    assert get(server)[FILE.path].read_bytes() == CONTENT


@pytest.mark.parametrize(("content", "length"), [(CONTENT[:-7], "299,993"), (CONTENT + b"x", "300,001"), (b"", "0")])
def test_a_file_of_another_length(server: Server, content: bytes, length: str) -> None:
    server.files[next(iter(server.files))] = content
    with pytest.raises(CorruptData, match=f"it has {length} bytes instead of 300,000"):
        get(server)
    assert len(server.asked) == 1
    assert not local_path(FILE).exists()


def test_a_part_of_something_longer(server: Server) -> None:
    server.files[next(iter(server.files))] = CONTENT[:1000]
    part().parent.mkdir(parents=True)
    part().write_bytes(CONTENT[:2000])
    with pytest.raises(CorruptData, match="at most 2,000 bytes instead of 300,000"):
        get(server)
    assert not part().exists()


def test_a_part_of_something_else(server: Server) -> None:
    part().parent.mkdir(parents=True)
    part().write_bytes(b"x" * 1000)
    with pytest.raises(CorruptData, match="sha256"):
        get(server)
    assert get(server)[FILE.path].read_bytes() == CONTENT
    part().write_bytes(b"x" * 400_000)
    local_path(FILE).unlink()
    assert get(server)[FILE.path].read_bytes() == CONTENT


def test_an_altered_file_is_replaced(server: Server) -> None:
    path = get(server)[FILE.path]
    path.write_bytes(b"altered")
    assert get(server)[FILE.path].read_bytes() == CONTENT
    path.write_bytes(b"altered")
    server.statuses = [404]
    with pytest.raises(MissingData, match="needs 1 more file"):
        get(server)


# -- mirrors ------------------------------------------------------------------------------------------


def mirror_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a mirror"
    path = folder / FILE.address
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return folder


def test_a_folder_is_a_mirror(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mirror_folder(tmp_path)
    for mirror in (str(folder), folder.as_uri(), f"{folder}/"):
        assert get(server, mirror=mirror)[FILE.path].read_bytes() == CONTENT
        local_path(FILE).unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASSIM_MIRROR", "a mirror")
    assert get(server, mirror="")[FILE.path].read_bytes() == CONTENT
    assert not server.asked


def test_the_option_goes_before_the_variable(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_MIRROR", str(mirror_folder(tmp_path)))
    get(server)
    assert len(server.asked) == 1


def test_a_mirror_without_the_file_or_with_half_of_it(server: Server, tmp_path: Path) -> None:
    folder = mirror_folder(tmp_path)
    with pytest.raises(MissingData, match=r"b\.csv: there is no such file.*needs 1 more"):
        get(server, FILE, OTHER, mirror=str(folder))
    local_path(FILE).unlink()
    (folder / FILE.address).write_bytes(CONTENT[:1000])
    with pytest.raises(CorruptData, match="1,000 bytes instead of 300,000"):
        get(server, mirror=str(folder))


def test_other_mirrors_are_refused(server: Server) -> None:
    with pytest.raises(InvalidSetting, match="ftp://there"):
        get(server, mirror="ftp://there/data")


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "file"))
    with pytest.raises(OutputFailed, match="NASSIM_DATA"):
        get(server)
