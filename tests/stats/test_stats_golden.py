"""A small fixed study whose every statistic was computed by hand (or, where noted, by enumeration)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nassim.stats import (
    Circumstances,
    Curve,
    Pair,
    area_over_curve,
    band_at,
    cliffs_delta,
    compare_strategies,
    critical_difference,
    ecdf,
    expected_running_time,
    final_values,
    first_hits,
    mean_band,
    performance_profile,
    ranks_over_time,
    spent_of,
    three_sentences,
)

inf = math.inf
# strategy -> per seed: ({seconds: regret in percentage points}, seconds spent)
RUNS: dict[str, list[tuple[dict[float, float], float]]] = {
    "random_search": [({10: 8, 40: 2}, 100), ({20: 4}, 100), ({10: 6, 50: 3}, 100), ({30: 5}, 80)],
    "evolution": [({10: 8, 20: 1}, 100), ({20: 2, 60: 0}, 100), ({10: 3}, 100), ({40: 4}, 100)],
    "local": [({}, 60), ({10: 9, 90: 2}, 100), ({20: 1}, 100), ({15: 3, 30: 1}, 100)],
}
CURVES = {
    name: [Curve(np.array(list(steps), float), np.array(list(steps.values()), float), spent) for steps, spent in runs]
    for name, runs in RUNS.items()
}
SCORES = {"b": {name: dict(enumerate(final_values(curves).tolist())) for name, curves in CURVES.items()}}
RANDOM, EVOLUTION, LOCAL = CURVES.values()
COMPARISON = compare_strategies(SCORES)


def test_final_regret() -> None:
    assert [list(of.values()) for of in SCORES["b"].values()] == [[2, 4, 3, 5], [1, 0, 3, 4], [inf, 2, 1, 1]]
    random, evolution, local = COMPARISON.scores
    # of 2 3 4 5: quartiles at positions 0.75, 1.5 and 2.25; the middle half is 3 and 4
    assert random.summary == pytest.approx((4, 3.5, math.sqrt(5 / 3), 3.5, 2.75, 4.25, 1.5, 3.5))
    # of 0 1 3 4; the middle half is 1 and 3
    assert evolution.summary == pytest.approx((4, 2, math.sqrt(10 / 3), 2, 0.75, 3.25, 2.5, 2))
    # of 1 1 2: below four values nothing is cut
    assert local.summary == pytest.approx((3, 4 / 3, math.sqrt(1 / 3), 1, 1, 1.5, 0.5, 4 / 3))
    assert [score.without_answer for score in COMPARISON.scores] == [0, 0, 1]


def test_interval_of_the_interquartile_mean() -> None:
    # by enumeration of the 4^4 resamples of 2 3 4 5: the middle two of each
    exact = np.sort([sum(sorted(x)[1:3]) / 2 for x in itertools.product([2, 3, 4, 5], repeat=4)])
    assert (exact[int(0.025 * 256)], exact[int(0.975 * 256)]) == (2.0, 5.0)
    assert COMPARISON.scores[0].iqm.value == (3.5, 2.0, 5.0, 0.95)


def test_regret_over_time() -> None:
    found = band_at(RANDOM, [10, 20, 30, 50])  # 8 - 6 - | 8 4 6 - | 8 4 6 5 | 2 4 3 5
    assert found.reached.tolist() == [0.5, 0.75, 1, 1]
    assert found.median.tolist() == [inf, 7, 5.5, 3.5]
    assert found.q25.tolist() == [7.5, 5.5, 4.75, 2.75]
    assert found.mean.tolist() == [inf, inf, 5.75, 3.5]
    # squared distances of 8 4 6 5 from 5.75: 5.0625 3.0625 0.0625 0.5625
    assert mean_band(RANDOM, [30]).std[0] == pytest.approx(math.sqrt(8.75 / 3))


def test_running_time_to_regret_2() -> None:
    found = [expected_running_time(first_hits(curves, [2.0]), spent_of(curves)).value for curves in CURVES.values()]
    # 40 + 100 + 100 + 80 | (20 + 20 + 100 + 100) / 2 | (60 + 90 + 20 + 30) / 3
    assert [x.expected[0] for x in found if x] == pytest.approx([320, 120, 200 / 3])
    assert [x.success_rate[0] for x in found if x] == [0.25, 0.5, 0.75]


def test_distribution_of_running_times() -> None:
    hits = first_hits(EVOLUTION, [4.0, 2.0, 0.0])
    assert hits.tolist() == [[20, 20, inf], [20, 20, 60], [10, inf, inf], [40, inf, inf]]
    plain = ecdf(hits, spent_of(EVOLUTION), [10, 20, 59.9, 60], restarts=False).value
    assert plain is not None and plain.tolist() == pytest.approx([1 / 12, 5 / 12, 6 / 12, 7 / 12])
    # with restarts at 20 s: target 4 by three of four runs, target 2 by the half whose first draw succeeds, 0 by none
    restarted = ecdf(hits, spent_of(EVOLUTION), [20, 1e6], draws=20_000).value
    assert restarted is not None and restarted.tolist() == pytest.approx([(0.75 + 0.5) / 3, 1.0], abs=0.006)
    assert performance_profile(list(SCORES["b"]["evolution"].values()), [0, 1, 3.5]).tolist() == [0.25, 0.5, 0.75]


def test_area_over_the_curve() -> None:
    found = area_over_curve(EVOLUTION[1:2], 10, 100, best=0.1, worst=10).value
    # nothing until 20 s; lg(10/2) of two decades until 60 s; then 0, clipped to 0.1: all of them
    expected = (math.log(3) * math.log10(5) / 2 + math.log(100 / 60)) / math.log(10)
    assert found is not None and found[0] == pytest.approx(expected)


def pair(first: str, second: str) -> Pair:
    return next(p for p in COMPARISON.overall if (p.first, p.second) == (first, second))


def test_pairs() -> None:
    one, two, three = COMPARISON.overall
    # wins of random search: its 2 beats 3 4, 4 ties 4, 3 ties 3 and beats 4, 5 none: 2 + 0.5 + 1.5 of 16
    assert one.improvement.value is not None and one.improvement.value.value == 0.25
    # 2 ties 2 and beats the missing answer; 4, 3 and 5 beat it: 4.5 of 16
    assert two.improvement.value is not None and two.improvement.value.value == 4.5 / 16
    # evolution's 1 ties 1 1, beats 2 and the missing: 3; 0 beats all: 4; 3 and 4 beat the missing: 2
    assert three.improvement.value is not None and three.improvement.value.value == 9 / 16
    finals = list(SCORES["b"]["random_search"].values()), list(SCORES["b"]["evolution"].values())
    assert cliffs_delta(*finals).value == -0.5
    assert one.cohens_d.value == pytest.approx(-1.5 / math.sqrt(2.5))  # (2 - 3.5) over the root of (5/3 + 10/3) / 2
    assert "no answer" in two.cohens_d.reason


def test_tests_of_pairs() -> None:
    # ranks of 2 4 3 5 among 0 1 2 3 3 4 4 5: 3 6.5 4.5 8, in all 22, 4 above the expected 18;
    # of the 70 sums of four ranks 24 are 4 or more from 18, and 4 the most that can be, 7.5
    sums = [sum(four) for four in itertools.combinations([1, 2, 3, 4.5, 4.5, 6.5, 6.5, 8], 4)]
    p = sum(abs(s - 18) >= 4 for s in sums) / 70
    assert p == 24 / 70
    one, two, three = COMPARISON.overall
    assert one.test.value == ("Mann-Whitney, exact", (4, 4), 2, pytest.approx(p), pytest.approx(4 / 70))
    # ranks of 2 4 3 5 among 1 1 2 2 3 4 5 -: 3.5 6 5 7 = 21.5; of 1 0 3 4 among 0 1 1 1 2 3 4 -: 1 3 6 7 = 17
    ties = (([1.5, 1.5, 3.5, 3.5, 5, 6, 7, 8], 3.5), ([1, 3, 3, 3, 5, 6, 7, 8], 1.0))
    others = [
        sum(abs(sum(four) - 18) >= distance for four in itertools.combinations(ranks, 4)) / 70
        for ranks, distance in ties
    ]
    assert [two.test.value and two.test.value.p, three.test.value and three.test.value.p] == pytest.approx(others)
    # Holm: smallest times 3, next times 2, never falling, at most 1
    first, second, last = sorted([p, *others])
    assert sorted(x.p_holm for x in COMPARISON.overall) == pytest.approx(
        [min(1, 3 * first), min(1, max(3 * first, 2 * second)), min(1, max(3 * first, 2 * second, last))]
    )
    assert [x.better for x in COMPARISON.overall] == [None] * 3
    assert not any(x.can_be_significant for x in COMPARISON.overall)  # at best 2/70, and times 3 that is 0.086


def test_seeds_needed() -> None:
    # values 0 1 2 3 3 4 4 5: cubed shares 4/512 + 2 * 8/512; alpha 0.05 / 3: z = 2.39398 and 0.84162
    tied = 20 / 512
    expected = (2.39398 + 0.84162) ** 2 * (1 - tied) / (6 * 0.25**2)
    assert COMPARISON.overall[0].seeds_needed.value == math.ceil(expected) == 27


def test_ranks() -> None:
    ranking = COMPARISON.ranking
    # by seed: 2 1 3 | 3 1 2 | 2.5 2.5 1 | 3 2 1
    assert ranking.mean_ranks.value is not None
    assert ranking.mean_ranks.value.tolist() == [10.5 / 4, 6.5 / 4, 7 / 4]
    # (3 - 1) * (2.5^2 + 1.5^2 + 1^2) / (14 + 14 + 13.5 + 14 - 4 * 3 * 4^2 / 4); with 2 degrees of freedom p = e^(-x/2)
    assert ranking.friedman.value is not None
    assert ranking.friedman.value.chi_squared == pytest.approx(19 / 7.5)
    assert ranking.friedman.value.p == pytest.approx(math.exp(-19 / 15))
    assert ranking.friedman.value.f == pytest.approx(3 * (19 / 7.5) / (4 * 2 - 19 / 7.5))
    # Demsar's table: 2.343 for three strategies
    assert ranking.critical_difference.value == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 4)), abs=1e-3)
    assert ranking.critical_difference.value == critical_difference(3, 4)
    assert (ranking.nemenyi_bars, ranking.holm_bars) == ([(1, 2, 0)], [(1, 2, 0)])
    assert (ranking.blocks, ranking.number_of_blocks) == ("seeds", 4)


def test_ranks_over_time() -> None:
    found = ranks_over_time(list(CURVES.values()), [20]).value
    # 8 1 - | 4 2 9 | 6 3 1 | - - 3: ranks 2 1 3 | 2 1 3 | 3 2 1 | 2.5 2.5 1
    assert found is not None and found[:, 0].tolist() == [9.5 / 4, 6.5 / 4, 8 / 4]


def test_words() -> None:
    said = three_sentences(COMPARISON, Circumstances({"b": "test"}, dict.fromkeys(CURVES, "100 s")))
    low, high = COMPARISON.scores[2].iqm.value[1:3]  # type: ignore[index]
    assert (low, high) == (1.0, 2.0)  # of 27 resamples of 1 1 2 eight are 1 1 1 and one is 2 2 2: both above 2.5 %
    assert said == (
        (
            "On b, local ends with the lowest test regret, 1.33 percentage points (interquartile mean of 3 seeds of 4, "
            "the others without an answer, 95 % interval 1.00 to 2.00) after 100 s; random_search ends with 3.50."
        ),
        "With 4 seeds no difference could be significant, however large: more seeds are needed.",
        "This holds for this benchmark only; 1 run without an answer counted as worst in ranks and tests.",
    )
