"""Tables of the user's own, as what `nassim data` lists, shows, verifies and removes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nassim.errors import CorruptData, MissingData, Unsupported
from nassim.metric import Metric
from nassim.tabular_data.own_table import TASK, space_of, table_names, table_path
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.table import Table, read_header


def own_recipes() -> list[Recipe]:
    """One for each table, by name."""
    return [_recipe(name) for name in table_names()]


def _recipe(name: str) -> Recipe:
    try:
        header = read_header(table_path(name))
        space = space_of(header)
        adds = f"a table of your own: {space.size:,} architectures, epochs {', '.join(map(str, header.epochs))}"
        licence, citation = header.licence, header.citation
    except (CorruptData, MissingData):  # `nassim data verify` says what it is; missing: removed at this moment
        adds, licence, citation = "a table of your own, which is damaged", "unknown", "unknown"
    return Recipe(
        name=name,
        adds=adds,
        files=(),
        licence=licence,
        citation=citation,
        errata=(),
        tables=(f"own/{name}.h5",),
        sha256="",
        convert=_convert,
        check=_check,
        import_release=_import_release,
    )


def _convert(paths: Mapping[str, Path], target: Path) -> None:
    raise Unsupported(f"{target.stem} is a table of your own: import it by nassim data import with --spec.")


def _import_release(path: Path, target: Path) -> None:
    _convert({}, target)


def _check(path: Path) -> list[str]:
    table = Table.open(path)
    metric = Metric.of(table.header.metric)
    whole, rows = space_of(table.header).size, len(table.columns[f"{TASK}/{metric.on('valid')}"])
    return [f"{rows:,} of {whole:,} architectures are there"]
