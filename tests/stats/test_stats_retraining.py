"""What retraining tells of a ranking: only pairs whose difference exceeds the noise can be told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau, tukey_hsd

from nassim.stats import retraining

NEAR = [0.880, 0.882, 0.884, 0.885, 0.887]  # five cells within 0.7 points


def trained(means: list[float], seeds: int, noise: float, seed: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(mean, noise, seeds).tolist() for mean in means]


def test_five_near_cells_cannot_be_told_apart() -> None:
    """Equal cells at a noise of 0.71 points: of 200 retrainings at most some 5 % tell any pair apart."""
    found = [retraining.judge(NEAR, trained([0.88] * 5, 3, 0.0071, seed)) for seed in range(200)]
    told = [verdict for verdict in found if verdict.told_apart]
    assert 1 <= len(told) <= 20
    for verdict in found:
        assert ("Nothing can be told apart" in verdict.text) == (not verdict.told_apart)
        assert "does not hold" not in verdict.text  # the table orders them no better than the noise either


@pytest.mark.slow
def test_pairs_are_told_apart_as_tukeys_test_does() -> None:
    for seed in range(30):
        measured = trained([0.80, 0.81, 0.82, 0.90], 4, 0.008, seed)
        p = tukey_hsd(*measured).pvalue
        above = [(i, j) for i in range(4) for j in range(4) if sum(measured[i]) > sum(measured[j])]
        expected = {(i, j) for i, j in above if p[i, j] < 0.05}
        assert set(retraining.judge([0.8, 0.81, 0.82, 0.9], measured).told_apart) == expected


def test_the_words_follow_the_pairs() -> None:
    clear = [[0.90, 0.91], [0.80, 0.81], [0.70, 0.71]]
    held = retraining.judge([0.9, 0.8, 0.7], clear)
    assert (held.pairs, held.told_apart, held.kept) == (3, [(0, 1), (0, 2), (1, 2)], 3)
    assert held.text.startswith("Of 3 pairs the retraining tells 3 apart") and held.text.endswith("the ranking holds.")
    assert held.noise == pytest.approx(0.01 / math.sqrt(2))
    turned = retraining.judge([0.7, 0.8, 0.9], clear)
    assert turned.kept == 0 and "contradicts 3 of these" in turned.text and "does not hold" in turned.text
    part = retraining.judge([0.9, 0.7, 0.8], clear)
    assert part.kept == 2 and "contradicts 1 of these" in part.text
    close = retraining.judge([0.9, 0.800, 0.801], clear)
    assert close.kept == 2 and "closer in the table than that" in close.text and "does not hold" not in close.text


def test_thin_retrainings() -> None:
    assert retraining.judge([0.9], [[0.7]]).text == "One architecture has no ranking."
    one = retraining.judge([0.9, 0.8], [[0.9], [0.5]])
    assert math.isnan(one.noise) and one.told_apart == [] and "With one seed" in one.text
    still = retraining.judge([0.9, 0.8], [[0.9, 0.9], [0.5, 0.5]])
    assert still.noise == 0 and still.told_apart == [(0, 1)]
    same = retraining.judge([0.9, 0.8], [[0.5, 0.5], [0.5, 0.5]])
    assert same.told_apart == [] and "Nothing can be told apart" in same.text


def test_kendall_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 4, 7).tolist(), rng.integers(0, 5, 7).tolist()
        assert retraining.kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, nan_ok=True)
    assert np.isnan(retraining.kendall([1.0, 1.0], [0.0, 1.0]))
