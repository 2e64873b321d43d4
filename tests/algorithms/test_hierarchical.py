"""Hierarchical evolution: how it begins, tournaments of a growing population, nothing dies, no worker waits."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from scipy.stats import mannwhitneyu

import nassim
from nassim import Benchmark
from nassim.algorithms.hierarchical import begun
from nassim.errors import InvalidSetting
from nassim.query import Batch, Trial
from nassim.testing import check_strategy
from nassim.testing.problems import Answers

HIERARCHICAL = nassim.get_algorithm("hierarchical")
SPACE = nassim.get_space("hierarchical")
SEPARABLE = Answers("separable", SPACE, lambda arch: arch.choices[:36].count(3) / 36)


class Spy(random.Random):
    """Notes every tournament: who was alive and who was drawn."""

    tournaments: list[tuple[list[Trial], list[Trial]]]

    def sample(self, population: Any, k: int, **kwargs: Any) -> list[Any]:
        drawn: list[Any] = super().sample(population, k, **kwargs)
        self.tournaments.append((list(population), drawn))
        return drawn


def test_hierarchical_keeps_the_contract() -> None:
    check_strategy(HIERARCHICAL)


def test_the_population_strictly_grows_and_a_tournament_is_a_twentieth_of_it_rounded_up() -> None:
    rng = Spy(1)
    rng.tournaments = []
    search = HIERARCHICAL.configured(population_size=25, mutations=5).begin(SPACE, rng)
    trials: list[Trial] = []
    for _ in range(120):
        message = search.ask()
        assert isinstance(message, Batch)
        (query,) = message.queries
        trials.append(Trial(query, SEPARABLE.query(query, rng), 0.0, float(len(trials)), 0))
        search.tell([trials[-1]])
    assert len(rng.tournaments) == 120 - 25
    for step, (alive, drawn) in enumerate(rng.tournaments):
        assert alive == trials[: 25 + step]  # nothing died
        assert len(drawn) == math.ceil(0.05 * len(alive)) and len({trial.finished for trial in drawn}) == len(drawn)
        parent, child = max(drawn, key=lambda trial: trial.value), trials[25 + step]
        changed = sum(a != b for a, b in zip(parent.arch.choices, child.arch.choices, strict=True))
        assert changed == 1
    assert [len(drawn) for _, drawn in rng.tournaments][::94] == [2, 6]


def test_it_begins_with_trivial_architectures_and_many_mutations() -> None:
    few = begun(SPACE, random.Random(2), 3, "chain")
    trivial = SPACE.trivial()
    assert trivial is not None
    assert 1 <= sum(a != b for a, b in zip(few.choices, trivial.choices, strict=True)) <= 3
    rng = random.Random(3)
    many = [begun(SPACE, rng, 1000, kind) for kind in ("chain", "all")]
    for arch in many:  # nothing is left of the beginning but what chance leaves
        assert 26 <= sum(a != b for a, b in zip(arch.choices, trivial.choices, strict=True)) <= 46
    first = nassim.run(HIERARCHICAL.configured(mutations=1, population_size=3), SEPARABLE, "3q").trials
    assert all(sum(a != b for a, b in zip(t.arch.choices, trivial.choices, strict=True)) == 1 for t in first)


def test_no_worker_waits() -> None:
    """Trainings of different lengths on four workers: each begins another when one ends."""
    uneven = Answers("uneven", SPACE, lambda arch: arch.choices[:36].count(3) / 36)
    query = uneven.query
    uneven.query = lambda q, rng: query(q, rng)._replace(cost=10.0 + sum(q.arch.choices) % 17)  # type: ignore[method-assign]
    trials = nassim.run(HIERARCHICAL.configured(mutations=5, population_size=8), uneven, "80q", workers=4).trials
    for worker in range(4):
        own = sorted((t for t in trials if t.worker == worker), key=lambda t: t.started)
        assert all(after.started == before.finished for before, after in pairwise(own))


def test_it_and_random_search_on_the_same_space() -> None:
    found = {
        name: [nassim.run(algorithm, SEPARABLE, "800q", seed=seed).best.valid for seed in range(3)]
        for name, algorithm in {
            "evolution": HIERARCHICAL.configured(mutations=50, population_size=50),
            "random": "random_search",
        }.items()
    }
    assert min(found["evolution"]) > max(found["random"])


def test_it_runs_on_the_flat_cells_of_nasbench101() -> None:
    space = nassim.get_space("nasbench101")
    run = nassim.run(HIERARCHICAL, Answers("edges", space, lambda arch: sum(arch.choices[:21]) / 21), "60q")
    assert len(run.trials) == 60


def test_sizes_follow_the_budget() -> None:
    sizes = {n: HIERARCHICAL.hyperparameters(SPACE, horizon=n)["population_size"] for n in (20, 150, 1000, None)}
    assert sizes == {20: 10, 150: 30, 1000: 200, None: 200}


@pytest.mark.parametrize("settings", [{"tournament": 0.0}, {"tournament": 2.0}, {"mutations": 0}, {"beginning": "x"}])
def test_settings_that_cannot_be_are_one_line(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match=r"hierarchical\.") as raised:
        nassim.run(HIERARCHICAL.configured(**settings), SEPARABLE, "3q")
    assert "\n" not in str(raised.value)


def test_a_population_above_the_size_of_the_space_is_one_line() -> None:
    with pytest.raises(InvalidSetting, match=r"hierarchical\.population_size=201 is too many: toy has 81") as raised:
        nassim.run(HIERARCHICAL.configured(population_size=201), "toy/additive", "3q")
    assert "\n" not in str(raised.value)
    assert len(nassim.run(HIERARCHICAL, "toy/additive", "1000q").trials) == 1000  # 200 by itself


@pytest.mark.slow
def test_better_than_random_search_on_nasbench101(cells: Benchmark) -> None:
    """150 trainings, 50 seeds, one-sided; searched on the test split, as no other is at hand."""
    ours, chance = (
        [nassim.run(name, cells, "150q", seed=seed).best.test for seed in range(50)] for name in ("hierarchical", "rs")
    )
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 0.01
