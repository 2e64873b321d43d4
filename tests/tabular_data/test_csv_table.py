"""Tables of the user's own: the same results in every layout and form, against a plain dictionary of them."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import random
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.errors import InvalidArchitecture, InvalidQuery, MissingData, MissingDependency, UnknownName, Unsupported
from nassim.query import Query
from nassim.registry import algorithm_names, benchmark_names, find, get_algorithm, space_names
from nassim.tabular_data.own_table import table_path
from nassim.tabular_data.recipes import csv_rows
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.tabular_data.table import read_header
from nassim.testing import check_benchmark, check_space

OPTIONS: dict[str, tuple[Any, ...]] = {
    "layer1": ("none", "conv3", "conv5"),
    "layer2": ("none", "pool"),
    "width": (8, 16, 0.5),
}
EPOCHS, REPEATS = (3, 9), ("a", "b", "c")
Training = tuple[tuple[Any, ...], int, str]
HEAD = """
[decisions]
layer1 = ["none", "conv3", "conv5"]
layer2 = ["none", "pool"]
width = { column = "w", options = [8, 16, 0.5] }
"""
LONG = """
[accuracy]
unit = "percent"
valid = "valid"
test = "test"
[training]
epoch = "epoch"
repeat = "seed"
[cost]
column = "minutes"
unit = "minutes"
[extras]
latency = { column = "lat", unit = "ms" }
"""
WIDE = (
    LONG.replace('"valid"', '"v{epoch}_{repeat}"')
    .replace('"test"', '"t_{repeat}_{epoch}"')
    .replace('"minutes"\nunit', '"m{epoch}"\nunit')
    .replace('epoch = "epoch"\nrepeat = "seed"\n', "")
)
SPLIT = LONG.replace('valid = "valid"', 'valid = "val"\nsplit = "which"\nvalue = "acc"')


def results(*, repeats: bool = True, leave_out: int = 0) -> dict[Training, dict[str, float]]:
    """Valid and test in percent, minutes and latency; some repeats and, if asked, architectures are missing."""
    rng = random.Random(7)
    found: dict[Training, dict[str, float]] = {}
    for number, arch in enumerate(itertools.product(*OPTIONS.values())):
        latency = round(rng.uniform(1, 9), 3)
        there = REPEATS[: 2 + number % 2] if repeats else REPEATS[:1]
        for epochs, repeat in itertools.product(EPOCHS, there):
            valid, test = (round(rng.uniform(20, 90), 2) for _ in range(2))
            numbers = {"valid": valid, "test": test, "minutes": epochs + number / 100, "lat": latency}
            if not leave_out or number % leave_out:
                found[arch, epochs, repeat] = numbers
    return found


def rows(layout: str, found: dict[Training, dict[str, float]]) -> list[dict[str, Any]]:
    """The results as the rows of a file."""
    made: list[dict[str, Any]] = []
    wide: dict[tuple[Any, ...], dict[str, Any]] = {}
    for (arch, epochs, repeat), numbers in found.items():
        said = dict(zip(("layer1", "layer2", "w"), arch, strict=True))
        if layout == "long":
            made.append({**said, "epoch": epochs, "seed": repeat, **numbers, "ignored": "x,y"})
        elif layout == "split":
            common = {**said, "epoch": epochs, "seed": repeat, "minutes": numbers["minutes"], "lat": numbers["lat"]}
            made += [{**common, "which": w, "acc": numbers[m]} for w, m in (("val", "valid"), ("test", "test"))]
            made.append({**common, "which": "train", "acc": 99.0})
        else:
            row = wide.setdefault(arch, {**said, "lat": numbers["lat"]})
            row |= {f"v{epochs}_{repeat}": numbers["valid"], f"t_{repeat}_{epochs}": numbers["test"]}
            row[f"m{epochs}"] = numbers["minutes"]
    random.Random(1).shuffle(made)
    keys = dict.fromkeys(key for row in wide.values() for key in row)
    return made or [{key: row.get(key) for key in keys} for row in wide.values()]


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    kind = "".join(path.suffixes)
    opened: Callable[..., Any] = gzip.open if kind.endswith(".gz") else open
    if ".parquet" in kind:
        arrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        from pyarrow import parquet

        parquet.write_table(
            arrow.Table.from_pylist([{k: v if k != "w" else float(v) for k, v in r.items()} for r in made]), path
        )
        return path
    with opened(path, "wt", newline="", encoding="utf-8") as file:
        if ".jsonl" in kind:
            file.writelines(json.dumps(row) + "\n" for row in made)
        elif ".json" in kind:
            json.dump(made, file, indent=1)
        else:
            writer = csv.DictWriter(file, made[0].keys(), delimiter="\t" if ".tsv" in kind else ",")
            writer.writeheader()
            writer.writerows(made)
    return path


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    return tmp_path


def imported(
    folder: Path, layout: str, form: str = "csv", *, missing: str = "", name: str = "mine", **how: Any
) -> Path:
    """Write and import the results; the table."""
    text = {"long": LONG, "wide": WIDE, "split": SPLIT}[layout]
    policy = f'[architectures]\nmissing = "{missing}"\n' if missing else ""
    (folder / "spec.toml").write_text(HEAD + policy + text, encoding="utf-8")
    return import_table(name, write(folder / f"results.{form}", rows(layout, results(**how))), folder / "spec.toml")


def check_numbers(found: dict[Training, dict[str, float]], name: str = "csv/mine") -> None:
    """Everything that was in the file comes back, through the benchmark."""
    mean = nassim.get_benchmark(name, "mean")
    rng = random.Random(0)
    for arch, epochs in dict.fromkeys((arch, epochs) for arch, epochs, _ in found):
        trainings = [found[arch, epochs, r] for r in REPEATS if (arch, epochs, r) in found]
        value = mean.space.parse(", ".join(f"{k}={o}" for k, o in zip(OPTIONS, arch, strict=True)))
        result = mean.query(Query(value, epochs), rng)
        assert result.value == pytest.approx(np.mean([t["valid"] for t in trainings]) / 100, abs=1e-12)
        assert result.cost == pytest.approx(60 * trainings[0]["minutes"])
        assert dict(result.extras) == {"latency": trainings[0]["lat"]}
        test = mean.mean_accuracy(value, "test_accuracy", epochs)  # type: ignore[call-arg]
        assert test == pytest.approx(np.mean([t["test"] for t in trainings]) / 100, abs=1e-12)
        for k, training in enumerate(trainings[:2], 1):  # every architecture has two
            once = nassim.get_benchmark(name, f"repeat={k}").query(Query(value, epochs), rng)
            assert once.value == pytest.approx(training["valid"] / 100, abs=1e-12)


@pytest.mark.parametrize("form", ["csv", "tsv", "csv.gz", "json", "jsonl", "jsonl.gz", "parquet"])
@pytest.mark.parametrize("layout", ["long", "wide", "split"])
def test_every_layout_and_form_gives_what_is_in_the_file(
    layout: str, form: str, own_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "ROWS", 17)  # several parts
    path = imported(own_data, layout, form)
    found = results()
    if layout == "wide":  # one cost for all repeats
        check_numbers({(a, e, r): n | {"minutes": found[a, e, "a"]["minutes"]} for (a, e, r), n in found.items()})
    else:
        check_numbers(found)
    header = read_header(path)
    assert header.epochs == EPOCHS and header.repeats == 3 and header.units["latency"] == "ms"


def test_a_complete_table_is_a_full_benchmark(own_data: Path) -> None:
    imported(own_data, "long")
    for noise in ("draw", "mean", "repeat=1", "repeat=2"):
        check_benchmark(nassim.get_benchmark("csv/mine", noise))
    with pytest.raises(InvalidQuery, match="repeat=3"):
        nassim.get_benchmark("csv/mine", "repeat=3")
    check_space(nassim.get_benchmark("csv/mine").space)
    assert "csv/mine" in benchmark_names() and "mine" in space_names()
    assert [type(found).__mro__[-2] for found in find("mine")] == [nassim.SearchSpace]
    for wrong in ("csv/mini", "csv/"):
        with pytest.raises(UnknownName, match="csv/mine"):
            nassim.get_benchmark(wrong)


BLACK_BOX = [n for n in algorithm_names() if "supernet" not in signature(get_algorithm(n).function).parameters]


@pytest.mark.parametrize("name", BLACK_BOX)
def test_all_strategies_run(name: str, own_data: Path) -> None:
    """On a complete table, and on a list of architectures but those that make them up by themselves."""
    imported(own_data, "long")
    if name == "fixed":  # trains one architecture, which is named, and searches nothing
        assert len(nassim.run(name, "csv/mine", "25q").trials) == 1
        return
    if name == "bananas":  # works on paths, and these tables have no graphs
        with pytest.raises(Unsupported, match="defines no graph"):
            nassim.run(name, "csv/mine", "25q")
        return
    trials = nassim.run(name, "csv/mine", "25q").trials
    assert trials == nassim.run(name, "csv/mine", "25q").trials
    assert len(trials) >= 15  # some end when all 18 are trained
    imported(own_data, "long", leave_out=3, missing="sample")
    try:
        trials = nassim.run(name, "csv/mine", "25q").trials
    except Unsupported as error:
        assert name == "reinforce", error
        return
    assert len(trials) >= 8
    assert {nassim.get_benchmark("csv/mine").space.is_valid(trial.arch) for trial in trials} == {True}


def test_missing_architectures_are_a_declared_policy(own_data: Path) -> None:
    there = results(leave_out=3)
    with pytest.raises(
        nassim.errors.InvalidSetting, match=r"architectures\.missing must be said: 6 of 18 .* layer1=none"
    ):
        imported(own_data, "long", leave_out=3)
    imported(own_data, "long", leave_out=3, missing="refuse")
    check_numbers(there)
    bench = nassim.get_benchmark("csv/mine")
    assert bench.space.size == 18
    assert any("12 of 18" in note for note in bench.about.notes)
    with pytest.raises(InvalidQuery, match=r"no training of mine:0-0-0: the table has 12 of 18"):
        bench.query(Query(bench.space.at(0)), random.Random(0))
    imported(own_data, "long", leave_out=3, missing="sample")
    check_numbers(there)
    bench = nassim.get_benchmark("csv/mine")
    assert bench.space.size == 12
    check_space(bench.space)
    check_benchmark(bench)
    with pytest.raises(InvalidArchitecture, match="not one of the 12"):
        bench.space.parse("0-0-0")
    for policy in ("refuse", "sample"):  # nothing is missing
        imported(own_data, "long", missing=policy)
        assert nassim.get_benchmark("csv/mine").space.size == 18


def test_one_column_for_the_architecture_and_one_cost_for_all(own_data: Path) -> None:
    made = [
        {"arch": " / ".join(map(str, arch)).replace(" / ", "/"), "acc": n["valid"] / 100}
        for (arch, epochs, _), n in results(repeats=False).items()
        if epochs == 9
    ]
    text = '[architectures]\ncolumn = "arch"\nseparator = "/"\n[accuracy]\nunit = "fraction"\nvalid = "acc"\n'
    (own_data / "spec.toml").write_text(HEAD + text + "[training]\nepochs = 9\n[cost]\nseconds_per_epoch = 10\n")
    import_table("mine", write(own_data / "results.csv", made), own_data / "spec.toml")
    bench = nassim.get_benchmark("csv/mine")
    for row in made:
        words = ", ".join(f"{k}={o}" for k, o in zip(OPTIONS, row["arch"].split("/"), strict=True))
        result = bench.query(Query(bench.space.parse(words)), random.Random(0))
        assert (result.value, result.cost) == (row["acc"], 90.0)
    assert not bench.has_test
    with pytest.raises(Unsupported, match=r"accuracy\.test"):
        bench.test_accuracy(bench.space.at(0))


def test_without_pyarrow_parquet_says_what_to_install(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (own_data / "results.parquet").write_bytes(b"PAR1")
    (own_data / "spec.toml").write_text(HEAD + LONG)
    with pytest.raises(MissingDependency, match="pip install pyarrow"):
        import_table("mine", own_data / "results.parquet", own_data / "spec.toml")


def test_a_table_that_was_removed_is_said_to_be_missing(own_data: Path) -> None:
    imported(own_data, "long")
    load = __import__("nassim.benchmarks.csv", fromlist=["load"]).load
    table_path("mine").unlink()
    assert "csv/mine" not in benchmark_names()
    with pytest.raises(MissingData, match="nassim data import mine"):
        load("mine", nassim.benchmark.Noise())
