"""Gaussian process: distances, kernels, posterior, Cholesky factor and likelihood against their definitions."""

from __future__ import annotations

import math
import random
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, spearmanr

import nassim
from nassim import SearchSpace
from nassim.space import Decision
from nassim.surrogates.gaussian_process import (
    MIXTURES,
    NOISES,
    SCALES,
    Distances,
    GaussianProcess,
    Kernel,
    Regression,
    distances_of,
    most_likely,
)

SIX = SearchSpace("six", [Decision(f"d{i}", tuple("abcde")) for i in range(6)])
NB201 = nassim.get_space("nasbench201")
KINDS = [("one_hot",), ("path",), ("one_hot", "path")]
Matrix = NDArray[np.float64]


def kernel_for(kinds: tuple[str, ...], noise: float) -> Kernel:
    return Kernel((1.0,), (4.0,), noise) if len(kinds) == 1 else Kernel((0.3, 0.7), (5.0, 2.0), noise)


def covariance(among: Distances, kernel: Kernel, rows: list[int]) -> Matrix:
    """K(rows, all), straight from the codes."""
    return np.stack([among.table(kernel)[among.row(i)] for i in rows])


def paths_of(choices: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The operation sequences from input to output of a NAS-Bench-201 cell, by walking its graph."""
    edges = dict(zip([(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)], choices, strict=True))

    def walk(node: int, done: tuple[int, ...]) -> set[tuple[int, ...]]:
        if node == 3:
            return {done}
        return set().union(*(walk(t, (*done, o)) for (s, t), o in edges.items() if s == node and o != 0), set())

    return walk(0, ())


def test_distances_are_hamming_and_the_symmetric_difference_of_the_path_sets() -> None:
    both = distances_of(NB201, ("one_hot", "path"))
    rng = random.Random(0)
    for _ in range(20):
        a = rng.randrange(NB201.size)
        codes = both.row(a)
        first = NB201.at(a).choices
        for b in [a, *rng.sample(range(NB201.size), 20)]:
            second = NB201.at(b).choices
            hamming = sum(x != y for x, y in zip(first, second, strict=True))
            one_hot, path = divmod(int(codes[b]), both.lengths[1])
            assert one_hot == 2 * hamming  # one bit goes and another comes
            assert path == len(paths_of(first) ^ paths_of(second))


def test_covariances_are_the_weighted_sum_of_exponentials() -> None:
    both = distances_of(NB201, ("one_hot", "path"))
    kernel = Kernel((0.25, 0.75), (3.0, 2.0), 0.1)
    row = both.table(kernel)[both.row(777)]
    own = NB201.at(777).choices
    for other in (0, 777, 3111, 15624):
        theirs = NB201.at(other).choices
        hamming = sum(x != y for x, y in zip(own, theirs, strict=True))
        apart = len(paths_of(own) ^ paths_of(theirs))
        assert row[other] == pytest.approx(0.25 * math.exp(-2 * hamming / 3) + 0.75 * math.exp(-apart / 2))


@pytest.mark.parametrize("kinds", KINDS)
def test_every_kernel_of_the_grid_is_positive_semidefinite(kinds: tuple[str, ...]) -> None:
    among = distances_of(NB201, kinds)
    rows = random.Random(1).sample(range(NB201.size), 60)
    for weights, scales in product(MIXTURES[len(kinds)], product(SCALES, repeat=len(kinds))):
        matrix = covariance(among, Kernel(weights, scales, 0.0), rows)[:, rows]
        assert np.allclose(matrix, matrix.T, rtol=0, atol=1e-15)
        assert np.linalg.eigvalsh(matrix).min() > -1e-10
        assert np.diag(matrix) == pytest.approx(1.0)


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, 1e-10), pytest.param(np.float32, 1e-4, marks=pytest.mark.slow)]
)
def test_posterior_and_factor_are_the_direct_formulas(kinds: tuple[str, ...], dtype: type, tolerance: float) -> None:
    among = distances_of(NB201, kinds)
    rng = random.Random(2)
    rows = rng.sample(range(NB201.size), 60)
    values = [rng.gauss(0, 1) for _ in rows]
    kernel = kernel_for(kinds, 0.05)
    process = GaussianProcess(among, kernel, len(rows), dtype)
    for n, (row, value) in enumerate(zip(rows, values, strict=True), start=1):
        process.add(row, value)
        if n in (1, 7, 60):
            cross = covariance(among, kernel, rows[:n])
            noisy = cross[:, rows[:n]] + 0.05 * np.eye(n)
            assert process.cholesky == pytest.approx(np.linalg.cholesky(noisy), abs=tolerance)
            assert process.mean == pytest.approx(cross.T @ np.linalg.solve(noisy, values[:n]), abs=tolerance)
            explained = (cross * np.linalg.solve(noisy, cross)).sum(axis=0)
            assert process.variance == pytest.approx(1 - explained, abs=tolerance)


def test_without_noise_it_interpolates_and_is_certain() -> None:
    among = distances_of(SIX, ("one_hot",))
    rng = random.Random(3)
    rows = rng.sample(range(SIX.size), 40)
    values = [rng.gauss(0, 1) for _ in rows]
    process = GaussianProcess(among, Kernel((1.0,), (6.0,), 0.0), len(rows), np.float64)
    for row, value in zip(rows, values, strict=True):
        process.add(row, value)
    assert process.mean[rows] == pytest.approx(values, abs=1e-9)
    assert process.variance[rows] == pytest.approx(0, abs=1e-9)
    assert process.variance.max() > 0.1


def test_an_architecture_observed_again_averages_its_noise() -> None:
    among = distances_of(SIX, ("one_hot",))
    process = GaussianProcess(among, Kernel((1.0,), (6.0,), 0.5), 2, np.float64)
    process.add(5, 1.0)
    process.add(5, 2.0)
    assert process.mean[5] == pytest.approx(3.0 / 2.5)  # two values of variance 0.5, prior mean 0 of variance 1
    assert process.variance[5] == pytest.approx(1 / (1 + 2 / 0.5))


def test_single_precision_does_no_harm_after_150_observations() -> None:
    """Smallest noise of the grid and the longest scale: the worst condition."""
    among = distances_of(NB201, ("one_hot",))
    kernel = Kernel((1.0,), (max(SCALES),), min(NOISES))
    rows = random.Random(4).sample(range(NB201.size), 150)
    truth = np.random.default_rng(0).normal(size=30)
    values = [float(truth[[5 * i + c for i, c in enumerate(NB201.at(r).choices)]].sum()) for r in rows]
    single, double = (GaussianProcess(among, kernel, 150, dtype) for dtype in (np.float32, np.float64))
    for row, value in zip(rows, values, strict=True):
        single.add(row, value)
        double.add(row, value)
    assert np.abs(single.mean - double.mean).max() < 2e-3 * np.std(values)
    assert np.abs(np.sqrt(np.maximum(single.variance, 0)) - np.sqrt(double.variance)).max() < 2e-4


@pytest.mark.parametrize("kinds", KINDS)
def test_the_likelihood_is_that_of_the_normal_distribution_at_its_best_amplitude(kinds: tuple[str, ...]) -> None:
    among = distances_of(NB201, kinds)
    rng = random.Random(5)
    rows = rng.sample(range(NB201.size), 25)
    values = np.array([rng.gauss(0, 1) for _ in rows])
    kernels = [kernel_for(kinds, noise) for noise in (1e-3, 1e-2, 0.1, 0.7)]
    fits = [most_likely(among, rows, values.tolist(), [kernel]) for kernel in kernels]
    for fit in fits:
        matrix = covariance(among, fit.kernel, rows)[:, rows] + fit.kernel.noise * np.eye(25)

        def likelihood(amplitude: float, matrix: Matrix = matrix) -> float:
            return float(multivariate_normal(cov=amplitude * matrix).logpdf(values))

        assert fit.likelihood == pytest.approx(likelihood(fit.amplitude), abs=1e-8)
        assert fit.likelihood > max(likelihood(fit.amplitude * 0.9), likelihood(fit.amplitude * 1.1))
    best = max(fits, key=lambda fit: fit.likelihood)
    assert most_likely(among, rows, values.tolist(), kernels).kernel == best.kernel


def test_the_likelihood_tells_structure_from_noise() -> None:
    among = distances_of(SIX, ("one_hot",))
    generator = np.random.default_rng(1)
    rows = random.Random(6).sample(range(SIX.size), 80)
    gains = generator.normal(size=(6, 5))
    additive = [float(sum(gains[i, c] for i, c in enumerate(SIX.at(r).choices))) for r in rows]
    chance = generator.normal(size=80).tolist()
    kernels = [Kernel((1.0,), (scale,), noise) for noise in NOISES for scale in SCALES]
    assert most_likely(among, rows, additive, kernels).kernel == Kernel((1.0,), (32.0,), 1e-4)
    assert most_likely(among, rows, chance, kernels).kernel.scales == (2.0,)  # neighbors say little


def test_equal_likelihoods_go_to_the_first_kernel() -> None:
    among = distances_of(SIX, ("one_hot",))
    kernels = [Kernel((1.0,), (scale,), 0.1) for scale in (8.0, 2.0, 32.0)]
    assert most_likely(among, [3], [1.0], kernels).kernel == kernels[0]  # one value tells nothing


def observed(values: dict[int, float]) -> Regression:
    regression = Regression(distances_of(SIX, ("one_hot",)))
    for place, value in values.items():
        regression.observe(place, value)
    return regression


def test_regression_predicts_an_additive_function() -> None:
    gains = np.random.default_rng(2).normal(size=(6, 5))
    truth = gains[np.arange(6), SIX.choice_matrix].sum(axis=1)
    seen = random.Random(7).sample(range(SIX.size), 80)
    mean, deviation = observed({place: float(truth[place]) for place in seen}).posterior()
    assert spearmanr(mean, truth).statistic > 0.95
    assert deviation[seen].max() < np.delete(deviation, seen).min()


def test_regression_does_not_depend_on_units() -> None:
    rng = random.Random(8)
    values = {place: rng.random() for place in rng.sample(range(SIX.size), 30)}
    mean, deviation = observed(values).posterior()
    percent, percent_deviation = observed({place: 100 * v - 7 for place, v in values.items()}).posterior()
    assert percent == pytest.approx(mean, abs=1e-4)
    assert percent_deviation == pytest.approx(deviation, abs=1e-4)


def test_regression_takes_values_one_by_one_and_chooses_its_kernel_when_they_have_doubled() -> None:
    rng = random.Random(9)
    values = {place: rng.random() for place in rng.sample(range(SIX.size), 20)}
    regression = observed({})
    for n, (place, value) in enumerate(values.items(), start=1):
        regression.observe(place, value)
        if n >= 10:
            mean, deviation = regression.posterior()  # chooses at 10 and 20
    together, together_deviation = observed(values).posterior()  # chooses at 20
    assert np.array_equal(mean, together)
    assert np.array_equal(deviation, together_deviation)


def test_regression_survives_a_constant_and_a_single_value() -> None:
    for values in ({4: 0.5}, dict.fromkeys(range(30), 0.9)):
        mean, deviation = observed(values).posterior()
        assert mean == pytest.approx(0, abs=1e-6)
        assert np.all(np.isfinite(deviation))
