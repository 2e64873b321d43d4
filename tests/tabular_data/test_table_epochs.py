"""Tables with several epochs: each with its own repeats, splits and seconds."""

from __future__ import annotations

import math
import pickle
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nassim
from nassim import Noise, Query
from nassim.benchmark import About
from nassim.benchmarks.toy import SPACE
from nassim.errors import InvalidQuery
from nassim.registry import get_benchmark
from nassim.tabular_data.table import Header, Table, column_name, write_table
from nassim.tabular_data.tabulated import Tabulated, mean_of_repeats
from nassim.testing import check_benchmark

HEADER = Header(
    space="toy",
    tasks=("noise",),
    metrics=("valid_accuracy", "test_accuracy"),
    splits={},
    repeats=3,
    seeds="",
    epochs=(3, 9, 27),
    units={},
    source="made by a test",
    licence="MIT",
    citation="none",
    sources={"*/valid_accuracy": "here"},
    errata=("made up", "twice"),
)
ROWS = SPACE.size


def made_up() -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(7)
    valid = generator.random((ROWS, 3))
    valid[::2, 2] = np.nan
    return {
        "noise/valid_accuracy": valid,
        "noise/valid_accuracy@3": 0.5 * generator.random((ROWS, 1)),  # one value
        "noise/valid_accuracy@9": 0.7 * generator.random((ROWS, 2)),
        "noise/test_accuracy": generator.random((ROWS, 1)),
        "noise/test_accuracy@3": 0.5 * generator.random((ROWS, 1)),
        "noise/train_seconds": 100.0 + generator.random((ROWS, 3)),  # of each repeat
        "noise/train_seconds@9": 50.0 + generator.random(ROWS),  # of all repeats
    }


def benchmark(tmp_path: Path, noise: str = "draw", **changes: Any) -> Tabulated:
    write_table(tmp_path / "toy.h5", HEADER, {**made_up(), **changes})
    latency = np.where(np.arange(ROWS) % 3 == 0, np.nan, np.arange(ROWS))
    return Tabulated(
        Table.open(tmp_path / "toy.h5"),
        "noise",
        space=SPACE,
        noise=Noise.parse(noise),
        about=About("toy", "none", "a test", "MIT", "none", extras={"latency": "ms", "parameters": "count"}),
        extras={"latency": latency, "parameters": np.arange(ROWS)},
        epochs_source="Ask for more.",
    )


def test_names_of_columns() -> None:
    assert column_name("t", "valid_accuracy", 9, 9) == "t/valid_accuracy"
    assert column_name("t", "valid_accuracy", 3, 9) == "t/valid_accuracy@3"


def test_sources_and_errata_come_back(tmp_path: Path) -> None:
    benchmark(tmp_path)
    header = Table.open(tmp_path / "toy.h5").header
    assert replace(header, sha256="") == HEADER


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1", "repeat=2"])
def test_it_meets_the_contract_of_a_benchmark(tmp_path: Path, noise: str) -> None:
    check_benchmark(benchmark(tmp_path, noise))


def test_every_repeat_answers_with_its_own_seconds(tmp_path: Path) -> None:
    bench, columns, rng = benchmark(tmp_path), made_up(), random.Random(0)
    for row in (10, 11):
        for epochs, share in ((None, 1.0), (27, 1.0), (9, 0.0), (3, 3 / 27)):
            suffix = "" if epochs in (None, 27) else f"@{epochs}"
            values = columns[f"noise/valid_accuracy{suffix}"][row]
            if epochs == 9:
                seconds = [columns["noise/train_seconds@9"][row]] * 2
            else:
                seconds = columns["noise/train_seconds"][row] * share
            expected = {(v, s) for v, s in zip(values, seconds, strict=False) if v == v}
            drawn = {bench.query(Query(SPACE.at(row), epochs), rng)[:3:2] for _ in range(100)}
            assert {value for value, _ in drawn} == {value for value, _ in expected}
            for value, cost in drawn:
                assert cost == pytest.approx(next(s for v, s in expected if v == value), rel=1e-15)
            assert all(bench.query(Query(SPACE.at(row), epochs), rng).epochs == (epochs or 27) for _ in range(3))


def test_policies_after_fewer_epochs(tmp_path: Path) -> None:
    columns, rng = made_up(), random.Random(0)
    short, middle = columns["noise/valid_accuracy@3"][4], columns["noise/valid_accuracy@9"][4]
    for noise, expected in (("repeat=2", middle[1]), ("mean", middle.mean())):
        bench = benchmark(tmp_path, noise)
        assert bench.query(Query(SPACE.at(4), 9), rng).value == pytest.approx(expected, rel=1e-15)
        assert bench.query(Query(SPACE.at(4), 3), rng).value == short[0]  # one value answers under every policy
    mean = benchmark(tmp_path, "mean").query(Query(SPACE.at(5)), rng)
    assert mean.cost == pytest.approx(columns["noise/train_seconds"][5].mean(), rel=1e-15)


def test_a_repeat_that_fewer_epochs_lack(tmp_path: Path) -> None:
    gap = made_up()["noise/valid_accuracy@9"]
    gap[4, 0] = np.nan
    bench = benchmark(tmp_path, "repeat=2", **{"noise/valid_accuracy@9": gap})
    with pytest.raises(InvalidQuery, match=r"1 repeats of toy:.* for 9 epochs, not more"):
        bench.query(Query(SPACE.at(4), 9), random.Random(0))


def test_an_architecture_that_was_not_trained(tmp_path: Path) -> None:
    gap = made_up()["noise/valid_accuracy@3"]
    gap[4] = np.nan
    bench = benchmark(tmp_path, **{"noise/valid_accuracy@3": gap})
    with pytest.raises(InvalidQuery, match=f"no training of {SPACE.at(4)} for 3 epochs"):
        bench.query(Query(SPACE.at(4), 3), random.Random(0))
    assert np.isnan(bench.mean_accuracy(SPACE.at(4), epochs=3))


def test_means_after_other_epochs(tmp_path: Path) -> None:
    bench, columns = benchmark(tmp_path), made_up()
    np.testing.assert_array_equal(bench.mean_accuracies(epochs=3), columns["noise/valid_accuracy@3"][:, 0])
    np.testing.assert_allclose(bench.mean_accuracies(epochs=9), columns["noise/valid_accuracy@9"].mean(axis=1))
    np.testing.assert_array_equal(bench.mean_accuracies(epochs=27), bench.mean_accuracies())
    assert bench.mean_accuracy(SPACE.at(3), "test_accuracy", 3) == columns["noise/test_accuracy@3"][3, 0]
    with pytest.raises(InvalidQuery, match=r"no test_accuracy after 9 epochs\. Ask for more\."):
        bench.mean_accuracies("test_accuracy", 9)


def test_means_of_repeats() -> None:
    column = np.array([[0.25, 0.75, np.nan], [0.5, np.nan, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(mean_of_repeats(column), [0.5, 0.5, np.nan])


def test_epochs_that_there_are_none_of(tmp_path: Path) -> None:
    with pytest.raises(InvalidQuery, match=r"after 3, 9, 27 epochs, not after 4\. Ask for more\."):
        benchmark(tmp_path).query(Query(SPACE.at(0), 4), random.Random(0))


# -- a protocol's epochs ------------------------------------------------------------------------------


def test_a_query_without_epochs_trains_for_those_of_the_protocol(tmp_path: Path) -> None:
    bench = benchmark(tmp_path)
    bench.search_epochs = bench.check_epochs(3)
    rng = random.Random(0)
    arch = SPACE.at(5)
    assert bench.query(Query(arch), rng) == bench.query(Query(arch, 3), rng)
    assert bench.query(Query(arch, 27), rng).epochs == 27
    assert bench.typical_cost == pytest.approx(made_up()["noise/train_seconds"].mean() * 3 / 27)
    assert bench.mean_accuracy(arch) == pytest.approx(made_up()["noise/valid_accuracy"][5].mean())
    result = nassim.run("random_search", bench, "30ep")
    assert len(result.trials) == 10
    assert result.best.valid == bench.mean_accuracy(result.best.arch)
    assert result.best.test == bench.mean_accuracy(result.best.arch, "test_accuracy")


# -- extras ---------------------------------------------------------------------------------------------


def test_extras_that_an_architecture_lacks_are_absent(tmp_path: Path) -> None:
    bench, rng = benchmark(tmp_path), random.Random(0)
    extras = bench.query(Query(SPACE.at(6)), rng).extras
    assert dict(extras) == {"parameters": 6.0}
    assert "latency" not in extras and len(extras) == 1
    with pytest.raises(KeyError):
        extras["latency"]
    assert dict(bench.query(Query(SPACE.at(7)), rng).extras) == {"latency": 7.0, "parameters": 7.0}


def test_a_pickled_result_does_not_carry_the_table(tmp_path: Path) -> None:
    result = benchmark(tmp_path).query(Query(SPACE.at(7)), random.Random(0))
    content = pickle.dumps(result)
    assert len(content) < 400
    assert pickle.loads(content) == result


# -- by name --------------------------------------------------------------------------------------------


def test_get_benchmark_sets_the_epochs_of_a_search() -> None:
    bench = nassim.get_benchmark("toy/additive", search_epochs=3)
    assert bench.query(Query(bench.space.at(0)), random.Random(0)).epochs == 3
    assert nassim.get_benchmark("toy/additive").query(Query(bench.space.at(0)), random.Random(0)).epochs == 9
    with pytest.raises(InvalidQuery, match="1, 3, 9 epochs, not after 12"):
        nassim.get_benchmark("toy/additive", search_epochs=12)
    with pytest.raises(InvalidQuery, match="not after -1"):
        nassim.get_benchmark("toy/additive", search_epochs=-1)


def test_equal_means_are_equal_numbers() -> None:
    """Hits are counted: 0.1 + 0.2 + 0.3 over three is 0.2 + 0.2 over two, to the last bit."""
    nan = float("nan")
    column = np.array([[0.1, 0.2, 0.3], [0.2, 0.2, nan], [0.2, nan, nan], [0.25, 0.35, nan], [0.3, 0.3, 0.3]])
    means = mean_of_repeats(column)
    assert len(set(means.tolist())) == 2 and means.tolist() == [0.2, 0.2, 0.2, 0.3, 0.3]
    odd = np.array([[math.pi / 9, math.e / 9, math.sqrt(2) / 9], [math.sqrt(2) / 9, math.pi / 9, math.e / 9]])
    assert len(set(mean_of_repeats(odd).tolist())) == 1  # no counts of images: rounded


@pytest.mark.parametrize(("task", "distinct", "images"), [("cifar10", 7673, 25_000), ("digits", 1574, 2_000)])
def test_distinct_means_of_nasbench201(task: str, distinct: int, images: int) -> None:
    """As many as there are fractions, counted in whole numbers."""
    benchmark = get_benchmark(f"nasbench201/{task}")
    assert isinstance(benchmark, Tabulated)
    means = benchmark.mean_accuracies()
    hits = np.rint(benchmark._columns["valid_accuracy", benchmark.epochs] * images)
    there = (~np.isnan(hits)).sum(axis=1)
    sixths = np.rint(np.nansum(hits, axis=1) * 6 / there).astype(int)
    assert len(np.unique(means)) == len(np.unique(sixths)) == distinct
    assert (means == benchmark.optimum()).sum() == (sixths == sixths.max()).sum()
