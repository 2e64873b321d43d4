"""The run: clock, budget, workers, incumbents, streams. Its rules are the letters of CONTRIBUTING.md."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nassim
from nassim import (
    Budget,
    Query,
    Result,
    Run,
    Search,
    SearchSpace,
    Trial,
    evaluate,
    evaluate_all,
    start,
    strategy,
)
from nassim.benchmark import About, Benchmark
from nassim.space import Architecture, Decision
from nassim.strategy import Algorithm

JOBS = 40
SPACE = SearchSpace("jobs", [Decision("job", tuple(map(str, range(JOBS))))])


class Jobs(Benchmark):
    """Job i costs ``costs[i]`` seconds an epoch and scores ``values[i]``."""

    name = "jobs"
    space = SPACE
    epochs = 2
    fidelities = (1, 2)
    about = About("jobs", "none", "computed", "MIT", "none")

    def __init__(self, costs: list[float], values: list[float] | None = None) -> None:
        self.costs = costs
        self.values = values or [(7 * i % JOBS) / JOBS for i in range(JOBS)]
        self.drawn: list[float] = []

    def query(self, query: Query, rng: random.Random) -> Result:
        self.drawn.append(rng.random())
        epochs = self.epochs_of(query)
        job = query.arch.choices[0]
        return Result(self.values[job], epochs, epochs * self.costs[job], {})

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        return self.values[arch.choices[0]]


Step = tuple[str, int, int]  # verb, how many jobs, epochs


def scripted(steps: list[Step], told: list[list[Trial]] | None = None) -> Algorithm:
    """A strategy that hands out jobs 0, 1, 2, ... by the given verbs."""

    def script(space: SearchSpace, rng: random.Random) -> Search:
        job = 0
        for verb, count, epochs in steps:
            archs = [space.at(job + i) for i in range(count)]
            job += count
            if verb == "all":
                news = yield from evaluate_all(archs, epochs)
            elif verb == "one":
                news = [(yield from evaluate(archs[0], epochs))]
            else:
                news = yield from start(archs[0], epochs)
            if told is not None:
                told.append(news)

    return strategy(family="test", year=2020)(script)


STEPS = st.lists(
    st.tuples(st.just("all"), st.integers(1, 7), st.sampled_from([1, 2]))
    | st.tuples(st.sampled_from(["one", "start"]), st.just(1), st.sampled_from([1, 2])),
    max_size=5,
)
COSTS = st.lists(st.sampled_from([1.0, 1.5, 2.0, 4.0]), min_size=JOBS, max_size=JOBS)
WORKERS = st.integers(1, 4)


def schedule(steps: list[Step], costs: list[float], workers: int) -> list[tuple[float, float, int]]:
    """Reference simulator: (finished, started, job) of an unlimited run, in order of finishing.

    No heap and no events: a job starts when the strategy may speak and fewer than ``workers`` of the
    jobs before it are unfinished.
    """
    jobs: list[tuple[float, int, float]] = []  # finished, job, started: sorts in order of finishing
    speaks = 0.0

    def add(seconds: float) -> None:
        busy = sorted(end for end, _, _ in jobs if end > speaks)
        begin = speaks if len(busy) < workers else busy[-workers]
        jobs.append((begin + seconds, len(jobs), begin))

    for verb, count, epochs in steps:
        first = len(jobs)
        for _ in range(count):
            add(epochs * costs[len(jobs)])
        if verb == "start":  # it hears back as soon as a worker is free
            busy = sorted(end for end, _, _ in jobs)
            speaks = max(speaks, busy[-workers] if len(busy) >= workers else 0.0)
        else:
            speaks = max(speaks, *(end for end, _, _ in jobs[first:]))
    return [(end, begin, job) for end, job, begin in sorted(jobs)]


def played(result: Run) -> list[tuple[float, float, int]]:
    return [(t.finished, t.started, t.arch.choices[0]) for t in result.trials]


@given(STEPS, COSTS, WORKERS)
def test_schedule_is_the_reference_simulators(steps: list[Step], costs: list[float], workers: int) -> None:
    result = nassim.run(scripted(steps), Jobs(costs), "1000q", workers=workers)
    expected = schedule(steps, costs, workers)
    assert played(result) == expected
    assert result.stopped == "finished"
    assert result.seconds == max((finished for finished, _, _ in expected), default=0.0)
    assert result.worker_seconds == pytest.approx(sum(finished - started for finished, started, _ in expected))
    for a in result.trials:  # a worker does one thing at a time
        for b in result.trials:
            assert a is b or a.worker != b.worker or a.finished <= b.started or b.finished <= a.started


@given(
    STEPS,
    COSTS,
    WORKERS,
    st.none() | st.integers(1, 30),
    st.none() | st.integers(1, 40),
    st.none() | st.integers(1, 80),
)
def test_budgets_cut_the_unlimited_run(
    steps: list[Step], costs: list[float], workers: int, queries: int | None, epochs: int | None, halves: int | None
) -> None:
    """Rule d. Job i is the i-th to start, so the limits on queries and epochs keep the first few jobs."""
    if queries is None and epochs is None and halves is None:
        return
    seconds = math.inf if halves is None else halves / 2
    result = nassim.run(scripted(steps), Jobs(costs), Budget(seconds, queries, epochs), workers=workers)
    trained = [e for _, count, e in steps for _ in range(count)]
    affordable = [i for i in range(len(trained)) if epochs is None or sum(trained[: i + 1]) <= epochs][:queries]
    expected = [job for job in schedule(steps, costs, workers) if job[2] in affordable and job[0] <= seconds]
    assert played(result) == expected
    assert result.epochs == sum(trained[job] for _, _, job in expected)
    assert all(incumbent.seconds <= seconds for incumbent in result.incumbents)
    if len(expected) < len(trained):
        assert result.stopped == "budget"


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize("verb", ["start", "one"])
def test_a_trial_that_ends_exactly_with_the_budget_counts(workers: int, verb: str) -> None:
    steps = [(verb, 1, 2)] * 12
    full = nassim.run(scripted(steps), Jobs([2.0] * JOBS), "100q", workers=workers).trials
    side_by_side = workers if verb == "start" else 1
    for rounds in (1, 2, 3):
        end = 4.0 * rounds
        on_time = nassim.run(scripted(steps), Jobs([2.0] * JOBS), Budget(end), workers=workers)
        too_late = nassim.run(scripted(steps), Jobs([2.0] * JOBS), Budget(math.nextafter(end, 0.0)), workers=workers)
        assert on_time.trials == full[: rounds * side_by_side]
        assert too_late.trials == full[: (rounds - 1) * side_by_side]
        assert on_time.seconds == end


@pytest.mark.slow
@given(COSTS, st.integers(1, 20))
def test_start_on_one_worker_is_evaluate(costs: list[float], count: int) -> None:
    told: list[list[Trial]] = []
    by_start = nassim.run(scripted([("start", 1, 2)] * count, told), Jobs(costs), "1000q")
    by_evaluate = nassim.run(scripted([("one", 1, 2)] * count), Jobs(costs), "1000q")
    assert by_start.trials == by_evaluate.trials == [trial for [trial] in told]


@given(STEPS, COSTS, WORKERS)
def test_every_trial_is_told_once(steps: list[Step], costs: list[float], workers: int) -> None:
    told: list[list[Trial]] = []
    steps = [*steps, ("start", 1, 1)]
    result = nassim.run(scripted(steps, told), Jobs(costs), "1000q", workers=workers)
    job, started, heard = 0, set(), []
    for (verb, count, _), news in zip(steps, told, strict=True):
        numbers = [trial.arch.choices[0] for trial in news]
        if verb == "start":
            started.add(job)
            heard += numbers
        else:  # answers come in the order of the batch
            assert numbers == list(range(job, job + count))
        job += count
    finished = [job for _, _, job in played(result) if job in started]
    assert heard == finished[: len(heard)]
    assert len(heard) > len(started) - workers  # when `start` returns, one worker at least is free
