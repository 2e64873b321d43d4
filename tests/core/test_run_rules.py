"""The run's incumbents, reports, protocol and random streams. The rules' letters are CONTRIBUTING.md's."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nassim
from nassim import Budget, Query, Result, Search, SearchSpace, Trial, evaluate, evaluate_all, start, strategy
from nassim.errors import InvalidQuery, InvalidSetting, ProtocolError
from nassim.query import Batch
from nassim.space import Architecture, Decision
from nassim.strategy import Algorithm, report
from nassim.testing.problems import Answers

SPACE = SearchSpace("numbers", [Decision("number", tuple(map(str, range(40))))])
BENCH = Answers("numbers", SPACE, lambda arch: arch.choices[0] / 40)  # 10, 30 or 90 seconds for 1, 3 or 9 epochs


def algorithm(make: Callable[[SearchSpace], Search]) -> Algorithm:
    def search(space: SearchSpace, rng: random.Random) -> Search:
        return make(space)

    return strategy(family="test", year=2020)(search)


# -- incumbents -------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from([1, 3, 9]), st.integers(0, 4)), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_incumbents_are_strict_improvements_and_longer_trainings_outrank(
    jobs: list[tuple[int, int]], workers: int
) -> None:
    def script(space: SearchSpace) -> Search:
        for epochs, number in jobs:
            yield from start(space.at(number), epochs)

    result = nassim.run(algorithm(script), BENCH, "1000q", workers=workers)
    ranks = [(t.result.epochs, t.value) for t in result.trials]
    leaders = [i for i, rank in enumerate(ranks) if all(rank > earlier for earlier in ranks[:i])]
    assert [(i.seconds, i.queries, i.arch, i.observed) for i in result.incumbents] == [
        (result.trials[i].finished, i + 1, result.trials[i].arch, result.trials[i].value) for i in leaders
    ]
    assert [i.epochs for i in result.incumbents] == [sum(e for e, _ in ranks[: i + 1]) for i in leaders]
    assert result.best.arch == result.trials[ranks.index(max(ranks))].arch


def test_incumbents_carry_the_means_that_no_strategy_sees() -> None:
    bench = nassim.get_benchmark("toy/additive")
    result = nassim.run("random_search", bench, "30q", seed=3)
    for incumbent in result.incumbents:
        assert incumbent.valid == bench.mean_accuracy(incumbent.arch)
        assert incumbent.test == bench.test_accuracy(incumbent.arch)
    assert any(incumbent.observed != incumbent.valid for incumbent in result.incumbents)


def test_no_test_accuracy_below_the_run() -> None:
    """Rule a: what a strategy is handed holds nothing of the test split, and it cannot ask for it."""
    assert "test" not in " ".join([*Query._fields, *Result._fields, *Trial._fields])
    assert "test" not in repr(nassim.run("random_search", "toy/additive", "9q").trials)

    def nosy(space: SearchSpace) -> Search:
        yield Batch((Query(space.at(0), None, "test_accuracy"),))

    with pytest.raises(InvalidQuery, match="for reporting only"):
        nassim.run(algorithm(nosy), BENCH, "9q")


def test_a_run_without_a_trial_has_no_best() -> None:
    result = nassim.run("random_search", "toy/additive", "90s")  # enough for the smallest architecture alone
    assert (result.trials, result.seconds, result.stopped) == ([], 0.0, "budget")
    with pytest.raises(ProtocolError, match="no trial finished"):
        _ = result.best


# -- report -----------------------------------------------------------------------------------------


def one_shot(space: SearchSpace) -> Search:
    for epoch in range(5):
        yield from report(space.at(epoch), 10.0)
    yield from evaluate(space.at(30), 1)


def test_reports_pass_time_and_change_the_answer() -> None:
    result = nassim.run(algorithm(one_shot), BENCH, "1000q")
    assert [(i.seconds, i.queries, i.arch.choices[0]) for i in result.incumbents] == [
        *((10.0 * (epoch + 1), 0, epoch) for epoch in range(5)),
        (60.0, 1, 30),
    ]
    assert all(math.isnan(incumbent.observed) for incumbent in result.incumbents[:5])
    assert result.seconds == result.worker_seconds == 60.0


@pytest.mark.parametrize(("seconds", "reports"), [(9.9, 0), (10.0, 1), (49.9, 4), (50.0, 5), (59.9, 5), (60.0, 6)])
def test_a_report_that_ends_after_the_budget_is_not_recorded(seconds: float, reports: int) -> None:
    result = nassim.run(algorithm(one_shot), BENCH, Budget(seconds))
    assert len(result.incumbents) == reports
    assert result.seconds <= seconds


def test_jobs_go_on_while_the_strategy_works_by_itself() -> None:
    def both(space: SearchSpace) -> Search:
        yield from start(space.at(0), 1)  # until 10, and a second worker is free
        yield from report(space.at(1), 12.0)
        news = yield from start(space.at(2), 1)
        assert [trial.arch for trial in news] == [space.at(0)]  # ended meanwhile, both workers were free
        news = yield from start(space.at(3), 1)
        assert [trial.arch for trial in news] == [space.at(2)]
        yield from report(space.at(4), 0.0)

    result = nassim.run(algorithm(both), BENCH, "1000q", workers=2)
    assert [(t.arch.choices[0], t.started, t.finished) for t in result.trials] == [
        (0, 0.0, 10.0),
        (2, 12.0, 22.0),
        (3, 12.0, 22.0),
    ]
    assert [i.seconds for i in result.incumbents if math.isnan(i.observed)] == [12.0, 22.0]


# -- protocol ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [-1.0, math.inf, math.nan])
def test_an_impossible_cost_is_refused(cost: float) -> None:
    def impossible(space: SearchSpace) -> Search:
        yield from report(space.at(0), cost)

    with pytest.raises(ProtocolError, match="cost"):
        nassim.run(algorithm(impossible), BENCH, "9q")


def test_an_empty_batch_is_refused_and_an_empty_evaluate_all_is_not() -> None:
    def empty(space: SearchSpace) -> Search:
        yield Batch(())

    def nothing(space: SearchSpace) -> Search:
        assert (yield from evaluate_all([])) == []
        yield from evaluate(space.at(0))

    with pytest.raises(ProtocolError, match="without queries"):
        nassim.run(algorithm(empty), BENCH, "9q")
    assert len(nassim.run(algorithm(nothing), BENCH, "9q").trials) == 1


def test_ask_and_tell_out_of_order_is_refused() -> None:
    search = nassim.get_algorithm("random_search").begin(SPACE, random.Random(0))
    with pytest.raises(ProtocolError, match="before ask"):
        search.tell([])
    search.ask()
    with pytest.raises(ProtocolError, match="called twice"):
        search.ask()

    def batch(space: SearchSpace) -> Search:
        yield from evaluate_all([space.at(0)] * 3)

    search = algorithm(batch).begin(SPACE, random.Random(0))
    search.ask()
    with pytest.raises(ProtocolError, match="0 trials for a batch of 3"):
        search.tell([])


def test_an_ended_strategy_keeps_saying_so() -> None:
    search = algorithm(lambda space: evaluate_all([])).begin(SPACE, random.Random(0))  # type: ignore[arg-type, return-value]
    assert search.ask() is None
    assert search.ask() is None


def test_what_the_benchmark_or_the_run_lacks_is_an_error() -> None:
    def outside(space: SearchSpace) -> Search:
        yield from report(Architecture(space.name, (40,)), 1.0)

    def between(space: SearchSpace) -> Search:
        yield from evaluate(space.at(0), 5)

    with pytest.raises(ProtocolError, match="numbers:40, which is not in numbers"):
        nassim.run(algorithm(outside), BENCH, "9q")
    with pytest.raises(InvalidQuery, match="not after 5"):
        nassim.run(algorithm(between), BENCH, "9q")
    with pytest.raises(InvalidSetting, match="seed"):
        nassim.run("random_search", BENCH, "9q", seed=-1)
    with pytest.raises(InvalidSetting, match="worker"):
        nassim.run("random_search", BENCH, "9q", workers=0)


# -- replay, streams and thinking -------------------------------------------------------------------


def test_replay_refuses_a_record_that_is_not_its_own() -> None:
    searcher = nassim.get_algorithm("random_search")
    trials = nassim.run(searcher, BENCH, "9q").trials
    with pytest.raises(ProtocolError, match="another seed"):
        nassim.replay(searcher.begin(SPACE, random.Random("another")), trials)
    batches = algorithm(lambda space: evaluate_all([t.arch for t in trials]))  # type: ignore[arg-type, return-value]
    with pytest.raises(ProtocolError, match="ends inside a batch of 9"):
        nassim.replay(batches.begin(SPACE, random.Random(0)), trials[:5])
    with pytest.raises(ProtocolError, match="ended after 9 of 18"):
        nassim.replay(batches.begin(SPACE, random.Random(0)), trials * 2)


def test_noise_does_not_move_the_strategys_samples() -> None:
    """Rule c: the strategy's stream is its own."""
    policies = ("draw", "mean", "repeat=1", "repeat=3")
    benches = [nassim.get_benchmark("toy/additive", noise) for noise in policies]
    runs = [nassim.run("random_search", bench, "50q", seed=5) for bench in benches]
    assert all([t.arch for t in r.trials] == [t.arch for t in runs[0].trials] for r in runs)
    assert len({tuple(t.value for t in r.trials) for r in runs}) == len(policies)


class Recording(Answers):
    """Keeps the noise that every query drew."""

    def query(self, query: Query, rng: random.Random) -> Result:
        self.drawn = [*getattr(self, "drawn", []), rng.random()]
        return super().query(query, rng)


def test_the_strategy_does_not_move_the_noise() -> None:
    """Rule c: the n-th query of a seed sees the same draw, whoever asks."""

    def draws(name: str, seed: int) -> list[float]:
        bench = Recording("noise", SPACE, lambda arch: 0.5)
        nassim.run(name, bench, "200q", seed=seed)
        return bench.drawn[:200]

    assert draws("random_search", 5) == draws("regularized_evolution", 5)
    assert not set(draws("random_search", 5)) & set(draws("random_search", 6))


def test_asking_again_costs_again() -> None:
    """Rule e."""

    def again(space: SearchSpace) -> Search:
        for _ in range(3):
            yield from evaluate(space.at(0))

    assert nassim.run(algorithm(again), BENCH, "9q").seconds == 270.0


def test_thinking_is_measured_and_never_on_the_clock() -> None:
    """Rule f."""

    def thinking(seconds: float) -> Algorithm:
        def search(space: SearchSpace) -> Search:
            for number in range(3):
                time.sleep(seconds)
                yield from evaluate(space.at(number))

        return algorithm(search)

    slow, quick = (nassim.run(thinking(seconds), BENCH, "9q") for seconds in (0.01, 0.0))
    assert slow == quick  # all but the thinking
    assert slow.seconds == 270.0
    assert slow.thinking_seconds >= 0.03 > quick.thinking_seconds


def test_equal_runs_are_equal_and_the_header_is_complete() -> None:
    a, b = (nassim.run("re", "toy/additive", "60q", seed=4, workers=3) for _ in range(2))
    assert a == b
    assert a.trials != nassim.run("re", "toy/additive", "60q", seed=5, workers=3).trials
    header = (a.benchmark, a.strategy, a.seed, a.workers, a.noise, a.budget)
    assert header == ("toy/additive", "regularized_evolution", 4, 3, "draw", Budget(queries=60))
    assert a.hyperparameters == {"population_size": 12, "sample_size": 3, "limit": "reject"}
    assert a.version == nassim.__version__


@pytest.mark.parametrize(
    ("budget", "expected"), [("150q", 150), ("90ep", 10), ("100ep,5q", 5), ("900s", 10), ("1q", 1), ("1ep", 1)]
)
def test_strategies_plan_ahead_by_full_trainings(budget: str, expected: int) -> None:
    seen: list[int | None] = []

    def planner(space: SearchSpace, rng: random.Random, *, horizon: int | None = None) -> Search:
        seen.append(horizon)
        yield from evaluate(space.at(0))

    nassim.run(strategy(family="test", year=2020)(planner), BENCH, budget)
    assert seen == [expected]
