"""nassim data info: where data come from and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.data.find import Name, megabytes, recipe
from nassim.cli.tables import print_section, say

if TYPE_CHECKING:
    from nassim.tabular_data.recipe import Recipe


def main(name: Name, as_json: Json = False) -> None:
    """Show the header of a table, its splits, epochs, repeats, citation and errata, and the released files."""
    from nassim.tabular_data.download import HOST, local_path

    chosen = recipe(name)
    about = {**_recipe(chosen), **_table(chosen)}
    files = [
        {"url": f"{HOST}/{f.address}", "bytes": f.size, "sha256": f.sha256, "here": local_path(f).is_file()}
        for f in chosen.files
    ]
    if as_json:
        print_json({**about, "files": files})
        return
    for key, value in about.items():
        print_section(key, dict(value) if isinstance(value, Mapping) else value)
    if files:
        say("released files (address, bytes, sha256)", "bold")
    for file in files:
        here = " here" if file["here"] else ""
        if console().is_terminal:
            print_section(f"  {file['url']}", f"{file['bytes']:,} bytes{here}\n{file['sha256']}")
        else:  # a line each, however wide, for other programs
            typer.echo(f"  {file['url']} {file['bytes']} {file['sha256']}{here}")


def _recipe(chosen: Recipe) -> dict[str, object]:
    here = chosen.path.is_file()
    return {
        "name": chosen.name,
        "adds": chosen.adds,
        "here": f"{chosen.path} ({megabytes(chosen.bytes_here)})" if here else f"no: {chosen.how_to_get}",
        "licence": chosen.licence,
        "citation": chosen.citation,
        "errata": list(chosen.errata),
    }


def _table(chosen: Recipe) -> dict[str, object]:
    """What the header of the table says, where there is one."""
    from nassim.tabular_data.table import read_header

    if not chosen.path.is_file() or not chosen.makes_a_table:
        return {}
    header = read_header(chosen.path)
    note = "" if chosen.is_here() else "another table under this name, as the header below says; "
    return {
        "here": f"{note}{chosen.path} ({megabytes(chosen.bytes_here)})",
        "space": header.space,
        "tasks": ", ".join(header.tasks),
        "epochs": ", ".join(map(str, header.epochs)),
        "repeats": f"at most {header.repeats}; {header.seeds}",
        "splits": header.splits,
        "units": header.units,
        "source": header.source,
        "sources": header.sources,
        "sha256 of the columns": header.sha256,
    }
