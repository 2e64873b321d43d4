"""Three sentences that say what a study shows, how sure that is, and what it does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nassim.stats.certainty import BASELINE, how_sure, listed
from nassim.stats.comparison import Comparison, Score


class Circumstances(NamedTuple):
    """What the numbers themselves do not say.

    ``splits``: benchmark -> "test" or "validation", the split that regret is taken on. ``regrets``: benchmark -> how
    its regret is called, and the unit in words, where that is not "validation regret" in percentage points.
    ``budgets``: strategy -> its budget in words ("150 queries"). ``synthetic``: benchmarks that are made up.
    ``replayed``: strategy -> benchmark -> "recorded" or "proxy" where that is what its runs are. ``missing``: runs of
    the study that are not there yet. ``times``: benchmark -> strategy -> mean simulated time of its runs, in ``units``
    of the benchmark, given where a budget of queries on several ``workers`` leaves it open.
    """

    splits: Mapping[str, str]
    budgets: Mapping[str, str]
    synthetic: Sequence[str] = ()
    surrogates: Mapping[str, str] = {}  # benchmark -> what its predictions were fitted to
    replayed: Mapping[str, Mapping[str, str]] = {}
    missing: int = 0
    times: Mapping[str, Mapping[str, float]] = {}
    units: Mapping[str, str] = {}
    workers: int = 1
    regrets: Mapping[str, tuple[str, str]] = {}
    constraint: str = ""  # that answers keep to


def three_sentences(comparison: Comparison, circumstances: Circumstances) -> tuple[str, str, str]:
    """What the study shows, how sure that is, and what to keep in mind: for the top of a report.

    Each follows from the tables below it: regrets from the final results, ranks from the ranks, and who is better
    than whom from the pairs.
    """
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
    shown = f"{shown}{_took(circumstances, best[0])}."
    return shown, how_sure(comparison, best[0]), _to_keep_in_mind(comparison, circumstances)


def _best(comparison: Comparison, answered: Sequence[Score]) -> list[str]:
    """The entrants with the best mean rank over benchmarks or, on one, the lowest regret: more than one if equal."""
    ranked, ranks = comparison.entrants.strategies, comparison.ranking.mean_ranks.value
    if len(comparison.benchmarks) > 1 and ranks is not None:
        place = dict(zip(ranked, ranks.tolist(), strict=True))
        return [s for s in ranked if place[s] <= min(place.values()) + 1e-9]
    scores = [score for score in answered if score.strategy in ranked] or answered
    lowest = min(score.summary.iqm for score in scores)
    leading = sorted((x for x in scores if x.summary.iqm == lowest), key=lambda x: x.summary.mean)
    return list(dict.fromkeys(x.strategy for x in leading))


def _shown_on_one(comparison: Comparison, circumstances: Circumstances, best: Sequence[str]) -> str:
    name, who = comparison.benchmarks[0], comparison.entrants
    scores = {score.strategy: score for score in comparison.scores}
    usual = f"{circumstances.splits[name]} regret", "percentage points"
    (regret_name, unit), after = circumstances.regrets.get(name, usual), _after(circumstances, best[0])
    found = scores[best[0]]
    regret = f"{f'{points(found.summary.iqm)} {unit}'.rstrip()} ({_center(found)}){after}"
    if len(comparison.strategies) == 1:
        return f"On {name}, {best[0]} ends with a {regret_name} of {regret}; nothing is compared with it"
    if comparison.all_equal:
        return f"On {name}, all runs of all strategies end with the same {regret_name}, {regret}"
    others = [s for s in comparison.scores if s.strategy not in best and s.summary.n]
    tails = []
    if ranked := [s for s in others if s.strategy in who.strategies]:
        tails.append(min(ranked, key=lambda s: (s.strategy != BASELINE, s.summary.iqm)))
    tails += [s for s in others if s.strategy in who.left_out and s.summary.iqm <= found.summary.iqm]
    tail = "; ".join(f"{s.strategy} ends with {points(s.summary.iqm)}" for s in tails) or (
        "no other strategy has an answer" if not others else "no other strategy with all seeds has an answer"
    )
    of = f"of the {len(who.strategies)} strategies with all {who.seeds} seeds " if who.left_out else ""
    ends = f"{best[0]} ends with" if len(best) == 1 else f"{listed(best)} share"
    return f"On {name}, {of}{ends} the lowest {regret_name}, {regret}; {tail}"


def _shown_on_many(comparison: Comparison, circumstances: Circumstances, best: Sequence[str]) -> str:
    every, after, who = len(comparison.benchmarks), _after(circumstances, best[0]), comparison.entrants
    ranks = comparison.ranking
    if len(comparison.strategies) == 1:
        return f"{best[0]} ran on {every} benchmarks{after}; nothing is compared with it"
    if comparison.all_equal:
        return f"On each of {every} benchmarks, all runs of all strategies end with the same regret{after}"
    if ranks.mean_ranks.value is None:
        return f"The {every} benchmarks give no common ranking: {ranks.mean_ranks.reason.rstrip('.')}"
    place = dict(zip(who.strategies, ranks.mean_ranks.value.tolist(), strict=True))
    rest = sorted((s for s in place if s not in best), key=lambda s: (s != BASELINE, place[s]))
    tail = f"; {rest[0]} has {place[rest[0]]:.2f}" if rest else ""
    has = "has" if len(best) == 1 else "share"
    of = f"{len(place)} strategies with all seeds" if who.left_out else f"{len(place)}"
    rank = f"{place[best[0]]:.2f} of {of} (1 is best){after}"
    count = len(who.benchmarks)
    over = f"Over {every} benchmarks" if count == every else f"Over {count} of {every} benchmarks"
    return f"{over}, {listed(best)} {has} the best mean rank of final regret, {rank}{tail}"


def _took(circumstances: Circumstances, best: str) -> str:
    """Where a budget of queries leaves the time open: who was quickest, who slowest, and what the best one took."""
    parts = []
    for name, times in circumstances.times.items():
        quick, slow = min(times, key=lambda s: times[s]), max(times, key=lambda s: times[s])
        if times[slow] <= 1.01 * times[quick]:
            continue
        where = f" on {name}" if len(circumstances.times) > 1 else ""
        own = f", {best} {times[best]:,.0f}" if best in times and best not in (quick, slow) else ""
        unit = circumstances.units.get(name, "simulated seconds")
        parts.append(f"{times[quick]:,.0f} ({quick}) to {times[slow]:,.0f} {unit} ({slow}){own}{where}")
    return f"; on {circumstances.workers} workers that took {', '.join(parts)}" if parts else ""


def _to_keep_in_mind(comparison: Comparison, circumstances: Circumstances) -> str:
    names, here = comparison.benchmarks, "this benchmark" if len(comparison.benchmarks) == 1 else "these benchmarks"
    kind = "this holds for benchmarks of this kind"
    parts = [kind if comparison.ranking.blocks == "benchmarks" else f"this holds for {here} only"]
    validation = [name for name in names if circumstances.splits[name] != "test"]
    if validation:
        where = "" if len(validation) == len(names) else f" on {listed(validation)}"
        parts.append(f"without a test split, regret{where} is on the validation split, which the search saw")
    if len(set(circumstances.budgets.values())) > 1:
        said = ", ".join(f"{listed(of)} {budget}" for budget, of in _grouped(circumstances.budgets).items())
        parts.append(f"budgets differ ({said}), so unequal efforts are compared")
    who = comparison.entrants
    if who.left_out:
        lacks = ", ".join(f"{s} ({why})" for s, why in who.left_out.items())
        parts.append(f"left out of ranks and tests, which take the strategies with all seeds: {lacks}")
    if who.uneven and not comparison.all_equal:
        parts.append("seeds differ: ranks are over those that all strategies have, tests over all runs")
    failed = sum(score.without_answer for score in comparison.scores if score.strategy in who.strategies)
    if failed:
        parts.append(f"{counted(failed, 'run')} without an answer counted as worst in ranks and tests")
    if circumstances.constraint:
        parts.append(f"answers are the trials with {circumstances.constraint}, and regret is from the best of those")
    if circumstances.synthetic:
        parts.append(f"made-up data: {listed(circumstances.synthetic)}")
    for name, fitted in circumstances.surrogates.items():
        parts.append(f"values on {name} are predictions of a surrogate ({fitted}), not trainings")
    parts += _replayed(circumstances.replayed)
    if circumstances.missing:
        parts.append(f"still missing: {counted(circumstances.missing, 'run')}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _replayed(replayed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Whose runs are recordings or of a proxy; with the benchmarks where that differs between them."""
    parts = []
    for mode, words in (("recorded", "recordings"), ("proxy", "of a proxy")):
        said = {}
        for strategy, of in replayed.items():
            where = [name for name, found in of.items() if found == mode]
            if where:
                said[strategy] = "" if len(set(of.values())) == 1 else f" on {listed(where)}"
        parts += [f"the runs of {listed(of)}{where} are {words}" for where, of in _grouped(said).items()]
    return parts


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
    every = score.summary.n + score.without_answer
    part = f" of {every}, the others without an answer" if score.without_answer else ""
    if score.summary.n == 1:
        return f"one seed{part}"
    of, found = f"interquartile mean of {score.summary.n} seeds{part}", score.iqm.value
    return of if found is None else f"{of}, 95 % interval {points(found.low)} to {points(found.high)}"


def points(value: float) -> str:
    """A regret: two decimals; of smaller numbers two digits."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.095 else f"{value:.2g}"


def counted(n: int, word: str) -> str:
    """A number of things: "1 run", "2 runs", "3 strategies"."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{n:,} {word if n == 1 else plural}"
