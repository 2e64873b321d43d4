"""Successive halving, followed rung by rung."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

import nassim
from nassim.query import Trial

SH = nassim.get_algorithm("sh")


def training(trial: Trial) -> str:
    """The training that a trial is a part of: its architecture and repeat."""
    return trial.result.training.rpartition("/")[0]


def test_on_one_worker_it_is_the_pseudocode() -> None:
    trials = nassim.run(SH, "toy/additive", "39q", seed=3).trials
    for group in (trials[:13], trials[13:26], trials[26:]):
        assert [trial.result.epochs for trial in group] == [1] * 9 + [3] * 3 + [9]
        for below, above in ((group[:9], group[9:12]), (group[9:12], group[12:])):
            best = sorted(below, key=lambda trial: -trial.value)[: len(above)]
            assert [trial.query.origin for trial in above] == [trial.result.training for trial in best]
            assert [training(trial) for trial in above] == [training(trial) for trial in best]
    assert [t.arch for t in trials[:9]] == [t.arch for t in nassim.run("rs", "toy/additive", "9q", seed=3).trials]


def test_a_training_that_goes_on_pays_no_more_than_one_that_is_not_interrupted() -> None:
    run = nassim.run(SH, "toy/additive", "39q", seed=3)
    assert run.restarted == 0
    for last in (trial for trial in run.trials if trial.result.epochs == 9):
        parts, trial = [last], last
        while trial.query.origin:
            origin = trial.query.origin
            trial = next(t for t in reversed(run.trials[: run.trials.index(trial)]) if t.result.training == origin)
            parts.append(trial)
        assert [part.result.paid for part in parts] == [6, 2, 1]
        assert sum(part.result.cost for part in parts) == pytest.approx(9 * (10 + sum(last.arch.choices)))
    assert sum(trial.result.cost for trial in run.trials) == pytest.approx(run.worker_seconds)
    assert run.epochs == 3 * (9 + 6 + 6)


def test_where_nothing_can_go_on_it_begins_anew_and_is_counted() -> None:
    benchmark = nassim.get_benchmark("nasbench201_3ops/fashion14")
    run = nassim.run(SH, benchmark, "26q")
    assert run.restarted == 8 and run.epochs == 2 * (9 + 3 * 3 + 4)


def test_the_size_of_a_group_can_be_set() -> None:
    trials = nassim.run(SH.configured(size=4, eta=2), "toy/additive", "14q").trials
    assert [trial.result.epochs for trial in trials[:7]] == [1] * 4 + [3] * 1 + [9] + [1]  # 1, 2 -> 1, 4 -> 3, 8 -> 9


@pytest.mark.parametrize("workers", [2, 5, 20])
def test_no_worker_waits(workers: int) -> None:
    trials = nassim.run(SH, "toy/additive", "150q", workers=workers).trials
    last = max(trial.started for trial in trials)
    for worker in range(workers):
        own = sorted((t.started, t.finished) for t in trials if t.worker == worker)
        assert own[0][0] == 0.0 and own[-1][1] >= last
        assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(own))


def better(name: str, benchmark: str, budget: str, seeds: int) -> float:
    """The one-sided p-value of a comparison with random search in equal seconds."""
    opened = nassim.get_benchmark(benchmark)
    ours, chance = (
        np.array([nassim.run(n, opened, budget, seed=seed).best.valid for seed in range(seeds)])
        for n in (name, "random_search")
    )
    return float(mannwhitneyu(ours, chance, alternative="greater").pvalue)


@pytest.mark.parametrize("name", ["successive_halving", "asha", "bohb"])
def test_better_than_random_search_on_digits(name: str) -> None:
    """Hyperband is not, significantly: docs/fewer-epochs.md has the numbers."""
    assert better(name, "nasbench201/digits", "20s", 60) < 0.02


@pytest.mark.parametrize("name", ["successive_halving", "hyperband", "asha", "bohb"])
def test_better_than_random_search_on_nasbench201_with_12_epochs(name: str, genuine_data: Path) -> None:
    assert better(name, "nasbench201/cifar10", "100000s", 40) < 0.02
