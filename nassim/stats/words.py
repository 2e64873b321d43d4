"""Three sentences that say what a study shows, how sure that is, and what it does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nassim.stats.bootstrap import Interval
from nassim.stats.comparison import Comparison, Pair, Score

BASELINE = "random_search"


class Circumstances(NamedTuple):
    """What the numbers themselves do not say.

    ``splits``: benchmark -> "test" or "validation", the split that regret is taken on. ``budgets``:
    strategy -> its budget in words ("150 queries"). ``synthetic``: benchmarks that are made up.
    ``replayed``: strategy -> "recorded" or "proxy" where that is what its runs are. ``missing``: runs of
    the study that are not there yet.
    """

    splits: Mapping[str, str]
    budgets: Mapping[str, str]
    synthetic: Sequence[str] = ()
    replayed: Mapping[str, str] = {}
    missing: int = 0


def three_sentences(comparison: Comparison, circumstances: Circumstances) -> tuple[str, str, str]:
    """What the study shows, how sure that is, and what to keep in mind: for the top of a report."""
    answered = [score for score in comparison.scores if score.summary.n]
    if not answered:
        return (
            "No run of this study has an answer: each budget ended before the first training did.",
            "So it says nothing about any strategy.",
            "A larger budget would change that.",
        )
    best = _best(comparison, answered)
    one = len(comparison.benchmarks) == 1
    shown = _shown_on_one(comparison, circumstances, best) if one else _shown_on_many(comparison, circumstances, best)
    return shown, _how_sure(comparison, best[0]), _to_keep_in_mind(comparison, circumstances)


def _best(comparison: Comparison, answered: Sequence[Score]) -> list[str]:
    """The strategies with the best mean rank over benchmarks or, on one, the lowest regret: more than one if equal."""
    if len(comparison.benchmarks) > 1 and comparison.ranking.mean_ranks.value is not None:
        place = dict(zip(comparison.strategies, comparison.ranking.mean_ranks.value.tolist(), strict=True))
        return [s for s in comparison.strategies if place[s] <= min(place.values()) + 1e-9]
    lowest = min((score.summary.iqm, score.summary.mean) for score in answered)
    return [score.strategy for score in answered if (score.summary.iqm, score.summary.mean) == lowest]


def _shown_on_one(comparison: Comparison, circumstances: Circumstances, best: Sequence[str]) -> str:
    name = comparison.benchmarks[0]
    scores = {score.strategy: score for score in comparison.scores}
    split, after = circumstances.splits[name], _after(circumstances, best[0])
    found = scores[best[0]]
    regret = f"{_points(found.summary.iqm)} percentage points ({_center(found)}){after}"
    if len(comparison.strategies) == 1:
        return f"On {name}, {best[0]} ends with a {split} regret of {regret}; nothing is compared with it."
    if comparison.all_equal:
        return f"On {name}, all runs of all strategies end with the same {split} regret, {regret}."
    others = [s for s in comparison.scores if s.strategy not in best and s.summary.n]
    tail = "no other strategy has an answer"
    if others:
        other = min(others, key=lambda s: (s.strategy != BASELINE, s.summary.iqm))
        tail = f"{other.strategy} ends with {_points(other.summary.iqm)}"
    ends = f"{best[0]} ends with" if len(best) == 1 else f"{_listed(best)} share"
    return f"On {name}, {ends} the lowest {split} regret, {regret}; {tail}."


def _shown_on_many(comparison: Comparison, circumstances: Circumstances, best: Sequence[str]) -> str:
    count, after = len(comparison.benchmarks), _after(circumstances, best[0])
    ranks = comparison.ranking.mean_ranks
    if len(comparison.strategies) == 1:
        return f"{best[0]} ran on {count} benchmarks{after}; nothing is compared with it."
    if comparison.all_equal:
        return f"On each of {count} benchmarks, all runs of all strategies end with the same regret{after}."
    if ranks.value is None:
        return f"The {count} benchmarks give no common ranking: {ranks.reason}"
    place = dict(zip(comparison.strategies, ranks.value.tolist(), strict=True))
    rest = sorted((s for s in place if s not in best), key=lambda s: (s != BASELINE, place[s]))
    tail = f"; {rest[0]} has {place[rest[0]]:.2f}" if rest else ""
    has = "has" if len(best) == 1 else "share"
    rank = f"{place[best[0]]:.2f} of {len(place)} (1 is best){after}"
    return f"Over {count} benchmarks, {_listed(best)} {has} the best mean rank of final regret, {rank}{tail}."


def _how_sure(comparison: Comparison, best: str) -> str:
    runs = max(score.summary.n + score.without_answer for score in comparison.scores)
    if len(comparison.strategies) == 1:
        return f"Its spread is that of {runs} seeds." if runs > 1 else "With one seed, its spread is not known."
    if comparison.all_equal:
        return "Nothing tells the strategies apart; a smaller budget or a harder benchmark might."
    pairs = [pair for pair in comparison.overall if best in (pair.first, pair.second)]
    tests = [pair.test.value for pair in pairs if pair.test.value is not None]
    if not tests:
        return f"No test tells {best} from the others: {pairs[0].test.reason}"
    if not any(pair.can_be_significant for pair in pairs):
        if runs == 1:
            return "With one seed of each strategy the order may be pure chance: there is no interval and no test."
        return f"With {runs} seeds no difference could be significant, however large: more seeds are needed."
    test = tests[0].name.partition(",")[0]
    beaten = [pair for pair in pairs if pair.better == best]
    unclear = [pair for pair in pairs if pair.better is None]
    lost = [pair for pair in pairs if pair.better not in (best, None)]
    parts = []
    if beaten:
        rest = "every other strategy" if len(beaten) == len(pairs) > 1 else _listed(_others(beaten, best))
        parts.append(f"{best} is significantly better than {rest}, and {_how_often(beaten, best)}")
    if unclear:
        parts.append(f"{best} cannot be told apart from {_listed(_others(unclear, best))}{_more_seeds(unclear)}")
    if lost:  # the tests weigh all runs, the interquartile mean the middle half
        parts.append(f"{_listed(_others(lost, best))} nevertheless ended lower significantly more often")
    return f"By {test} tests (Holm's correction, alpha {comparison.alpha:g}), {'; '.join(parts)}."


def _how_often(beaten: Sequence[Pair], best: str) -> str:
    """How often it wins against the baseline if that is beaten, else against the closest of the beaten."""
    wins = [(_other(pair, best), _wins(pair, best)) for pair in beaten]
    other, found = min(wins, key=lambda x: (x[0] != BASELINE, x[1].value))
    limits = "" if np.isnan(found.low) else f" (95 % interval {100 * found.low:.0f} to {100 * found.high:.0f} %)"
    return f"ends below {other} in {100 * found.value:.0f} % of all pairs of runs{limits}"


def _wins(pair: Pair, best: str) -> Interval:
    """The probability of improvement as seen from one of the two; both have runs."""
    found = pair.improvement.value or Interval(0.5, float("nan"), float("nan"))
    return found if pair.first == best else Interval(1 - found.value, 1 - found.high, 1 - found.low, found.level)


def _more_seeds(unclear: Sequence[Pair]) -> str:
    known = [pair.seeds_needed.value for pair in unclear if pair.seeds_needed.value is not None]
    if not known:
        return ""
    gap = "if the gap seen" if len(unclear) == 1 else "if the widest of the gaps seen"
    return f" ({gap} is real, about {min(known):,} seeds would show it)"


def _to_keep_in_mind(comparison: Comparison, circumstances: Circumstances) -> str:
    names, here = comparison.benchmarks, "this benchmark" if len(comparison.benchmarks) == 1 else "these benchmarks"
    kind = "this holds for benchmarks of this kind"
    parts = [kind if comparison.ranking.blocks == "benchmarks" else f"this holds for {here} only"]
    validation = [name for name in names if circumstances.splits[name] != "test"]
    if validation:
        where = "" if len(validation) == len(names) else f" on {_listed(validation)}"
        parts.append(f"without a test split, regret{where} is on the validation split, which the search saw")
    if len(set(circumstances.budgets.values())) > 1:
        said = ", ".join(f"{_listed(of)} {budget}" for budget, of in _grouped(circumstances.budgets).items())
        parts.append(f"budgets differ ({said}), so unequal efforts are compared")
    failed = sum(score.without_answer for score in comparison.scores)
    if failed:
        parts.append(f"{counted(failed, 'run')} without an answer counted as worst in ranks and tests")
    if circumstances.synthetic:
        parts.append(f"made-up data: {_listed(circumstances.synthetic)}")
    for mode, strategies in _grouped(circumstances.replayed).items():
        parts.append(f"the runs of {_listed(strategies)} are {'recordings' if mode == 'recorded' else 'of a proxy'}")
    if circumstances.missing:
        parts.append(f"still missing: {counted(circumstances.missing, 'run')}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _grouped(said: Mapping[str, str]) -> dict[str, list[str]]:
    """What is said -> of which strategies."""
    groups: dict[str, list[str]] = {}
    for strategy, what in said.items():
        groups.setdefault(what, []).append(strategy)
    return groups


def _after(circumstances: Circumstances, strategy: str) -> str:
    budget = circumstances.budgets.get(strategy)
    return f" after {budget}" if budget else ""


def _center(score: Score) -> str:
    if score.summary.n == 1:
        return "one seed"
    of, found = f"interquartile mean of {score.summary.n} seeds", score.iqm.value
    return of if found is None else f"{of}, 95 % interval {_points(found.low)} to {_points(found.high)}"


def _points(value: float) -> str:
    """Two decimals; of smaller numbers two digits."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.095 else f"{value:.2g}"


def _other(pair: Pair, one: str) -> str:
    return pair.second if pair.first == one else pair.first


def _others(pairs: Sequence[Pair], one: str) -> list[str]:
    return [_other(pair, one) for pair in pairs]


def counted(n: int, word: str) -> str:
    """A number of things: "1 run", "2 runs", "3 strategies"."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{n:,} {word if n == 1 else plural}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
