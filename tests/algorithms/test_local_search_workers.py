"""Local search on several workers: none of them ever waits, and one alone makes the sequential search, bit for bit."""

from __future__ import annotations

import heapq
import itertools
import random

import numpy as np
import pytest

import nassim
from nassim import Search, SearchSpace, Trial, evaluate, evaluate_all, strategy
from nassim.query import Batch
from nassim.strategy import stream
from nassim.testing.problems import Answers, ThreePoints

LS = nassim.get_algorithm("ls")
CIFAR = "nasbench201/cifar10"


@strategy(family="test", year=2020)
def sequential(
    space: SearchSpace, rng: random.Random, *, n_init: int = 10, improvement: str = "first", restart: str = "random"
) -> Search:
    """The search as naszilla has it: trains one neighbor after another and knows of no workers."""
    trained = set()
    while len(trained) < space.size:
        starts = []
        while len(starts) < n_init and len(trained) < space.size:
            arch = space.sample(rng)
            if arch not in trained:
                trained.add(arch)
                starts.append(arch)
        climb = yield from evaluate_all(starts)
        current = max(climb, key=lambda trial: trial.value)
        while True:
            near = [arch for arch in space.neighbors(current.arch) if arch not in trained]
            rng.shuffle(near)
            seen: list[Trial] = []
            for arch in near:
                trained.add(arch)
                seen.append((yield from evaluate(arch)))
                if improvement == "first" and seen[-1].value > current.value:
                    break
            best = max(seen, key=lambda trial: trial.value, default=current)
            climb = climb + seen
            if best.value > current.value:
                current = best
                continue
            left = [trial for trial in climb if set(space.neighbors(trial.arch)) - trained]
            if restart == "random" or not left:
                break
            current = max(left, key=lambda trial: trial.value)


@pytest.mark.slow
@pytest.mark.parametrize("restart", ["random", "best"])
@pytest.mark.parametrize("improvement", ["first", "best"])
@pytest.mark.parametrize("n_init", [1, 4, 10])
def test_on_one_worker_it_is_the_sequential_search(improvement: str, n_init: int, restart: str) -> None:
    settings = {"n_init": n_init, "improvement": improvement, "restart": restart}
    problems = [(nassim.get_benchmark(CIFAR), "200q"), (nassim.get_benchmark("toy/deceptive"), "200q")]
    problems += [(Answers("three points", ThreePoints(), lambda arch: 0.1 * arch.choices[0]), "9q")]
    problems += [(Answers("constant", nassim.get_space("toy"), lambda arch: 0.5), "81q")]
    for benchmark, budget in problems:
        for seed in range(4):
            ours = nassim.run(LS.configured(**settings), benchmark, budget, seed=seed)
            theirs = nassim.run(sequential.configured(**settings), benchmark, budget, seed=seed)
            assert ours.trials == theirs.trials
            assert ours.stopped == theirs.stopped
    assert LS.parameters.keys() == set(settings)
    assert nassim.run(LS.configured(**settings), CIFAR, "100q", workers=4).worker_seconds > 0


@pytest.mark.parametrize("restart", ["random", "best"])
@pytest.mark.parametrize("improvement", ["first", "best"])
@pytest.mark.parametrize("workers", [2, 4, 8, 30])
def test_no_worker_ever_waits(improvement: str, workers: int, restart: str) -> None:
    search = LS.configured(improvement=improvement, restart=restart)
    for benchmark in (CIFAR, "toy/deceptive"):
        trials = nassim.run(search, benchmark, "60q", workers=workers).trials
        assert len({trial.arch for trial in trials}) == len(trials) == 60  # nothing twice
        for worker in range(workers):
            own = sorted((t.started, t.finished) for t in trials if t.worker == worker)
            assert own[0][0] == 0.0
            assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(own))


def test_several_workers_are_that_many_times_as_fast() -> None:
    seconds = {workers: nassim.run(LS, CIFAR, "320q", workers=workers).seconds for workers in (1, 4, 16)}
    assert 0.2 < seconds[4] / seconds[1] < 0.32
    assert seconds[16] / seconds[1] < 0.1


@pytest.mark.parametrize("restart", ["random", "best"])
@pytest.mark.parametrize("improvement", ["first", "best"])
@pytest.mark.parametrize("workers", [2, 5, 100])
def test_the_whole_space_is_trained_and_the_search_ends(improvement: str, workers: int, restart: str) -> None:
    search = LS.configured(improvement=improvement, n_init=3, restart=restart)
    for benchmark in (nassim.get_benchmark("toy/deceptive"), Answers("three points", ThreePoints(), lambda arch: 0.5)):
        result = nassim.run(search, benchmark, "1000q", workers=workers)
        assert result.stopped == "finished"
        assert len(result.trials) == len({trial.arch for trial in result.trials}) == benchmark.space.size


@pytest.mark.slow
def test_it_still_climbs_on_eight_workers() -> None:
    """As in the README: a limit on time, where the one that waits for each neighbor lost to random search."""
    benchmark = nassim.get_benchmark("nasbench201/cifar100")
    found = {
        name: np.array([nassim.run(name, benchmark, "2d", seed=seed, workers=8).best.valid for seed in range(20)])
        for name in ("ls", "rs")
    }
    assert found["ls"].mean() > found["rs"].mean() + 0.005
    assert sum(found["ls"] > found["rs"]) > 15


@pytest.mark.parametrize("improvement", ["first", pytest.param("best", marks=pytest.mark.slow)])
def test_at_an_optimum_that_is_declared_every_neighbor_of_this_climb_is_done(improvement: str) -> None:
    """And until then its value rises strictly."""
    benchmark = nassim.get_benchmark(CIFAR)
    for workers, seed in itertools.product((1, 2, 4, 8), range(4)):
        told: set[nassim.Architecture] = set()
        ends: list[Trial] = []
        algorithm = LS.configured(improvement=improvement, n_init=3)
        search = algorithm.begin(benchmark.space, stream(seed, "strategy"))

        noise, now = stream(seed, "noise"), 0.0
        events: list[tuple[float, int, Trial]] = []
        news: list[Trial] = []
        climb: set[nassim.Architecture] | None = None
        center: Trial | None = None
        for order in range(400):
            message = search.ask()
            assert isinstance(message, Batch)
            inside = search.search.gi_frame.f_locals
            if inside["climb"] is not climb:  # the one before has ended at its center
                if climb is not None and center is not None:
                    ends.append(center)
                    assert {arch for arch in benchmark.space.neighbors(center.arch) if arch in climb} <= told
                climb, center = inside["climb"], None
            if inside["current"] is not None and inside["current"] is not center:
                assert center is None or inside["current"].value > center.value
                center = inside["current"]
            (query,) = message.queries
            result = benchmark.query(query, noise)
            end = now + noise.expovariate(1.0) ** 3  # some take very long
            heapq.heappush(events, (end, order, Trial(query, result, now, end, 0)))
            if len(events) == workers:
                now, _, trial = heapq.heappop(events)
                told.add(trial.arch)
                news.append(trial)
            search.tell(news)
            news = []
        assert ends


def test_restart_best_goes_on_from_the_best_that_has_untrained_neighbors() -> None:
    """After the first starts nothing is drawn at random; each is a neighbor of one that was trained before it."""
    benchmark, space = nassim.get_benchmark(CIFAR), nassim.get_space("nasbench201")
    ended = 0
    for seed in range(5):
        trials = nassim.run(LS.configured(restart="best", n_init=4), benchmark, "200q", seed=seed).trials
        asked = {trial.arch for trial in trials[:4]}
        center = max(trials[:4], key=lambda trial: trial.value)
        for place, trial in enumerate(trials[4:], start=4):
            if not set(space.neighbors(center.arch)) - asked:  # a minimum: nothing better was left around it
                left = [old for old in trials[:place] if set(space.neighbors(old.arch)) - asked]
                center = max(left, key=lambda old: old.value)
                ended += 1
            assert trial.arch in space.neighbors(center.arch)
            asked.add(trial.arch)
            center = trial if trial.value > center.value else center
    assert ended > 5
