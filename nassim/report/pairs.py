"""Pairs of strategies: the win rates as a heat map, the tests behind them, and mean ranks."""

from __future__ import annotations

import numpy as np

from nassim.report.analysis import Analysis
from nassim.report.numerals import finding, limits_in_percent, p_value
from nassim.report.runs import Part
from nassim.report.table import Entry, Table, named, no_table, row
from nassim.stats import Entrants, Interval, Pair, magnitude


def pairs_of(analysis: Analysis, part: Part | None) -> list[Pair]:
    """The pairs on a benchmark, or over all of them."""
    comparison = analysis.comparison
    return comparison.overall if part is None else [p for p in comparison.pairs if p.benchmark == part.name]


def pair_of(pairs: list[Pair], one: str, other: str) -> Pair | None:
    """The pair of two strategies, in either order; None where there is none."""
    return next((p for p in pairs if {p.first, p.second} == {one, other}), None)


def chance(pair: Pair, strategy: str) -> Interval | None:
    """The probability that a run of ``strategy`` ends better than one of the other; None without runs."""
    found = pair.improvement.value
    if found is None or strategy == pair.first:
        return found
    return Interval(1 - found.value, 1 - found.high, 1 - found.low, found.level)


def left_out_note(who: Entrants) -> list[str]:
    """Who takes no part in ranks and tests, as a note of a table; empty if everyone does."""
    if who.uneven:
        return ["Seeds differ: tests are over all runs, ranks over the seeds that all strategies have."]
    lacks = ", ".join(f"{s} ({why})" for s, why in who.left_out.items())
    return [f"Left out of ranks and tests, which take the strategies with all seeds: {lacks}."] if lacks else []


def _of(analysis: Analysis, part: Part | None) -> tuple[Entrants, str]:
    """Who takes part in the tests, and where they are, in words."""
    if part is not None:
        return analysis.comparison.entrants_on[part.name], f"on {part.name}"
    who, every = analysis.comparison.entrants, len(analysis.parts)
    here = len(who.benchmarks)
    return who, "over all benchmarks" if here == every else f"over {here} of {every} benchmarks"


def wins_table(analysis: Analysis, part: Part | None) -> Table:
    """The heat map: how likely a run of the row's strategy ends better than one of the column's."""
    pairs = pairs_of(analysis, part)
    who, where = _of(analysis, part)
    name = f"wins-{'all' if part is None else part.name}"
    caption = f"Win rates {where}: how likely a run of the row ends better than one of the column, in percent."
    names = [s for s in analysis.strategies if part is None or s in part.runs]
    if len(names) < 2:
        return no_table(name, caption, "There is one strategy only.")
    rows = []
    for strategy in names:
        entries = [named(strategy)]
        for other in names:
            pair = pair_of(pairs, strategy, other)
            found = chance(pair, strategy) if pair is not None and strategy != other else None
            if pair is None or found is None:
                entries.append(Entry("·" if strategy == other else "–", share=0.5))
                continue
            entries.append(Entry(f"{100 * found.value:.0f}{'*' * (pair.better is not None)}", share=found.value))
        rows.append(entries)
    notes = (
        (
            "An equal end counts half. *: significantly different (Holm's correction over all pairs, "
            f"alpha {analysis.comparison.alpha:g})."
        ),
        *left_out_note(who),
    )
    return Table(name, caption, ("row against column", *names), rows, notes, strategies=("", *names))


def pairs_table(analysis: Analysis, part: Part | None) -> Table:
    """Every pair with its test, effect sizes and the seeds that it would take."""
    pairs = pairs_of(analysis, part)
    who, where = _of(analysis, part)
    name, caption = f"pairs-{'all' if part is None else part.name}", f"Pairs {where}, by final regret."
    if not pairs:
        return no_table(name, caption, "There is one strategy only.")
    columns = (
        "pair",
        "better",
        "P(first ends better) in % [95 %]",
        "size",
        "Cohen's d",
        "p (Holm)",
        "test",
        "seeds to show it",
    )
    rows, reasons = [], []
    for pair in pairs:
        found, test = pair.improvement.value, pair.test.value
        if not pair.tested:
            pass  # said once below, not for every pair
        elif test is None:
            reasons.append(f"{pair.first}, {pair.second}: no test, {pair.test.reason}")
        elif not pair.can_be_significant:
            reasons.append(f"{pair.first}, {pair.second}: with so few runs no difference could be significant.")
        for what, why in (("Cohen's d", pair.cohens_d.reason), ("seeds", pair.seeds_needed.reason)):
            said = f"{what} –: {why}"
            if why and test is not None and said not in reasons:
                reasons.append(said)
        rows.append(
            row(
                Entry(f"{pair.first}, {pair.second}", of=(pair.first, pair.second)),
                Entry(pair.better or ("≈" if pair.tested else "not tested"), strong=pair.better is not None),
                "–" if found is None else f"{100 * found.value:.1f}{limits_in_percent(found)}",
                "–" if found is None else magnitude(found.value),
                finding(pair.cohens_d, ".2f"),
                p_value(pair.p_holm),
                "–" if test is None else test.name.partition(",")[0],
                finding(pair.seeds_needed, ",.0f"),
            )
        )
    notes = (
        (
            "Size: Vargha and Delaney's words for the probability. Cohen's d is positive where the first is lower. "
            "Seeds to show it: of each strategy, for power 0.8 if the probability seen is the true one."
        ),
        *reasons,
        *left_out_note(who),
    )
    return Table(name, caption, columns, rows, notes)


def ranks_table(analysis: Analysis) -> Table:
    """Mean ranks with Friedman's test: the critical-difference diagram in numbers."""
    ranking = analysis.comparison.ranking
    caption = f"Mean ranks over {ranking.number_of_blocks:,} {ranking.blocks} (1 is best)."
    if ranking.mean_ranks.value is None:
        return no_table("ranks", "Mean ranks.", ranking.mean_ranks.reason)
    names = list(analysis.comparison.entrants.strategies)
    order = np.argsort(ranking.mean_ranks.value, kind="stable")
    rows = [row(named(names[i]), f"{ranking.mean_ranks.value[i]:.2f}") for i in order]
    test = ranking.friedman.value
    notes = [f"No test that all are equally good: {ranking.friedman.reason}"]
    if test is not None:
        notes = [
            (
                f"Friedman's test that all are equally good: chi-squared {test.chi_squared:.1f}, p {p_value(test.p)}; "
                f"F test of Iman and Davenport: p {p_value(test.f_p)}."
            )
        ]
    if ranking.critical_difference.value is not None:
        notes.append(f"Nemenyi's critical difference at alpha 0.05: {ranking.critical_difference.value:.2f} ranks.")
    notes += left_out_note(analysis.comparison.entrants)
    return Table("ranks", caption, ("strategy", "mean rank"), rows, tuple(notes))
