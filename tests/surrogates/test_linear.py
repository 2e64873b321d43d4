"""Ridge regression and its quality, against scikit-learn, numpy's least squares and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from nassim.errors import InvalidSetting
from nassim.surrogates.linear import Linear, fit_ridge
from nassim.surrogates.quality import Quality, cross_validated, kendall

RNG = np.random.default_rng(0)
X = (RNG.random((80, 12)) < 0.4).astype(np.uint8)
Y = X @ RNG.normal(size=12) + RNG.normal(size=80)


def test_it_is_scikit_learns_with_one_penalty() -> None:
    from sklearn.linear_model import Ridge

    other = Ridge(alpha=3.0).fit(X, Y)
    mine = fit_ridge(X, Y, np.full(12, 3.0))
    assert mine.weights == pytest.approx(other.coef_, abs=1e-10)
    assert mine.intercept == pytest.approx(other.intercept_, abs=1e-10)
    assert mine.predict(X) == pytest.approx(other.predict(X), abs=1e-10)


def test_penalties_of_its_own_are_rows_of_a_least_squares_problem() -> None:
    penalties = RNG.random(12) * 5 + 0.1
    center = X.mean(axis=0)
    rows = np.concatenate([X - center, np.diag(np.sqrt(penalties))])
    wanted = np.linalg.lstsq(rows, np.concatenate([Y - Y.mean(), np.zeros(12)]), rcond=None)[0]
    found = fit_ridge(X, Y, penalties)
    assert found.weights == pytest.approx(wanted, abs=1e-10)
    assert found.intercept == pytest.approx(Y.mean() - center @ wanted, abs=1e-10)


@pytest.mark.parametrize(
    ("features", "values", "penalties"),
    [
        (X, Y[:-1], np.ones(12)),
        (X, Y, np.ones(11)),
        (X, Y, np.zeros(12)),
        (X, np.full(80, np.nan), np.ones(12)),
        (X[:0], Y[:0], np.ones(12)),
        (X[0], Y, np.ones(12)),
    ],
)
def test_what_cannot_be_fitted_is_refused(features: np.ndarray, values: np.ndarray, penalties: np.ndarray) -> None:
    with pytest.raises(InvalidSetting, match="ridge regression"):
        fit_ridge(features, values, penalties)


def test_kendalls_tau_with_ties() -> None:
    a, b = RNG.integers(0, 6, 60).astype(float), RNG.integers(0, 9, 60).astype(float)
    assert kendall(a, b) == pytest.approx(kendalltau(a, b).statistic)
    assert kendall(b, b) == 1.0 and kendall(b, -b) == -1.0


def test_quality_by_its_definition() -> None:
    predicted = Y + RNG.normal(size=80)
    found = Quality.of(predicted, Y)
    assert found.r2 == pytest.approx(1 - np.mean((predicted - Y) ** 2) / Y.var())
    upper = np.median(Y) <= Y
    assert found.tau_upper == pytest.approx(kendalltau(predicted[upper], Y[upper]).statistic)


def test_a_held_out_value_has_no_say_in_its_prediction() -> None:
    first = cross_validated(X.astype(float), Y, np.ones(12), folds=5, seed=1)
    changed = Y.copy()
    changed[7] += 100.0
    second = cross_validated(X.astype(float), changed, np.ones(12), folds=5, seed=1)
    assert second[7] == first[7]
    assert (second != first).sum() >= 60, "all that are not of its fold"


def test_it_predicts_what_it_says() -> None:
    assert Linear(0.5, np.array([1.0, -2.0])).predict(np.array([[1, 1], [0, 3]])).tolist() == [-0.5, -5.5]
