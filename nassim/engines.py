"""Who does the work of a study: processes of this machine, or Dask's workers, here or anywhere.

An engine is named ``processes``, ``dask`` (as many processes of this machine, behind a scheduler) or
``dask:HOST:PORT`` (a scheduler that runs, with whatever workers it has); or it is any `concurrent.futures.Executor`.
"""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from nassim.errors import InvalidSetting, MissingDependency, NassimError
from nassim.identity import Identity, identity, refuse_others
from nassim.processes import Order, WorkerLost, Workers, processes
from nassim.spreading import width

PROCESSES, DASK = "processes", "dask"
CONNECT = 10.0  # seconds that a scheduler has to answer, and to have a worker
START = 300.0  # and that a worker on this machine has to start, however busy it is
_HERE = "127.0.0.1"  # a local cluster listens here alone: who reaches a port of Dask's can run what he likes
_DEVICE = "GPU"  # the resource by which Dask's workers say that they have a device: one training each


class Engine(NamedTuple):
    """An executor, how many workers it has, and the numbers of their processes where they are known.

    drop: ends at once what they are doing, where they are processes of this machine.
    """

    executor: Executor
    workers: int
    pids: Callable[[], list[int]] = list
    drop: Callable[[], object] = list


def check_engine(name: str) -> str:
    """The name of an engine; `InvalidSetting` for another text, `MissingDependency` where Dask is not installed."""
    if name in (PROCESSES, DASK) or re.fullmatch(r"dask:[^\s:/]+:\d{1,5}", name):
        if name != PROCESSES:
            _distributed()
        return name
    raise InvalidSetting(f"{name!r:.80} is no engine: use processes, dask, or dask:HOST:PORT (a scheduler that runs).")


@contextmanager
def engine(
    chosen: str | Executor | Engine,
    workers: int | None,
    *,
    environments: Sequence[Mapping[str, str]] = (),
    devices: bool = False,
) -> Iterator[Engine]:
    """The engine for the time of the block, with ``workers`` workers (None: as many as it has).

    ``environments``: of each process that is started here; ``devices``: a worker has one device for itself. Workers of
    another nassim are refused before anything is sent to them. Nothing that was started stays; an executor that was
    passed is the caller's to end.
    """
    if isinstance(chosen, Engine):
        yield chosen
    elif not isinstance(chosen, str):
        yield Engine(chosen, workers or width(chosen))
    elif chosen == PROCESSES:
        with processes(workers or 1, environments) as pool:
            yield Engine(pool, workers or 1, lambda: pool.pids, pool.drop)
    elif chosen == DASK:
        with (
            _local_cluster(workers or 1, environments) as (address, pool),
            _client(address, workers or 1, START) as client,
        ):
            yield Engine(_executor(client, devices), workers or 1, lambda: pool.pids, pool.drop)
    else:
        with _client(f"tcp://{check_engine(chosen).partition(':')[2]}", 1) as client:
            there = _threads(client, devices)
            if workers is not None and workers > there:
                raise InvalidSetting(
                    f"{workers} workers are asked for, and {chosen} has {there}: use --workers {there}."
                )
            yield Engine(_executor(client, devices), workers or there)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingDependency(
            "the engine dask needs distributed, which is not installed: pip install nassim[dask]"
        ) from None
    for name in ("distributed", "tornado.application"):  # what is lost is done again, and needs no words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed


@contextmanager
def _client(address: str, least: int, patience: float | None = None) -> Iterator[Any]:
    """A connection to a scheduler that has ``least`` workers of this very nassim."""
    distributed = _distributed()
    place = address.removeprefix("tcp://")
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise NassimError(
            f"no scheduler of Dask answers at {place} within {CONNECT:g} s: is it running (dask scheduler), and can it "
            "be reached from here?"
        ) from error
    with client:
        try:
            client.wait_for_workers(least, timeout=patience or CONNECT)
        except TimeoutError:
            raise NassimError(f"the scheduler at {place} has no workers: start some (dask worker {place}).") from None
        refuse_others(identity(), _identities(client), place)
        yield client


def _identities(client: Any) -> dict[str, Identity | str]:
    """What each worker says of itself; in words why it cannot, as one that has no nassim."""
    found: dict[str, Identity | str] = {}
    for worker, answer in client.run(identity, on_error="return").items():
        found[worker] = answer if isinstance(answer, Identity) else " ".join(str(answer).split())[:200]
    return found


def _executor(client: Any, devices: bool) -> Executor:
    resources = {_DEVICE: 1} if devices and _have_devices(client) else None
    return _Posted(client.get_executor(pure=False, resources=resources))


class _Posted(Executor):
    """Dask's executor, to which work is bytes: its scheduler unpickles what passes it, and need not have nassim."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of every executor."""
        return self._executor.submit(pickle.loads, Order(fn, args, kwargs).made())


def _have_devices(client: Any) -> bool:
    return any(worker["resources"].get(_DEVICE) for worker in client.scheduler_info(n_workers=-1)["workers"].values())


def _threads(client: Any, devices: bool) -> int:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if devices and _have_devices(client):
        return int(sum(worker["resources"].get(_DEVICE, 0) for worker in workers))
    return int(sum(worker["nthreads"] for worker in workers))


@contextmanager
def _local_cluster(jobs: int, environments: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, Workers]]:
    """A scheduler in this process and workers in others, which are replaced when they die."""
    distributed = _distributed()
    cluster = distributed.LocalCluster(
        n_workers=0, processes=True, host=_HERE, dashboard_address=f"{_HERE}:0", silence_logs=50
    )
    with cluster, processes(jobs, environments) as pool:
        address = str(cluster.scheduler_address)

        def serve(lost: Future[None] | None = None) -> None:
            if lost is not None and (lost.cancelled() or not isinstance(lost.exception(), WorkerLost)):
                return
            with suppress(RuntimeError):  # the pool has ended
                pool.submit(serve_dask, address).add_done_callback(serve)

        for _ in range(jobs):
            serve()
        try:
            yield address, pool
        finally:
            pool.kill()


def serve_dask(address: str) -> None:
    """Be a worker of Dask, of one thread and one device, until the scheduler has gone."""
    import asyncio

    distributed = _distributed()

    async def work() -> None:
        one = {"nthreads": 1, "resources": {_DEVICE: 1}}
        async with distributed.Worker(address, **one, host=_HERE, dashboard_address=f"{_HERE}:0") as worker:
            await worker.finished()

    asyncio.run(work())
