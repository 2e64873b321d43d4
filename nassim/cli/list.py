"""nassim list: what there is."""

from __future__ import annotations

import random
from enum import Enum
from typing import Annotated

import typer

from nassim.cli.console import Json, print_json, print_table
from nassim.page import page
from nassim.registry import (
    algorithm_names,
    benchmark_titles,
    benchmarks_with_supernets,
    get_algorithm,
    get_space,
    image_names,
    space_names,
    training_spaces,
)
from nassim.space import MOST_DIGITS, SearchSpace, counted

LONGEST = 100  # characters of an architecture in a list


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
        print_table([*rows[0]], [[*map(_short, row.values())] for row in rows])
    if kind is Kind.benchmarks and not as_json:
        typer.echo(
            f"\nSPACE/DATA:training trains what is asked for, on this machine.\n"
            f"SPACE: {', '.join(training_spaces())}\nDATA: {', '.join(image_names())}"
        )
    if kind is Kind.algorithms and not as_json:
        typer.echo(
            f"\nThose that share weights need a benchmark with a supernet: {', '.join(benchmarks_with_supernets())}."
        )


def _algorithms() -> list[dict[str, object]]:
    return [
        {
            "name": a.name,
            "aliases": ", ".join(a.aliases),
            "family": a.family,
            "year": a.year,
            "what it does": page(a).title.partition(": ")[2],
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


def _first(space: SearchSpace) -> str:
    """The first architecture (or any, where that is not valid), in the space's own form if that fits into a line."""
    first = space.at(0)
    if not space.is_valid(first):
        first = space.sample(random.Random(0))
    text = space.format(first)
    text = text if len(text) <= LONGEST else str(first)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _short(value: object) -> object:
    """A number with very many digits, shortened."""
    return counted(value) if isinstance(value, int) and value >= 10**MOST_DIGITS else value
