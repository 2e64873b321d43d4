"""nassim data template: the specification of a table of your own, to start from."""

from __future__ import annotations

import typer


def main() -> None:
    """Print a commented specification (TOML) for `nassim data import NAME RESULTS --spec FILE`."""
    from nassim.tabular_data.recipes.csv_template import TEMPLATE

    typer.echo(TEMPLATE, nl=False)
