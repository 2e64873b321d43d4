"""Local search, its climbs followed step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

import nassim
from nassim import Architecture, SearchSpace, Trial
from nassim.testing.problems import Answers

TASKS = ("additive", "deceptive")


def follow(trials: list[Trial], space: SearchSpace, n_init: int, first: bool) -> list[list[Trial]]:
    """Check a complete search against its description; return the path of each climb."""
    trained: set[Architecture] = set()
    climbs = []
    left = list(trials)
    while left:
        count = min(n_init, space.size - len(trained))
        starts, left = left[:count], left[count:]
        assert len({t.arch for t in starts} - trained) == count
        trained.update(t.arch for t in starts)
        path = [max(starts, key=lambda t: t.value)]
        while True:
            untrained = {a for a in space.neighbors(path[-1].arch) if a not in trained}
            seen: list[Trial] = []
            while untrained and not (first and seen and seen[-1].value > path[-1].value):
                trial, left = left[0], left[1:]
                assert trial.arch in untrained
                untrained.discard(trial.arch)
                seen.append(trial)
            trained.update(t.arch for t in seen)
            best = max(seen, key=lambda t: t.value, default=path[-1])
            if best.value <= path[-1].value:
                break
            path.append(best)
        climbs.append(path)
    return climbs


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("improvement", ["first", "best"])
@pytest.mark.parametrize("n_init", [1, 4])
def test_climbs_to_local_minima_and_starts_again_until_all_are_trained(
    task: str, improvement: str, n_init: int
) -> None:
    benchmark = nassim.get_benchmark(f"toy/{task}", "mean")
    algorithm = nassim.get_algorithm("ls").configured(n_init=n_init, improvement=improvement)
    result = nassim.run(algorithm, benchmark, "1000q", seed=3)
    assert result.stopped == "finished"
    assert {t.arch for t in result.trials} == set(benchmark.space.architectures())
    assert len(result.trials) == benchmark.space.size  # each once
    assert result.best.valid == benchmark.optimum()
    climbs = follow(result.trials, benchmark.space, n_init, improvement == "first")
    assert any(len(path) > 2 for path in climbs)
    assert len(climbs) > 1


def test_the_follower_sees_a_wrong_move() -> None:
    benchmark = nassim.get_benchmark("toy/additive", "mean")
    by_chance = nassim.run("random_search", benchmark, "81q").trials
    with pytest.raises(AssertionError):
        follow(by_chance, benchmark.space, 4, True)


def test_neighbors_come_in_random_order() -> None:
    space = nassim.get_space("toy")
    algorithm = nassim.get_algorithm("ls").configured(n_init=1)
    constant = Answers("constant", space, lambda arch: 0.5)
    orders = set()
    for seed in range(20):
        first, *near = nassim.run(algorithm, constant, "9q", seed=seed).trials
        listed = space.neighbors(first.arch)
        orders.add(tuple(listed.index(trial.arch) for trial in near))
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert len(orders) == 20


def test_starts_and_whole_neighborhoods_use_all_workers() -> None:
    algorithm = nassim.get_algorithm("ls").configured(n_init=6, improvement="best")
    for workers in (2, 3):
        trials = nassim.run(algorithm, "toy/additive", "14q", workers=workers).trials
        assert [t.started for t in trials[:workers]] == [0.0] * workers
        assert {t.worker for t in trials} == set(range(workers))


@pytest.mark.slow
def test_better_than_random_search_on_nasbench201() -> None:
    benchmark = nassim.get_benchmark("nasbench201/cifar10")
    ours, chance = (
        np.array([nassim.run(name, benchmark, "150q", seed=seed).best.valid for seed in range(60)])
        for name in ("local_search", "random_search")
    )
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 1e-6
