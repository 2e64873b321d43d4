"""Rank tests, ranks and critical differences: against enumeration, SciPy, published tables and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from nassim.stats import (
    Curve,
    block_ranks,
    cliques,
    critical_difference,
    friedman,
    holm,
    nemenyi,
    rank_sum,
    ranks_over_time,
    signed_rank,
)

inf = math.inf
few = st.integers(0, 4).map(float)  # few distinct values: ties everywhere


def two_sided(null: list[float], observed: float) -> tuple[float, float]:
    """The share of a null distribution at least as far from its mean, and the smallest such share."""
    away = np.abs(np.array(null) - np.mean(null))
    p = (away >= abs(observed - np.mean(null)) - 1e-9).mean()
    return float(p), float((away >= away.max() - 1e-9).mean())


@given(st.lists(st.lists(st.tuples(few, few), min_size=1, max_size=4), min_size=1, max_size=2))
def test_signed_rank_equals_the_enumeration_of_signs(strata: list[list[tuple[float, float]]]) -> None:
    first = [[a for a, _ in pairs] for pairs in strata]
    second = [[b for _, b in pairs] for pairs in strata]
    found = signed_rank(first, second)
    ranks, signs = [], []
    for pairs in strata:
        ranks += scipy.stats.rankdata([abs(a - b) for a, b in pairs]).tolist()
        signs += [float(np.sign(a - b)) for a, b in pairs]
    unequal = [(r, s) for r, s in zip(ranks, signs, strict=True) if s]
    if not unequal:
        assert found.reason == "all pairs of runs are equal."
        return
    null = [
        sum(r for (r, _), up in zip(unequal, ups, strict=True) if up)
        for ups in itertools.product((0, 1), repeat=len(unequal))
    ]
    observed = sum(r for r, s in unequal if s > 0)
    assert found.value is not None
    assert (found.value.p, found.value.least_p) == pytest.approx(two_sided(null, observed))
    away = observed - sum(r for r, _ in unequal) / 2
    assert found.value.lower == (0 if away == 0 else 1 if away < 0 else 2)


@given(
    st.lists(
        st.tuples(st.lists(few, min_size=1, max_size=4), st.lists(few, min_size=1, max_size=4)), min_size=1, max_size=2
    )
)
def test_rank_sum_equals_the_enumeration_of_splits(strata: list[tuple[list[float], list[float]]]) -> None:
    found = rank_sum([a for a, _ in strata], [b for _, b in strata])
    nulls, observed = [], 0.0
    for a, b in strata:
        ranks = scipy.stats.rankdata(a + b)
        nulls.append([sum(chosen) for chosen in itertools.combinations(ranks, len(a))])
        observed += ranks[: len(a)].sum()
    null = [sum(parts) for parts in itertools.product(*nulls)]
    if np.ptp(null) == 0:
        assert found.reason == "all runs are equal."
        return
    assert found.value is not None
    assert (found.value.p, found.value.least_p) == pytest.approx(two_sided(null, observed))


def test_without_ties_the_exact_tests_are_scipys() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 9, 25):
        a, b = rng.normal(size=n), rng.normal(0.5, 1, n + 0)
        one, two = signed_rank([a], [b]).value, rank_sum([a], [b]).value
        assert one is not None and two is not None
        assert one.p == pytest.approx(scipy.stats.wilcoxon(a, b, method="exact").pvalue)
        assert two.p == pytest.approx(scipy.stats.mannwhitneyu(a, b, method="exact").pvalue)
        assert (one.name, two.name) == ("Wilcoxon signed-rank, exact", "Mann-Whitney, exact")


def test_for_many_runs_the_normal_approximations_are_scipys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 30, 90).astype(float), rng.integers(2, 33, 90).astype(float)
    one, two = signed_rank([a], [b]).value, rank_sum([a], [b[:70]]).value
    assert one is not None and two is not None
    pratt = scipy.stats.wilcoxon(a, b, zero_method="pratt", correction=False, method="approx")
    assert one.p == pytest.approx(pratt.pvalue)
    plain = scipy.stats.mannwhitneyu(a, b[:70], use_continuity=False, method="asymptotic")
    assert two.p == pytest.approx(plain.pvalue)
    assert (one.runs, two.runs, one.lower, two.lower) == ((90, 90), (90, 70), 1, 1)


def test_exact_and_approximate_tests_meet() -> None:
    rng = np.random.default_rng(2)
    for n in (25, 26):  # on both sides of the switch
        a, b = rng.integers(0, 9, n).astype(float), rng.integers(0, 11, n).astype(float)
        found = rank_sum([a], [b]).value
        plain = scipy.stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic").pvalue
        assert found is not None and found.p == pytest.approx(plain, rel=0.1)


def test_a_stratified_test_sees_what_pooling_hides() -> None:
    easy, hard = [0.1, 0.2, 0.3, 0.4, 0.5], [10.1, 10.2, 10.3, 10.4, 10.5]
    shifted = [[x + 1 for x in easy], [x + 1 for x in hard]]
    stratified = rank_sum([easy, hard], shifted).value
    pooled = rank_sum([easy + hard], [shifted[0] + shifted[1]]).value
    assert stratified is not None and pooled is not None
    assert stratified.p == pytest.approx(2 / math.comb(10, 5) ** 2)
    assert pooled.p > 0.05


def test_runs_without_an_answer_are_the_worst() -> None:
    for test in (rank_sum, signed_rank):
        found, finite = test([[1.0, 2.0, inf]], [[inf, inf, inf]]), test([[1.0, 2.0, 99.0]], [[100.0, 100.0, 99.0]])
        assert found.value is not None and finite.value is not None
        assert found.value.lower == 1
    assert "no run" in rank_sum([[]], [[1.0]]).reason
    assert "no run" in rank_sum([], []).reason
    assert "no run" in signed_rank([[]], [[]]).reason


def test_least_p_is_what_full_separation_gives() -> None:
    for n in range(1, 8):
        apart = [float(i) for i in range(n)], [float(i + n) for i in range(n)]
        found = rank_sum([apart[0]], [apart[1]]).value
        assert found is not None
        assert found.p == found.least_p == pytest.approx(min(1.0, 2 / math.comb(2 * n, n)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_is_the_closed_bonferroni_test(p: list[float], alpha: float) -> None:
    """A hypothesis is rejected iff Bonferroni rejects every intersection that holds it."""
    corrected = holm(p)
    for i in range(len(p)):
        rest = [j for j in range(len(p)) if j != i]
        closed = max(
            len(group) * min(p[j] for j in group)
            for r in range(len(p))
            for group in ((i, *more) for more in itertools.combinations(rest, r))
        )
        assert corrected[i] == pytest.approx(min(1.0, closed))


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm([0.01, math.nan, 0.04])
    assert found.tolist()[::2] == [0.02, 0.04]
    assert math.isnan(found[1])
    assert holm([]).size == 0


@given(st.lists(st.lists(few, min_size=4, max_size=4), min_size=1, max_size=5))
def test_ranks_are_scipys(rows: list[list[float]]) -> None:
    assert block_ranks(rows).tolist() == scipy.stats.rankdata(rows, axis=1).tolist()


def test_ranks_over_time_by_hand() -> None:
    def curve(at: list[float], value: list[float]) -> Curve:
        return Curve(np.array(at), np.array(value), 9.0)

    groups = [
        [curve([1.0, 5.0], [9.0, 1.0]), curve([2.0], [3.0])],
        [curve([1.0], [4.0]), curve([2.0], [3.0])],
        [curve([], []), curve([4.0], [2.0])],
    ]
    found = ranks_over_time(groups, [0.5, 1.0, 2.0, 4.0, 5.0]).value
    assert found is not None
    assert found.tolist() == [
        [2.0, 2.0, 1.75, 2.25, 1.75],
        [2.0, 1.5, 1.25, 1.75, 2.25],
        [2.0, 2.5, 3.0, 2.0, 2.0],
    ]
    assert "different numbers" in ranks_over_time([groups[0], groups[1][:1]], [1.0]).reason
    assert "no run" in ranks_over_time([groups[0], []], [1.0]).reason
    assert "no run" in ranks_over_time([], [1.0]).reason


def test_friedman_by_its_definition_with_ties() -> None:
    values = np.array([[1, 2, 3, 3], [2, 2, 5, 4], [0, 1, 1, 1], [3, 1, 2, 4], [1, 2, 4, 4.0]])
    ranks = scipy.stats.rankdata(values, axis=1)
    n, k = values.shape
    # Conover 1999: (k - 1) * sum (R_j - n(k+1)/2)^2 / (sum of squared ranks - n k (k+1)^2 / 4)
    chi = (k - 1) * ((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum() / ((ranks**2).sum() - n * k * (k + 1) ** 2 / 4)
    found = friedman(values).value
    assert found is not None
    assert found.chi_squared == pytest.approx(chi)
    assert found.p == pytest.approx(scipy.stats.chi2.sf(chi, k - 1))
    # with tie-corrected chi-squared, Iman & Davenport's F is the two-way analysis of variance of the ranks
    between = n * ((ranks.mean(axis=0) - ranks.mean()) ** 2).sum()
    within = ((ranks - ranks.mean(axis=0)) ** 2).sum()
    f = (between / (k - 1)) / (within / ((n - 1) * (k - 1)))
    assert found.f == pytest.approx(f)
    assert found.f_p == pytest.approx(scipy.stats.f.sf(f, k - 1, (n - 1) * (k - 1)))
    assert (found.mean_ranks.tolist(), found.blocks) == (ranks.mean(axis=0).tolist(), n)


def test_friedman_where_it_cannot_or_need_not_be_computed() -> None:
    assert "three strategies" in friedman([[1.0, 2.0], [2.0, 1.0]]).reason
    assert "two blocks" in friedman([[1.0, 2.0, 3.0]]).reason
    assert "equal in every block" in friedman([[1.0] * 3, [2.0] * 3]).reason
    alike = friedman([[1.0, 2.0, 3.0]] * 4).value
    assert alike is not None and (alike.f, alike.f_p) == (inf, 0.0)


@pytest.mark.parametrize("alpha", [0.05, 0.10])
def test_critical_values_are_those_of_demsar_2006_table_5(alpha: float) -> None:
    table = {
        0.05: [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164],
        0.10: [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920],
    }
    for k, q in enumerate(table[alpha], start=2):
        assert critical_difference(k, 14, alpha) / math.sqrt(k * (k + 1) / (6 * 14)) == pytest.approx(q, abs=0.0015)
    # his example in section 3.2.3: four classifiers, 14 data sets
    assert critical_difference(4, 14, 0.05) == pytest.approx(1.25, abs=0.005)


def test_nemenyi_rejects_exactly_beyond_the_critical_difference() -> None:
    cd = critical_difference(4, 14)
    p = nemenyi([1.0, 1.0 + cd - 1e-3, 1.0 + cd + 1e-3, 1.0], 14)
    assert p[0, 1] > 0.05 > p[0, 2]
    assert (p == p.T).all() and (np.diag(p) == 1).all() and p[0, 3] == pytest.approx(1.0)


def test_nemenyi_holds_its_level_in_simulation() -> None:
    rng = np.random.default_rng(3)
    ranks = scipy.stats.rankdata(rng.random((4000, 30, 4)), axis=2).mean(axis=1)
    wrong = (np.ptp(ranks, axis=1) >= critical_difference(4, 30)).mean()
    assert wrong == pytest.approx(0.05, abs=0.012)


@given(st.lists(st.floats(1, 6), min_size=1, max_size=6, unique=True), st.data())
def test_bars_join_all_and_only_what_does_not_differ(mean_ranks: list[float], data: st.DataObject) -> None:
    k = len(mean_ranks)
    upper = np.array(data.draw(st.lists(st.booleans(), min_size=k * k, max_size=k * k))).reshape(k, k)
    different = np.triu(upper, 1) | np.triu(upper, 1).T
    order = np.argsort(mean_ranks).tolist()
    possible = [
        set(order[i:j])
        for i in range(k)
        for j in range(i + 2, k + 1)
        if not different[np.ix_(order[i:j], order[i:j])].any()
    ]
    maximal = [group for group in possible if not any(group < other for other in possible)]
    found = cliques(mean_ranks, different)
    assert [set(bar) for bar in found] == maximal
    assert all(list(bar) == sorted(bar, key=lambda i: mean_ranks[i]) for bar in found)
