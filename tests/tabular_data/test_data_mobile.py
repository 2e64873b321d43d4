"""NAS-Bench-Macro and Accel-NASBench: their spaces anywhere, their tables from the genuine releases."""

from __future__ import annotations

import io
import json
import math
import random
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nassim
from nassim import Architecture, Query
from nassim.benchmarks.spaces import accel_nasbench as accel
from nassim.benchmarks.spaces import nasbench_macro as macro
from nassim.benchmarks.toy import SPACE as TOY
from nassim.errors import (
    CorruptData,
    InvalidArchitecture,
    InvalidQuery,
    InvalidSetting,
    MissingData,
    ProtocolError,
    Unsupported,
)
from nassim.tabular_data.listed import ListedSpace
from nassim.tabular_data.recipes import accel_nasbench as accel_recipe
from nassim.tabular_data.recipes import nasbench_macro as macro_recipe
from nassim.tabular_data.tabulated import Tabulated
from nassim.testing import check_benchmark, check_space

Find = Callable[[str], Path]


def load(name: str, noise: str = "draw") -> Tabulated:
    benchmark = nassim.get_benchmark(name, noise)
    assert isinstance(benchmark, Tabulated)
    return benchmark


@pytest.mark.parametrize("name", ["nasbench_macro/cifar10", "accel_nasbench/imagenet"])
def test_without_the_table(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    with pytest.raises(MissingData, match=f"nassim data get {name.partition('/')[0]}"):
        nassim.get_benchmark(name)


# -- NAS-Bench-Macro ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_space_of_nasbench_macro() -> None:
    space = macro.SPACE
    check_space(space)
    assert space.size == 6_561
    assert len(space.neighbors(space.at(0))) == 16
    assert space.format(space.parse("22212202")) == "22212202"
    classes = {space.canonical(arch) for arch in space.architectures()}
    assert len(classes) == 3_969 == 9 * 21 * 21
    assert len(space.graph(space.at(5)).edges) == 8
    with pytest.raises(InvalidSetting, match="not an equivalence"):
        space.canonical(space.at(0), "zero")


def test_counts_of_one_network_by_hand() -> None:
    """11111111: expansion 3 and kernel 3 in every layer; weights and two numbers for each normalized channel."""
    total, multiply_adds, width, side = 3 * 32 * 9 + 64, 3 * 32 * 9 * 32**2, 32, 32
    for layer, wider in enumerate([64, 64, 128, 128, 128, 256, 256, 256]):
        after = side // 2 if layer in (0, 2, 5) else side
        hidden = 3 * width
        total += width * hidden + 2 * hidden + 9 * hidden + 2 * hidden + hidden * wider + 2 * wider
        multiply_adds += width * hidden * side**2 + 9 * hidden * after**2 + hidden * wider * after**2
        width, side = wider, after
    total += 256 * 1280 + 2 * 1280 + 1280 * 10 + 10
    multiply_adds += 256 * 1280 * 4**2 + 1280 * 10
    choices = np.ones((1, 8), dtype=int)
    assert macro.parameters(choices).tolist() == [total]
    assert macro.flops(choices).tolist() == [multiply_adds]


@pytest.mark.usefixtures("genuine_data")
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1"])
def test_nasbench_macro(noise: str) -> None:
    benchmark = load("nasbench-macro/cifar10", noise)
    check_benchmark(benchmark)
    assert benchmark.name == "nasbench_macro/cifar10"
    with pytest.raises(InvalidQuery, match="no repeat=2"):
        load("nasbench_macro/cifar10", "repeat=2")


@pytest.mark.usefixtures("genuine_data")
def test_nasbench_macro_is_the_release(genuine: Find) -> None:
    records = json.loads(genuine("xiusu/NAS-Bench-Macro/*/data/*.json").read_text())
    benchmark = load("nasbench_macro/cifar10")
    valid, test = (100 * benchmark.mean_accuracies(metric) for metric in ("valid_accuracy", "test_accuracy"))
    arrays = [records[macro.SPACE.format(arch)] for arch in macro.SPACE.architectures()]
    np.testing.assert_allclose(valid, [record["test_acc"][0] for record in arrays], rtol=1e-6)
    np.testing.assert_allclose((valid + 2 * test) / 3, [record["mean_acc"] for record in arrays], rtol=1e-6)
    best = int(((valid + 2 * test) / 3).argmax())
    assert macro.SPACE.format(macro.SPACE.at(best)) == "22212202"
    assert round(float((valid + 2 * test)[best] / 3), 3) == 93.127
    result = benchmark.query(Query(macro.SPACE.parse("22212202")), random.Random(0))
    assert result.extras["parameters"] == records["22212202"]["params"]
    assert result.cost == 3 * 50 * 50_000 * records["22212202"]["flops"] / 1e12
    assert not benchmark.about.synthetic
    assert any("multiply-adds a second" in note for note in benchmark.about.notes)


@pytest.mark.usefixtures("genuine_data")
def test_the_front_of_nasbench_macro() -> None:
    benchmark = load("nasbench_macro/cifar10")
    mean = (benchmark.mean_accuracies() + 2 * benchmark.mean_accuracies("test_accuracy")) / 3
    flops = macro.flops(macro.SPACE.choice_matrix)
    points = sorted({(f, -m) for f, m in zip(flops.tolist(), mean.tolist(), strict=True)})
    best, front = math.inf, 0
    for _, negative in points:
        if negative < best:
            best, front = negative, front + 1
    assert front == 35


def test_nasbench_macro_of_another_content(genuine: Find, tmp_path: Path) -> None:
    records = json.loads(genuine("xiusu/NAS-Bench-Macro/*/data/*.json").read_text())
    for change, message in (({"params": 1}, "params of the release"), ({"test_acc": [50.005] * 3}, "no counts")):
        altered = tmp_path / "altered.json"
        altered.write_text(json.dumps({**records, "00000000": {**records["00000000"], **change}}))
        with pytest.raises(CorruptData, match=message):
            macro_recipe.convert({macro_recipe.PATH: altered}, tmp_path / "table.h5")
    assert not (tmp_path / "table.h5").exists()


# -- Accel-NASBench -------------------------------------------------------------------------------------


def test_the_space_of_accel_nasbench() -> None:
    check_space(accel.SPACE)
    assert accel.SPACE.size == 36**6 * (3 * 2 * 4 * 2)
    settings = {
        f"block{i}_{name}": value for i in range(7) for name, value in {"e": 4, "k": 5, "l": 3, "se": True}.items()
    }
    arch = accel.SPACE.from_settings(settings)
    assert arch.choices == (1, 1, 2, 1) * 7
    for wrong in ({"block3_k": 7}, {"block2_l": 4}):
        with pytest.raises(InvalidArchitecture):
            accel.SPACE.from_settings({**settings, **wrong})
    del settings["block6_se"]
    with pytest.raises(InvalidArchitecture, match="block6_se"):
        accel.SPACE.from_settings(settings)


@pytest.mark.usefixtures("genuine_data")
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1"])
def test_accel_nasbench(noise: str) -> None:
    benchmark = load("accel-nasbench/imagenet", noise)
    check_benchmark(benchmark)
    check_space(benchmark.space)


@pytest.mark.slow
@pytest.mark.usefixtures("genuine_data")
def test_accel_nasbench_is_the_release(genuine: Find) -> None:
    records: list[dict[str, Any]] = []
    with tarfile.open(genuine("afzalxo/Accel-NASBench/*/anb_dataset/*.tar.gz")) as archive:
        for member in archive:
            if file := archive.extractfile(member):
                records.append(json.load(io.TextIOWrapper(file)))
    assert len(records) == 5_138
    networks = Counter(accel.SPACE.from_settings(record["architecture"]) for record in records)
    benchmark = load("accel_nasbench/imagenet")
    assert benchmark.space.size == len(networks) == 5_125
    assert sorted(networks) == list(benchmark.space.architectures())
    for record in random.Random(0).sample(records, 200):
        arch = accel.SPACE.from_settings(record["architecture"])
        if networks[arch] > 1:
            continue
        answer = benchmark.query(Query(arch), random.Random(0))
        assert 100 * answer.value == pytest.approx(record["metrics"]["val_top1"], abs=2e-5)
        assert answer.cost == record["metrics"]["train_time"]
        assert answer.extras["flops"] == pytest.approx(1e6 * record["model_info"]["macs"], rel=1e-12)
        for name, measured in record["platform_perf"].items():
            mean = next(value for key, value in measured.items() if key.endswith("_mean"))
            assert answer.extras.get(name) == mean
    twice = next(arch for arch, count in networks.items() if count == 2)
    seen = {benchmark.query(Query(twice), random.Random(i))[:3:2] for i in range(50)}
    recorded = [r["metrics"] for r in records if accel.SPACE.from_settings(r["architecture"]) == twice]
    assert {cost for _, cost in seen} == {metrics["train_time"] for metrics in recorded}


@pytest.mark.usefixtures("genuine_data")
def test_searching_a_sample() -> None:
    benchmark = load("accel_nasbench/imagenet")
    assert not benchmark.has_test
    with pytest.raises(Unsupported, match="one accuracy"):
        benchmark.test_accuracy(benchmark.space.at(0))
    missing = Architecture("accel_nasbench", (0,) * 28)
    with pytest.raises(InvalidArchitecture, match=r"not one of the 5,125 that the table has \(of 104,485,552,128\)"):
        benchmark.query(Query(missing), random.Random(0))
    for name in ("random_search", "re", "ls", "reinforce"):
        if name == "reinforce":  # it draws from the whole space
            with pytest.raises(ProtocolError, match=r"reinforce asks for .*not one of the 5,125"):
                nassim.run(name, benchmark, "30q")
        else:
            assert len(nassim.run(name, benchmark, "30q").trials) == 30


@pytest.mark.slow
@pytest.mark.usefixtures("genuine_data")
def test_nine_is_the_smallest_radius_in_which_every_network_has_a_neighbor() -> None:
    choices = load("accel_nasbench/imagenet").space.choice_matrix
    nearest = [np.partition((choices != row).sum(axis=1), 1)[1] for row in choices]  # the 0 is itself
    assert max(nearest) == 9


def test_a_truncated_archive(genuine: Find, tmp_path: Path) -> None:
    content = genuine("afzalxo/Accel-NASBench/*/anb_dataset/*.tar.gz").read_bytes()
    for half in (content[: len(content) // 2], b"nonsense", b""):
        (tmp_path / "half.tar.gz").write_bytes(half)
        with pytest.raises(CorruptData, match="not the archive"):
            accel_recipe.convert({accel_recipe.PATH: tmp_path / "half.tar.gz"}, tmp_path / "table.h5")


# -- spaces of which only some architectures exist ---------------------------------------------------------


def listed(radius: int = 1) -> ListedSpace:
    """27 of toy's 81: those whose first and second choice are equal."""
    whole = TOY.choice_matrix
    return ListedSpace(TOY, whole[whole[:, 0] == whole[:, 1]], radius=radius)


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_a_listed_space_meets_the_contract(radius: int) -> None:
    check_space(listed(radius))


def test_a_listed_space_stays_inside() -> None:
    space, rng = listed(2), random.Random(0)
    archs = list(space.architectures())
    assert len(archs) == space.size == 27
    samples = Counter(space.sample(rng) for _ in range(2_700))
    assert samples.keys() == set(archs) and min(samples.values()) > 50
    for arch in archs:
        assert arch.choices[0] == arch.choices[1]
        near = [b for b in archs if 0 < sum(x != y for x, y in zip(arch.choices, b.choices, strict=True)) <= 2]
        assert space.neighbors(arch) == near
        assert {space.mutate(arch, rng) for _ in range(300)} == set(near)
        child = space.crossover(arch, archs[5], rng)
        assert child in archs
    assert space.mutate(listed(0).at(3), rng) in archs


def test_without_neighbors_a_mutation_stays() -> None:
    lonely = ListedSpace(TOY, np.array([[0, 0, 0, 0], [1, 1, 1, 1]]))
    assert lonely.neighbors(lonely.at(0)) == []
    assert lonely.mutate(lonely.at(0), random.Random(0)) == lonely.at(0)


def test_what_is_not_listed_is_said_to_be_missing() -> None:
    space = listed()
    for text in ("0100", "toy:0-1-0-0"):
        with pytest.raises(InvalidArchitecture, match=r"not one of the 27 that the table has \(of 81\)"):
            space.parse(text)
    with pytest.raises(InvalidArchitecture, match="not one of the 27"):
        space.check(Architecture("toy", (0, 1, 0, 0)))
    with pytest.raises(InvalidArchitecture, match="not one of the 27"):
        space.index(Architecture("toy", (0, 1, 0, 0)))
    with pytest.raises(InvalidArchitecture, match="takes 4 choices"):
        space.check(Architecture("toy", (0, 9, 0, 0)))
