"""A finished study: its files, and its summary as a table on the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer

from nassim.cli.console import console, print_table
from nassim.facts import Facts
from nassim.plots import plot_study
from nassim.stats.words import counted
from nassim.study import FILE, Study
from nassim.summary import SPLITS, curve_rows, summary_rows, write_csv


def write_results(study: Study, folder: Path, to: Path | None = None) -> list[Path]:
    """Write summary.csv, curves.csv and the figures beside study.db, or into ``to``; return all four kinds."""
    to = to or folder
    return [
        folder / FILE,
        write_csv(to / "summary.csv", summary_rows(study)),
        write_csv(to / "curves.csv", curve_rows(study)),
        *plot_study(study, to),
    ]


def print_summary(study: Study) -> None:
    """One table per benchmark: final accuracies and regret of the incumbents over seeds."""
    if not study.complete:
        done = f"{len(study.runs)} of {study.settings['runs']} runs"
        typer.echo(f"not complete: {done}; the command that made this study continues it")
    rows: list[dict[str, Any]] = summary_rows(study)
    for name in study.benchmarks:
        facts = study.facts[name]
        splits = [split for split in SPLITS if facts.best(split) is not None]
        console().print(_title(study, facts), soft_wrap=True)
        print_table(
            ["strategy", "seeds", "queries", "simulated s" if facts.cost_unit == "seconds" else facts.cost_unit]
            + [f"{split} %" for split in splits]
            + ["regret", "IQM", "median", "quartiles"],
            [_line(row, facts, splits) for row in rows if row["benchmark"] == name],
        )
        for what, source in study.settings["one_shot"].items():
            if what.endswith(f" on {name}"):
                typer.echo(f"{what.partition(' on ')[0]} is {source['note']}.")


def _title(study: Study, facts: Facts) -> str:
    settings, best = study.settings, facts.best(facts.regret_split)
    synthetic = " (synthetic)" if facts.synthetic else ""
    spent = f"budget {settings['budget']}, {counted(settings['workers'], 'worker')}, noise {settings['noise']}"
    title = (
        f"\n[bold]{facts.name}[/]{synthetic}: {spent}\n"
        f"The final incumbents' mean accuracy over the repeats after {facts.epochs} epochs: mean ± std over seeds."
    )
    if best is not None:
        split = {"valid": "validation", "test": "test"}[facts.regret_split]
        title += (
            f"\nRegret: percentage points below the best mean {split} accuracy ({100 * best:.3f} %): "
            "mean, interquartile mean, median and quartiles over seeds."
        )
    return title


def _line(row: dict[str, Any], facts: Facts, splits: list[str]) -> list[object]:
    regret = {
        name: row[f"final_{facts.regret_split}_regret_{name}_pp"] for name in ("mean", "iqm", "median", "q25", "q75")
    }
    mean, iqm, median, q25, q75 = ("–" if value is None else f"{value:.3f}" for value in regret.values())
    accuracies = [(row[f"final_{s}_accuracy_mean_percent"], row[f"final_{s}_accuracy_std_percent"]) for s in splits]
    return [
        row["strategy"] + ("" if row["mode"] == "black-box" else f" ({row['mode']})"),
        row["seeds"],
        f"{row['queries_mean']:.0f}",
        f"{row['simulated_seconds_mean']:,.0f}",
        *("–" if center is None else f"{center:.2f}{_spread(spread)}" for center, spread in accuracies),
        *(mean, iqm, median, "–" if regret["q25"] is None else f"{q25} – {q75}"),
    ]


def _spread(std: float) -> str:
    """The standard deviation; nothing for one seed, which has none."""
    return "" if math.isnan(std) else f" ± {std:.2f}"
