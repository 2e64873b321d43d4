"""All strategies of a study against each other: scores, pairs and ranks, each with how sure it is.

Which test, and why:

- Pairs on one benchmark: Mann-Whitney over runs, Holm's correction over all pairs on all benchmarks. Runs
  with the same seed share random streams, but strategies use them differently: final regrets of four
  strategies on NAS-Bench-201 (150 queries, 300 seeds) correlate by at most 0.08 in rank, which is chance. So
  pairing by seed gains nothing; and Mann-Whitney tests just what is shown beside it, the probability of
  improvement. Where runs of one seed do correlate it errs on the safe side.
- Pairs over few benchmarks: the same, stratified by benchmark, Holm over the pairs. It speaks of new seeds
  on these benchmarks.
- Pairs over many benchmarks: Wilcoxon's signed-rank test over the benchmarks' interquartile means (Demšar,
  JMLR 7, 2006), Holm over the pairs. It speaks of other benchmarks of the kind. "Many" is when this test
  can be significant at all: 6 benchmarks for two strategies at alpha 0.05, 9 for five.
- Ranks, Friedman's and Nemenyi's tests: within benchmarks where these are many, else within seeds.
- Who takes part in ranks and tests: the strategies that have all seeds (`nassim.stats.entrants`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.stats.bootstrap import RESAMPLES, Interval, bootstrap_interval
from nassim.stats.entrants import Entrants, entrants
from nassim.stats.finding import Finding
from nassim.stats.pairs import Wins, cohens_d, improvement, resampled_wins, seeds_to_separate, tied_share
from nassim.stats.rank_tests import RankTest, holm, rank_sum, signed_rank
from nassim.stats.ranks import Ranking, ranking
from nassim.stats.samples import Floats, Summary, interquartile_mean, summarize

Scores = Mapping[str, Mapping[str, Mapping[int, float]]]
"""benchmark -> strategy -> seed -> final regret in percentage points, infinite for a run without an answer."""
_Runs = Mapping[str, Mapping[str, Floats]]


class Score(NamedTuple):
    """How one strategy ended on one benchmark: the runs with an answer, and how many have none."""

    benchmark: str
    strategy: str
    summary: Summary
    iqm: Finding[Interval]
    without_answer: int


class Pair(NamedTuple):
    """Two strategies on one benchmark, or (benchmark None) over all that both have.

    ``improvement`` is the probability that a run of ``first`` ends better (`probability_of_improvement`);
    ``p_holm`` is NaN without a test; ``better`` names the significantly better one. ``seeds_needed``, on
    each benchmark, would show the difference with power 0.8 if ``improvement`` were the truth.
    ``can_be_significant`` is False where no runs of this number and with these ties could be.
    """

    benchmark: str | None
    first: str
    second: str
    improvement: Finding[Interval]
    cohens_d: Finding[float]
    seeds_needed: Finding[int]
    test: Finding[RankTest]
    p_holm: float
    better: str | None
    can_be_significant: bool
    tested: bool  # False where one of the two does not take part in the tests


class Comparison(NamedTuple):
    """What a study says about final regret: see `compare_strategies`.

    ``entrants`` take part in ``ranking``, in its order, and in the tests over benchmarks; ``entrants_on`` each
    benchmark in the tests there. Pairs with another strategy have their probability of improvement and no test.
    """

    benchmarks: tuple[str, ...]
    strategies: tuple[str, ...]
    alpha: float
    scores: list[Score]
    pairs: list[Pair]
    overall: list[Pair]
    ranking: Ranking
    all_equal: bool  # on each benchmark where strategies meet, all their runs end alike
    entrants: Entrants
    entrants_on: dict[str, Entrants]


def compare_strategies(scores: Scores, *, alpha: float = 0.05, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Compare final regrets: scores, pairs on each benchmark, pairs over all of them, and ranks.

    Give all strategies the same budget (`nassim.stats.curves.common_budget`). The intervals of the scores
    equal those of `bootstrap_interval` with the same ``seed`` and ``resamples``.
    """
    strategies = tuple(dict.fromkeys(strategy for of in scores.values() for strategy in of))
    runs = {name: {s: _array(of[s].values()) for s in strategies if of.get(s)} for name, of in scores.items()}
    who, who_on = entrants(scores), {name: entrants({name: of}) for name, of in scores.items()}
    named = list(combinations(strategies, 2))
    shared = who.benchmarks
    # whether a signed-rank test over benchmarks can be significant once it is corrected for all pairs
    many = 2.0 ** (1 - len(shared)) * max(1, len(list(combinations(who.strategies, 2)))) <= alpha
    blocks = "benchmarks" if many else "seeds" if len(shared) < 2 else f"seeds of {len(shared)} benchmarks"
    rng = np.random.default_rng(seed)
    wins = {name: _wins(of, rng, resamples) for name, of in runs.items()}
    both = {pair: [name for name in runs if pair in wins[name]] for pair in named}
    if not who.uneven:
        both |= {pair: list(shared) for pair in named if set(pair) <= set(who.strategies)}
    single = [
        _Samples(name, runs, [name], *pair, who_on[name]) for name in runs for pair in named if pair in wins[name]
    ]
    over_all = [_Samples(None, runs, both[pair], *pair, who) for pair in named]
    overall = _pairs(over_all, wins, alpha, many)
    compared = [of for of in runs.values() if len(of) > 1]
    all_equal = bool(compared) and all(len(np.unique(np.concatenate(list(of.values())))) == 1 for of in compared)
    return Comparison(
        tuple(scores),
        strategies,
        alpha,
        [
            _score(name, s, _array(found.values()), seed, resamples)
            for name in scores
            for s, found in scores[name].items()
        ],
        _pairs(single, wins, alpha, False),
        overall,
        ranking(_blocks(scores, who, many), blocks, _different(who.strategies, overall), alpha),
        all_equal,
        who,
        who_on,
    )


class _Samples:
    """The runs of two strategies on some benchmarks; ``lack``: why they are not tested, empty if they are."""

    def __init__(
        self, benchmark: str | None, runs: _Runs, names: list[str], first: str, second: str, who: Entrants
    ) -> None:
        self.benchmark, self.names, self.first, self.second = benchmark, names, first, second
        self.lack = "".join(f"{s} is left out: {who.left_out[s]}." for s in (first, second) if s in who.left_out)
        self.a = [runs[name][first] for name in names]
        self.b = [runs[name][second] for name in names]


def _score(benchmark: str, strategy: str, runs: Floats, seed: int, resamples: int) -> Score:
    answered = runs[np.isfinite(runs)]
    found = bootstrap_interval([answered], seed=seed, resamples=resamples)
    return Score(benchmark, strategy, summarize(answered), found, len(runs) - len(answered))


def _wins(of: Mapping[str, Floats], rng: np.random.Generator, resamples: int) -> dict[tuple[str, str], Wins]:
    names = list(of)
    found = resampled_wins(list(of.values()), rng, resamples)
    return {(names[i], names[j]): wins for (i, j), wins in found.items()}


def _pairs(
    wanted: Sequence[_Samples], wins: Mapping[str, Mapping[tuple[str, str], Wins]], alpha: float, over_benchmarks: bool
) -> list[Pair]:
    tests = [_test(x, over_benchmarks) for x in wanted]
    tested = sum(not x.lack for x in wanted)
    p_holm = holm([np.nan if test.value is None else test.value.p for test in tests])
    possible = holm([np.nan if test.value is None else test.value.least_p for test in tests]) <= alpha
    found = []
    for x, test, p, can_be in zip(wanted, tests, p_holm.tolist(), possible.tolist(), strict=True):
        lower = test.value.lower if test.value is not None and p <= alpha else 0
        chance = improvement([wins[name][x.first, x.second] for name in x.names])
        effect = cohens_d(x.a[0], x.b[0]) if len(x.names) == 1 else Finding[float](None, "it is given per benchmark.")
        needed = _seeds_needed(chance, x, alpha / max(1, tested))
        better = (None, x.first, x.second)[lower]
        found.append(Pair(x.benchmark, x.first, x.second, chance, effect, needed, test, p, better, can_be, not x.lack))
    return found


def _test(x: _Samples, over_benchmarks: bool) -> Finding[RankTest]:
    if x.lack:
        return Finding(None, x.lack)
    if not over_benchmarks:
        return rank_sum(x.a, x.b)
    return signed_rank([[interquartile_mean(runs) for runs in x.a]], [[interquartile_mean(runs) for runs in x.b]])


def _seeds_needed(chance: Finding[Interval], x: _Samples, alpha: float) -> Finding[int]:
    if x.lack or chance.value is None:
        return Finding(None, x.lack or chance.reason)
    tied = float(np.mean([tied_share(a, b) for a, b in zip(x.a, x.b, strict=True)]))
    return seeds_to_separate(chance.value.value, alpha=alpha, tied=tied, benchmarks=len(x.names))


def _different(strategies: tuple[str, ...], pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    found = np.zeros((len(strategies), len(strategies)), dtype=np.bool_)
    for pair in (p for p in pairs if p.first in strategies and p.second in strategies):
        i, j = strategies.index(pair.first), strategies.index(pair.second)
        found[i, j] = found[j, i] = pair.better is not None
    return found


def _blocks(scores: Scores, who: Entrants, over_benchmarks: bool) -> Floats:
    """Values (blocks, strategies): of benchmarks, or of the seeds that all entrants ran on each."""
    strategies = who.strategies
    rows: list[list[float]] = []
    for of in (scores[name] for name in who.benchmarks):
        if over_benchmarks:
            rows.append([interquartile_mean(_array(of[s].values())) for s in strategies])
        else:
            seeds = [seed for seed in of[strategies[0]] if all(seed in of[s] for s in strategies)]
            rows += [[of[s][seed] for s in strategies] for seed in seeds]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(strategies))


def _array(values: Iterable[float]) -> Floats:
    return np.array(list(values), dtype=np.float64)
