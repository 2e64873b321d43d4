"""nassim show: the page of an algorithm, a benchmark, a search space or an architecture."""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import Annotated

import typer

from nassim.benchmark import Benchmark
from nassim.cli.bibtex import of_name
from nassim.cli.completion import everything
from nassim.cli.console import Json, find_architecture, print_json
from nassim.cli.tables import Column, flowing, print_section, print_table, say
from nassim.network import Frame, Part, measure, outline
from nassim.own_files import is_file, typed_algorithm, typed_benchmark
from nassim.page import HEADINGS, page
from nassim.recurrent import RecurrentSpace
from nassim.recurrent import outline as cell_outline
from nassim.registry import find
from nassim.settings import describe
from nassim.space import Architecture, SearchSpace, counted
from nassim.strategy import Algorithm

Section = dict[str, object]
MOST_LINES = 80  # of a list that is printed
EXAMPLES = (150, 500)  # trainings, for what follows from the budget


def main(
    name: Annotated[
        str,
        typer.Argument(
            help="an algorithm, a benchmark, a search space, a file of your own, or SPACE:ARCHITECTURE",
            autocompletion=everything,
        ),
    ],
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="What to cite, as BibTeX; of nassim itself: nassim show nassim --bibtex.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what is known of an algorithm, a benchmark, a search space or an architecture; all that have the name."""
    if bibtex:
        entries = of_name(name)
        print_json({"bibtex": entries}) if as_json else typer.echo(entries, nl=False)
        return
    space, colon, _ = name.strip().partition(":")
    own = is_file(name)
    if colon and "/" not in space and not own:
        _show_architecture(*find_architecture(name), as_json)
        return
    found = find(name) if not own else [_own(name)]
    pages: list[Section] = []
    for each in found:
        if isinstance(each, Algorithm):
            pages.append(_algorithm(each) if as_json else {})
            if not as_json:
                _print_algorithm(each)
        else:
            pages.append(_benchmark(each) if isinstance(each, Benchmark) else _space(each))
            if not as_json:
                if len(pages) > 1:
                    say("\nsearch space of the same name", "bold")
                _print(pages[-1])
    if as_json:  # a space that shares its name with an algorithm stands within it
        print_json(pages[0] | ({"space": pages[1]} if len(pages) > 1 else {}))


def _own(name: str) -> Algorithm | Benchmark:
    """What a file has: a benchmark where a task follows its path, else a strategy."""
    return typed_benchmark(name) if re.search(r"\.py/[^/]*$", name) else typed_algorithm(name)


def _algorithm(algorithm: Algorithm) -> Section:
    text = page(algorithm)
    sections = {heading.lower(): text.sections.get(heading, "") for heading in HEADINGS[:3]}
    head = {"name": algorithm.name, "aliases": list(algorithm.aliases), "title": text.title}
    values = _hyperparameters(algorithm)
    return {**head, "family": algorithm.family, "year": algorithm.year, **sections, "hyperparameters": values}


def _hyperparameters(algorithm: Algorithm) -> list[Section]:
    text = page(algorithm)
    published = {name: dict(values) for name, values in algorithm.published.items()}
    resolved = {}
    if algorithm.resolve is not None:
        asked = {p.name: p.default for p in algorithm.parameters.values()}
        resolved = {f"with {n} trainings": algorithm.resolve(asked, "", n) for n in EXAMPLES}
    return [
        {
            "name": p.name,
            "type": describe(p.annotation),
            "default": p.default,
            **{when: values.get(p.name, p.default) for when, values in resolved.items()},
            **{f"on {space}": values.get(p.name, p.default) for space, values in published.items()},
            "meaning": text.notes.get(p.name, ""),
        }
        for p in algorithm.parameters.values()
    ]


def _print_algorithm(algorithm: Algorithm) -> None:
    text, hyperparameters = page(algorithm), _hyperparameters(algorithm)
    aliases = f" ({', '.join(algorithm.aliases)})" if algorithm.aliases else ""
    say(f"{algorithm.name}{aliases}: {algorithm.family}, {algorithm.year}", "bold")
    say(text.title)
    for heading in HEADINGS[:3]:
        section = text.sections.get(heading, "")
        say("")
        print_section(heading, section if heading == "Pseudocode" else flowing(section))
    say("\nHyperparameters (--set NAME=VALUE)", "bold")
    if hyperparameters:
        resolved = algorithm.by_the_budget()
        rows = [row | ({"default": "by the budget"} if row["name"] in resolved else {}) for row in hyperparameters]
        columns = {"type": Column("type", drop=1, least=12), "meaning": Column("meaning", least=36, below=True)}
        print_table([columns.get(name, name) for name in rows[0]], [[*row.values()] for row in rows])
    else:
        say("  none")


def _benchmark(benchmark: Benchmark) -> Section:
    about, cost = benchmark.about, benchmark.typical_cost
    metric = benchmark.metric
    best = {
        name: f"{metric.read(benchmark.optimum(name))} (best mean over the repeats, {benchmark.epochs} epochs)"
        for name in map(metric.on, ("valid", "test")[: 1 + benchmark.has_test])
        if benchmark.optimum(name) is not None
    }
    return {
        "name": benchmark.name,
        "title": about.title,
        "paper": about.paper,
        "space": f"{benchmark.space.name}: {counted(benchmark.space.size)} architectures",
        "epochs": f"{', '.join(map(str, benchmark.fidelities))} (a full training: {benchmark.epochs})",
        "mean cost of a query": _cost(cost, benchmark.cost_unit),
        "splits": dict(about.splits),
        f"best {metric.name}": best,
        "test split": "yes" if benchmark.has_test else f"none in this source. {benchmark.test_source}",
        "a result also carries": dict(about.extras),
        "regret is taken on": benchmark.regret_metric,
        "source": about.source,
        "licence": about.licence,
        "citation": about.citation,
        "notes": list(about.notes),
        "synthetic": about.synthetic,
        **({"surrogate": about.surrogate} if about.surrogate else {}),
        "data sha256": about.sha256 or "none: computed by the code",
    }


def _cost(cost: float, unit: str) -> str:
    if math.isnan(cost):
        return "not known: nothing has been trained yet"
    return f"{cost:,.0f} {unit}" if cost >= 10 else f"{cost:.2} {unit}"


def _space(space: SearchSpace) -> Section:
    return {
        "name": space.name,
        "what": (type(space).__doc__ or "").partition(">>>")[0].strip(),
        "architectures": space.size,
        "decisions": {d.name: ", ".join(f"{i} {o}" for i, o in enumerate(d.options)) for d in space.decisions},
        **({"published networks": dict(space.known)} if space.known else {}),
        "how to write one": space.how_to_write(),
        "network as published": _published(space),
    }


def _published(space: SearchSpace) -> str:
    if isinstance(space, RecurrentSpace):
        return f"a cell of a language model, {space.published}"
    return _frame(space.frame) if space.frame else "none: its architectures cannot be built"


def _frame(frame: Frame) -> str:
    image = "x".join(map(str, frame.image))
    return f"C = {frame.channels}, {frame.cells} cells, images of {image}, {frame.classes} classes"


def _show_architecture(space: SearchSpace, arch: Architecture, as_json: bool) -> None:
    section: Section = {"architecture": str(arch), "string": space.format(arch)}
    parts: list[Part] = []
    if isinstance(space, RecurrentSpace):
        cell = space.cell(arch)
        made = [dict(zip(("makes", "of", "function", "also"), row, strict=True)) for row in cell_outline(cell)]
        section |= {"square matrices": cell.matrices, "cell": made if as_json else [" ".join(_line(r)) for r in made]}
    if space.frame is not None:
        network = space.network(arch, space.frame)
        size, parts = measure(network), outline(network)
        section |= {
            "network as published": _frame(space.frame),
            "layers": len(network.layers),
            "parameters": size.parameters,
            "multiply-adds for one image": size.macs,
            "bytes of activations for one image": size.memory,
        }
    if as_json:
        print_json(section | {"parts": [part._asdict() for part in parts]})
        return
    _print(section)
    if parts:
        say("network", "bold")
        rows = [
            [p.name, ", ".join(p.inputs), p.kinds, "x".join(map(str, p.shape)), f"{p.parameters:,}", f"{p.macs:,}"]
            for p in parts
        ]
        columns: list[str | Column] = [
            "part",
            Column("takes", drop=1),
            Column("layers", below=True),
            "makes",
            "parameters",
            "multiply-adds",
        ]
        print_table(columns, rows)


def _line(row: dict[str, str]) -> list[str]:
    """A state of a cell: ``s3 = tanh of s1``."""
    return [part for part in (row["makes"], "=", row["function"], "of", row["of"], row["also"]) if part]


def _print(section: Section) -> None:
    for key, value in section.items():
        if isinstance(value, dict) and len(value) > MOST_LINES:
            rest = f"{len(value) - MOST_LINES} more, which --json has"
            value = {**dict(islice(value.items(), MOST_LINES)), "...": rest}
        print_section(key, counted(value) if type(value) is int else value)
