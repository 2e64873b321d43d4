"""How sure a comparison is: its tests in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nassim.stats.bootstrap import Interval
from nassim.stats.comparison import Comparison, Pair

BASELINE = "random_search"
MOST_NAMED = 3  # benchmarks of which the sentence says alone whom the best does not beat


def how_sure(comparison: Comparison, best: str) -> str:
    """Whom the best beats by the tests, how often, and where they do not tell: over all benchmarks, on each alone."""
    who = comparison.entrants
    runs = max(score.summary.n + score.without_answer for score in comparison.scores)
    if len(comparison.strategies) == 1:
        return f"Its spread is that of {runs} seeds." if runs > 1 else "With one seed, its spread is not known."
    if comparison.all_equal:
        return "Nothing tells the strategies apart; a smaller budget or a harder benchmark might."
    pairs = [p for p in comparison.overall if best in (p.first, p.second) and _other(p, best) in who.strategies]
    tests = [pair.test.value for pair in pairs if pair.test.value is not None]
    if not tests:
        reason = pairs[0].test.reason if pairs else "no other strategy takes part in the tests."
        return f"No test tells {best} from the others: {reason}"
    if not any(pair.can_be_significant for pair in pairs):
        if runs == 1:
            return "With one seed of each strategy the order may be pure chance: there is no interval and no test."
        seeds = "so few seeds" if who.uneven else f"{who.seeds} seeds"
        from_best = f" from {best}" if any(pair.can_be_significant for pair in comparison.overall) else ""
        return f"With {seeds} no difference{from_best} could be significant, however large: more seeds are needed."
    beaten = [pair for pair in pairs if pair.better == best]
    unclear = [pair for pair in pairs if pair.better is None]
    lost = [pair for pair in pairs if pair.better not in (best, None)]
    parts = []
    if beaten:
        every = "every other strategy with all seeds" if who.left_out else "every other strategy"
        rest = every if len(beaten) == len(pairs) > 1 else listed(_others(beaten, best))
        parts.append(f"{best} is significantly better than {rest}, and {_how_often(beaten, best)}")
        parts += _alone(comparison, best, _others(beaten, best))
        joined = _joined(comparison, best, _others(beaten, best))
        if joined:
            parts.append(f"Nemenyi's test over mean ranks, which is coarser, does not tell it from {listed(joined)}")
    if unclear:
        seeds_needed = _more_seeds(unclear, 0 if who.uneven else who.seeds)
        parts.append(f"{best} cannot be told apart from {listed(_others(unclear, best))}{seeds_needed}")
    if lost:  # the tests weigh all runs, the interquartile mean the middle half
        parts.append(f"{listed(_others(lost, best))} nevertheless ended lower significantly more often")
    together = f" over {len(who.benchmarks)} benchmarks together" if len(who.benchmarks) > 1 else ""
    test = tests[0].name.partition(",")[0]
    return f"By {test} tests{together} (Holm's correction, alpha {comparison.alpha:g}), {'; '.join(parts)}."


def _alone(comparison: Comparison, best: str, beaten: Sequence[str]) -> list[str]:
    """Where one benchmark alone says less than all of them together; not where these are themselves the sample."""
    over = comparison.entrants.benchmarks
    if len(over) < 2 or comparison.ranking.blocks == "benchmarks":
        return []
    said, where = [], []
    for name in over:
        here = [p for p in comparison.pairs if p.benchmark == name and best in (p.first, p.second)]
        unclear = [_other(p, best) for p in here if _other(p, best) in beaten and p.better is None]
        lost = [_other(p, best) for p in here if _other(p, best) in beaten and p.better not in (best, None)]
        words = [f"cannot be told apart from {listed(unclear)}"] if unclear else []
        words += [f"is significantly worse than {listed(lost)}"] if lost else []
        if words:
            where.append(name)
            said.append(f"on {name} alone it {' and '.join(words)}")
    if len(where) > MOST_NAMED:
        return [f"on {listed(where)} alone it is not significantly better than each of these"]
    return said or ["on each of them alone too"]


def _joined(comparison: Comparison, best: str, beaten: Sequence[str]) -> list[str]:
    """Those beaten in pairs whose mean ranks Nemenyi's test does not tell from the best's."""
    ranked, p = comparison.entrants.strategies, comparison.ranking.nemenyi_p.value
    if p is None or best not in ranked:
        return []
    return [s for s in beaten if p[ranked.index(best), ranked.index(s)] > comparison.alpha]


def _how_often(beaten: Sequence[Pair], best: str) -> str:
    """How often it wins against the baseline if that is beaten, else against the closest of the beaten."""
    wins = [(_other(pair, best), _wins(pair, best)) for pair in beaten]
    other, found = min(wins, key=lambda x: (x[0] != BASELINE, x[1].value))
    limits = "" if np.isnan(found.low) else f"95 % interval {100 * found.low:.0f} to {100 * found.high:.0f} %, "
    share = f"wins {100 * found.value:.0f} % of all pairs of runs against {other}"
    return f"{share} ({limits}an equal end counts half)"


def _wins(pair: Pair, best: str) -> Interval:
    """The probability of improvement as seen from one of the two; both have runs."""
    found = pair.improvement.value or Interval(0.5, float("nan"), float("nan"))
    return found if pair.first == best else Interval(1 - found.value, 1 - found.high, 1 - found.low, found.level)


def _more_seeds(unclear: Sequence[Pair], there: int) -> str:
    """The seeds that would show the widest of the gaps; nothing where that many are there already."""
    known = [pair.seeds_needed.value for pair in unclear if pair.seeds_needed.value is not None]
    if not known or min(known) <= there:
        return ""
    gap = "if the gap seen" if len(unclear) == 1 else "if the widest of the gaps seen"
    return f" ({gap} is real, about {min(known):,} seeds would show it)"


def _other(pair: Pair, one: str) -> str:
    return pair.second if pair.first == one else pair.first


def _others(pairs: Sequence[Pair], one: str) -> list[str]:
    return [_other(pair, one) for pair in pairs]


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
