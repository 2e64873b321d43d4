"""nassim data remove: delete a table and its released files."""

from __future__ import annotations

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.data.find import Name, megabytes, recipe


def main(name: Name, as_json: Json = False) -> None:
    """Delete a table and the released files that were fetched for it; `nassim data get` brings them back."""
    chosen = recipe(name)
    freed = chosen.remove()
    if as_json:
        print_json({"name": chosen.name, "bytes_freed": freed})
    else:
        typer.echo(f"{chosen.name}: {megabytes(freed)} freed" if freed else f"{chosen.name}: nothing of it was here")
