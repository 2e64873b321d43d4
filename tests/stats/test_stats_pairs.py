"""Two strategies: improvement, effect sizes and power, against enumeration, SciPy, formulas and simulation."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
import scipy.stats

from nassim.stats import (
    a12,
    cliffs_delta,
    cohens_d,
    magnitude,
    probability_of_improvement,
    rank_sum,
    seeds_to_separate,
    tied_share,
)

inf = math.inf


def test_improvement_is_the_share_of_pairs() -> None:
    first, second = [[1.0, 2.0, inf], [5.0, 5.0]], [[2.0, 3.0], [5.0, 6.0, 4.0]]
    shares = [
        statistics.mean(1.0 if a < b else 0.5 if a == b else 0.0 for a in x for b in y)
        for x, y in zip(first, second, strict=True)
    ]
    found = probability_of_improvement(first, second).value
    assert found is not None
    assert found.value == pytest.approx(statistics.mean(shares))
    assert found.low <= found.value <= found.high
    x, y = first[1], second[1]
    assert a12(x, y).value == pytest.approx(shares[1])
    assert cliffs_delta(x, y).value == pytest.approx(2 * shares[1] - 1)
    assert 6 * (1 - (a12(x, y).value or 0)) == scipy.stats.mannwhitneyu(x, y).statistic


def test_the_interval_of_improvement_equals_the_enumerated_distribution() -> None:
    a, b = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 0.5, 4.0])
    exact = [
        np.mean([[float(x < y) + 0.5 * (x == y) for y in other] for x in one])
        for one in itertools.product(a, repeat=3)
        for other in itertools.product(b, repeat=4)
    ]
    found = probability_of_improvement([a], [b], resamples=100_000, level=0.8).value
    assert found is not None
    for share, limit in ((0.1, found.low), (0.9, found.high)):
        assert (
            (np.array(exact) < limit - 1e-9).mean() - 0.005 <= share <= (np.array(exact) <= limit + 1e-9).mean() + 0.005
        )


def test_improvement_of_single_runs_and_of_none() -> None:
    single = probability_of_improvement([[1.0]], [[1.0, 2.0]]).value
    assert single is not None
    assert single.value == 0.75 and math.isnan(single.low) and math.isnan(single.high)
    for function in (a12, cliffs_delta):
        assert "no run" in function([], [1.0]).reason
    assert "no run" in probability_of_improvement([[]], [[1.0]]).reason
    assert "no run" in probability_of_improvement([], []).reason


def test_cohens_d_by_hand_and_where_there_is_none() -> None:
    # means 2 and 5, variances 1 and 4: the pooled one is 2.5
    assert cohens_d([1.0, 2.0, 3.0], [3.0, 5.0, 7.0]).value == pytest.approx(3 / math.sqrt(2.5))
    assert "two runs" in cohens_d([1.0], [1.0, 2.0]).reason
    assert "no answer" in cohens_d([1.0, inf], [1.0, 2.0]).reason
    assert "divide" in cohens_d([1.0, 1.0], [2.0, 2.0]).reason


def test_words_for_effects_are_those_of_vargha_and_delaney() -> None:
    words = [magnitude(p) for p in (0.5, 0.55, 0.56, 0.63, 0.64, 0.70, 0.71, 1.0, 0.44, 0.36, 0.29)]
    assert words == ["negligible"] * 2 + ["small"] * 2 + ["medium"] * 2 + ["large"] * 2 + ["small", "medium", "large"]


def test_seeds_by_noethers_formula() -> None:
    # (1.959964 + 0.841621)^2 / (6 * 0.2^2) = 32.70
    assert seeds_to_separate(0.7).value == seeds_to_separate(0.3).value == 33
    assert seeds_to_separate(0.7, tied=0.5).value == 17
    assert seeds_to_separate(0.7, benchmarks=3).value == 11
    assert seeds_to_separate(0.7, alpha=0.01, power=0.9).value == math.ceil((2.575829 + 1.281552) ** 2 / 0.24)
    assert "no number of seeds" in seeds_to_separate(0.5).reason
    assert seeds_to_separate(0.5, tied=1.0).reason == "all runs are equal."
    assert "not a probability" in seeds_to_separate(1.2).reason


def test_tied_share_weighs_both_alike() -> None:
    assert tied_share([0.0, 0.0, 1.0, 2.0], [0.0, 3.0]) == pytest.approx(0.5**3 + 2 * 0.125**3 + 0.25**3)
    assert tied_share([4.0], [4.0]) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "most"), [(0.3, 0.82), (0.5, 0.83), (0.8, 0.85), (1.2, 0.89)])
def test_as_many_seeds_have_the_promised_power(shift: float, most: float) -> None:
    rng = np.random.default_rng(4)
    probability = statistics.NormalDist().cdf(shift / math.sqrt(2))
    n = seeds_to_separate(probability).value
    assert n is not None
    assert 0.78 <= _power(rng.normal(0, 1, (3000, n)), rng.normal(shift, 1, (3000, n))) <= most  # 3 standard errors


@pytest.mark.slow
def test_as_many_seeds_have_the_promised_power_under_heavy_ties() -> None:
    rng = np.random.default_rng(5)
    shares = np.array([[0.6, 0.2, 0.1, 0.1], [0.4, 0.2, 0.2, 0.2]])
    below = np.cumsum(shares[1][::-1])[::-1] - shares[1]  # of the second, above each value
    probability = float(shares[0] @ (below + shares[1] / 2))
    n = seeds_to_separate(probability, tied=float((shares.mean(axis=0) ** 3).sum())).value
    assert n is not None
    a, b = (rng.choice(4, size=(3000, n), p=p).astype(float) for p in shares)
    assert _power(a, b) == pytest.approx(0.8, abs=0.04)
    untied = seeds_to_separate(probability).value
    assert untied is not None and untied > n


def _power(a: np.ndarray, b: np.ndarray) -> float:
    """How often the test of the package rejects at 0.05."""
    tests = [rank_sum([x], [y]).value for x, y in zip(a, b, strict=True)]
    return statistics.mean(test is not None and test.p <= 0.05 for test in tests)


def test_the_interval_of_many_runs_is_that_of_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.0, 1.0, 400).round(1), rng.normal(0.2, 1.3, 300).round(1)
    plain = probability_of_improvement([first], [second]).value
    monkeypatch.setattr("nassim.stats.pairs.MANY", 300)
    many = probability_of_improvement([first], [second]).value
    assert plain is not None and many is not None and many.value == plain.value
    assert abs((many.high - many.low) / (plain.high - plain.low) - 1) < 0.05
    assert abs(many.low - plain.low) < 0.05 * (plain.high - plain.low)
