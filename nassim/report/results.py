"""The table of final results: what was reached, regret with intervals, significance marks."""

from __future__ import annotations

import math

from nassim.feasible import of_study
from nassim.grid import BASELINE
from nassim.report.analysis import Analysis
from nassim.report.numerals import limits_in_percent, number, time
from nassim.report.pairs import chance, left_out_note, pair_of, pairs_of
from nassim.report.runs import SPLIT_NAMES, Part
from nassim.report.table import Entry, Table, named, no_table, row
from nassim.stats import (
    Curve,
    area_over_curve,
    band_at,
    final_values,
    interquartile_mean,
    log_times,
    rises,
    summarize,
)
from nassim.stats.bootstrap import MANY
from nassim.summary import SPLITS, accuracy


def results_table(analysis: Analysis, part: Part) -> Table:
    """One row per strategy: what it reaches, its regret with interval, and how it stands against random search."""
    metric = part.metric
    unit = f", {metric.regret_words}" if metric.regret_words else ""
    caption = f"Final results on {part.name} ({part.regret_name}{unit})."
    if part.split not in part.references:
        return no_table(f"results-{part.name}", caption, f"Nothing can be computed: {part.lacking[part.split]}")
    scores = {s.strategy: s for s in analysis.comparison.scores if s.benchmark == part.name}
    answered = [s for s in scores.values() if s.summary.n]
    who = analysis.comparison.entrants_on[part.name]
    lowest = min((s.summary.iqm for s in answered if s.strategy in who.strategies), default=math.nan)
    best = [s.strategy for s in answered if s.summary.iqm == lowest and s.strategy in who.strategies]
    curves = part.curves("seconds", part.split)
    equal = part.equal_time()
    splits = [split for split in SPLITS if split in part.references]
    span = _span(curves)
    columns = [
        *("strategy", "IQM regret [95 %]"),
        *([f"vs {BASELINE} [%]"] if BASELINE in scores and len(scores) > 1 else []),
        *(metric.head(SPLIT_NAMES[split]) for split in splits),
        "median [quartiles]",
        *([] if equal is None else [f"IQM at {equal:,.0f} {part.clock.unit}"]),
        *(["anytime"] if span else []),
        *(["feasible [%]"] if part.facts.constraint else []),
        *("seeds", "queries", part.clock.words),
    ]
    kept, rows = of_study(analysis.study), []
    for strategy, runs in part.runs.items():
        score, n = scores[strategy], len(runs)
        strong = bool(best and score.summary.n) and (strategy in best or not _worse(analysis, part, strategy, best[0]))
        center = score.iqm.value
        interval = f" [{number(center.low, metric)}, {number(center.high, metric)}]" if center is not None else ""
        s = score.summary
        entries: list[object] = [
            named(strategy, "" if part.mode(strategy) == "black-box" else part.mode(strategy)),
            Entry(number(s.iqm, metric) + interval, strong=strong),
        ]
        if BASELINE in scores and len(scores) > 1:
            entries.append(_against(analysis, part, strategy))
        for split in splits:
            finals = [accuracy(run.curve[-1], split) for run in runs if run.curve]
            of = summarize([metric.shown(value) for value in finals if value is not None])
            spread = "" if of.n < 2 else f" ± {metric.text(of.std)}"
            entries.append("–" if not of.n else metric.text(of.mean) + spread)
        entries.append(f"{number(s.median, metric)} [{number(s.q25, metric)}, {number(s.q75, metric)}]")
        if equal is not None:
            entries.append(number(interquartile_mean(final_values(curves[strategy], equal)), metric))
        if span:
            area = area_over_curve(curves[strategy], *span, best=part.floor, worst=float(f"1e{part.exponent + 3}"))
            entries.append("–" if area.value is None else f"{area.value.mean():.3f}")
        if part.facts.constraint:
            of_trials = kept.get((part.name, strategy))
            entries.append("–" if of_trials is None or not of_trials.trials else f"{100 * of_trials.share:.0f}")
        entries += [
            f"{n - score.without_answer} of {n}" if score.without_answer else n,
            f"{sum(run.trials for run in runs) / n:.0f}",
            f"{sum(run.seconds for run in runs) / n:,.0f}",
        ]
        rows.append(row(*entries))
    return Table(f"results-{part.name}", caption, tuple(columns), rows, _results_notes(analysis, part, equal, span))


def _results_notes(
    analysis: Analysis, part: Part, equal: float | None, span: tuple[float, float] | None
) -> tuple[str, ...]:
    reference, among = part.references[part.split], part.facts.among
    known = f"of the space{among}" if reference.known else "that this study found (that of the space is not known)"
    notes = [
        (
            f"Regret: {part.metric.below_the_best} the best mean {part.metric.title(part.split)} {known}, "
            f"{part.metric.read(reference.value, 3)}. {_values(part)}: the final incumbents' means over the table's "
            f"repeats after {part.facts.epochs} epochs, mean ± standard deviation over seeds."
        ),
        (
            "IQM: mean of the middle half, with a 95 % bootstrap interval over seeds. Bold: the lowest, and what is "
            "not significantly different from it (Mann-Whitney, Holm's correction, "
            f"alpha {analysis.comparison.alpha:g})."
        ),
    ]
    if any(len(regrets) >= MANY for regrets in part.final_regrets().values()):
        notes.append(
            f"Of {MANY:,} runs or more the interval is the normal one, from each run's influence, not resampled."
        )
    if part.facts.constraint:
        notes.append(
            f"Feasible: the share of all trials with {part.facts.constraint}. Answers are of those alone: a run has "
            "none until it finds one."
        )
    if equal is not None:
        notes.append(f"IQM at {equal:,.0f} {part.clock.unit}: the regret after what every run of every strategy had.")
    if span:
        notes.append(
            f"Anytime: area over the regret curve, both axes logarithmic, {time(span[0])} to {time(span[1])} "
            f"{part.clock.unit}, regret {1000 * part.floor:g} to {part.floor:g}; 1 is best."
        )
    if len(part.strategies) > 1:
        notes.append(
            f"▲ ▼: significantly better or worse than {BASELINE}, ≈: no difference found; and the probability that a "
            "run ends better, in percent."
        )
    notes += _rising(part)
    notes += left_out_note(analysis.comparison.entrants_on[part.name])
    return tuple(notes)


def _values(part: Part) -> str:
    return "Accuracies" if part.metric.name == "accuracy" else f"Values of {part.metric.name}"


def _rising(part: Part) -> list[str]:
    """Why a best-so-far gets worse, where the median of a strategy does."""
    curves, split = part.curves("seconds", part.split), part.split_name
    at = log_times([curve for group in curves.values() for curve in group])
    names = [s for s, group in curves.items() if rises(band_at(group, at).median)]
    why = (
        f"Over time the median {split} regret of {', '.join(names)} rises in places: an answer is the best by what "
        "the search saw (one training, or shared weights), and is scored by the mean of that architecture's trainings."
    )
    return [why] if names else []


def _worse(analysis: Analysis, part: Part, strategy: str, best: str) -> bool:
    pair = pair_of(pairs_of(analysis, part), strategy, best)
    return pair is None or pair.better == best or not pair.tested


def _against(analysis: Analysis, part: Part, strategy: str) -> str:
    pair = pair_of(pairs_of(analysis, part), strategy, BASELINE)
    if strategy == BASELINE or pair is None:
        return "–"
    wins = chance(pair, strategy)
    mark = "▲" if pair.better == strategy else "▼" if pair.better == BASELINE else "≈" if pair.tested else "–"
    return mark if wins is None else f"{mark} {100 * wins.value:.0f}{limits_in_percent(wins)}"


def _span(curves: dict[str, list[Curve]]) -> tuple[float, float] | None:
    starts = [float(c.at[0]) for group in curves.values() for c in group if len(c.at) and c.at[0] > 0]
    end = max((c.spent for group in curves.values() for c in group), default=0.0)
    return (min(starts), end) if starts and min(starts) < end else None
