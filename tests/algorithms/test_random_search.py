"""Random search against the exact distribution of the best of n draws."""

from __future__ import annotations

import numpy as np
import pytest

import nassim


def expected_maximum(values: np.ndarray, draws: int) -> float:
    """E[max] of ``draws`` uniform draws with replacement: order statistics of the table."""
    values = np.sort(values)
    ranks = np.arange(len(values) + 1) / len(values)  # P(max <= k-th smallest) = (k / n) ** draws
    return float(values @ np.diff(ranks**draws))


def test_expected_maximum_by_hand() -> None:
    assert expected_maximum(np.array([1.0, 0.0]), 2) == 0.75
    assert expected_maximum(np.array([3.0, 1.0, 2.0]), 1) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("name", "draws", "seeds"),
    [
        ("toy/additive", 5, 400),
        ("toy/deceptive", 12, 400),
        pytest.param("nasbench201/cifar10", 50, 300, marks=pytest.mark.slow),
    ],
)
def test_the_best_of_n_is_as_good_as_chance(name: str, draws: int, seeds: int) -> None:
    benchmark = nassim.get_benchmark(name, "mean")
    table = np.array([benchmark.mean_accuracy(arch) for arch in benchmark.space.architectures()])
    runs = [nassim.run("random_search", benchmark, f"{draws}q", seed=seed) for seed in range(seeds)]
    best = np.array([run.best.valid for run in runs])
    standard_error = best.std(ddof=1) / np.sqrt(seeds)
    assert abs(best.mean() - expected_maximum(table, draws)) < 3 * standard_error
    assert abs(best.mean() - expected_maximum(table, 2 * draws)) > 3 * standard_error  # the test can tell


def test_samples_are_independent_and_repeat() -> None:
    """81 architectures: of 200 draws 81 * (1 - (80 / 81) ** 200) = 74.2 differ, standard deviation 2.3."""
    archs = [trial.arch for trial in nassim.run("rs", "toy/additive", "200q").trials]
    assert len(archs) == 200
    assert 67 <= len(set(archs)) <= 80
