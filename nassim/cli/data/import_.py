"""nassim data import: a release that the user has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.data.find import megabytes, recipe, recipes
from nassim.errors import InvalidSetting
from nassim.registry import recipe_modules


def main(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a release of `nassim data list`, or your own table's name")
    ],
    path: Annotated[Path, typer.Argument(help="the official release, a folder with the released files, or your table")],
    spec: Annotated[
        Path | None,
        typer.Option(help="For your own table (CSV, JSON, Parquet): the TOML file that `nassim data template` begins."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a table from a release that is already on this machine, or from your own results; they are only read."""
    from nassim.tabular_data.table import read_header

    with console(stderr=True).status(f"reading {path}"):
        if spec is None:
            _refuse_without_spec(name, path)
            recipe(name).import_from(path)
        else:
            from nassim.tabular_data.recipes.csv_table import import_table

            if name in recipe_modules():
                raise InvalidSetting(f"{name} is a released table: give your own another name.")
            import_table(name, path, spec)
    made = recipe(name)
    said = read_header(made.path).errata if made.makes_a_table else ()
    notes = [note for note in said if note not in made.errata]  # of this import, not of the release
    if as_json:
        print_json({"name": made.name, "path": made.path, "bytes": made.bytes_here, "notes": notes})
    else:
        typer.echo("\n".join([f"{made.name}: {megabytes(made.bytes_here)}", f"  {made.path}", *notes]))
        if spec is not None:
            typer.echo(f"{made.adds}. Its benchmark: csv/{made.name}")


def _refuse_without_spec(name: str, path: Path) -> None:
    """A file that looks like a table of the user's own, under a name that no release has, needs a specification."""
    if path.suffix.lower() in (".csv", ".json", ".parquet") and name not in {known.name for known in recipes()}:
        raise InvalidSetting(
            f"{name} is no release of `nassim data list`. For a table of your own add --spec FILE, which says what its "
            "columns are: `nassim data template` prints one to begin with."
        )
