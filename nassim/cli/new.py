"""nassim new: a strategy or a benchmark of your own to start from, with its test."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.new_files import BENCHMARK, BENCHMARK_TEST, STRATEGY, STRATEGY_TEST
from nassim.errors import InvalidSetting
from nassim.files import put_in_place
from nassim.registry import algorithm_names, benchmark_names, get_algorithm, space_names

app = typer.Typer(help="A strategy or a benchmark of your own to start from.", no_args_is_help=True)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
Name = Annotated[str, typer.Argument(metavar="NAME", help="its name, and the file's: small letters, digits and _")]


@app.command()
def strategy(name: Name) -> None:
    """Write NAME.py, a commented strategy that works, and test_NAME.py into the current folder."""
    known = {alias for each in algorithm_names() for alias in (each, *get_algorithm(each).aliases)}
    _write(name, known, STRATEGY, STRATEGY_TEST)
    typer.echo(f"try it, then test it:\n    nassim compare --algos {name}.py,rs --benchmark toy/additive --budget 40q")
    typer.echo(f"    pytest test_{name}.py")


@app.command()
def benchmark(name: Name) -> None:
    """Write NAME.py, a commented benchmark that works, and test_NAME.py into the current folder."""
    known = {each.partition("/")[0] for each in benchmark_names()} | {*space_names()}
    _write(name, known, BENCHMARK, BENCHMARK_TEST)
    typer.echo(f"try it, then test it:\n    nassim compare --algos re,rs --benchmark {name}.py/small --budget 40q")
    typer.echo(f"    pytest test_{name}.py")


def _write(name: str, known: set[str], text: str, test: str) -> None:
    """Both files or none; what is there is never written over."""
    if not _NAME.fullmatch(name):
        raise InvalidSetting(f"{name!r:.60} is no name: at most 40 small letters, digits and _, a letter first.")
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in ("nassim", "numpy", "pytest"):
        raise InvalidSetting(f"{name!r} means something to Python already: choose another name.")
    if name in known:
        raise InvalidSetting(f"{name!r} is a name of nassim's already: choose another one.")
    files = {Path(f"{name}.py"): text, Path(f"test_{name}.py"): test}
    there = [str(path) for path in files if path.exists()]
    if there:
        raise InvalidSetting(f"{' and '.join(there)} is there already: choose another name, or move it away.")
    for path, content in files.items():
        with put_in_place(path) as file:
            file.write(content.replace("NAME", name).encode())
    typer.echo(f"written: {', '.join(map(str, files))}")
