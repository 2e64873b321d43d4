"""A study as two tables: one row per benchmark and strategy, and its anytime curves.

Column names carry split and unit: ``percent`` for accuracies, ``pp`` (percentage points) for regret,
``seconds`` on the simulated clock (in the unit that ``cost_unit`` names, where a benchmark knows no seconds).
Final accuracies are the incumbent's means over the repeats after a full training, not the noisy values that
the strategy saw.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nassim.errors import InvalidSetting
from nassim.facts import Facts
from nassim.files import put_in_place
from nassim.packing import Point
from nassim.stats import Band, Summary, band, regret_curve, summarize
from nassim.store import RunEnd
from nassim.study import Study

SPLITS = ("valid", "test")
Record = dict[str, object]

if TYPE_CHECKING:
    import pandas


def summary_rows(study: Study) -> list[Record]:
    """One record per benchmark and strategy: what ``summary.csv`` holds."""
    return [
        _row(study.facts[name], runs)
        for name in study.benchmarks
        for strategy in study.strategies
        if (runs := study.of(name, strategy))
    ]


def _row(facts: Facts, runs: Sequence[RunEnd]) -> Record:
    answered = [run for run in runs if run.curve]
    row: Record = {
        "benchmark": facts.name,
        "strategy": runs[0].strategy,
        "mode": runs[0].mode,
        "hyperparameters": " ".join(f"{k}={v}" for k, v in runs[0].hyperparameters.items()),
        "seeds": len(runs),
        "seeds_without_answer": len(runs) - len(answered),
        "full_training_epochs": facts.epochs,
        "queries_mean": sum(run.trials for run in runs) / len(runs),
        "cost_unit": facts.cost_unit,
        "simulated_seconds_mean": sum(run.seconds for run in runs) / len(runs),
        "worker_seconds_mean": sum(run.worker_seconds for run in runs) / len(runs),
        "regret_split": facts.regret_split,
    }
    for split in SPLITS:
        finals = [accuracy(run.curve[-1], split) for run in answered]
        row |= _columns(f"final_{split}_accuracy", "percent", [100 * value for value in finals if value is not None])
    for split in SPLITS:
        row |= _columns(f"final_{split}_regret", "pp", [c[1][-1] for c in regret_curves(facts, answered, split)])
    return row


def accuracy(point: Point, split: str) -> float | None:
    """The incumbent's mean accuracy over the repeats, a fraction; None where there is none."""
    return point.test if split == "test" else point.valid


def _columns(what: str, unit: str, values: Sequence[float]) -> Record:
    statistics = dict.fromkeys(Summary._fields) if not values else summarize(values)._asdict()
    return {f"{what}_{name}_{unit}": value for name, value in statistics.items() if name != "n"}


def regret_curves(facts: Facts, runs: Sequence[RunEnd], split: str) -> list[tuple[list[float], list[float]]]:
    """(simulated seconds, regret in percentage points) of each run: best mean accuracy less the incumbent's.

    Empty where the best accuracy of the split is not known.
    """
    best = facts.best(split)
    if best is None:
        return []
    return [
        (
            [point.seconds for point in run.curve],
            regret_curve([], [accuracy(point, split) or 0.0 for point in run.curve], best, run.seconds).value.tolist(),
        )
        for run in runs
    ]


def regret_band(facts: Facts, runs: Sequence[RunEnd], split: str) -> Band | None:
    """Median and quartiles of the regret over simulated seconds; None where it is not known."""
    curves = regret_curves(facts, runs, split)
    return band(curves, end=max(run.seconds for run in runs)) if any(times for times, _ in curves) else None


def curve_rows(study: Study) -> list[Record]:
    """The anytime curves: what ``curves.csv`` holds, a row per time at which a run improved."""
    rows: list[Record] = []
    for name in study.benchmarks:
        for strategy in study.strategies:
            for split in SPLITS:
                curve = regret_band(study.facts[name], study.of(name, strategy), split)
                if curve is None:
                    continue
                for at, reached, mean, median, q25, q75 in zip(*(column.tolist() for column in curve), strict=True):
                    rows.append(
                        {
                            "benchmark": name,
                            "strategy": strategy,
                            "split": split,
                            "simulated_seconds": at,
                            "runs_with_answer_fraction": reached,
                            "regret_mean_pp": mean,
                            "regret_median_pp": median,
                            "regret_q25_pp": q25,
                            "regret_q75_pp": q75,
                        }
                    )
    return rows


def export_tables(study: Study) -> dict[str, list[Record]]:
    """Runs, trials and incumbents of a study as records; accuracies are fractions here, times seconds.

    What a search saw stands under the name of the split that it saw: in a study on both, in one of two columns.
    """
    splits = [split for split in SPLITS if split in {facts.search_split for facts in study.facts.values()}]

    def observed(benchmark: str, value: object, before: str = "") -> Record:
        seen = study.facts[benchmark].search_split
        return {f"{before}{split}_accuracy": value if split == seen else None for split in splits}

    runs: list[Record] = []
    incumbents: list[Record] = []
    for run in study.runs:
        head: Record = {"benchmark": run.benchmark, "strategy": run.strategy, "seed": run.seed}
        rest = {k: v for k, v in run._asdict().items() if k not in ("id", "curve", "hyperparameters", *head)}
        runs.append({**head, "hyperparameters": json.dumps(run.hyperparameters), **rest})
        incumbents += [
            {
                **head,
                "simulated_seconds": point.seconds,
                "queries": point.queries,
                "epochs_spent": point.epochs,
                "architecture": point.architecture,
                **observed(run.benchmark, point.observed, "observed_"),
                "valid_accuracy_mean_of_repeats": point.valid,
                "test_accuracy_mean_of_repeats": point.test,
            }
            for point in run.curve
        ]
    trials: list[Record] = []
    for benchmark, strategy, seed, number, row in study.trials():
        trial: Record = {"benchmark": benchmark, "strategy": strategy, "seed": seed, "number": number}
        for column, value in row._asdict().items():
            trial |= observed(benchmark, value) if column == "value" else {column: value}
        trials.append({**trial, "extras": None if row.extras is None else json.dumps(row.extras)})
    return {"runs": runs, "trials": trials, "incumbents": incumbents}


def frame(study: Study, table: str = "trials") -> pandas.DataFrame:
    """One of the tables ``runs``, ``trials``, ``incumbents``, ``summary`` or ``curves`` as a pandas data frame.

    >>> from nassim.study import compare
    >>> len(frame(compare(["re"], ["toy/additive"], "20q", seeds=3)))
    120
    """
    import pandas

    tables = {**export_tables(study), "summary": summary_rows(study), "curves": curve_rows(study)}
    if table not in tables:
        raise InvalidSetting(f"a study has the tables {', '.join(tables)}, not {table!r:.40}.")
    found: pandas.DataFrame = pandas.DataFrame(tables[table])
    return found


def write_csv(path: Path, rows: Sequence[Record]) -> Path:
    """Write records as CSV (RFC 4180, UTF-8; full precision; empty where there is no value)."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    with put_in_place(path) as file:
        file.write(text.getvalue().encode())
    return path
