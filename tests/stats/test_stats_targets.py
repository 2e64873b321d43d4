"""Running times, their distributions, and the area over a curve: against definitions, sums by hand and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from nassim.stats import (
    Curve,
    area_over_curve,
    ecdf,
    expected_running_time,
    first_hits,
    log_targets,
    performance_profile,
    simulated_restarts,
    spent_of,
)

inf = math.inf


def curve(at: list[float], value: list[float], spent: float = 100.0) -> Curve:
    return Curve(np.array(at), np.array(value), spent)


steps = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=8).map(sorted)


@given(steps, st.lists(st.floats(0, 10), min_size=1, max_size=5))
def test_first_hits_by_definition(run: list[tuple[float, float]], targets: list[float]) -> None:
    hits = first_hits([curve([t for t, _ in run], [v for _, v in run])], targets)
    for target, hit in zip(targets, hits[0], strict=True):
        assert hit == min((t for t, v in run if v <= target), default=inf)


def test_expected_running_time_by_hand() -> None:
    curves = [
        curve([2.5, 7.5], [3.0, 1.0], 100.0),  # hits 1 after 7.5
        curve([4.25], [2.0], 40.5),  # does not: charged its own 40.5
        curve([], [], 60.0),  # no answer at all
        curve([10.0], [0.0], 30.0),
    ]
    hits = first_hits(curves, [5.0, 1.0, 0.0, -1.0])
    found = expected_running_time(hits, spent_of(curves)).value
    assert found is not None
    assert found.expected.tolist() == pytest.approx(
        [(2.5 + 4.25 + 60 + 10) / 3, (7.5 + 40.5 + 60 + 10) / 2, (100 + 40.5 + 60 + 10) / 1, inf]
    )
    assert found.successes.tolist() == [3, 2, 1, 0]
    assert found.success_rate.tolist() == [0.75, 0.5, 0.25, 0.0]
    assert (found.low <= found.expected).all() and (found.expected <= found.high).all()
    assert found.low[3] == inf


def test_expected_running_time_of_one_run_has_no_interval() -> None:
    found = expected_running_time(np.array([[3.0, inf]]), [8.0]).value
    assert found is not None
    assert found.expected.tolist() == [3.0, inf]
    assert np.isnan(found.low).all()
    assert expected_running_time(np.empty((0, 2)), []).reason == "there is no run."


def test_the_interval_of_the_expected_running_time_covers_it() -> None:
    rng = np.random.default_rng(2)
    truth = 0.7 * 5.0 + 0.3 * 20.0  # all that is spent on average ...
    covered = 0
    for _ in range(200):
        hits = np.where(rng.random(80) < 0.7, rng.uniform(0, 10, 80), inf)[:, None]
        found = expected_running_time(hits, np.full(80, 20.0), seed=rng, resamples=300).value
        assert found is not None
        covered += found.low[0] <= truth / 0.7 <= found.high[0]  # ... over the chance of success
    assert scipy.stats.binomtest(covered, 200, 0.95).pvalue > 0.001, covered


def test_simulated_restarts_follow_the_procedure() -> None:
    hits = np.array([[0.5, inf], [inf, inf], [inf, 2.25], [1.25, inf], [inf, inf]])
    spent = np.array([9.0, 3.75, 6.5, 9.0, 1.125])
    found = simulated_restarts(hits, spent, 40_000, seed=1)
    rng = np.random.default_rng(7)
    for column in range(2):
        played = np.array([_restarted(hits[:, column], spent, rng) for _ in range(20_000)])
        assert scipy.stats.ks_2samp(found[:, column], played).pvalue > 0.01
        success = np.isfinite(hits[:, column])
        expected = (hits[success, column].sum() + spent[~success].sum()) / success.sum()
        assert found[:, column].mean() == pytest.approx(expected, rel=0.03)  # the mean is the expected running time
    assert np.isinf(simulated_restarts(np.array([[inf]]), [1.0], 5)).all()


def _restarted(hits: np.ndarray, spent: np.ndarray, rng: np.random.Generator) -> float:
    total = 0.0
    while True:
        run = rng.integers(len(hits))
        if hits[run] < inf:
            return total + hits[run]
        total += spent[run]


def test_running_times_are_never_rounded() -> None:
    hits, spent = np.array([[0.125], [inf]]), [0.25, 0.0625]
    times = simulated_restarts(hits, spent, 1000)
    assert ((times - 0.125) % 0.0625 == 0).all()
    assert 0.125 in times and 0.1875 in times
    found = ecdf(hits, spent, [0.1249, 0.125], restarts=False).value
    assert found is not None
    assert found.tolist() == [0.0, 0.5]


def test_ecdf_by_hand_and_by_definition() -> None:
    hits = np.array([[1.0, 4.0, inf], [2.0, inf, inf]])
    at = [0.5, 1.0, 3.0, 4.0, 1e9]
    found = ecdf(hits, [5.0, 5.0], at, restarts=False).value
    assert found is not None
    assert found.tolist() == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 3 / 6])
    restarted = ecdf(hits, [5.0, 5.0], at, draws=333, seed=4).value
    assert restarted is not None
    times = simulated_restarts(hits, [5.0, 5.0], 333, seed=4)
    assert restarted.tolist() == pytest.approx([(times <= t).mean() for t in at])
    assert restarted[-1] == pytest.approx(2 / 3)  # with restarts every target that was ever hit is
    assert "no run" in ecdf(np.empty((0, 3)), [], at).reason
    assert "no targets" in ecdf(np.empty((2, 0)), [1.0, 1.0], at).reason


def test_targets_span_what_the_curves_show() -> None:
    found = log_targets([[curve([1.0, 2.0], [8.0, 0.0])], [curve([1.0], [0.5])]], count=51).value
    assert found is not None
    assert (len(found), found[0], found[-1]) == (51, 8.0, 0.5)  # exactly: the hardest is hit
    assert np.ptp(np.diff(np.log(found))) < 1e-9
    floored = log_targets([[curve([1.0], [8.0]), curve([1.0], [1e-9])]], floor=0.01).value
    assert floored is not None and floored[-1] == 0.01
    assert "no run has an answer" in log_targets([[curve([], [])]]).reason
    assert "no run has an answer" in log_targets([]).reason
    assert "above" in log_targets([[curve([1.0], [0.0])]]).reason


def test_performance_profile() -> None:
    assert performance_profile([3.0, 1.0, 1.0, inf], [0.5, 1.0, 3.0, 99.0]).tolist() == [0.0, 0.5, 0.75, 0.75]
    assert np.isnan(performance_profile([], [1.0])).all()


@given(steps)
def test_area_equals_numerical_integration(run: list[tuple[float, float]]) -> None:
    start, end, best, worst = 0.5, 80.0, 0.01, 5.0
    at, value = [t for t, _ in run], [v for _, v in run]

    def height(u: float) -> float:
        reached = [v for t, v in run if math.log(max(t, 1e-300)) <= u]
        regret = min(max(reached[-1] if reached else worst, best), worst)
        return (math.log10(worst) - math.log10(regret)) / (math.log10(worst) - math.log10(best))

    edges = sorted({math.log(start), math.log(end), *(math.log(t) for t in at if start < t < end)})
    area = sum((b - a) * height((a + b) / 2) for a, b in itertools.pairwise(edges))
    found = area_over_curve([curve(at, value)], start, end, best=best, worst=worst).value
    assert found is not None
    assert found[0] == pytest.approx(area / math.log(end / start), abs=1e-9)


def test_area_is_the_area_under_the_ecdf_of_dense_targets() -> None:
    run = curve([1.0, 7.0, 30.0], [4.0, 0.7, 0.0])
    targets = np.geomspace(10.0, 0.01, 4001)
    at = np.geomspace(0.2, 100.0, 4001)
    share = ecdf(first_hits([run], targets), [100.0], at, restarts=False).value
    found = area_over_curve([run], 0.2, 100.0, best=0.01, worst=10.0).value
    assert share is not None and found is not None
    assert found[0] == pytest.approx(scipy.integrate.trapezoid(share, np.log(at)) / math.log(500), abs=2e-3)


def test_area_at_its_ends_and_where_there_is_none() -> None:
    found = area_over_curve([curve([0.0], [0.0]), curve([], []), curve([10.0], [0.01])], 1.0, 100.0).value
    assert found is not None
    assert found.tolist() == pytest.approx([1.0, 0.0, 0.5])
    assert "no run" in area_over_curve([], 1.0, 2.0).reason
    for start, end in ((0.0, 1.0), (2.0, 2.0)):
        assert "axis" in area_over_curve([curve([], [])], start, end).reason
    assert "axis" in area_over_curve([curve([], [])], 1.0, 2.0, best=0.0).reason
