"""Statistics against SciPy and against their definitions."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from nassim.stats import band, interquartile_mean, step_values, summarize

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(finite, min_size=2, max_size=60))
def test_summary_equals_scipy(values: list[float]) -> None:
    found = summarize(values)
    assert found.n == len(values)
    assert found.iqm == pytest.approx(scipy.stats.trim_mean(values, 0.25), abs=1e-6)
    assert found.iqr == pytest.approx(scipy.stats.iqr(values), abs=1e-6)
    assert found.median == pytest.approx(float(np.median(values)))
    assert found.std == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert found.q25 <= found.median <= found.q75


def test_a_single_value_has_no_spread() -> None:
    found = summarize([0.5])
    assert math.isnan(found.std)
    assert (found.mean, found.median, found.iqr, found.iqm) == (0.5, 0.5, 0.0, 0.5)


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([0, 1, 2, 3, 4, 5, 6, 100]) == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert interquartile_mean([3, 1, 2]) == 2.0  # nothing to cut below four values


@given(
    st.lists(st.floats(0, 100), min_size=0, max_size=20, unique=True).map(sorted),
    st.lists(st.floats(-1, 101), min_size=1, max_size=20),
)
def test_steps_are_right_continuous(times: list[float], at: list[float]) -> None:
    values = [float(i) for i in range(len(times))]
    expected = []
    for t in at:  # the definition: the value of the last time that is not later
        reached = [v for time, v in zip(times, values, strict=True) if time <= t]
        expected.append(reached[-1] if reached else -7.0)
    assert step_values(times, values, np.array(at), before=-7.0).tolist() == expected


def test_band_by_hand() -> None:
    curves = [([1.0, 4.0], [10.0, 2.0]), ([2.0], [6.0]), ([3.0], [4.0])]
    found = band(curves, end=9.0)
    assert found.at.tolist() == [1.0, 2.0, 3.0, 4.0, 9.0]
    assert found.median.tolist() == [math.inf, 10.0, 6.0, 4.0, 4.0]
    assert found.reached.tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])
    assert found.mean.tolist()[2:] == pytest.approx([20 / 3, 4.0, 4.0])
    assert found.mean[0] == math.inf
    assert found.q25.tolist()[2:] == pytest.approx([5.0, 3.0, 3.0])
    assert found.q75.tolist() == pytest.approx([math.inf, math.inf, 8.0, 5.0, 5.0])


@given(st.lists(st.lists(finite, min_size=3, max_size=3), min_size=1, max_size=9))
def test_finite_quantiles_equal_numpy(rows: list[list[float]]) -> None:
    found = band([([1.0, 2.0, 3.0], row) for row in rows])
    expected = np.quantile(np.array(rows), [0.25, 0.5, 0.75], axis=0)
    assert np.allclose([found.q25, found.median, found.q75], expected, atol=1e-6)


def test_a_run_without_an_answer_counts_as_infinitely_bad() -> None:
    found = band([([1.0], [3.0]), ([], [])], end=2.0)
    assert found.reached.tolist() == [0.5, 0.5]
    assert np.isinf(found.median).all()
    assert np.isinf(found.mean).all()
