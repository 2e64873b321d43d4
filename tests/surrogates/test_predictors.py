"""Predictors behind one call: they rank, know what they do not know, and refuse in one line."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
from scipy.stats import spearmanr

from nassim.errors import InvalidSetting, MissingDependency
from nassim.surrogates.predictors import PREDICTORS, of_members, predict, without_outliers

ALL = np.array(list(product((0, 1), repeat=8)), np.uint8)
GAINS = np.random.default_rng(9).normal(0, 0.02, 8)
TRUTH = 0.9 + ALL @ GAINS


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    places = np.random.default_rng(seed).permutation(len(ALL))
    return places[:80], places[80:]


@pytest.mark.parametrize("name", PREDICTORS)
def test_it_ranks_and_predicts_in_the_units_of_the_values(name: str) -> None:
    if name == "boosting":
        pytest.importorskip("xgboost")
    seen, rest = split()
    found = predict(name, ALL[seen], TRUTH[seen].tolist(), ALL[rest], np.random.default_rng(0))
    assert spearmanr(found.mean, TRUTH[rest]).statistic > 0.7
    assert np.abs(found.mean - TRUTH[rest]).mean() < 0.6 * TRUTH.std()
    assert found.deviation.shape == found.draw().shape == found.mean.shape
    assert found.deviation.min() >= 0 < found.deviation.max()


@pytest.mark.parametrize("name", PREDICTORS)
def test_one_trial_says_nothing_and_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match=rf"{name} has 1 trial to learn from: it takes 2\. .*n_init"):
        predict(name, ALL[:1], [0.9], ALL, np.random.default_rng(0))


@pytest.mark.parametrize("name", [name for name in PREDICTORS if name != "boosting"])
def test_the_same_generator_gives_the_same_prediction(name: str) -> None:
    seen, rest = split()
    one, other = (predict(name, ALL[seen], TRUTH[seen].tolist(), ALL[rest], np.random.default_rng(3)) for _ in "ab")
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.draw(), other.draw())


def test_boosting_says_that_xgboost_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(MissingDependency, match=r"^boosting needs xgboost, .*: pip install nassim\[xgb\]$"):
        predict("boosting", ALL[:9], TRUTH[:9].tolist(), ALL, np.random.default_rng(0))


def test_a_draw_of_an_ensemble_is_one_of_its_members() -> None:
    members = np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 1.0]])
    found = of_members(members, np.random.default_rng(0))
    assert {tuple(found.draw()) for _ in range(50)} == set(map(tuple, members))
    assert found.mean.tolist() == [1, 2]
    assert found.deviation == pytest.approx(members.std(axis=0))


@pytest.mark.slow
def test_draws_of_the_process_have_its_mean_and_deviation() -> None:
    seen, rest = split()
    found = predict("gp", ALL[seen], TRUTH[seen].tolist(), ALL[rest[:40]], np.random.default_rng(0))
    draws = np.array([found.draw() for _ in range(600)])
    assert np.abs(draws.mean(axis=0) - found.mean).max() < 0.25 * found.deviation.max()
    assert draws.std(axis=0) == pytest.approx(found.deviation, rel=0.15)
    near = [(a, b) for a, b in product(range(40), repeat=2) if (ALL[rest[a]] != ALL[rest[b]]).sum() == 1]
    joint = np.corrcoef(draws.T)
    assert np.mean([joint[pair] for pair in near]) > 0.1  # one function: neighbors go together


def test_what_lies_far_below_is_raised() -> None:
    assert without_outliers([0.1, 0.85, 0.9, 0.91, 0.92]) == pytest.approx([0.86, 0.86, 0.9, 0.91, 0.92])
    assert without_outliers([0.5, 0.9, 0.9]) == [0.5, 0.9, 0.9]  # the best is the median
