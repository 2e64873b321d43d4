"""Runs on the wall clock: completion orders the events, and what was written of them is replayed exactly."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from nassim.benchmark import Noise
from nassim.benchmarks.toy import load
from nassim.errors import CorruptData, InvalidSetting, NassimError, ProtocolError, Unsupported
from nassim.processes import WorkerLost
from nassim.query import Query, Result
from nassim.registry import get_benchmark
from nassim.run import run
from nassim.strategy import Search, evaluate_all, report, start, strategy
from nassim.trace import Run

TOY = load("additive", Noise.parse("draw"))


class Slow(type(TOY)):  # type: ignore[misc]
    """Toy trainings that take some milliseconds of this machine, and say that they cost hours."""

    trains = True
    pace = 0.01

    def __init__(self) -> None:
        self.__dict__.update(TOY.__dict__)
        self.made: list[str] = []
        self._lock = threading.Lock()

    def devices(self) -> list[dict[str, str]]:
        return [{} for _ in range(4)]

    def job(self, query: Query, rng: random.Random) -> Callable[[], Result]:
        result = TOY.query(query, rng)

        def work() -> Result:
            time.sleep(self.pace * (1 + sum(query.arch.choices) % 5))
            with self._lock:
                self.made.append(str(query.arch))
            return result

        return work


@pytest.fixture
def four() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@strategy(family="example", year=2026)
def filling(space, rng):  # type: ignore[no-untyped-def]
    """Four ahead of what has come back, as every strategy that is written with `start`."""
    while True:
        yield from start(space.sample(rng))


@strategy(family="example", year=2026)
def in_batches(space, rng):  # type: ignore[no-untyped-def]
    while True:
        trials = yield from evaluate_all([space.sample(rng) for _ in range(6)])
        assert [trial.arch for trial in trials] and None not in trials


@strategy(family="example", year=2026)
def reporting(space, rng) -> Search:  # type: ignore[no-untyped-def]
    while True:
        news = yield from start(space.sample(rng))
        for trial in news:
            yield from report(trial.arch, 0.5)


def on_the_wall(who: object, budget: str, executor: Executor, **options: object) -> Run:
    bench = options.pop("bench", None) or Slow()
    return run(who, bench, budget, clock="wall", engine=executor, **{"workers": 4, "seed": 3, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("who", [filling, in_batches, "re", "random_search"])
def test_completion_orders_the_events_and_workers_overlap(who: object, four: Executor) -> None:
    found = on_the_wall(who, "30q", four)
    ends = [trial.finished for trial in found.trials]
    assert found.clock == "wall" and len(found.trials) == 30 and ends == sorted(ends)
    assert {trial.worker for trial in found.trials} == {0, 1, 2, 3}
    for worker in range(4):  # one thing at a time
        own = sorted((t.started, t.finished) for t in found.trials if t.worker == worker)
        assert all(a[1] <= b[0] for a, b in pairwise(own))
    assert sum(trial.finished - trial.started for trial in found.trials) > 2 * found.seconds
    assert found.worker_seconds == pytest.approx(sum(t.result.cost for t in found.trials))
    assert found.worker_seconds > 1000 * found.seconds
    assert [x.queries for x in found.incumbents] == sorted({x.queries for x in found.incumbents})
    assert "wall s" in repr(found)


@pytest.mark.parametrize("who", [filling, in_batches, reporting, "re"])
def test_the_trace_replays_exactly_and_trains_nothing(who: object, four: Executor, tmp_path: Path) -> None:
    first = on_the_wall(who, "25q", four, trace=tmp_path / "trace")
    bench = Slow()
    again = on_the_wall(who, "25q", four, trace=tmp_path / "trace", bench=bench)
    assert again == first and bench.made == []
    assert repr(again.trials) == repr(first.trials)


@pytest.mark.slow
@pytest.mark.parametrize("who", [filling, in_batches, reporting, "re"])
def test_a_killed_run_goes_on_with_what_was_under_way(who: object, four: Executor, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    whole = on_the_wall(who, "25q", four, trace=path)
    for kept in (1, 2, 9, 24):
        lines = path.read_bytes().splitlines(keepends=True)
        cut = tmp_path / f"cut{kept}"
        cut.write_bytes(b"".join(lines[:kept]) + lines[kept][:20])  # killed in the middle of a line
        known = sum(line.startswith(b'{"trial"') for line in lines[:kept])
        bench = Slow()
        gone_on = on_the_wall(who, "25q", four, trace=cut, bench=bench)
        assert repr(gone_on.trials[:known]) == repr(whole.trials[:known])
        assert len(gone_on.trials) == 25 and len(bench.made) == 25 - known  # nothing lost, nothing twice
        assert on_the_wall(who, "25q", four, trace=cut, bench=Slow()) == gone_on


@pytest.mark.slow
def test_a_trial_that_ends_after_the_limit_is_not_recorded(four: Executor) -> None:
    bench = Slow()
    bench.pace = 0.1
    before = time.monotonic()
    found = on_the_wall(filling, "0.55s", four, bench=bench)
    assert time.monotonic() - before < 5 and found.stopped == "budget"
    assert found.trials and all(trial.finished <= 0.55 for trial in found.trials)


class Losing(ThreadPoolExecutor):
    """Loses every third piece of work, as if its worker had been killed."""

    count = 0

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        type(self).count += 1
        return super().submit(_lost if self.count % 3 == 0 else fn, *args, **kwargs)


def _lost(*_: object) -> None:
    raise WorkerLost("killed")


def test_what_a_dead_worker_had_is_done_elsewhere() -> None:
    bench = Slow()
    with Losing(4) as executor:
        found = on_the_wall(filling, "30q", executor, bench=bench)
    assert len(found.trials) == 30 and len(bench.made) == 30


@pytest.mark.slow
def test_batches_of_trainings_run_in_parallel_on_the_simulated_clock(four: Executor) -> None:
    plain, bench = run(in_batches, TOY, "24q", seed=3), Slow()
    bench.pace = 0.02
    before = time.monotonic()
    found = run(in_batches, bench, "24q", seed=3, jobs=4, engine=four)
    elapsed = time.monotonic() - before
    assert found.trials == plain.trials and found.clock == "simulated"
    slept = sum(0.02 * (1 + sum(trial.arch.choices) % 5) for trial in found.trials)
    assert len(bench.made) == 24 and elapsed < slept
    assert (
        run(in_batches, bench, "100ep", seed=3, jobs=4, engine=four).trials
        == run(in_batches, TOY, "100ep", seed=3).trials
    )


# -- what cannot be ---------------------------------------------------------------------------------------------


def test_what_the_wall_clock_cannot_do_is_one_line(four: Executor, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="nasbench201/digits trains nothing"):
        run("re", "nasbench201/digits", "9q", clock="wall")
    with pytest.raises(InvalidSetting, match=r"5 workers are asked for, and this machine has 4 devices"):
        run("re", Slow(), "9q", clock="wall", workers=5)
    with pytest.raises(InvalidSetting, match="simulated or wall"):
        run("re", Slow(), "9q", clock="sundial")
    bench = Slow()
    bench.pace = 0.4
    with pytest.raises(NassimError, match=r"given anything back for 0\.2 s"):
        on_the_wall(filling, "9q", four, bench=bench, timeout=0.2)


def test_shared_weights_have_no_trainings_to_hand_out() -> None:
    bench = get_benchmark("nasbench201/digits")
    bench.trains = True
    with pytest.raises(Unsupported, match="darts shares weights"):
        run("darts", bench, "9s", clock="wall")


def test_other_traces_are_refused(four: Executor, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    on_the_wall(filling, "9q", four, trace=path)
    with pytest.raises(InvalidSetting, match="is of another run: seed 3, now 4"):
        on_the_wall(filling, "9q", four, trace=path, seed=4)
    lines = path.read_text().splitlines()
    swapped = json.loads(lines[2])
    swapped["trial"][0][0] = "toy:0-0-0-0-0-0"[: len(swapped["trial"][0][0])]
    path.write_text("\n".join([*lines[:2], json.dumps(swapped), *lines[3:]]) + "\n")
    with pytest.raises((ProtocolError, CorruptData), match=r"replay: in the trace|does not hold"):
        on_the_wall(filling, "9q", four, trace=path)


@pytest.mark.parametrize(
    "line", ['{"trial":[1]}', "[]", "{}", '{"end":[1,2]}', '{"other":[]}', "nonsense", '{"end":["",NaN]}']
)
def test_a_trace_of_anything_else_is_refused(line: str, four: Executor, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    on_the_wall(filling, "3q", four, trace=path)
    path.write_text(path.read_text().splitlines()[0] + f"\n{line}\n")
    with pytest.raises(CorruptData, match="does not hold what happened"):
        on_the_wall(filling, "3q", four, trace=path)
    path.write_bytes(b"\xff\x00" * 10 + b"\n")
    with pytest.raises(CorruptData, match="does not hold what happened"):
        on_the_wall(filling, "3q", four, trace=path)
