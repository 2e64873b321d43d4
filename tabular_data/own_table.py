"""Tables of the user's own: where they lie, and the benchmark that each of them is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from nassim.benchmark import About, Noise
from nassim.errors import CorruptData, InvalidQuery, MissingData
from nassim.space import Architecture, Decision, SearchSpace
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.own_space import OwnListedSpace, OwnSpace, row_of
from nassim.tabular_data.table import Header, Table, read_header
from nassim.tabular_data.tabulated import Tabulated

FAMILY = "csv"
TASK = "table"  # of the columns
COLUMNS = {"valid": "valid_accuracy", "test": "test_accuracy", "cost": "train_seconds"}


def table_path(name: str) -> Path:
    """Where the table of a name is or would be."""
    return data_folder() / "own" / f"{name}.h5"


def table_names() -> list[str]:
    """The names of all tables of the user's own; opens none."""
    return sorted(path.stem for path in (data_folder() / "own").glob("[!.]*.h5"))


class OwnTable(Tabulated):
    """A table whose rows are the architectures that were in the user's file."""

    def __init__(self, table: Table, **common: Any) -> None:
        self._choices = table.columns.get(f"{TASK}/choices")  # none: all there are, in the order of `index`
        super().__init__(table, TASK, **common)

    def _row(self, arch: Architecture) -> int:
        if self._choices is None or isinstance(self.space, OwnListedSpace):
            return self.space.index(arch)
        row = row_of(self._choices, arch.choices)
        if row is None:
            raise InvalidQuery(
                f"{self.name} has no training of {arch}: the table has {len(self._choices):,} of {self.space.size:,} "
                'architectures, and its specification says missing = "refuse". With "sample", only those '
                "that are there are searched: change it and import the table again."
            )
        return row


def load(name: str, noise: Noise) -> OwnTable:
    """Open a table of the user's own; `MissingData` if there is none of the name."""
    path = table_path(name)
    if not path.is_file():
        raise MissingData(
            f"there is no table {FAMILY}/{name}: nassim data import {name} RESULTS --spec SPEC "
            "(`nassim data template` prints a specification to start from)."
        )
    table = Table.open(path)
    header = table.header
    whole = space_of(header)
    choices = table.columns.get(f"{TASK}/choices")
    space: SearchSpace = whole
    notes = []
    if choices is not None:
        policy = header.spec["missing"]
        notes.append(f"The table has {len(choices):,} of {whole.size:,} architectures (missing: {policy}).")
        if policy == "sample":
            space = OwnListedSpace(whole, choices, radius=header.spec["radius"])
            notes.append(f"Only those are searched; neighbors differ in at most {space.radius} decisions.")
    extras = [unit for unit in header.units if unit not in (*COLUMNS.values(),)]
    benchmark = OwnTable(
        table,
        space=space,
        noise=noise,
        about=About(
            title=header.spec["title"],
            paper=header.spec["paper"],
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={column.partition("/")[2]: text for column, text in header.splits.items()},
            extras={extra: header.units[extra] for extra in extras},
            notes=(*notes, f"Repeats: {header.seeds}."),
            sha256=header.sha256,
        ),
        extras={extra: table.columns[f"{TASK}/{extra}"] for extra in extras},
        test_source="Name the column in accuracy.test of its specification, and import it again.",
    )
    benchmark.name = f"{FAMILY}/{name}"
    return benchmark


def space_of(header: Header) -> OwnSpace:
    """The whole space of a table; `CorruptData` if its header does not hold one."""
    try:
        decisions = [Decision(name, tuple(options)) for name, options in header.spec["decisions"].items()]
    except (AttributeError, KeyError, TypeError) as error:
        raise CorruptData(f"{header.space} is no table of your own: import it again.") from error
    return OwnSpace(header.space, decisions)


def spaces() -> list[OwnSpace]:
    """The spaces of all tables of the user's own that can be read, by name; reads their headers only."""
    found = []
    for name in table_names():
        with suppress(CorruptData):
            found.append(space_of(read_header(table_path(name))))
    return found
