"""A finished study: its files, and its summary as a table on the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nassim import rungs
from nassim.cautions import of_study
from nassim.cli.log import LOG
from nassim.cli.tables import Column, print_table, say
from nassim.facts import Facts
from nassim.metric import Metric
from nassim.plots import plot_study
from nassim.stats.words import counted
from nassim.study import FILE, Study
from nassim.summary import SPLITS, curve_rows, final_column, regret_column, summary_rows, write_csv


def write_results(study: Study, folder: Path, to: Path | None = None) -> list[Path]:
    """Write summary.csv, curves.csv and the figures beside study.db, or into ``to``; return all four kinds."""
    to = to or folder
    for what, reason in study.settings["left_out"].items():
        LOG.warning("%s is left out: %s", what, reason)
    for caution in of_study(study):
        LOG.warning("caution: %s", caution.text)
    return [
        folder / FILE,
        write_csv(to / "summary.csv", summary_rows(study)),
        write_csv(to / "curves.csv", curve_rows(study)),
        *plot_study(study, to),
    ]


def print_summary(study: Study) -> None:
    """One table per benchmark: what the final incumbents reach over seeds, and their regret."""
    if not study.complete:
        done = f"{len(study.runs)} of {study.settings['runs']} runs"
        say(f"not complete: {done}; the command that made this study continues it")
    rows: list[dict[str, Any]] = summary_rows(study)
    by_epochs = rungs.of_study(study)
    for name in study.benchmarks:
        facts = study.facts[name]
        here = [row for row in rows if row["benchmark"] == name]
        splits = _splits(facts, here)
        known = any(facts.best(split) is not None for split in splits)
        say(f"\n{facts.name}{facts.remark}", "bold")
        say(_title(study, facts))
        clock = "simulated s" if facts.cost_unit == "seconds" else facts.cost_unit
        less = [Column("seeds", drop=5), Column("queries", drop=3), Column(clock, drop=4)]
        less += [Column("feasible %")] if facts.constraint else []
        finals = [Column(facts.metric.head(split), drop=2 * (split != splits[-1])) for split in splits]
        regret: list[str | Column] = [
            "regret",
            Column("IQM", drop=6),
            Column("median", drop=1),
            Column("quartiles", drop=7),
        ]
        print_table(
            ["strategy", *less, *finals, *(regret if known else [])],
            [_line(row, facts, splits)[: None if known else 1 + len(less) + len(finals)] for row in here],
            elsewhere="summary.csv",
        )
        for what, source in study.settings["one_shot"].items():
            if what.endswith(f" on {name}"):
                say(f"{what.partition(' on ')[0]} is {source['note']}.")
        for (benchmark, strategy), runs in by_epochs.items():
            if benchmark == name and any(len(run) > 1 for run in runs):
                say(f"{strategy}, a run in the mean: {rungs.words(rungs.mean(runs))}.")
        for strategy in study.strategies:
            of = study.of(name, strategy)
            ended = sum(run.stopped == "finished" and run.mode == "black-box" for run in of)
            if ended:
                say(f"{strategy} ended by itself in {ended} of {counted(len(of), 'run')}: it had nothing left to ask.")


def print_cpu(study: Study) -> None:
    """What the runs that were made now cost in processor time, by strategy: trainings included where they are real."""
    spent = study.cpu_seconds
    if spent:
        means = [f"{strategy} {_seconds(sum(each) / len(each))}" for strategy, each in spent.items()]
        runs, total = sum(map(len, spent.values())), sum(map(sum, spent.values()))
        say(f"CPU seconds a run: {', '.join(means)}; {counted(runs, 'run')} in {_seconds(total)} s.")


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value >= 0.001 else "below 0.001"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}"


def _splits(facts: Facts, rows: list[dict[str, Any]]) -> list[str]:
    """The splits whose values are shown: those with a known best; where none is known, all that have values."""
    known = [split for split in SPLITS if facts.best(split) is not None]
    if known and not facts.surrogate:
        return known
    return [s for s in SPLITS if any(row[final_column(facts.metric, s, "mean")] is not None for row in rows)]


def _title(study: Study, facts: Facts) -> str:
    settings, best, metric = study.settings, facts.best(facts.regret_split), facts.metric
    spent = f"budget {settings['budget']}, {counted(settings['workers'], 'worker')}, noise {settings['noise']}"
    title = (
        f"{spent[:1].upper()}{spent[1:]}.\n"
        f"The final incumbents' mean {metric.name} over the repeats after {facts.epochs} epochs: mean ± std over seeds."
    )
    if facts.surrogate:
        title += "\nThese are predictions, and the seconds are declared: no best is known, hence no regret."
    if facts.constraint:
        title += f"\nFeasible: the share of trials with {facts.constraint}; answers are of those alone."
    if best is not None:
        title += (
            f"\nRegret: {metric.below_the_best} the best mean {metric.title(facts.regret_split)}{facts.among} "
            f"({metric.read(best, 3)}): "
            "mean, interquartile mean, median and quartiles over seeds."
        )
    return title


def _line(row: dict[str, Any], facts: Facts, splits: list[str]) -> list[object]:
    metric = facts.metric
    kinds = ("mean", "iqm", "median", "q25", "q75")
    regret = {kind: row[regret_column(metric, facts.regret_split, kind)] for kind in kinds}
    mean, iqm, median, q25, q75 = ("–" if value is None else metric.regret_text(value) for value in regret.values())
    finals = [[row[final_column(metric, split, kind)] for kind in ("mean", "std")] for split in splits]
    return [
        row["strategy"] + ("" if row["mode"] == "black-box" else f" ({row['mode']})"),
        row["seeds"],
        f"{row['queries_mean']:.0f}",
        f"{row['simulated_seconds_mean']:,.0f}",
        *([_percent(row["feasible_trials_fraction"])] if facts.constraint else []),
        *("–" if center is None else metric.text(center) + _spread(spread, metric) for center, spread in finals),
        *(mean, iqm, median, "–" if regret["q25"] is None else f"{q25} – {q75}"),
    ]


def _spread(std: float, metric: Metric) -> str:
    """The standard deviation; nothing for one seed, which has none."""
    return "" if math.isnan(std) else f" ± {metric.text(std)}"
