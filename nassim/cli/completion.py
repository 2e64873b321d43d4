"""nassim completion: what makes a shell complete commands, options and names."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from nassim.registry import algorithm_names, benchmark_names, get_algorithm, space_names


class Shell(str, Enum):
    """What a script can be printed for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def main(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish")]) -> None:
    """Print a script: `eval "$(nassim completion bash)"` in ~/.bashrc makes TAB complete what nassim knows."""
    typer.echo(get_completion_script(prog_name="nassim", complete_var="_NASSIM_COMPLETE", shell=shell.value))


def algorithms(incomplete: str) -> list[str]:
    """The names and aliases of strategies that begin so; the last of several between commas."""
    before, comma, last = incomplete.rpartition(",")
    names = algorithm_names()
    aliases = [alias for name in names for alias in get_algorithm(name).aliases]
    return [before + comma + name for name in sorted({*names, *aliases}) if name.startswith(last)]


def benchmarks(incomplete: str) -> list[str]:
    """The ids of benchmarks that begin so."""
    return [name for name in benchmark_names() if name.startswith(incomplete)]


def everything(incomplete: str) -> list[str]:
    """What `nassim show` knows that begins so."""
    names = {*algorithms(incomplete), *benchmarks(incomplete), *space_names()}
    return sorted(name for name in names if name.startswith(incomplete))
