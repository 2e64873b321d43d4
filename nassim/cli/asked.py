"""What `nassim compare` is asked for, as a file: read in place of options, and written of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nassim.errors import InvalidSetting
from nassim.own_files import typed_benchmark
from nassim.strategy import Algorithm
from nassim.study_toml import read_study_toml


def _from_file(context: typer.Context, path: Path | None) -> Path | None:
    """What the file of a study says stands in for what is not typed."""
    if path is not None:
        renamed = {"set": "settings", "report": "with_report"}
        context.default_map = {renamed.get(key, key): value for key, value in read_study_toml(path).items()}
    return path


StudyFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="STUDY.TOML",
        callback=_from_file,
        is_eager=True,
        help="These options in a file: a study's folder has one. What is typed beside it goes before.",
    ),
]


def spelled_out(chosen: list[Algorithm]) -> dict[str, Any]:
    """Strategies that an older study names as they are typed: their settings by label, or by --set."""
    settings = [f"{a.name}.{key}={value}" for a in chosen if not a.label for key, value in a.settings.items()]
    return {"algos": [a.title for a in chosen], "set": settings}


def published_networks(benchmarks: list[str]) -> list[str]:
    """A strategy for each published network that a space of the benchmarks holds; `InvalidSetting` if none does."""
    names = dict.fromkeys(name for benchmark in benchmarks for name in typed_benchmark(benchmark).space.known)
    if not names:
        raise InvalidSetting(f"--baselines: no published network is known in the spaces of {', '.join(benchmarks)}.")
    return [f"fixed[network={name}]" for name in names]
