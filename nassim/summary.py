"""A study as two tables: one row per benchmark and strategy, and its anytime curves.

Column names carry metric, split and unit: ``percent`` for accuracies, ``pp`` (percentage points) for their regret,
``nats`` for a loss and its regret; ``seconds`` on the simulated clock (in the unit that ``cost_unit`` names, where a
benchmark knows no seconds). A study on several metrics has the columns of all, empty where they are not a row's.
Final accuracies (losses, ...) are the incumbent's means over the repeats after a full training, not the noisy values
that the strategy saw.
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
from nassim.metric import Metric
from nassim.packing import Point
from nassim.stats import Band, Summary, band, regret_curve, summarize
from nassim.store import RunEnd
from nassim.study import Study

SPLITS = ("valid", "test")
Record = dict[str, object]

if TYPE_CHECKING:
    import pandas

    from nassim.feasible import Kept


def summary_rows(study: Study) -> list[Record]:
    """One record per benchmark and strategy: what ``summary.csv`` holds."""
    from nassim.feasible import of_study

    kept = of_study(study)
    return [
        _row(study.facts[name], runs) | _kept(study, kept.get((name, strategy)))
        for name in study.benchmarks
        for strategy in study.strategies
        if (runs := study.of(name, strategy))
    ]


def _kept(study: Study, kept: Kept | None) -> Record:
    """Under a constraint the share of trials that keep to it; empty where trials were not kept."""
    if not study.settings.get("constraint"):
        return {}
    return {"feasible_trials_fraction": None if kept is None or not kept.trials else kept.share}


def _row(facts: Facts, runs: Sequence[RunEnd]) -> Record:
    answered = [run for run in runs if run.curve]
    row: Record = {
        "benchmark": facts.name,
        "strategy": runs[0].strategy,
        "mode": runs[0].mode,
        "surrogate": facts.surrogate,
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
        found = _statistics([facts.metric.shown(value) for value in finals if value is not None])
        row |= {final_column(facts.metric, split, name): value for name, value in found.items()}
    for split in SPLITS:
        found = _statistics([c[1][-1] for c in regret_curves(facts, answered, split)])
        row |= {regret_column(facts.metric, split, name): value for name, value in found.items()}
    return row


def final_column(metric: Metric, split: str, statistic: str) -> str:
    """The column of what the final answers reach: ``final_valid_accuracy_mean_percent``."""
    return f"final_{metric.column(split, statistic)}"


def regret_column(metric: Metric, split: str, statistic: str) -> str:
    """The column of the final regret: ``final_valid_regret_mean_pp``."""
    return metric.regret_column("final", split, "regret", statistic)


def accuracy(point: Point, split: str) -> float | None:
    """The incumbent's mean value over the repeats, of accuracy a fraction; None where there is none."""
    return point.test if split == "test" else point.valid


def _statistics(values: Sequence[float]) -> Record:
    statistics = dict.fromkeys(Summary._fields) if not values else summarize(values)._asdict()
    return {name: value for name, value in statistics.items() if name != "n"}


def regret_curves(facts: Facts, runs: Sequence[RunEnd], split: str) -> list[tuple[list[float], list[float]]]:
    """(simulated seconds, regret in the metric's unit) of each run: best mean value less the incumbent's.

    Of accuracy in percentage points. Empty where the best value of the split is not known.
    """
    best, worst = facts.best(split), facts.metric.limits[0]
    if best is None:
        return []
    curves = []
    for run in runs:
        values = [worst if (value := accuracy(point, split)) is None else value for point in run.curve]
        regret = regret_curve([], values, best, run.seconds, facts.metric.regret_factor).value
        curves.append(([point.seconds for point in run.curve], regret.tolist()))
    return curves


def regret_band(facts: Facts, runs: Sequence[RunEnd], split: str) -> Band | None:
    """Median and quartiles of the regret over simulated seconds; None where it is not known."""
    curves = regret_curves(facts, runs, split)
    return band(curves, end=max(run.seconds for run in runs)) if any(times for times, _ in curves) else None


def regret_floor(facts: Facts, runs: Sequence[RunEnd]) -> float:
    """The regret that counts as none where a figure of all these runs is logarithmic; 0.01 points of accuracy."""
    highest = max((max(values, default=0.0) for _, values in regret_curves(facts, runs, facts.regret_split)), default=0)
    return float(f"1e{facts.metric.regret_exponent(highest)}")


def curve_rows(study: Study) -> list[Record]:
    """The anytime curves: what ``curves.csv`` holds, a row per time at which a run improved."""
    rows: list[Record] = []
    for name in study.benchmarks:
        column = study.facts[name].metric.regret_column
        for strategy in study.strategies:
            for split in SPLITS:
                curve = regret_band(study.facts[name], study.of(name, strategy), split)
                if curve is None:
                    continue
                for at, reached, mean, median, q25, q75 in zip(*(values.tolist() for values in curve), strict=True):
                    rows.append(
                        {
                            "benchmark": name,
                            "strategy": strategy,
                            "split": split,
                            "simulated_seconds": at,
                            "runs_with_answer_fraction": reached,
                            column("regret", "mean"): mean,
                            column("regret", "median"): median,
                            column("regret", "q25"): q25,
                            column("regret", "q75"): q75,
                        }
                    )
    return rows


def export_tables(study: Study) -> dict[str, list[Record]]:
    """Runs, trials and incumbents of a study as records; accuracies are fractions here, times seconds.

    What a search saw stands under the name of what it saw: in a study on both splits, or on several metrics, in one of
    their columns. A loss is the loss, positive and less is better, not the value that the strategy saw.
    """
    every = study.facts.values()
    seen_columns = list(dict.fromkeys(f.metric.on(s) for s in SPLITS for f in every if f.search_split == s))
    mean_columns = list(dict.fromkeys(f.metric.on(s) for s in SPLITS for f in every))

    def observed(facts: Facts, value: float | None, before: str = "") -> Record:
        seen = facts.metric.on(facts.search_split)
        measured = None if value is None else facts.metric.signed(value)
        return {f"{before}{name}": measured if name == seen else None for name in seen_columns}

    def means(facts: Facts, point: Point) -> Record:
        found = {facts.metric.on(s): accuracy(point, s) for s in SPLITS}
        signed = {name: None if value is None else facts.metric.signed(value) for name, value in found.items()}
        return {f"{name}_mean_of_repeats": signed.get(name) for name in mean_columns}

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
                **observed(study.facts[run.benchmark], point.observed, "observed_"),
                **means(study.facts[run.benchmark], point),
            }
            for point in run.curve
        ]
    trials: list[Record] = []
    for benchmark, strategy, seed, number, row in study.trials():
        trial: Record = {"benchmark": benchmark, "strategy": strategy, "seed": seed, "number": number}
        for column, value in row._asdict().items():
            trial |= observed(study.facts[benchmark], row.value) if column == "value" else {column: value}
        trials.append({**trial, "extras": None if row.extras is None else json.dumps(row.extras)})
    return {"runs": runs, "trials": trials, "incumbents": incumbents}


def frame(study: Study, table: str = "trials") -> pandas.DataFrame:
    """One of the tables ``runs``, ``trials``, ``incumbents``, ``summary`` or ``curves`` as a pandas data frame.

    >>> from nassim.study import compare
    >>> len(frame(compare(["re"], ["toy/additive"], "20q", seeds=3)))
    120
    """
    import pandas

    computed = {"summary": summary_rows, "curves": curve_rows}
    known = ("runs", "trials", "incumbents", *computed)
    if table not in known:
        raise InvalidSetting(f"a study has the tables {', '.join(known)}, not {table!r:.40}.")
    rows = computed[table](study) if table in computed else export_tables(study)[table]
    found: pandas.DataFrame = pandas.DataFrame(rows)
    return found


def write_csv(path: Path, rows: Sequence[Record]) -> Path:
    """Write records as CSV (RFC 4180, UTF-8; full precision; empty where there is no value)."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    with put_in_place(path) as file:
        file.write(text.getvalue().encode())
    return path
