"""Tables of the user's own: where they lie, and the benchmark that each of them is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nassim.benchmark import About, Noise
from nassim.errors import CorruptData, InvalidQuery, MissingData
from nassim.metric import Metric
from nassim.space import Architecture, Decision, SearchSpace
from nassim.tabular_data.listed import check_choices
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.own_space import MOST_DECISIONS, MOST_OPTIONS, OwnListedSpace, OwnSpace, row_of
from nassim.tabular_data.table import Header, Table, read_header
from nassim.tabular_data.tabulated import Tabulated
from nassim.tabular_data.task_columns import SECONDS

FAMILY = "csv"
TASK = "table"  # of the columns


def columns_of(metric: Metric) -> dict[str, str]:
    """The names of the columns of what is told of a training."""
    return {"valid": metric.on("valid"), "test": metric.on("test"), "cost": SECONDS}


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

    @property
    def _rows(self) -> int:
        return self.space.size if self._choices is None else len(self._choices)

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
    spec, whole = _spec(header), space_of(header)
    choices = table.columns.get(f"{TASK}/choices")
    space: SearchSpace = whole
    notes = []
    if choices is not None:
        if choices.dtype != np.uint8:
            raise CorruptData(f"{path} has choices of {choices.dtype}, not of bytes: import it again.")
        check_choices(whole, choices)
        policy = spec.missing
        notes.append(f"The table has {len(choices):,} of {whole.size:,} architectures (missing: {policy}).")
        if policy == "sample":
            space = OwnListedSpace(whole, choices, radius=spec.radius)
            notes.append(f"Only those are searched; neighbors differ in at most {space.radius} decisions.")
    own = columns_of(Metric.of(header.metric)).values()
    extras = [name for name in header.units if name not in own]
    benchmark = OwnTable(
        table,
        space=space,
        noise=noise,
        about=About(
            title=spec.title,
            paper=spec.paper,
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={column.partition("/")[2]: text for column, text in header.splits.items()},
            extras={extra: header.units[extra] for extra in extras},
            notes=(*notes, f"Repeats: {header.seeds}."),
            sha256=header.sha256,
        ),
        extras={extra: table.columns[f"{TASK}/{extra}"] for extra in extras},
        test_source=f"Name the column in {'metric' if header.metric else 'accuracy'}.test of its specification, and "
        "import it again.",
    )
    benchmark.name = f"{FAMILY}/{name}"
    benchmark.continues = spec.continues
    return benchmark


class _Spec(NamedTuple):
    """What the header says of the specification, but for the decisions."""

    missing: str
    radius: int
    title: str
    paper: str
    continues: bool


def _spec(header: Header) -> _Spec:
    said: list[Any] = [{"continues": False, **header.spec}.get(name) for name in _Spec._fields]
    spec = _Spec(*said)
    texts = (spec.missing, spec.title, spec.paper)
    radius = type(spec.radius) is int and 1 <= spec.radius <= MOST_DECISIONS
    right = radius and isinstance(spec.continues, bool)
    if not all(isinstance(text, str) for text in texts) or spec.missing not in ("refuse", "sample", "") or not right:
        raise CorruptData(f"{header.space} is no table of your own, or its header was altered: import it again.")
    return spec


def space_of(header: Header) -> OwnSpace:
    """The whole space of a table; `CorruptData` if its header does not hold one."""
    decisions = header.spec.get("decisions")
    if not isinstance(decisions, dict) or not 0 < len(decisions) <= MOST_DECISIONS:
        raise CorruptData(f"{header.space} is no table of your own: import it again.")
    for name, options in decisions.items():
        texts = isinstance(options, list) and all(isinstance(option, str) for option in options)
        if not texts or not 0 < len(options) <= MOST_OPTIONS or len(set(options)) < len(options):
            raise CorruptData(f"{header.space}: the options of {name!r:.40} are {options!r:.40}: import it again.")
    return OwnSpace(header.space, [Decision(name, tuple(options)) for name, options in decisions.items()])


def spaces() -> list[OwnSpace]:
    """The spaces of all tables of the user's own that can be read, by name; reads their headers only."""
    found = []
    for name in table_names():
        with suppress(CorruptData, MissingData):
            found.append(space_of(read_header(table_path(name))))
    return found
