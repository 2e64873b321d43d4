"""Whole runs on any executor: the same study whoever does the work, and whoever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from nassim import engines
from nassim.engines import check_engine, engine
from nassim.errors import CorruptData, InvalidSetting, MissingDependency, NassimError
from nassim.grid import refuse_other_data
from nassim.identity import Identity, identity, refuse_other, refuse_others
from nassim.processes import WorkerLost, processes
from nassim.registry import get_benchmark
from nassim.spreading import handed, spread
from nassim.study import Study, compare
from nassim.summary import summary_rows, write_csv

BOTH = ["toy/additive", "nasbench201/digits"]


def study(tmp_path: Path, name: str, **options: object) -> bytes:
    """What summary.csv says of a small study that is made in some way."""
    made: Study = compare(["re"], BOTH, "30q", seeds=4, out=tmp_path / name, **options)  # type: ignore[arg-type]
    return summary(made, tmp_path / name)


def summary(made: Study, folder: Path) -> bytes:
    path = write_csv(folder / "summary.csv", summary_rows(made))
    made.close()
    return path.read_bytes()


@pytest.mark.slow
def test_threads_and_processes_give_the_same_bytes(tmp_path: Path) -> None:
    one = study(tmp_path, "one")
    assert study(tmp_path, "two", jobs=2) == one
    with ThreadPoolExecutor(2) as threads:  # runs are off the main thread: no handler may be set there
        assert study(tmp_path, "threads", executor=threads, jobs=None) == one


@pytest.mark.slow
def test_the_standard_pool_and_joblib_give_the_same_bytes(tmp_path: Path) -> None:
    one = study(tmp_path, "one")
    with ProcessPoolExecutor(2) as pool:
        assert study(tmp_path, "pool", executor=pool, jobs=None) == one
    loky = pytest.importorskip("joblib.externals.loky")
    with loky.get_reusable_executor(2) as reusable:
        assert study(tmp_path, "loky", executor=reusable, jobs=None) == one


def test_compare_may_be_called_inside_joblibs_threads(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    call = joblib.delayed(lambda k: len(compare(["re"], "toy/additive", "20q", seeds=2 + k).runs))
    assert joblib.Parallel(2, backend="threading")(call(k) for k in range(2)) == [4, 6]


@pytest.mark.slow
def test_a_local_dask_cluster_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    assert study(tmp_path, "dask", engine="dask", jobs=2) == study(tmp_path, "one")


# -- chunks and losses --------------------------------------------------------------------------------------


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


class Counting(Executor):
    """Does everything at once, and remembers how much was handed to it."""

    def __init__(self) -> None:
        self.chunks: list[int] = []

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # type: ignore[override]
        future: Future[object] = Future()
        found = fn(*args, **kwargs)
        self.chunks.append(len(found.results))  # type: ignore[attr-defined]
        future.set_result(found)
        return future


def test_short_work_travels_in_chunks_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10**9))
    monkeypatch.setattr("nassim.spreading.perf_counter", lambda: 0.0)
    counting = Counting()  # work that takes no time: chunks grow until there is little left
    assert sorted(spread(counting, int, list(range(10_000)), 2)) == list(range(10_000))
    assert counting.chunks[0] == 1 and max(counting.chunks) > 1000
    assert all(b <= 8 * a for a, b in zip(counting.chunks[4:], counting.chunks[5:], strict=False))
    monkeypatch.setattr("nassim.spreading.perf_counter", lambda: 2.0 * next(ticks))  # two seconds each chunk
    counting = Counting()
    list(spread(counting, int, list(range(50)), 2))
    assert set(counting.chunks) == {1}


@pytest.mark.slow
def test_a_lost_workers_chunk_runs_again_and_only_that() -> None:
    with processes(2) as pool:
        list(spread(pool, nap, [0.01] * 4, 2))
        victim = pool.pids[0]
        threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
        began = list(spread(pool, nap, [0.6] * 4, 2))
    assert len(began) == 4 and victim not in began and len(set(began)) == 2


class Unlucky(Counting):
    """Loses every chunk that has several items, and says so."""

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # type: ignore[override]
        items = args[0].value[1][1]  # type: ignore[attr-defined]
        if len(items) == 1:
            return super().submit(fn, *args, **kwargs)
        future: Future[object] = Future()
        future.set_exception(WorkerLost("killed"))
        return future


def test_what_is_lost_is_done_again_one_at_a_time() -> None:
    """A chunk that takes long would be lost again and again where workers are killed often."""
    unlucky = Unlucky()
    assert sorted(spread(unlucky, int, list(range(100)), 2)) == list(range(100))
    assert set(unlucky.chunks) == {1}


def end_this_process(_: int) -> None:
    os._exit(3)


@pytest.mark.slow
def test_work_that_kills_every_worker_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nassim.spreading.MOST_LOSSES", 2)
    with processes(1) as pool, pytest.raises(NassimError, match="2 times in a row"):
        list(spread(pool, end_this_process, [0], 1))
    with processes(1) as pool:
        assert isinstance(pool.submit(end_this_process, 0).exception(), WorkerLost)
        assert pool.submit(nap, 0).result()


@pytest.mark.slow
def test_work_that_never_comes_back_is_said() -> None:
    with pytest.raises(NassimError, match=r"given anything back for 0\.5 s.*--timeout"), processes(1) as pool:
        list(spread(pool, nap, [600.0], 1, timeout=0.5))


def test_a_broken_executor_is_said() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(NassimError, match="the executor ended with it"):
        list(spread(pool, end_this_process, [0], 1))


# -- who may work -------------------------------------------------------------------------------------------


def test_an_engine_is_one_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("ray", "dask:", "dask:host", "dask:host:port", "dask:tcp://host:1"):
        with pytest.raises(InvalidSetting, match="is no engine"):
            check_engine(text)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependency, match=r"nassim\[dask\]"):
        check_engine("dask:host:8786")


@pytest.mark.slow
def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "CONNECT", 0.3)
    said = pytest.raises(NassimError, match=r"no scheduler of Dask answers at 127\.0\.0\.1:9 within")
    with said, engine("dask:127.0.0.1:9", None):
        pass


@pytest.mark.slow
def test_a_scheduler_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "CONNECT", 1.0)
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster:
        place = cluster.scheduler_address.removeprefix("tcp://").removeprefix("inproc://")
        if place.count(":") != 1:
            pytest.skip("no address of a port")
        with pytest.raises(NassimError, match="has no workers: start some"), engine(f"dask:{place}", None):
            pass


def test_workers_of_another_nassim_are_refused() -> None:
    mine, other = identity(), Identity("0.0.9", "0" * 32, "3.10")
    refuse_others(mine, {"tcp://a:1": mine}, "host:1")
    with pytest.raises(InvalidSetting, match=r"tcp://b:1 of host:1 runs nassim 0\.0\.9"):
        refuse_others(mine, {"tcp://a:1": mine, "tcp://b:1": other}, "host:1")
    with pytest.raises(InvalidSetting, match="cannot work for nassim"):
        refuse_others(mine, {"tcp://b:1": "No module named 'nassim'"}, "host:1")
    with pytest.raises(InvalidSetting, match="a worker runs"):
        refuse_other(other)


def test_workers_with_other_data_are_refused(tmp_path: Path) -> None:
    digits = get_benchmark("nasbench201/digits")
    refuse_other_data(digits, digits.about.sha256)
    with pytest.raises(CorruptData, match="other data of nasbench201/digits"):
        refuse_other_data(digits, "0" * 64)


# -- Dask, killed ----------------------------------------------------------------------------------------------

KILLED = """
import os, random, signal, sys, threading, time
from nassim import engines
from nassim.engines import engine
from nassim.spreading import handed, spread

def nap(k):
    time.sleep(0.2)
    return k

if __name__ == "__main__":
    kills, rng = int(sys.argv[2]), random.Random(1)
    with engine(sys.argv[1], 2) as at_work:
        def killer():
            for _ in range(kills):
                time.sleep(1.2 + rng.random())
                os.kill(rng.choice(at_work.pids()), signal.SIGKILL)
        thread = threading.Thread(target=killer)
        thread.start()
        found = list(spread(at_work.executor, nap, list(range(int(sys.argv[3]))), 2))
        thread.join()
    print(sorted(found) == list(range(int(sys.argv[3]))), len(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes", "dask"])
def test_killed_workers_lose_nothing(tmp_path: Path, name: str) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    (tmp_path / "script.py").write_text(KILLED)
    command = [sys.executable, "script.py", name, "3", "60"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert done.stdout == "True 60\n", done.stderr
    assert done.stderr == ""


# -- what is sent, and who can hear it -------------------------------------------------------------------------


class Asked:
    """Counts how often it is made into bytes."""

    times = 0

    def __reduce__(self) -> tuple[type[Asked], tuple[()]]:
        type(self).times += 1
        return Asked, ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes", "dask"])
def test_what_is_sent_is_pickled_once(name: str) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    Asked.times = 0
    with engine(name, 1) as at_work:
        assert handed(at_work.executor, len, [Asked()]).result() == 1
    assert Asked.times == 1


def listening() -> set[str]:
    """The addresses at which this machine can be reached, in hexadecimal, with their ports."""
    lines = [line for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {line.split()[1] for line in lines if line.split()[3] == "0A"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp6").exists(), reason="reads /proc")
def test_two_local_clusters_stand_beside_each_other_and_listen_to_this_machine_alone() -> None:
    pytest.importorskip("distributed")
    before = listening()
    with warnings.catch_warnings(), engine("dask", 2) as one, engine("dask", 1) as other:
        warnings.simplefilter("error")  # Dask's, of a port that is taken
        assert one.executor.submit(os.getpid).result() != other.executor.submit(os.getpid).result()
        new = listening() - before
    assert len(new) >= 5 and {address.partition(":")[0] for address in new} == {"0100007F"}  # 127.0.0.1
