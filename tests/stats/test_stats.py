"""Samples, curves and bootstrap intervals against SciPy and against their definitions."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from nassim.stats import (
    Curve,
    Finding,
    band,
    band_at,
    bootstrap_band,
    bootstrap_difference,
    bootstrap_interval,
    common_budget,
    final_values,
    first_hits,
    interquartile_mean,
    log_times,
    mean_band,
    regret_curve,
    step_values,
    summarize,
    values_at,
)

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


@pytest.mark.slow
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


def curve(at: list[float], value: list[float], spent: float) -> Curve:
    return Curve(np.array(at), np.array(value), spent)


CURVES = [curve([1.5, 4.0], [10.0, 2.0], 9.0), curve([2.0, 2.0], [6.0, 5.0], 8.5), curve([], [], 7.25)]


def test_a_finding_is_a_value_or_a_reason() -> None:
    assert Finding(0.0).value == 0.0
    for wrong in ((None, ""), (1.0, "and yet")):
        with pytest.raises(ValueError, match="a value or a reason"):
            Finding(*wrong)


def test_an_empty_sample_and_infinite_values_give_nan_and_infinity() -> None:
    assert all(math.isnan(x) for x in summarize([])[1:])
    found = summarize([1.0, 2.0, math.inf, math.inf])
    assert (found.mean, found.median, found.q25, found.iqm) == (math.inf, math.inf, 1.75, math.inf)
    assert math.isnan(found.std)


def test_values_of_curves_at_a_moment() -> None:
    inf = math.inf
    assert values_at(CURVES, [1.0, 1.5, 2.0, 100.0]).tolist() == [[inf, 10, 10, 2], [inf, inf, 5, 5], [inf] * 4]
    assert final_values(CURVES).tolist() == [2.0, 5.0, inf]
    assert final_values(CURVES, at=3.9).tolist() == [10.0, 5.0, inf]
    assert common_budget([CURVES[:2], CURVES[2:]]) == Finding(7.25)
    assert common_budget([[]]).value is None


STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=6)


@given(st.lists(STEPS, min_size=1, max_size=8), st.lists(st.integers(-1, 12), max_size=6))
def test_many_curves_are_read_at_once_as_one_by_one(runs: list[list[tuple[int, int]]], at: list[int]) -> None:
    curves = [Curve(*np.array(sorted(run), dtype=float).reshape(-1, 2).T, 10.0) for run in runs]
    times = np.array(sorted(at), dtype=float)
    one_by_one = np.array([step_values(curve.at, curve.value, times, math.inf) for curve in curves])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nassim.stats.curves.AT_ONCE", 1)
        patch.setattr("nassim.stats.curves.BLOCK", 3)
        assert np.array_equal(values_at(curves, times), one_by_one)


def test_rounding_dust_is_no_regret() -> None:
    """Equal accuracies that were computed in two ways are equal: an optimum is reached, a target hit, a rank shared."""
    dusty, plain = 0.1 + 0.2, 0.3
    assert dusty != plain
    curves = [regret_curve([1.0, 2.0], [0.25, value], dusty, 9.0) for value in (dusty, plain)]
    assert [curve.value[-1] for curve in curves] == [0.0, 0.0]
    assert first_hits(curves, [0.0]).tolist() == [[2.0], [2.0]]
    assert regret_curve([1.0], [0.3 - 1e-9], 0.3, 9.0).value[0] == pytest.approx(1e-7)  # what is no dust stays


def test_regret_is_in_percentage_points() -> None:
    found = regret_curve([10.0, 20.0], [0.90, 0.915], best=0.92, spent=30.0)
    assert found.value.tolist() == pytest.approx([2.0, 0.5])
    assert (found.at.tolist(), found.spent) == ([10.0, 20.0], 30.0)


def test_times_on_a_logarithmic_axis() -> None:
    times = log_times([curve([0.0, 0.3, 5.0], [3.0, 2.0, 1.0], 70.0)], count=50)
    assert (times[0], times[-1], len(times)) == (0.3, 70.0, 50)
    assert np.ptp(np.diff(np.log(times))) < 1e-9
    assert log_times(CURVES[2:]).size == log_times([]).size == 0


def test_bands_at_chosen_times_equal_the_full_band_there() -> None:
    full = band([(c.at, c.value) for c in CURVES[:2]], end=9.0)
    at = full.at[1::2]
    for part, whole in zip(band_at(CURVES[:2], at), full, strict=True):
        assert part.tolist() == whole[1::2].tolist()
    assert np.isnan(band_at([], at).median).all()
    assert band([]).at.size == 0


def test_mean_and_standard_deviation_over_time() -> None:
    found = mean_band(CURVES[:2], [1.0, 2.0, 5.0])
    assert found.mean.tolist() == [math.inf, 7.5, 3.5]
    assert found.std.tolist()[1:] == pytest.approx([statistics.stdev([10, 5]), statistics.stdev([2, 5])])
    assert math.isnan(found.std[0])
    assert np.isnan(mean_band(CURVES[:1], [5.0]).std).all()
    assert np.isnan(mean_band([], [5.0]).mean).all()


def exact_distribution(strata: list[list[float]], statistic: object) -> np.ndarray:
    """All equally likely resamples, enumerated."""
    resamples = itertools.product(*(itertools.product(x, repeat=len(x)) for x in strata))
    return np.array([statistic(np.array(list(itertools.chain(*r)))) for r in resamples])  # type: ignore[operator]


def mean(x: np.ndarray) -> np.ndarray:
    return x.mean(axis=-1)


STRATA = [[1.0, 2.0, 7.0], [0.5, 4.0, 4.5, 30.0]]


@pytest.mark.parametrize("statistic", [mean, lambda x: np.median(x, axis=-1), lambda x: x.max(axis=-1)])
def test_bootstrap_interval_equals_the_enumerated_distribution(statistic: object) -> None:
    exact = exact_distribution(STRATA, statistic)
    assert len(exact) == 27 * 256
    found = bootstrap_interval(STRATA, statistic, resamples=100_000, level=0.8).value  # type: ignore[arg-type]
    assert found is not None
    assert found.value == statistic(np.concatenate(STRATA))  # type: ignore[operator]
    # the limits cut off a tenth each, as far as the jumps of the distribution allow
    for share, limit in ((0.1, found.low), (0.9, found.high)):
        assert (exact < limit - 1e-9).mean() - 0.005 <= share <= (exact <= limit + 1e-9).mean() + 0.005


def test_strata_are_kept_apart() -> None:
    between = bootstrap_interval([[1.0] * 5, [9.0] * 5], mean).value
    assert between is not None
    assert (between.low, between.value, between.high) == (5.0, 5.0, 5.0)  # all the spread lies between the benchmarks


def test_bootstrap_depends_on_the_seed_alone_and_leaves_global_generators_alone() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    one = bootstrap_interval(STRATA, seed=3)
    assert one == bootstrap_interval(STRATA, seed=np.random.default_rng(3))
    assert one != bootstrap_interval(STRATA, seed=4, resamples=50)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_bootstrap_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        found = bootstrap_interval([rng.exponential(1.0, 50), rng.normal(3.0, 1.0, 50)], mean, seed=rng, resamples=400)
        assert found.value is not None
        covered += found.value.low <= 2.0 <= found.value.high
    assert scipy.stats.binomtest(covered, 300, 0.95).pvalue > 0.001, covered


def test_infinite_runs_make_infinite_limits() -> None:
    found = bootstrap_interval([[1.0, 2.0, 3.0, math.inf]], lambda x: np.median(x, axis=-1), level=0.9999).value
    assert found is not None
    assert (found.value, found.low, found.high) == (2.5, 1.0, math.inf)


def test_difference_pairs_what_belongs_together() -> None:
    rng = np.random.default_rng(0)
    old = rng.exponential(1.0, 40)
    paired = bootstrap_difference([old + 0.5], [old], mean, paired=True).value
    apart = bootstrap_difference([old + 0.5], [old], mean).value
    assert paired is not None and apart is not None
    assert paired.value == apart.value == pytest.approx(0.5)
    assert paired.high - paired.low < 1e-9
    # for independent samples the variance of the difference is the sum of the variances
    wide = 2 * 1.96 * math.sqrt(2 * old.var() / 40)
    assert apart.high - apart.low == pytest.approx(wide, rel=0.08)


def test_bootstrap_band_is_the_interval_at_every_time() -> None:
    runs = [curve([1.0, 3.0], [5.0 + i, 1.0 + i * i], 4.0) for i in range(6)]
    found = bootstrap_band(runs, [1.0, 2.0, 3.0, 9.0], seed=5, resamples=700).value
    assert found is not None
    for i, at in enumerate(found.at):
        alone = bootstrap_interval([final_values(runs, at)], seed=5, resamples=700).value
        assert alone is not None
        assert (found.value[i], found.low[i], found.high[i]) == (alone.value, alone.low, alone.high)


@pytest.mark.parametrize(("strata", "why"), [([], "no run"), ([[]], "no run"), ([[1.0], [2.0]], "more seeds")])
def test_thin_data_have_no_interval(strata: list[list[float]], why: str) -> None:
    assert why in bootstrap_interval(strata).reason
    assert why in bootstrap_difference(strata, strata).reason
    runs = [curve([1.0], [value], 2.0) for value in itertools.chain(*strata)]
    assert (why if len(runs) < 2 else "") in bootstrap_band(runs, [1.0]).reason
    assert "no answer" in bootstrap_difference([[1.0, math.inf]], [[1.0, 2.0]]).reason
