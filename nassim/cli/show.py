"""nassim show: the page of an algorithm, a benchmark or a search space."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.padding import Padding

from nassim.benchmark import Benchmark
from nassim.cli.console import Json, console, percent, print_json, print_table
from nassim.page import HEADINGS, page
from nassim.registry import find
from nassim.settings import describe
from nassim.space import SearchSpace
from nassim.strategy import Algorithm

Section = dict[str, object]
EXAMPLES = (150, 500)  # trainings, for what follows from the budget


def main(
    name: Annotated[str, typer.Argument(help="an algorithm, a benchmark or a search space")],
    as_json: Json = False,
) -> None:
    """Show what is known of an algorithm, a benchmark or a search space."""
    found = find(name)
    if isinstance(found, Algorithm):
        _show_algorithm(found, as_json)
    elif isinstance(found, Benchmark):
        _print(_benchmark(found), as_json)
    else:
        _print(_space(found), as_json)


def _show_algorithm(algorithm: Algorithm, as_json: bool) -> None:
    text = page(algorithm)
    published = {name: dict(values) for name, values in algorithm.published.items()}
    resolved = {}
    if algorithm.resolve is not None:
        asked = {p.name: p.default for p in algorithm.parameters.values()}
        resolved = {f"with {n} trainings": algorithm.resolve(asked, "", n) for n in EXAMPLES}
    hyperparameters = [
        {
            "name": p.name,
            "type": describe(p.annotation),
            "default": p.default if as_json or p.default is not None or not resolved else "by the budget",
            **{when: values.get(p.name, p.default) for when, values in resolved.items()},
            **{f"on {space}": values.get(p.name, p.default) for space, values in published.items()},
            "meaning": text.notes.get(p.name, ""),
        }
        for p in algorithm.parameters.values()
    ]
    if as_json:
        sections = {heading.lower(): text.sections.get(heading, "") for heading in HEADINGS[:3]}
        head = {"name": algorithm.name, "aliases": list(algorithm.aliases), "title": text.title}
        print_json(
            {**head, "family": algorithm.family, "year": algorithm.year, **sections, "hyperparameters": hyperparameters}
        )
        return
    out = console()
    aliases = f" ({', '.join(algorithm.aliases)})" if algorithm.aliases else ""
    out.print(f"[bold]{algorithm.name}[/]{aliases}: {algorithm.family}, {algorithm.year}")
    out.print(escape(text.title))
    for heading in HEADINGS[:3]:
        out.print(f"\n[bold]{heading}[/]")
        out.print(Padding(escape(text.sections.get(heading, "")), (0, 0, 0, 2)))
    out.print("\n[bold]Hyperparameters[/] (--set NAME=VALUE)")
    if hyperparameters:
        print_table([*hyperparameters[0]], [[*row.values()] for row in hyperparameters])
    else:
        out.print("  none")


def _benchmark(benchmark: Benchmark) -> Section:
    about, cost = benchmark.about, benchmark.typical_cost
    best = {
        metric: f"{percent(benchmark.optimum(metric))} % (best mean over the repeats, {benchmark.epochs} epochs)"
        for metric in ("valid_accuracy", "test_accuracy")
        if (metric == "valid_accuracy" or benchmark.has_test) and benchmark.optimum(metric) is not None
    }
    return {
        "name": benchmark.name,
        "title": about.title,
        "paper": about.paper,
        "space": f"{benchmark.space.name}: {benchmark.space.size:,} architectures",
        "epochs": f"{', '.join(map(str, benchmark.fidelities))} (a full training: {benchmark.epochs})",
        "mean cost of a query": f"{cost:,.0f} {benchmark.cost_unit}"
        if cost >= 10
        else f"{cost:.2} {benchmark.cost_unit}",
        "splits": dict(about.splits),
        "best accuracy": best,
        "test split": "yes" if benchmark.has_test else f"none in this source. {benchmark.test_source}",
        "a result also carries": dict(about.extras),
        "regret is taken on": benchmark.regret_metric,
        "source": about.source,
        "licence": about.licence,
        "citation": about.citation,
        "notes": list(about.notes),
        "synthetic": about.synthetic,
        "data sha256": about.sha256 or "none: computed by the code",
    }


def _space(space: SearchSpace) -> Section:
    return {
        "name": space.name,
        "what": (type(space).__doc__ or "").strip(),
        "architectures": space.size,
        "decisions": {d.name: ", ".join(f"{i} {o}" for i, o in enumerate(d.options)) for d in space.decisions},
        "how to write one": space.how_to_write(),
    }


def _print(section: Section, as_json: bool) -> None:
    if as_json:
        print_json(section)
        return
    out = console()
    for key, value in section.items():
        if isinstance(value, dict):
            value = "\n".join(f"{k}: {v}" for k, v in value.items())
        elif isinstance(value, list):
            value = "\n".join(f"- {v}" for v in value)
        if value not in ("", None):
            out.print(f"[bold]{key}[/]")
            out.print(Padding(escape(str(value)), (0, 0, 0, 2)))
