"""What all sub-commands share: their options, the console, printing JSON, and reading --set."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console

from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.patience import BLACK_BOX
from nassim.registry import get_protocol, get_space
from nassim.settings import parse_value
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Algorithm

WIDE = 140  # columns, where the output goes to a file or a pipe

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
BUDGET = "150q"
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="150q (queries), 12000s, 2h, 1d (simulated), 2000ep (epochs), or 2h,150q. "
        f"Default: {BUDGET}, or the protocol's.",
    ),
]
ProtocolOption = Annotated[
    str, typer.Option("--protocol", help="A paper's: nasbench201 (searches see 12 epochs, 12000 s).")
]
ObjectivesOption = Annotated[
    str, typer.Option("--objectives", help='Two to four: "valid_accuracy,latency[pixel3]"; shown against each other.')
]
ConstraintOption = Annotated[
    str, typer.Option("--constraint", help='A bound, such as "latency[pixel3]<=5ms" or "parameters<=1M".')
]
NoiseOption = Annotated[str, typer.Option("--noise", help="Which recorded repeat answers: draw, mean or repeat=k.")]
SearchOnOption = Annotated[
    str, typer.Option("--search-on", help="The split that answers queries: valid, or test where there is nothing else.")
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Who does the work: processes, dask (a local cluster) or dask:HOST:PORT (a scheduler that runs).",
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", help="Seconds after which, if no worker has given anything back, it ends with an error."),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="Simulated workers; with --clock wall real ones, a device each.")
]
ClockOption = Annotated[
    str,
    typer.Option("--clock", help="simulated (costs order what happens) or wall (trainings run at once, on --workers)."),
]
LiveOption = Annotated[bool, typer.Option("--live", help="Train supernets now instead of replaying recorded searches.")]
DeviceOption = Annotated[str, typer.Option("--device", help="What trains: auto, cpu, cuda or mps.")]
PatienceOption = Annotated[
    float | None,
    typer.Option(
        "--patience",
        help="Seconds of this machine that a strategy may think without a message, or inf. "
        f"Default: {BLACK_BOX:g}, any time for those that share weights.",
    ),
]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter; may be repeated.")]
ReplicasOption = Annotated[
    int | None,
    typer.Option("--replicas", min=1, help="Copies of a supernet that share each batch: --set replicas=K."),
]


# What a terminal that lacks a character shows instead; anything else is a question mark.
_INSTEAD = {"±": "+-", "–": "-", "—": "-", "×": "x", "…": "...", "≤": "<=", "≥": ">=", "≈": "~", "·": ".", "∞": "inf"}
_INSTEAD |= {"─": "-", "━": "-", "│": "|", "█": "#", "▲": "^", "▼": "v", "’": "'"}
_INSTEAD |= dict(zip("▁▂▃▄▅▆▇", "_.-:=+*", strict=True))


def _simplified(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_INSTEAD.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error("nassim.simplified", _simplified)


def print_anywhere() -> None:
    """From now on nothing that is printed is an error, whatever characters the terminal knows."""
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="nassim.simplified")


def console(*, stderr: bool = False) -> Console:
    """A console; where there is no terminal lines are wide."""
    out = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = WIDE
    return out


def print_json(data: object) -> None:
    """Print JSON (RFC 8259: NaN and infinities become null)."""
    text = json.dumps(_plain(data), indent=2, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(_plain(data), indent=2)  # with escapes it is the same in any terminal
    typer.echo(text)


def apply_settings(
    algorithm: Algorithm, settings: Iterable[str], *, prefix: bool, replicas: int | None = None
) -> Algorithm:
    """``algorithm`` with those of ``--set [algo.]name=value`` that are its own, and with ``--replicas``."""
    for setting in [*settings, *([] if replicas is None else [f"replicas={replicas}"])]:
        target, equals, text = setting.partition("=")
        owner, dot, name = target.replace("-", "_").rpartition(".")
        wanted = "ALGORITHM.NAME=VALUE, e.g. re.sample_size=10" if prefix else "NAME=VALUE, e.g. sample_size=10"
        if not equals or not name or (prefix and not dot):
            raise InvalidSetting(f"--set {setting}: write {wanted}.")
        if dot and owner not in {known.replace("-", "_") for known in (algorithm.name, *algorithm.aliases)}:
            if prefix:
                continue
            raise InvalidSetting(f"--set {setting}: this command runs {algorithm.name}, not {owner}.")
        parameters = algorithm.parameters
        if name not in parameters:
            algorithm.configured(**{name: None})  # raises the error that lists the known names
        algorithm = algorithm.configured(**{name: parse_value(parameters[name], text, owner=algorithm.name)})
    return algorithm


def find_architecture(text: str, default: str = "") -> tuple[SearchSpace, Architecture]:
    """An architecture with its space, which stands before a colon; ``default``: the space of one without."""
    name = text.strip().partition(":")[0] if ":" in text else default
    space = get_space(name)
    try:
        return space, space.parse(text)
    except InvalidArchitecture:
        inside = text.strip().partition(":")[2]  # a published form, which has no space's name before it
        with contextlib.suppress(InvalidArchitecture):
            return space, space.parse(inside)
        raise


def follow(protocol: str, benchmarks: Sequence[str], budget: str | None, search_on: str = "") -> tuple[list[str], str]:
    """The ids of the benchmarks and the budget under a protocol; without one, as they are.

    A budget of the user's own goes before the protocol's. ``search_on`` is added to the ids, as it is to be printed
    with every result.
    """
    if search_on:
        benchmarks = [f"{name}:search_on={search_on}" for name in benchmarks]
    if not protocol:
        return list(benchmarks), budget or BUDGET
    chosen = get_protocol(protocol)
    for name in benchmarks:
        if name.partition("/")[0].replace("-", "_") != chosen.family:
            raise InvalidSetting(f"the protocol {chosen.name} is one of {chosen.family}/..., not of {name}.")
    return [f"{name}:search_epochs={chosen.search_epochs}" for name in benchmarks], budget or chosen.budget


def percent(fraction: float | None) -> str:
    """A fraction in percent with two decimals; a dash where there is none."""
    return "–" if fraction is None or math.isnan(fraction) else f"{100 * fraction:.2f}"


def duration(seconds: float) -> str:
    """Simulated seconds with the largest fitting unit beside them."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds:,.0f} s ({seconds / size:.1f} {unit})"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.2f} s"


def _plain(data: object) -> object:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    if isinstance(data, float):
        return float(data) if math.isfinite(data) else None
    return data if data is None or isinstance(data, (bool, int, str)) else str(data)
