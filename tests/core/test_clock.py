"""The clock against a scheduler without an event queue."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim import Clock
from nassim.errors import InvalidSetting, ProtocolError

COSTS = st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 7.0]), max_size=40)  # exact in binary, many ties


def brute_force(costs: list[float], workers: int) -> list[tuple[float, float, int, int]]:
    """Each job in turn goes to the worker that is free first; the list is sorted at the very end."""
    free_at = [0.0] * workers
    freed_by = list(range(-workers, 0))  # the job whose end freed the worker: settles ties
    jobs = []
    for number, cost in enumerate(costs):
        worker = min(range(workers), key=lambda w: (free_at[w], freed_by[w]))
        started = free_at[worker]
        free_at[worker], freed_by[worker] = started + cost, number
        jobs.append((started + cost, number, started, worker))
    return [(finished, started, worker, number) for finished, number, started, worker in sorted(jobs)]


@given(COSTS, st.integers(1, 5))
def test_clock_is_the_brute_force_scheduler(costs: list[float], workers: int) -> None:
    clock: Clock[int] = Clock(workers)
    done = []
    for number, cost in enumerate(costs):
        if not clock.free:
            done.append(clock.finish())
        clock.start(cost, number)
    while clock.running:
        assert clock.next_finish() >= clock.now
        done.append(clock.finish())
        assert clock.now == done[-1].finished
    assert [(e.finished, e.started, e.worker, e.payload) for e in done] == brute_force(costs, workers)


@given(COSTS, st.integers(1, 4))
def test_no_worker_does_two_things_and_none_idles_while_jobs_wait(costs: list[float], workers: int) -> None:
    jobs = brute_force(costs, workers)
    for worker in range(workers):
        own = sorted((started, finished) for finished, started, w, _ in jobs if w == worker)
        assert all(first[1] <= second[0] for first, second in pairwise(own))
    if jobs:
        makespan = max(job[0] for job in jobs)
        assert makespan <= sum(costs) / workers + max(costs)  # Graham's bound for list scheduling


def test_jobs_go_to_the_lowest_free_worker_and_ties_end_in_order_of_start() -> None:
    clock: Clock[str] = Clock(3)
    for name in "abc":
        clock.start(5.0, name)
    assert [clock.finish().payload for _ in "abc"] == ["a", "b", "c"]
    clock.start(1.0, "d")
    assert clock.finish().worker == 0


def test_time_passes_without_jobs_but_not_past_one() -> None:
    clock: Clock[str] = Clock(2)
    clock.advance(3.0)
    clock.start(2.0, "a")
    with pytest.raises(ProtocolError, match="finishes first"):
        clock.advance(5.0)
    with pytest.raises(ProtocolError):
        clock.advance(1.0)
    assert clock.finish()[:3] == (5.0, 1, 3.0)


def test_misuse_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="at least one worker"):
        Clock(0)
    clock: Clock[str] = Clock(1)
    with pytest.raises(ProtocolError, match="no job"):
        clock.finish()
    clock.start(1.0, "a")
    with pytest.raises(ProtocolError, match="no worker"):
        clock.start(1.0, "b")
