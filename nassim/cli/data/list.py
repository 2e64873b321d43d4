"""nassim data list: what data there are, and what is here."""

from __future__ import annotations

from nassim.cli.console import Json, print_json
from nassim.cli.data.find import megabytes, recipes
from nassim.cli.tables import Column, print_table, say


def main(as_json: Json = False) -> None:
    """List the data sets that can be had: what is here, sizes, licence, and what each adds."""
    found = recipes()
    if as_json:
        print_json(
            [
                {
                    "name": r.name,
                    "here": r.is_here(),
                    "bytes_here": r.bytes_here,
                    "bytes_to_fetch": r.size,
                    "licence": r.licence,
                    "adds": r.adds,
                }
                for r in found
            ]
        )
        return
    print_table(
        ["name", "here", "fetches", Column("licence", drop=1, least=24), Column("adds", least=30, below=True)],
        [
            [
                r.name,
                megabytes(r.bytes_here) if r.is_here() else "no",
                megabytes(r.size) if r.files else "import only",
                r.licence,
                r.adds,
            ]
            for r in found
        ],
    )
    say("\n`nassim data get NAME` fetches one, `nassim data info NAME` shows its files and citation.")
