"""Comparisons, changes between studies and their words: on made studies with known answers, and on thin ones."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.stats import (
    Circumstances,
    Comparison,
    Scores,
    changes_between,
    compare_strategies,
    probability_of_improvement,
    rank_sum,
    signed_rank,
    three_sentences,
)

inf = math.inf


def made(shifts: dict[str, float], benchmarks: int = 1, seeds: int = 40, scale: float = 1.0) -> Scores:
    rng = np.random.default_rng(0)
    return {
        f"bench{i}": {s: dict(enumerate(rng.exponential(scale, seeds) + shift)) for s, shift in shifts.items()}
        for i in range(benchmarks)
    }


def said(comparison: Comparison, **more: object) -> tuple[str, str, str]:
    splits = dict.fromkeys(comparison.benchmarks, "test")
    budgets = dict.fromkeys(comparison.strategies, "150 queries")
    return three_sentences(comparison, Circumstances(**{"splits": splits, "budgets": budgets, **more}))  # type: ignore[arg-type]


CLEAR = made({"random_search": 3.0, "a": 0.0, "b": 1.0, "twin": 1.0})


def test_known_differences_are_found_and_named() -> None:
    found = compare_strategies(CLEAR)
    better = {(p.first, p.second): p.better for p in found.pairs}
    assert better[("random_search", "a")] == "a"
    assert better[("a", "b")] == "a"
    assert better[("b", "twin")] is None
    assert [(p.first, p.second, p.better) for p in found.overall] == [(a, b, c) for (a, b), c in better.items()]
    assert {p.benchmark for p in found.pairs} == {"bench0"} and {p.benchmark for p in found.overall} == {None}
    assert found.ranking.holm_bars == [(2, 3)] or found.ranking.holm_bars == [(3, 2)]
    shown, sure, mind = said(found)
    assert shown.startswith("On bench0, a ends with the lowest test regret, 0.")
    assert "interquartile mean of 40 seeds" in shown and "after 150 queries; random_search ends with 3." in shown
    assert sure.startswith(
        "By Mann-Whitney tests (Holm's correction, alpha 0.05), a is significantly better than every"
    )
    assert "wins 97 % of all pairs of runs against random_search (95 % interval 92 to 100 %, an equal end" in sure
    assert mind == "This holds for this benchmark only."


def test_what_cannot_be_told_apart_is_said_with_the_seeds_it_would_take() -> None:
    found = compare_strategies(made({"random_search": 0.0, "a": 0.0, "b": -3.0}))
    _, sure, _ = said(compare_strategies(made({"random_search": 1.0, "a": 1.0})))
    assert "cannot be told apart from" in sure and "seeds would show it" in sure
    pair = next(p for p in found.pairs if p.second == "a")
    assert pair.better is None and pair.seeds_needed.value is not None and pair.seeds_needed.value > 40


def test_pairs_are_the_functions_they_are_made_of() -> None:
    scores = made({"random_search": 1.0, "a": 0.7, "b": 0.0}, benchmarks=3, seeds=30)
    found = compare_strategies(scores)
    x, y = ([list(scores[name][s].values()) for name in scores] for s in ("random_search", "b"))
    over_all = next(p for p in found.overall if p.second == "b" and p.first == "random_search")
    assert over_all.test == rank_sum(x, y)
    alone = probability_of_improvement(x, y).value
    assert alone is not None and over_all.improvement.value is not None
    assert over_all.improvement.value.value == pytest.approx(alone.value)
    assert over_all.improvement.value.low == pytest.approx(alone.low, abs=0.01)  # other draws, same distribution
    assert over_all.improvement.value.high == pytest.approx(alone.high, abs=0.01)
    assert len(found.pairs) == 9 and all(p.p_holm >= p.test.value.p for p in found.pairs if p.test.value)
    assert found.ranking.blocks == "seeds of 3 benchmarks" and found.ranking.number_of_blocks == 90
    assert "per benchmark" in over_all.cohens_d.reason


@pytest.mark.parametrize(("benchmarks", "blocks"), [(8, "seeds of 8 benchmarks"), (9, "benchmarks")])
def test_many_benchmarks_are_themselves_the_sample(benchmarks: int, blocks: str) -> None:
    shifts = {"random_search": 3.0, "a": 0.0, "b": 1.0, "c": 1.5, "d": 2.0}  # 10 pairs: 2^(1-9) * 10 <= 0.05
    found = compare_strategies(made(shifts, benchmarks, seeds=12))
    assert found.ranking.blocks == blocks
    assert found.ranking.number_of_blocks == (benchmarks if blocks == "benchmarks" else benchmarks * 12)
    test = found.overall[0].test.value
    assert test is not None and found.overall[0].better == "a"
    shown, sure, mind = said(found)
    assert shown.startswith(f"Over {benchmarks} benchmarks, a has the best mean rank of final regret, 1.")
    if blocks == "benchmarks":
        iqm = {(x.benchmark, x.strategy): x.summary.iqm for x in found.scores}
        pairs = [[iqm[name, s] for name in found.benchmarks] for s in ("random_search", "a")]
        assert test == signed_rank([pairs[0]], [pairs[1]]).value
        assert sure.startswith("By Wilcoxon signed-rank tests") and mind == "This holds for benchmarks of this kind."
    else:
        assert sure.startswith("By Mann-Whitney tests") and mind == "This holds for these benchmarks only."


def test_the_same_seed_gives_the_same_comparison() -> None:
    one, again, other = (compare_strategies(CLEAR, seed=seed, resamples=200) for seed in (1, 1, 2))
    assert [one.scores, one.pairs] == [again.scores, again.pairs]
    assert one.scores != other.scores


def test_one_seed() -> None:
    found = compare_strategies(made({"random_search": 3.0, "a": 0.0}, seeds=1))
    assert "more seeds" in found.scores[0].iqm.reason
    pair = found.pairs[0]
    assert pair.improvement.value is not None and math.isnan(pair.improvement.value.low)
    assert pair.test.value is not None and (pair.test.value.p, pair.can_be_significant) == (1.0, False)
    assert "three strategies" in found.ranking.friedman.reason
    shown, sure, _ = said(found)
    assert "(one seed)" in shown
    assert sure == "With one seed of each strategy the order may be pure chance: there is no interval and no test."


def test_one_seed_on_many_benchmarks_is_enough_for_them() -> None:
    found = compare_strategies(made({"random_search": 9.0, "a": 0.0}, benchmarks=6, seeds=1))
    assert found.overall[0].better == "a" and not any(p.can_be_significant for p in found.pairs)
    assert "a is significantly better than random_search, and wins 100 % of all pairs of runs" in said(found)[1]


def test_one_strategy() -> None:
    found = compare_strategies(made({"random_search": 3.0}))
    assert found.pairs == found.overall == [] and "three strategies" in found.ranking.friedman.reason
    shown, sure, _ = said(found)
    assert shown.endswith("nothing is compared with it.") and sure == "Its spread is that of 40 seeds."
    assert said(compare_strategies(made({"a": 3.0}, seeds=1)))[1] == "With one seed, its spread is not known."
    assert said(compare_strategies(made({"a": 3.0}, benchmarks=2)))[0].startswith("a ran on 2 benchmarks after 150")


@pytest.mark.parametrize("scores", [{}, {"b": {}}, {"b": {"a": {}}}, {"b": {"a": {0: inf}, "random_search": {0: inf}}}])
def test_no_finished_run(scores: Scores) -> None:
    found = compare_strategies(scores)
    assert found.ranking.mean_ranks.reason or found.all_equal
    assert said(found)[0].startswith("No run of this study has an answer")
    assert all(score.iqm.reason == "there is no run." for score in found.scores)


@pytest.mark.parametrize("benchmarks", [1, 2])
def test_ties_everywhere(benchmarks: int) -> None:
    found = compare_strategies({f"b{i}": {s: dict.fromkeys(range(5), 0.0) for s in "xyz"} for i in range(benchmarks)})
    assert found.all_equal
    assert (
        {p.test.reason for p in found.pairs} == {"all runs are equal."} == {p.seeds_needed.reason for p in found.pairs}
    )
    assert found.ranking.friedman.reason == "all strategies are equal in every block."
    shown, sure, _ = said(found)
    assert "all runs of all strategies end with the same" in shown
    assert sure == "Nothing tells the strategies apart; a smaller budget or a harder benchmark might."


def test_equal_leaders_share_the_first_place() -> None:
    equal = {"random_search": dict.fromkeys(range(9), 2.0), "a": dict.fromkeys(range(9), 0.0)}
    shown, sure, _ = said(compare_strategies({"b": {**equal, "c": equal["a"]}}))
    assert shown.startswith("On b, a and c share the lowest test regret, 0.00 percentage points")
    assert "a cannot be told apart from c (" not in sure and "a cannot be told apart from c." in sure


def test_unequal_seeds_and_missing_benchmarks() -> None:
    scores = {
        "one": {"random_search": {0: 3.0, 1: 4.0, 2: 5.0}, "a": {1: 1.0, 2: 2.0}, "b": {0: 1.0, 1: inf, 2: 0.5}},
        "two": {"random_search": {0: 3.0, 1: 4.0}, "a": {0: 2.0, 1: 1.0}},
        "three": {"b": {}},
    }
    found = compare_strategies(scores)
    assert [(p.benchmark, p.first, p.second) for p in found.pairs] == [
        ("one", "random_search", "a"),
        ("one", "random_search", "b"),
        ("one", "a", "b"),
        ("two", "random_search", "a"),
    ]
    assert found.ranking.mean_ranks.value is None or found.ranking.number_of_blocks == 2  # seeds 1 and 2 of "one"
    only = compare_strategies({"two": {"a": {0: 1.0}}, "three": {"b": {0: 1.0}}})
    assert "no run" in only.overall[0].test.reason and "no common ranks" in only.ranking.mean_ranks.reason
    assert (
        said(only)[0]
        == "The 2 benchmarks give no common ranking: no seed has runs of all strategies, so there are no common ranks."
    )


def test_circumstances_are_said() -> None:
    found = compare_strategies({"x": {"random_search": {0: 1.0, 1: inf}, "a": {0: 2.0, 1: 0.0}}})
    mind = said(
        found,
        splits={"x": "validation"},
        budgets={"random_search": "150 queries", "a": "2 h", "b": "150 queries"},
        synthetic=["x"],
        replayed={"a": {"x": "proxy"}, "b": {"x": "proxy"}},
        missing=1,
    )[2]
    assert mind == (
        "This holds for this benchmark only; without a test split, regret is on the validation split, which the "
        "search saw; budgets differ (random_search and b 150 queries, a 2 h), so unequal efforts are compared; 1 run "
        "without an answer counted as worst in ranks and tests; made-up data: x; the runs of a and b are of a proxy; "
        "still missing: 1 run."
    )


regrets = st.dictionaries(st.integers(0, 5), st.sampled_from([0.0, 0.1, 1.0, 2.5, inf]), max_size=5)
studies = st.dictionaries(
    st.sampled_from(["p", "q", "r"]), st.dictionaries(st.sampled_from(["random_search", "a", "b"]), regrets), max_size=3
)


@given(studies, studies)
def test_nothing_raises_or_warns_for_any_small_study(old: Scores, new: Scores) -> None:
    for sentence in said(compare_strategies(new, resamples=20)):
        assert sentence.endswith(".") and "nan" not in sentence and "None" not in sentence
    found = changes_between(old, new, resamples=20)
    assert {(c.benchmark, c.strategy) for c in found} == {(n, s) for x in (old, new) for n, of in x.items() for s in of}
    assert all(c.why.endswith(".") for c in found)


def test_an_unchanged_study_is_identical() -> None:
    assert {c.verdict for c in changes_between(CLEAR, CLEAR)} == {"identical"}
    only = changes_between(CLEAR, CLEAR)[0]
    assert only.why == "all 40 runs end exactly as before." and math.isnan(only.p_holm)


def test_a_change_of_a_few_runs_is_found_in_pairs() -> None:
    old = {"b": {"a": dict(enumerate(np.random.default_rng(1).exponential(1.0, 100)))}}
    new = {"b": {"a": {seed: value + (0.01 if seed % 5 == 0 else 0.0) for seed, value in old["b"]["a"].items()}}}
    (found,) = changes_between(old, new)
    assert found.verdict == "worse" and "Wilcoxon signed-rank" in found.why
    assert found.test == signed_rank([list(new["b"]["a"].values())], [list(old["b"]["a"].values())])
    assert found.difference.value is not None and 0 <= found.difference.value.value <= 0.01
    (back,) = changes_between(new, old)
    assert back.verdict == "better" and back.p_holm == found.p_holm
    # as independent samples nothing would be seen: 95 % of one seed's chance hides a hundredth
    shifted = {"b": {"a": {seed + 1000: value for seed, value in new["b"]["a"].items()}}}
    (unpaired,) = changes_between(old, shifted)
    assert unpaired.verdict == "no difference found" and "Mann-Whitney" in unpaired.why


def test_holm_runs_over_all_changes_and_the_rest_is_named() -> None:
    rng = np.random.default_rng(2)
    old = {"b": {s: dict(enumerate(rng.exponential(1.0, 30))) for s in ("a", "c", "gone")}}
    new = {"b": {"a": {k: v + 5 for k, v in old["b"]["a"].items()}, "c": old["b"]["c"], "fresh": {0: 1.0}}}
    found = {c.strategy: c for c in changes_between(old, new)}
    assert [c.verdict for c in found.values()] == [
        "worse",
        "identical",
        "only in the new study",
        "only in the old study",
    ]
    few = changes_between({"b": {"a": {0: 1.0, 1: 2.0}}}, {"b": {"a": {0: 2.0, 1: 4.0}}})[0]
    assert few.verdict == "not tested" and "no difference could be significant" in few.why
    several = changes_between(
        {"b": {s: dict(enumerate(range(6))) for s in "xyz"}},
        {"b": {s: {k: k + 1.0 for k in range(6)} for s in "xyz"}},
    )
    assert [c.p_holm for c in several] == pytest.approx([3 * 2 / 64] * 3)


def test_five_strategies_of_500_seeds_take_less_than_a_second() -> None:
    from nassim.stats import bootstrap_interval

    scores = made(dict.fromkeys(["random_search", "a", "b", "c", "d"], 0.0), seeds=500)
    best = inf
    for _ in range(3):
        began = time.process_time()
        for runs in scores["bench0"].values():
            bootstrap_interval([list(runs.values())], resamples=2000)
        best = min(best, time.process_time() - began)
    assert best < 1.0
