"""Regularized evolution: ages, tournaments, and better than chance."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

import nassim
from nassim import Trial


class Spy(random.Random):
    """Notes every tournament: who was alive and who was drawn."""

    tournaments: list[tuple[list[Trial], list[Trial]]]

    def choices(self, population: Any, *args: Any, **kwargs: Any) -> list[Any]:
        drawn: list[Any] = super().choices(population, *args, **kwargs)
        self.tournaments.append((list(population), drawn))
        return drawn


@pytest.fixture(scope="module")
def history() -> tuple[list[Trial], list[tuple[list[Trial], list[Trial]]]]:
    """300 trials with P = 12 and S = 4, and the tournaments behind them."""
    benchmark = nassim.get_benchmark("toy/additive")
    rng, noise = Spy(1), random.Random(2)
    rng.tournaments = []
    algorithm = nassim.get_algorithm("re").configured(population_size=12, sample_size=4)
    search = algorithm.begin(benchmark.space, rng)
    trials: list[Trial] = []
    while len(trials) < 300:
        message = search.ask()
        assert isinstance(message, nassim.query.Batch)
        [query] = message.queries
        trials.append(Trial(query, benchmark.query(query, noise), 0.0, float(len(trials)), 0))
        search.tell([trials[-1]])
    return trials, rng.tournaments


History = tuple[list[Trial], list[tuple[list[Trial], list[Trial]]]]


def test_every_individual_lives_exactly_as_many_steps_as_the_population_has_members(history: History) -> None:
    trials, tournaments = history
    assert len(tournaments) == 300 - 12  # the first 12 are random
    steps_alive = Counter(trial.finished for alive, _ in tournaments for trial in alive)
    assert all(steps_alive[trial.finished] == 12 for trial in trials[11:-12])
    for step, (alive, _) in enumerate(tournaments):
        assert alive == trials[step : step + 12]  # the last P, oldest first


def test_the_child_is_a_mutation_of_the_best_of_a_tournament_among_the_living(history: History) -> None:
    trials, tournaments = history
    for step, (alive, drawn) in enumerate(tournaments):
        assert len(drawn) == 4
        assert all(trial in alive for trial in drawn)
        parent = max(drawn, key=lambda trial: trial.value)
        child = trials[step + 12]
        changed = sum(a != b for a, b in zip(parent.arch.choices, child.arch.choices, strict=True))
        assert changed == 1
    twice = sum(len({trial.finished for trial in drawn}) < 4 for _, drawn in tournaments)
    assert 0 < twice < len(tournaments)  # with replacement: a member may be drawn twice (43 % of the time)


def test_published_settings_apply_on_their_spaces() -> None:
    header = nassim.run("re", "nasbench201/cifar10", "1q").hyperparameters
    assert header == {"population_size": 10, "sample_size": 3, "limit": "reject"}
    on_graphs = nassim.get_algorithm("re").hyperparameters(nassim.get_space("nasbench101"))
    assert on_graphs == {"population_size": 100, "sample_size": 10, "limit": "reject"}


@pytest.mark.parametrize(
    "task", ["cifar10", *(pytest.param(task, marks=pytest.mark.slow) for task in ("cifar100", "imagenet16-120"))]
)
def test_better_than_random_search_on_nasbench201(task: str) -> None:
    benchmark = nassim.get_benchmark(f"nasbench201/{task}")
    found = {
        name: np.array([nassim.run(name, benchmark, "150q", seed=seed).best.valid for seed in range(60)])
        for name in ("regularized_evolution", "random_search")
    }
    ours, chance = found["regularized_evolution"], found["random_search"]
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 1e-4


def test_better_than_without_selection_on_the_toy() -> None:
    """The same loop with S = 1 is a random walk: selection is what helps."""
    algorithm = nassim.get_algorithm("re")
    benchmark = nassim.get_benchmark("toy/additive")
    found = [
        np.array(
            [
                np.mean([t.value for t in nassim.run(configured, benchmark, "80q", seed=seed).trials[40:]])
                for seed in range(30)
            ]
        )
        for configured in (
            algorithm.configured(population_size=10, sample_size=5),
            algorithm.configured(population_size=10, sample_size=1),
        )
    ]
    assert mannwhitneyu(found[0], found[1], alternative="greater").pvalue < 1e-6
