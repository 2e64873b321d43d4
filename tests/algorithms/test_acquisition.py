"""Acquisition functions against numeric integration and their definitions."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from nassim.algorithms.parts.acquisition import expected_improvement, highest, upper_confidence_bound

values = st.floats(-3, 3)
deviations = st.floats(0.01, 3)


@given(values, deviations, values)
def test_expected_improvement_is_the_integral(mean: float, deviation: float, best: float) -> None:
    top = mean + 12 * deviation  # beyond it there is less than 10^-30

    def gain(value: float) -> float:
        return float((value - best) * norm.pdf(value, mean, deviation))

    points = sorted({min(max(mean + k * deviation, best), top) for k in (-8, -3, 0, 3)})
    expected = quad(gain, best, top, points=points, limit=200)[0] if best < top else 0.0
    assert expected_improvement(np.array([mean]), np.array([deviation]), best)[0] == pytest.approx(expected, abs=1e-7)


def test_expected_improvement_without_uncertainty_is_the_improvement() -> None:
    mean = np.array([-1.0, 0.5, 2.0])
    assert expected_improvement(mean, np.zeros(3), 0.5) == pytest.approx([0, 0, 1.5])


def test_expected_improvement_rewards_mean_and_uncertainty() -> None:
    """Maximized, for values to be maximized: a sign turned round would rank these the other way."""
    grid = np.linspace(-2, 2, 41)
    assert np.all(np.diff(expected_improvement(grid, np.ones(41), 0.3)) > 0)
    assert np.all(np.diff(expected_improvement(np.zeros(40), np.linspace(0.1, 3, 40), 0.3)) > 0)


def test_expected_improvement_keeps_single_precision_and_far_tails_finite() -> None:
    mean, deviation = np.array([-50.0, 0.0, 50.0], np.float32), np.array([1e-6, 0.0, 2.0], np.float32)
    scores = expected_improvement(mean, deviation, 1.0)
    assert scores.dtype == np.float32
    assert scores == pytest.approx([0, 0, 49])


@given(st.lists(st.tuples(values, deviations), min_size=1), st.floats(0, 5))
def test_upper_confidence_bound_is_its_definition(pairs: list[tuple[float, float]], beta: float) -> None:
    mean, deviation = np.array(pairs).T
    bound = upper_confidence_bound(mean, deviation, beta)
    assert bound == pytest.approx([m + beta * d for m, d in pairs])
    assert np.array_equal(upper_confidence_bound(mean, deviation, 0.0), mean)  # exploitation


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.randoms())
def test_highest_is_the_argmax(scores: list[int], rng: random.Random) -> None:
    place = highest(np.array(scores, np.float64), rng)
    assert scores[place] == max(scores)


def test_highest_draws_among_scores_that_rounding_cannot_tell_apart() -> None:
    scores = np.array([1.0, -np.inf, 2.0, 2.0 * (1 - 1e-7), 1.99], np.float32)
    drawn = Counter(highest(scores, random.Random(seed)) for seed in range(300))
    assert set(drawn) == {2, 3}
    assert min(drawn.values()) > 100
    assert {highest(np.zeros(3), random.Random(seed)) for seed in range(50)} == {0, 1, 2}
    assert highest(np.array([-2.0, -1.0, -np.inf]), random.Random(0)) == 1
