"""Studies of many runs: what is aggregated says the same as what is done run by run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nassim.pareto import attainment_surface
from nassim.report import visits
from nassim.report.analysis import Analysis
from nassim.report.fronts import all_fronts
from nassim.report.hypervolumes import hypervolume_table
from nassim.report.visits import Visits
from nassim.stats import bootstrap
from nassim.stats.bootstrap import bootstrap_band, bootstrap_difference, bootstrap_interval
from nassim.stats.curves import Curve
from nassim.study import compare

POINT = st.tuples(st.integers(0, 6), st.integers(0, 6))


@settings(deadline=None)
@given(st.lists(st.lists(POINT, max_size=6), min_size=1, max_size=9), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
def test_the_sweep_finds_what_enough_runs_attain(runs: list[list[tuple[int, int]]], level: float) -> None:
    found = attainment_surface([np.array(run, dtype=float).reshape(-1, 2) for run in runs], level)
    needed = max(1, int(np.ceil(level * len(runs) - 1e-9)))
    for x in range(8):
        for y in range(8):  # the definition: how many runs have a point that is nowhere worse
            attained = sum(any(a <= x and b <= y for a, b in run) for run in runs) >= needed
            assert attained == any(a <= x and b <= y for a, b in found.tolist())
    assert (np.diff(found[:, 0]) > 0).all() and (np.diff(found[:, 1]) < 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["skewed", "tied"])
def test_the_interval_of_many_runs_is_that_of_resampling(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    x, y = (rng.gamma(1.5, size=2500) for _ in range(2))
    if kind == "tied":
        x, y = np.round(2 * x) / 2, np.round(2 * y) / 2
    normal = [
        bootstrap_interval([x]).value,
        bootstrap_difference([x], [y]).value,
        bootstrap_difference([x], [x + 0.1 * y], paired=True).value,
    ]
    curves = [Curve(np.array([1.0]), np.array([value]), 2.0) for value in x]
    band = bootstrap_band(curves, [1.0, 2.0]).value
    monkeypatch.setattr(bootstrap, "MANY", 10**9)
    drawn = [
        bootstrap_interval([x]).value,
        bootstrap_difference([x], [y]).value,
        bootstrap_difference([x], [x + 0.1 * y], paired=True).value,
    ]
    for a, b in zip(normal, drawn, strict=True):
        assert a is not None and b is not None and a.value == b.value
        width = b.high - b.low
        assert abs(a.low - b.low) < 0.1 * width and abs(a.high - b.high) < 0.1 * width
    assert band is not None and normal[0] is not None
    assert band.value[1] == normal[0].value and band.low[1] == normal[0].low


def test_runs_without_an_answer_give_no_false_interval() -> None:
    x = np.concatenate([np.zeros(1000), np.full(2000, np.inf)])
    found = bootstrap_interval([x]).value
    assert found is not None and found.value == np.inf and not np.isfinite(found.low)


@pytest.mark.slow
def test_of_many_runs_the_trials_of_some_are_read_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    study = compare(["re"], ["nasbench201/digits"], "12q", seeds=9)
    whole = Visits(Analysis(study))
    monkeypatch.setattr(visits, "MOST_RUNS", 4)
    analysis = Analysis(study)
    some = Visits(analysis)
    assert whole.read == "" and some.read == "3 of 9"
    for key, of in some.of.items():
        assert {0, 3, 6} <= set(of) and len(of) <= 4  # and the typical run
        for seed, places in of.items():
            names = [some.architectures[key[0]][k] for k in places]
            assert names == [whole.architectures[key[0]][k] for k in whole.of[key][seed]]
    assert some.rows == whole.rows
    (fronts, *_) = all_fronts(analysis, some, None)["nasbench201/digits"]
    assert "3 of 9" in " ".join(hypervolume_table(fronts).notes)  # type: ignore[arg-type]


def test_a_study_without_trials_is_reported() -> None:
    study = compare(["re"], ["nasbench201/digits"], "12q", seeds=3, trials=False)
    analysis = Analysis(study)
    assert "trials" in str(all_fronts(analysis, Visits(analysis), None)["nasbench201/digits"])
