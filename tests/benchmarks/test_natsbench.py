"""NATS-Bench's tables against the genuine records, the official API where it is installed, and its answers as noted."""

from __future__ import annotations

import bz2
import json
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.benchmark import Benchmark
from nassim.errors import CorruptData, InvalidQuery, MissingData
from nassim.query import Query
from nassim.registry import benchmark_names
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import natsbench_import, natsbench_size, natsbench_topology
from nassim.tabular_data.recipes.natsbench import IMAGES, MISSING, Columns
from nassim.tabular_data.table import Table, read_header
from nassim.testing import check_benchmark

RECIPES = {"tss": natsbench_topology, "sss": natsbench_size}
FOLDERS = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
SCHEDULES = {"tss": {12: "12", 200: "200"}, "sss": {1: "01", 12: "12", 90: "90"}}
NUMBERS = (0, 11, 284)
TASKS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "ImageNet16-120"}
# nats-bench 1.8: mean valid-accuracy and test-accuracy in percent (get_more_info), seconds and latency
# (simulate_train_eval), by kind, official number, task and epochs.
OFFICIAL = {
    ("tss", 0, "cifar10", 12): (63.364000, 69.550000, 89.202095, 0.013935976),
    ("tss", 0, "cifar10", 200): (81.982667, 85.863333, 1446.767579, 0.013935976),
    ("tss", 11, "cifar100", 12): (33.640000, 32.760000, 299.919613, 0.016138938),
    ("tss", 11, "cifar100", 200): (67.453333, 67.606667, 4985.652969, 0.016138938),
    ("tss", 284, "imagenet16-120", 12): (22.200000, 21.733333, 355.322582, 0.012153427),
    ("tss", 284, "imagenet16-120", 200): (33.400000, 32.466667, 5917.550788, 0.012153427),
    ("sss", 0, "cifar100", 1): (5.160000, 5.360000, 5.511715, 0.017976783),
    ("sss", 0, "cifar100", 12): (23.706667, 23.793333, 62.000875, 0.017976783),
    ("sss", 0, "cifar100", 90): (32.240000, 32.300000, 462.560368, 0.017976783),
    ("sss", 11, "cifar10", 12): (73.437333, 79.813333, 36.642301, 0.015300797),
    ("sss", 284, "imagenet16-120", 90): (33.333333, 32.766667, 1074.578129, 0.020596315),
}


@pytest.fixture(scope="module")
def releases(genuine: Callable[[str], Path]) -> Path:
    """The folder with both releases: three architectures of each."""
    return genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/{FOLDERS['tss']}").parent


@pytest.fixture(scope="module")
def data(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with both tables."""
    folder = tmp_path_factory.mktemp("natsbench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(folder))
        for kind, module in RECIPES.items():
            Recipe.of(module).import_from(releases / FOLDERS[kind])
        yield folder


def record(releases: Path, kind: str, number: int) -> dict[str, Any]:
    content = bz2.decompress((releases / FOLDERS[kind] / f"{number:06d}.pickle.pbz2").read_bytes())
    found: dict[str, Any] = safe_pickle.loads(content, name="record")
    return found


def curves(data: Path, kind: str) -> Table:
    return Table.open(data / RECIPES[kind].TABLES[1])


def benchmark(kind: str, task: str, noise: str = "mean") -> Benchmark:
    return nassim.get_benchmark(f"{'natsbench-topology' if kind == 'tss' else 'natsbench-size'}/{task}", noise)


@pytest.mark.parametrize("kind", RECIPES)
def test_every_number_of_the_records_is_in_the_table(kind: str, releases: Path, data: Path) -> None:
    """Every schedule, data set, seed, split and epoch; and nothing else is."""
    table, space, seen = curves(data, kind).columns, RECIPES[kind].RELEASE.space, 0
    assert not any(column.shape[0] != space.size for column in table.values())
    for number in NUMBERS:
        for name, results in record(releases, kind, number).items():
            row = space.index(space.parse(results["arch_str"]))
            for dataset, images in IMAGES.items():
                seeds = sorted(seed for of, seed in results["all_results"] if of == dataset)
                recorded = table[f"{dataset}/seed@{int(name)}"][row, :, 0]
                assert [seed for seed in recorded.tolist() if seed >= 0] == seeds
                for repeat, seed in enumerate(seeds):
                    state = results["all_results"][dataset, seed]
                    percent = {("train", epoch): value for epoch, value in state["train_acc1es"].items()}
                    seconds = {("train", epoch): value for epoch, value in state["train_times"].items()}
                    for target, source in ((percent, "eval_acc1es"), (seconds, "eval_times")):
                        for key, value in state[source].items():
                            split, _, epoch = key.partition("@")
                            target[split, int(epoch)] = value
                    for (split, epoch), value in percent.items():
                        counts = table[f"{dataset}/{split}@{int(name)}"][row, repeat]
                        place = epoch - int(name) if len(counts) == 1 else epoch  # after the last epoch only
                        assert abs(100 * int(counts[place]) / images[split] - value) < 1e-6
                        seen += 1
                    for (split, _), value in seconds.items():
                        assert table[f"{dataset}/{split}_seconds@{int(name)}"][row, repeat, 0] == value
    there = [column for name, column in table.items() if "seconds" not in name and column.dtype.kind == "u"]
    assert sum(int((column != MISSING[column.dtype]).sum()) for column in there) == seen > 4000


@pytest.mark.parametrize("kind", [pytest.param("tss", marks=pytest.mark.slow), "sss"])
def test_every_number_is_what_the_official_api_answers(kind: str, releases: Path, data: Path) -> None:
    api = official(kind, releases)
    table = curves(data, kind).columns
    for number in NUMBERS:
        row = int(np.flatnonzero(Table.open(data / RECIPES[kind].TABLES[0]).columns["official_number"] == number)[0])
        for epochs, schedule in SCHEDULES[kind].items():
            for dataset, images in IMAGES.items():
                trainings = api.query_by_index(number, dataset, schedule)
                for repeat, (_, training) in enumerate(sorted(trainings.items())):
                    for split, total in images.items():
                        counts = table[f"{dataset}/{split}@{epochs}"][row, repeat]
                        each = table[f"{dataset}/{split}_seconds@{epochs}"][row, repeat, 0]
                        for epoch in range(epochs - len(counts), epochs):
                            said = training.get_train(epoch) if split == "train" else training.get_eval(split, epoch)
                            assert abs(100 * int(counts[epoch - epochs]) / total - said["accuracy"]) < 1e-6
                            assert said["cur_time"] == each
                            assert said["all_time"] == pytest.approx((epoch + 1) * each, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize("task", TASKS)
def test_the_benchmark_answers_as_the_official_api(kind: str, task: str, releases: Path, data: Path) -> None:
    api, bench, dataset = official(kind, releases), benchmark(kind, task), TASKS[task]
    searched = "cifar10-valid" if task == "cifar10" else dataset
    for number in NUMBERS:
        arch = bench.space.parse(api[number])
        for epochs, schedule in SCHEDULES[kind].items():
            result = bench.query(Query(arch, epochs), random.Random(0))
            _, latency, seconds, _ = api.simulate_train_eval(number, dataset, hp=schedule)
            valid = api.get_more_info(number, searched, hp=schedule, is_random=False)["valid-accuracy"]
            test = api.get_more_info(number, dataset, hp=schedule, is_random=False)["test-accuracy"]
            size = api.get_cost_info(number, dataset, hp=schedule)
            assert 100 * result.value == pytest.approx(valid, abs=1e-6)
            assert 100 * bench.mean_accuracy(arch, "test_accuracy", epochs) == pytest.approx(test, abs=1e-6)  # type: ignore[call-arg]
            assert result.cost == pytest.approx(seconds, rel=1e-12)
            assert result.extras["latency"] == pytest.approx(latency, rel=1e-12)
            assert result.extras["parameters"] == pytest.approx(1e6 * size["params"])
            assert result.extras["flops"] == pytest.approx(1e6 * size["flops"])
            draw = benchmark(kind, task, "draw")
            drawn = {round(100 * draw.query(Query(arch, epochs), random.Random(i)).value, 4) for i in range(60)}
            random.seed(0)
            theirs = {round(api.simulate_train_eval(number, dataset, hp=schedule)[0], 4) for _ in range(60)}
            assert drawn == theirs


@pytest.mark.parametrize("key", OFFICIAL, ids=str)
def test_the_benchmark_answers_as_noted(key: tuple[str, int, str, int], releases: Path, data: Path) -> None:
    kind, number, task, epochs = key
    bench = benchmark(kind, task)
    arch = bench.space.parse(record(releases, kind, number)[SCHEDULES[kind][epochs]]["arch_str"])
    result = bench.query(Query(arch, epochs), random.Random(0))
    test = bench.mean_accuracy(arch, "test_accuracy", epochs)  # type: ignore[call-arg]
    found = (100 * result.value, 100 * test, result.cost, result.extras["latency"])
    assert found == pytest.approx(OFFICIAL[key], abs=6e-7)


@pytest.mark.parametrize(
    ("kind", "task"),
    [pytest.param("tss", "cifar10", marks=pytest.mark.slow), ("sss", "cifar10"), ("sss", "imagenet16-120")],
)
def test_every_epoch_of_the_full_training_can_be_asked_for(kind: str, task: str, releases: Path, data: Path) -> None:
    bench, full = benchmark(kind, f"{task}:curve"), max(SCHEDULES[kind])
    whole = benchmark(kind, task)
    assert bench.fidelities == tuple(range(1, full + 1))
    for number in NUMBERS:
        results = record(releases, kind, number)[str(full)]
        arch = bench.space.parse(results["arch_str"])
        of = "cifar10-valid" if task == "cifar10" else TASKS[task]
        trainings = [training for (dataset, _), training in results["all_results"].items() if dataset == of]
        for epochs in bench.fidelities:
            result = bench.query(Query(arch, epochs), random.Random(0))
            valid = np.mean([training["eval_acc1es"][f"x-valid@{epochs - 1}"] for training in trainings])
            seconds = epochs * trainings[0]["train_times"][0] + trainings[0]["eval_times"]["x-valid@0"]
            assert 100 * result.value == pytest.approx(valid, abs=1e-6)
            assert result.cost == pytest.approx(seconds, rel=1e-12)
        assert result == whole.query(Query(arch), random.Random(0))
        assert bench.test_accuracy(arch) == whole.test_accuracy(arch)


def test_a_part_of_a_release_is_declared_and_the_rest_refused_by_name(data: Path) -> None:
    assert any("3 of 32,768" in note for note in read_header(data / "natsbench_size.h5").errata)
    bench = nassim.get_benchmark("natsbench-size/cifar10")
    assert any("3 of 32,768" in note for note in bench.about.notes)
    missing = bench.space.parse("64:64:64:64:64")
    with pytest.raises(InvalidQuery, match=r"natsbench-size:7-7-7-7-7 .* 3 of 32,768"):
        bench.query(Query(missing), random.Random(0))
    here = bench.space.parse("8:8:8:8:8")
    once = nassim.get_benchmark("natsbench-size/cifar10", "repeat=1")  # asked of those that are there
    assert once.query(Query(here), random.Random(0)).value == bench.query(Query(here), random.Random(0)).value
    with pytest.raises(InvalidQuery, match="repeat=2"):
        nassim.get_benchmark("natsbench-size/cifar10", "repeat=2")


@pytest.mark.slow
def test_verify_sees_an_altered_curve(releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    recipe = Recipe.of(natsbench_size)
    recipe.import_from(releases)  # the folder that the release lies in
    assert any("3 of 32,768" in line for line in recipe.verify())
    second = recipe.paths[1]
    content = bytearray(second.read_bytes())
    content[-1] ^= 1
    second.write_bytes(content)
    with pytest.raises(CorruptData):
        recipe.verify()
    with pytest.raises(CorruptData):
        nassim.get_benchmark("natsbench-size/cifar10:curve")
    recipe.remove()
    assert not any(path.exists() for path in recipe.paths)
    for name in ("natsbench-size/cifar10", "natsbench_size/cifar10:curve"):
        with pytest.raises(MissingData, match="nassim data import natsbench-size"):
            nassim.get_benchmark(name)


@pytest.mark.slow
def test_importing_stays_below_a_gigabyte(releases: Path, tmp_path: Path) -> None:
    """The arrays have all rows, however many records there are; a record is let go before the next."""
    command = [sys.executable, "-c", IMPORT, str(releases / FOLDERS["tss"]), str(tmp_path / "table.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 100e6 < int(done.stdout) < 700e6


# Prints the most bytes that were resident. Not by ru_maxrss, where Linux says so itself: it keeps what the process had
# before the program was loaded, which is the memory of all tests up to here.
IMPORT = """
import re, resource, sys
from pathlib import Path
from nassim.tabular_data.recipes.natsbench_topology import import_release
import_release(Path(sys.argv[1]), Path(sys.argv[2]))
status = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text()) if status.exists() else None
print(1024 * int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def complete(module: ModuleType, data: Path) -> None:
    """A made-up release with all architectures: every column of the genuine one, with other numbers."""
    rng = np.random.default_rng(0)
    release, columns = module.RELEASE, Columns(module.RELEASE.space.size)
    for name, column in curves(data, "sss").columns.items():
        dataset, _, what = name.partition("/")
        split = what.partition("@")[0]
        if column.dtype.kind == "u":
            made = rng.integers(0, IMAGES[dataset][split] + 1, column.shape)
        elif split == "seed":
            made = np.broadcast_to([[777], [888], [999]][: column.shape[1]], column.shape)
        else:
            same = np.random.default_rng(zlib.crc32(f"{dataset}/{split}".encode()))  # after any number of epochs
            made = np.broadcast_to(same.uniform(0.1, 9.0, (len(column), 1, 1)), column.shape)
        columns.arrays[name] = made.astype(column.dtype)
    header = natsbench_import._header(Path("made-up"), release, columns, release.space.size, 0)
    natsbench_import.write(Recipe.of(module).path, header, columns, np.arange(release.space.size, dtype=np.int32))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["cifar10", "imagenet16-120", "cifar100:curve"])
def test_a_complete_table_keeps_the_contract(
    task: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    complete(natsbench_size, data)
    for noise in ("draw", "mean", "repeat=1"):
        check_benchmark(nassim.get_benchmark(f"natsbench-size/{task}", noise))
    assert not any("part of" in note for note in nassim.get_benchmark(f"natsbench-size/{task}").about.notes)
    for algorithm in ("random_search", "regularized_evolution", "local_search", "pnas", "reinforce"):
        assert len(nassim.run(algorithm, f"natsbench-size/{task}", "30q").trials) == 30


def test_names() -> None:
    names = benchmark_names()
    assert {"natsbench-size/cifar10", "natsbench-size/imagenet16-120:curve", "natsbench-topology/cifar10"} <= {*names}
    assert json.dumps(names).count("natsbench_") == 0


def official(kind: str, releases: Path) -> Any:
    package = pytest.importorskip("nats_bench", reason="the official API comes with the extra nasbench")
    return package.create(str(releases / FOLDERS[kind]), kind, fast_mode=True, verbose=False)
