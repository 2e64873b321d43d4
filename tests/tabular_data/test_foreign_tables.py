"""Tables that somebody else made or altered, with checksums that fit: one line each, never a traceback or a crash."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.benchmark import About, Noise
from nassim.benchmarks.toy import SPACE as TOY
from nassim.errors import CorruptData, NassimError
from nassim.query import Query
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated_graphs import TabulatedGraphs

Fields, Columns = dict[str, Any], dict[str, Any]
Change = Callable[[Fields, Columns], None]
Forge = Callable[[Path, Change], None]
Use = Callable[[Path], list[float]]


def deep(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def of(name: str, value: Any) -> Change:
    return lambda fields, columns: fields.__setitem__(name, value)


def without(name: str) -> Change:
    return lambda fields, columns: fields.pop(name)


def spec(name: str, value: Any) -> Change:
    return lambda fields, columns: fields["spec"].__setitem__(name, value)


def column(name: str, how: Callable[[Any], Any]) -> Change:
    return lambda fields, columns: columns.__setitem__(f"table/{name}", how(columns[f"table/{name}"]))


def no_column(name: str) -> Change:
    return lambda fields, columns: columns.pop(f"table/{name}")


CHANGES: dict[str, Change] = {
    "no space": without("space"),
    "no epochs": without("epochs"),
    "no licence": without("licence"),
    "another field": of("colour", "red"),
    "space is a number": of("space", 3),
    "space is a list": of("space", ["mine"]),
    "tasks are a text": of("tasks", 5),
    "metrics are null": of("metrics", None),
    "metrics are numbers": of("metrics", [1, 2]),
    "other metrics": of("metrics", ["accuracy"]),
    "splits are a list": of("splits", ["a"]),
    "splits of numbers": of("splits", {"table/valid_accuracy": 3}),
    "units are a text": of("units", "seconds"),
    "units without columns": of("units", {"valid_accuracy": "fraction", "power": "W"}),
    "epochs are empty": of("epochs", []),
    "epochs are a text": of("epochs", "9"),
    "epochs are texts": of("epochs", ["3", "9"]),
    "epochs are negative": of("epochs", [-3, 9]),
    "epochs are huge": of("epochs", [3, 10**400]),
    "other epochs": of("epochs", [3, 9, 27]),
    "epochs are fractions": of("epochs", [3.5, 9.5]),
    "repeats is a list": of("repeats", [1]),
    "seeds is an object": of("seeds", {}),
    "errata are objects": of("errata", [{}, {}]),
    "sha256 is a number": of("sha256", 7),
    "a licence that moves the cursor": of("licence", "MIT\x1b[2J"),
    "spec is a list": of("spec", []),
    "spec is empty": of("spec", {}),
    "spec is deep": of("spec", {"decisions": deep(900)}),
    "decisions are a list": spec("decisions", ["a", "b"]),
    "decisions are empty": spec("decisions", {}),
    "options are numbers": spec("decisions", {"a": [1, 2, 3], "b": [1, 2]}),
    "an option too few": spec("decisions", {"a": ["x", "y"], "b": ["1", "2"]}),
    "no options": spec("decisions", {"a": ["x", "y", "z"], "b": []}),
    "a decision too many": spec("decisions", {"a": ["x", "y", "z"], "b": ["1", "2"], "c": ["1"]}),
    "options without end": spec("decisions", {"a": [str(i) for i in range(1_000)], "b": ["1", "2"]}),
    "missing is a list": spec("missing", ["sample"]),
    "missing is unknown": spec("missing", "perhaps"),
    "radius is a text": spec("radius", "1"),
    "radius is huge": spec("radius", 10**300),
    "title is a number": spec("title", 1),
    "no valid accuracy": no_column("valid_accuracy"),
    "no test accuracy": no_column("test_accuracy"),
    "no cost": no_column("train_seconds"),
    "no choices": no_column("choices"),
    "no extra": no_column("lat"),
    "accuracy of one dimension": column("valid_accuracy", lambda c: c[:, 0]),
    "accuracy of three dimensions": column("valid_accuracy", lambda c: c[:, :, None]),
    "accuracy of half the rows": column("valid_accuracy", lambda c: c[:2]),
    "accuracy without rows": column("valid_accuracy", lambda c: c[:0]),
    "accuracy without repeats": column("valid_accuracy", lambda c: c[:, :0]),
    "accuracy is nowhere": column("valid_accuracy", lambda c: c * np.nan),
    "accuracy of bytes": column("valid_accuracy", lambda c: np.full(c.shape, b"abc")),
    "accuracy of complex numbers": column("valid_accuracy", lambda c: c.astype(complex)),
    "accuracy of two": column("valid_accuracy", lambda c: c + 2.0),
    "test accuracy of half the rows": column("test_accuracy", lambda c: c[:2]),
    "cost is a number": column("train_seconds", lambda c: np.float64(3.0)),
    "cost of half the rows": column("train_seconds", lambda c: c[:2]),
    "cost of other repeats": column("train_seconds", lambda c: np.repeat(c, 3, axis=1)[:, :0]),
    "cost is infinite": column("train_seconds", lambda c: c * np.inf),
    "cost is nowhere": column("train_seconds", lambda c: c * np.nan),
    "cost is negative": column("train_seconds", lambda c: -c),
    "choices of one dimension": column("choices", lambda c: c[:, 0]),
    "choices of fractions": column("choices", lambda c: c + 0.5),
    "choices out of range": column("choices", lambda c: c + 7),
    "choices of half the rows": column("choices", lambda c: c[:2]),
    "choices of one decision": column("choices", lambda c: c[:, :1]),
    "extra of two dimensions": column("lat", lambda c: np.stack([c, c], axis=1)),
    "extra of half the rows": column("lat", lambda c: c[:2]),
    "extra of bytes": column("lat", lambda c: np.full(c.shape, b"abc")),
}
FITTING = {"other epochs"}  # those without a column are left out


def test_the_genuine_table(own: Path, forge: Forge, use: Use) -> None:
    values = use(own)
    forge(own, lambda fields, columns: None)
    assert use(own) == values


def test_altered_tables_are_one_line(own: Path, forge: Forge, use: Use) -> None:
    whole, wrong = own.read_bytes(), []
    for name, change in CHANGES.items():
        own.write_bytes(whole)
        forge(own, change)
        try:
            use(own)
            wrong += [] if name in FITTING else [f"{name}: taken"]
        except NassimError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000, name
        except Exception as error:  # noqa: BLE001 - what the test is about
            wrong.append(f"{name}: {error!r:.100}")
    assert not wrong, "\n".join(wrong)


def test_altered_graphs_are_one_line(own: Path, forge: Forge) -> None:
    """Where graphs share rows, a column finds them."""

    def graphs(row: Callable[[Any], int], **options: Any) -> TabulatedGraphs:
        about = About("mine", "none", "a test", "MIT", "none")
        table = Table.open(own)
        extras = {"lat": table.columns["table/lat"]}
        common: dict[str, Any] = {"noise": Noise.parse("draw"), "about": about, "extras": extras, **options}
        return TabulatedGraphs(table, "table", name="mine", space=TOY, row=row, **common)

    arch, rng = TOY.at(0), random.Random(0)
    assert graphs(lambda arch: 4).query(Query(arch), rng).cost == 90.0
    assert 0 < graphs(lambda arch: 4, members=lambda: np.arange(5)).optimum() < 1  # type: ignore[operator]
    for row in (-1, 5, 10**9):
        with pytest.raises(CorruptData, match="leads to no row"):
            graphs(lambda arch, row=row: row).query(Query(arch), rng)  # type: ignore[misc]
        with pytest.raises(CorruptData, match="leads to no row"):
            graphs(lambda arch: 0, members=lambda row=row: np.array([row])).optimum()
    whole = own.read_bytes()
    for change in (
        column("valid_accuracy", lambda c: c + 2.0),
        column("valid_accuracy", lambda c: c[:2]),
        column("train_seconds", lambda c: c * np.inf),
        column("train_seconds", lambda c: c[:, 0]),
        column("lat", lambda c: c[:2]),
    ):
        own.write_bytes(whole)
        forge(own, change)
        with pytest.raises(CorruptData, match="not a table that answers"):
            graphs(lambda arch: 4).query(Query(arch), rng)
