"""Leases: one holder at a time, whoever dies, stops or comes late. No torch."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from nassim.errors import OutputFailed
from nassim.full_training.training import leases
from nassim.full_training.training.kept_file import open_file
from nassim.full_training.training.leases import Lease, hold, is_running, machine, started

Open = Callable[[], AbstractContextManager[sqlite3.Connection]]
HOLDER = (
    "import sys; from pathlib import Path; from nassim.full_training.training.kept_file import open_file\n"
    "from nassim.full_training.training.leases import hold\n"
    "with hold(lambda: open_file(Path(sys.argv[1])), 'key'):\n"
    "    print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trainings.db"


@pytest.fixture
def database(path: Path) -> Open:
    return lambda: open_file(path)


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lease of ``key``."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def rows(database: Open) -> list[tuple[object, ...]]:
    with database() as db:
        return db.execute("SELECT key, token, machine, pid FROM leases").fetchall()


def test_a_lease_is_held_through_the_block_and_given_back(database: Open) -> None:
    with hold(database, "a") as lease:
        ((key, token, *_),) = rows(database)
        assert key == "a" and lease.renew()
        with hold(database, "b"):
            assert len(rows(database)) == 2
        assert Lease(database, "a", 60).take() == f"process {os.getpid()} on {machine().split()[0]}"
        assert rows(database)[0][1] == token
    assert rows(database) == []
    with pytest.raises(KeyError), hold(database, "a"):
        raise KeyError
    assert rows(database) == [] and not [t for t in threading.enumerate() if t.name.startswith("lease")]


def test_threads_take_turns(database: Open) -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with hold(database, "a"):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and inside == 0


def test_the_second_process_waits_for_the_first(database: Open, holder: subprocess.Popen[bytes]) -> None:
    told: list[str] = []

    def end(who: str) -> None:
        told.append(who)
        assert holder.stdin is not None
        holder.stdin.close()  # now it ends by itself

    with hold(database, "key", waits=end):
        assert told == [f"process {holder.pid} on {machine().split()[0]}"]


def test_the_lease_of_a_killed_process_is_taken_over_at_once(database: Open, holder: subprocess.Popen[bytes]) -> None:
    assert Lease(database, "key", 1e6).take()
    holder.send_signal(signal.SIGKILL)  # and nobody fetches what is left of it
    deadline = time.monotonic() + 20
    lease = Lease(database, "key", 1e6)
    while lease.take() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert rows(database)[0][3] == os.getpid() and lease.renew()


def test_a_stopped_process_loses_its_lease_by_its_time_out(database: Open, holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGSTOP)
    with database() as db, db:
        db.execute("UPDATE leases SET renewed = renewed - 100")
    assert Lease(database, "key", 1000).take(), "it still has time"
    assert not Lease(database, "key", 50).take()


def test_who_lost_a_lease_is_told_and_takes_nothing_back(database: Open) -> None:
    with hold(database, "a", seconds=60) as first:
        with database() as db, db:
            db.execute("UPDATE leases SET renewed = renewed - 100")
        second = Lease(database, "a", 60)
        assert not second.take() and not first.renew() and second.renew()
    assert second.renew(), "the first one's end has dropped the second's"


@pytest.mark.parametrize("since", [-100.0, 100.0])
def test_another_machine_ends_by_the_time_out_alone(database: Open, since: float) -> None:
    """A process number says nothing there; and a clock that is far ahead must not make a lease last for ever."""
    with database() as db, db:
        db.execute("INSERT INTO leases VALUES ('a', 'x', 'elsewhere 1 2', 999999999, '1', ?)", (time.time(),))
    assert Lease(database, "a", 50).take() == "process 999999999 on elsewhere"
    with database() as db, db:
        db.execute("UPDATE leases SET renewed = ?", (time.time() + since,))
    assert not Lease(database, "a", 50).take()


def test_a_lease_is_renewed_while_it_is_held(database: Open) -> None:
    with hold(database, "a", seconds=0.4):
        with database() as db:
            (before,) = db.execute("SELECT renewed FROM leases").fetchone()
        deadline = time.monotonic() + 20
        now = before
        while now == before and time.monotonic() < deadline:
            time.sleep(0.05)
            with database() as db:
                (now,) = db.execute("SELECT renewed FROM leases").fetchone()
        assert now > before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux says when a process was started")
def test_a_number_that_was_given_again_is_another_process() -> None:
    own = started(os.getpid())
    assert own and is_running(os.getpid(), own) and not is_running(os.getpid(), str(int(own) - 1))
    assert is_running(1, "") and not is_running(2**22 + 1, "")


def test_a_failing_disk_ends_no_beat(database: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with hold(database, "a", seconds=0.2) as lease:
        calls: list[int] = []

        def fails() -> bool:
            calls.append(1)
            raise OutputFailed("full")

        monkeypatch.setattr(lease, "renew", fails)
        deadline = time.monotonic() + 20
        while len(calls) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(calls) >= 2
    assert leases.SECONDS >= 60


def test_a_file_of_a_later_version_is_said(path: Path, database: Open) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(OSError, match="later version of nassim"):
        rows(database)
