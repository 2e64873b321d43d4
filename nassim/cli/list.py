"""nassim list: what there is."""

from __future__ import annotations

import random
from enum import Enum
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.tables import Column, print_table, say
from nassim.errors import Unsupported
from nassim.page import page
from nassim.registry import (
    algorithm_names,
    benchmark_titles,
    benchmarks_with_supernets,
    get_algorithm,
    get_space,
    image_names,
    mask_names,
    recurrent_spaces,
    segmentation_spaces,
    space_names,
    text_names,
    training_spaces,
)
from nassim.space import SearchSpace, counted

LONGEST = 100  # characters of an architecture in a list
COLUMNS = {
    column.name: column
    for column in (
        Column("family", drop=2),
        Column("year", drop=1),
        Column("what it does", least=30, below=True),
        Column("what it is", least=30, below=True),
        Column("first", drop=1),
    )
}


class Kind(str, Enum):
    """What can be listed."""

    algorithms = "algorithms"
    benchmarks = "benchmarks"
    spaces = "spaces"


def main(
    kind: Annotated[Kind, typer.Argument(help="algorithms, benchmarks or spaces")],
    as_json: Json = False,
) -> None:
    """List algorithms, benchmarks or search spaces."""
    rows = {Kind.algorithms: _algorithms, Kind.benchmarks: _benchmarks, Kind.spaces: _spaces}[kind]()
    if as_json:
        print_json(rows)
    elif rows:
        columns = [COLUMNS.get(name, Column(name)) for name in rows[0]]
        print_table(columns, [[_grouped(name, value) for name, value in row.items()] for row in rows])
    if kind is Kind.benchmarks and not as_json:
        say("\nSPACE/DATA:training trains what is asked for, on this machine.")
        say(f"SPACE: {', '.join(training_spaces())}\nDATA: {', '.join(image_names())}")
        say(f"Segmentation: SPACE: {', '.join(segmentation_spaces())}\nDATA: {', '.join(mask_names())}")
        say(f"Language models: SPACE: {', '.join(recurrent_spaces())}\nDATA: {', '.join(text_names())}")
    if kind is Kind.algorithms and not as_json:
        say(f"\nThose that share weights need a benchmark with a supernet: {', '.join(benchmarks_with_supernets())}.")


def _algorithms() -> list[dict[str, object]]:
    return [
        {
            "name": a.name,
            "aliases": ", ".join(a.aliases),
            "family": a.family,
            "year": a.year,
            "what it does": page(a).title,
        }
        for a in map(get_algorithm, algorithm_names())
    ]


def _benchmarks() -> list[dict[str, object]]:
    return [{"name": name, "what it is": title} for name, title in benchmark_titles().items()]


def _spaces() -> list[dict[str, object]]:
    return [
        {"name": s.name, "decisions": len(s.decisions), "architectures": s.size, "first": _first(s)}
        for s in map(get_space, space_names())
    ]


def _grouped(name: str, value: object) -> object:
    """A number of architectures with its digits in groups; one with very many of them, shortened."""
    return counted(value) if name == "architectures" and isinstance(value, int) else value


def _first(space: SearchSpace) -> str:
    """The first architecture (or any, where that is not valid), in the space's own form if that fits into a line."""
    try:
        first = space.at(0)
    except Unsupported:  # of networks that grow none is the first
        first = space.sample(random.Random(0))
    if not space.is_valid(first):
        first = space.sample(random.Random(0))
    text = space.format(first)
    text = text if len(text) <= LONGEST else str(first)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
