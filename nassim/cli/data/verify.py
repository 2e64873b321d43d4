"""nassim data verify: checksums and cross-checks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nassim.cli.console import Json, console, percent, print_json
from nassim.cli.data.find import Name, recipe
from nassim.errors import Unsupported


def main(
    name: Name,
    retrain: Annotated[
        int, typer.Option(min=0, help="Of a table that nassim trained itself: so many cells again.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Draws the cells that are trained again.")] = 0,
    as_json: Json = False,
) -> None:
    """Check a table and its released files: checksums, published figures, and that they make the same table again."""
    from nassim.full_training.tables.designs import DESIGNS

    if name.strip() in DESIGNS:
        _retrained(name.strip(), retrain, seed, as_json)
        return
    if retrain:
        raise Unsupported(f"{name} cannot be retrained here: --retrain is for {', '.join(DESIGNS)}.")
    lines = recipe(name).verify()
    if as_json:
        print_json({"name": name, "verified": lines})
    else:
        typer.echo("\n".join(lines))


def _retrained(name: str, count: int, seed: int, as_json: bool) -> None:
    from nassim.full_training.tables.designs import get_design
    from nassim.full_training.tables.recheck import Recheck, recheck
    from nassim.tabular_data.trained import open_trained, shipped

    design = get_design(name)
    path = shipped(design.file_name)
    lines = [f"{path}: whole", *open_trained(path, design.data_name).header.errata]
    err = console(stderr=True)

    def tell(result: Recheck) -> None:
        measured = percent(result.measured[-1] if result.measured else None)
        err.print(
            f"{result.arch}, seed {result.seed}: recorded {percent(result.recorded[-1])} %, measured {measured} % "
            f"({100 * result.difference:+.2f} points; standard deviation of repeats there: {100 * result.noise:.2f})"
        )

    found = recheck(design, path, count, seed=seed, tell=tell) if count else []
    if count:
        lines.append(f"{count} cells retrained: all within the noise of repeats")
    if as_json:
        print_json({"name": name, "verified": lines, "retrained": [asdict(each) for each in found]})
    else:
        typer.echo("\n".join(lines))
