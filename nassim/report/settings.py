"""The hyperparameters of a study, and whether they are the published ones; its settings and where it was made."""

from __future__ import annotations

from dataclasses import replace

from nassim.clock import Budget
from nassim.errors import NassimError
from nassim.outlook import horizon
from nassim.page import page
from nassim.registry import get_algorithm
from nassim.report.analysis import Analysis
from nassim.report.table import Entry, Table, named, no_table, row
from nassim.strategy import Algorithm

CHANGED = "changed"
BY_THE_BUDGET = "by the budget"


def hyperparameters_table(analysis: Analysis) -> Table:
    """Each hyperparameter with its value, the default of the strategy's page, and where the value comes from."""
    name, caption = "hyperparameters", "Hyperparameters."
    rows = []
    for strategy in analysis.strategies:
        try:
            algorithm: Algorithm | None = replace(get_algorithm(strategy), settings={})
        except NassimError:
            algorithm = None
        for parameter, by_value in _values(analysis, strategy).items():
            for value, benchmarks in by_value.items():
                where = "" if len(by_value) == 1 else f" on {', '.join(benchmarks)}"
                origin, default, meaning = _origin(analysis, algorithm, parameter, value, benchmarks)
                strong = origin == CHANGED
                entry = Entry(f"{value}{where}", strong=strong)
                rows.append(row(named(strategy), parameter, entry, default, origin, meaning))
    if not rows:
        return no_table(name, caption, "No strategy of this study has any.")
    columns = ("strategy", "hyperparameter", "value", "default", "origin", "what it is")
    notes = ("Defaults are those of each strategy's paper unless its page (`nassim show NAME`) lists a departure.",)
    return Table(name, caption, columns, rows, notes)


def changed_hyperparameters(analysis: Analysis) -> list[str]:
    """What the user set to something else than the default or a space's published value: "strategy.name=value"."""
    table = hyperparameters_table(analysis)
    return [f"{line[0].text}.{line[1].text}={line[2].text}" for line in table.rows if line[4].text == CHANGED]


def _values(analysis: Analysis, strategy: str) -> dict[str, dict[str, list[str]]]:
    """hyperparameter -> value -> the benchmarks that it was used on."""
    found: dict[str, dict[str, list[str]]] = {}
    for part in analysis.parts:
        for run in part.runs.get(strategy, [])[:1]:
            for parameter, value in run.hyperparameters.items():
                found.setdefault(parameter, {}).setdefault(_written(value), []).append(part.name)
    return found


def _origin(
    analysis: Analysis, algorithm: Algorithm | None, parameter: str, value: str, benchmarks: list[str]
) -> tuple[str, str, str]:
    if algorithm is None or parameter not in algorithm.parameters:
        return "unknown: not a strategy of this installation", "–", ""
    default = algorithm.parameters[parameter].default
    written = BY_THE_BUDGET if algorithm.resolve and default is None else _written(default)
    meaning = page(algorithm).notes.get(parameter, "")
    for published in (name for b in benchmarks for name in (b, b.partition("/")[0])):
        if parameter in (known := algorithm.published.get(published, {})) and _written(known[parameter]) == value:
            return f"published for {published}", written, meaning
    if written == BY_THE_BUDGET:
        by_hand = _set_by_hand(analysis, algorithm, benchmarks[0])
        return CHANGED if parameter in by_hand else BY_THE_BUDGET, written, meaning
    return "default" if value == written else CHANGED, written, meaning


def _set_by_hand(analysis: Analysis, algorithm: Algorithm, name: str) -> dict[str, object]:
    """What the user set on a benchmark; nothing where that cannot be told because it cannot be opened here."""
    benchmark, settings = analysis.benchmark(name), analysis.study.settings
    recorded = settings["strategies"].get(algorithm.title, {}).get(name)
    if isinstance(benchmark, str) or recorded is None:
        return {}
    plan = horizon(Budget.parse(str(settings["budget"])), benchmark, int(settings["workers"]))
    return algorithm.set_by_hand(recorded, benchmark.space, name, plan)


def _written(value: object) -> str:
    """A value as it looks after a journey through JSON: tuples are lists there."""
    return str(list(value)) if isinstance(value, tuple) else str(value)


def settings_table(analysis: Analysis) -> Table:
    """How the study was made: its settings, versions, machine and data."""
    settings = analysis.study.settings
    provenance = settings.get("provenance", {})
    done = f"{len(analysis.study.runs):,} of {analysis.planned:,}"
    rows = [
        row("budget of a run", settings["budget"]),
        row("seeds", f"0 to {int(settings['seeds']) - 1}"),
        row("runs finished", done),
        row("simulated workers", settings["workers"]),
        row("noise policy", settings["noise"]),
        *([row("protocol", settings["protocol"])] if settings.get("protocol") else []),
        row("nassim", settings["nassim"]),
        *(row(name, value) for name, value in provenance.items()),
    ]
    for name, facts in analysis.study.facts.items():
        rows.append(row(f"data of {name}, SHA-256", facts.sha256 or "none: computed by the code"))
    for name, source in settings.get("one_shot", {}).items():
        rows.append(row(name, source["note"]))
    return Table("settings", "How this study was made.", ("setting", "value"), rows)
