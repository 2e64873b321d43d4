"""nassim data path: where the data lie."""

from __future__ import annotations

from typing import Annotated

import typer

from nassim.cli.console import Json, print_json


def main(
    name: Annotated[str, typer.Argument(help="of one table; default: the folder of all")] = "", as_json: Json = False
) -> None:
    """Print the data folder (set it by NASSIM_DATA), or the path of one table, whether it is there or not."""
    from nassim.cli.data.find import recipe
    from nassim.tabular_data.locations import data_folder

    path = recipe(name).path if name else data_folder()
    if as_json:
        print_json({"path": path, "exists": path.exists()})
    else:
        typer.echo(str(path))
