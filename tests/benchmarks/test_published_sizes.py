"""Networks of published spaces, measured: parameters and multiply-adds are those that the benchmarks recorded."""

from __future__ import annotations

import bz2
import csv
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nassim import Architecture
from nassim.benchmarks.spaces import nasbench201_cost, nasbench_macro, natsbench_size
from nassim.benchmarks.spaces.accel_nasbench import SPACE as ACCEL
from nassim.benchmarks.spaces.nasbench1shot1 import SPACES as ONE_SHOT
from nassim.benchmarks.spaces.nasbench101.classes import cells
from nassim.benchmarks.spaces.nasbench101.cost import parameters as parameters_of_size
from nassim.benchmarks.spaces.nasbench101.space import SPACE as NB101
from nassim.benchmarks.spaces.nasbench201 import SPACE as NB201
from nassim.benchmarks.spaces.nasbench_macro import SPACE as MACRO
from nassim.benchmarks.spaces.natsbench_size import SPACE as SIZES
from nassim.network import Measured, Network, measure
from nassim.registry import get_space, space_names
from nassim.segmentation import SegmentationSpace
from nassim.space import SearchSpace
from nassim.tabular_data import safe_pickle

IMAGES = {"cifar10": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}  # classes, side in pixels


def measured(space: SearchSpace, arch: Architecture, **changes: object) -> Measured:
    assert space.frame is not None
    return measure(space.network(arch, space.frame._replace(**changes)))  # type: ignore[arg-type]


@pytest.mark.slow
def test_nasbench201_equals_the_count_from_the_description() -> None:
    archs = [NB201.at(i) for i in range(0, 15_625, 61)]
    choices = np.array([arch.choices for arch in archs])
    for task, (classes, side) in IMAGES.items():
        found = [measured(NB201, arch, classes=classes, image=(3, side, side)) for arch in archs]
        assert [m.parameters for m in found] == nasbench201_cost.parameters(choices, classes=classes).tolist(), task
        flops = nasbench201_cost.flops(choices, classes=classes, side=side)
        assert [m.macs + classes for m in found] == flops.tolist(), task  # published: with the linear layer's bias


@pytest.mark.slow
def test_nasbench201_has_the_recorded_parameters_on_every_cell(
    genuine: Callable[[str], Path], official_order: list[str]
) -> None:
    with genuine("NiccoloCavagnero/FreeREA/*/cached_metrics/nats/cifar10/params.csv").open() as file:
        published = [round(float(row["params"]) * 1e6) for row in csv.DictReader(file)]
    assert len(set(official_order)) == len(published) == NB201.size
    assert [measured(NB201, NB201.parse(text)).parameters for text in official_order] == published


@pytest.mark.parametrize(("space", "folder"), [(NB201, "NATS-tss-*"), (SIZES, "NATS-sss-*")], ids=["topology", "sizes"])
@pytest.mark.parametrize("index", ["000000", "000011", "000284"])
def test_records_of_natsbench(
    genuine: Callable[[str], Path], official_order: list[str], space: SearchSpace, folder: str, index: str
) -> None:
    path = genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/{folder}/{index}.pickle.pbz2")
    records = safe_pickle.loads(bz2.decompress(path.read_bytes()), name=path.name)
    record = records["200" if space is NB201 else "90"]
    arch = space.parse(record["arch_str"])
    for (name, _), result in record["all_results"].items():
        classes, side = IMAGES["cifar10" if name == "cifar10-valid" else name]
        found = measured(space, arch, classes=classes, image=(3, side, side))
        assert found.parameters == round(result["params"] * 1e6)
        assert found.macs + classes == round(result["flop"] * 1e6)


@pytest.mark.parametrize("number", [20, *(pytest.param(n, marks=pytest.mark.slow) for n in (200, 2000))])
def test_nasbench101_equals_the_count_from_the_description(number: int) -> None:
    """`tools/nasbench101_sizes.py` measures all cells."""
    sizes, _ = cells()
    counted = np.concatenate([parameters_of_size(size) for size in sizes])
    rng = random.Random(number)
    for index in [0, *rng.sample(range(len(counted)), number)]:
        assert measured(NB101, NB101.at(index)).parameters == counted[index], NB101.at(index)


def test_equal_cells_of_nasbench101_are_one_network() -> None:
    rng = random.Random(1)
    for _ in range(20):
        arch = NB101.sample(rng)
        assert NB101.frame is not None
        assert NB101.network(arch, NB101.frame) == NB101.network(NB101.canonical(arch), NB101.frame)


@pytest.mark.parametrize("number", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in ONE_SHOT if n != 1)])
def test_1shot1_is_built_without_loose_ends(number: int) -> None:
    space, rng = ONE_SHOT[number], random.Random(2)
    sizes, _ = cells()
    counted = np.concatenate([parameters_of_size(size) for size in sizes])
    for arch in [space.sample(rng) for _ in range(20)]:
        assert measured(space, arch).parameters == counted[space.cell(arch)]


def test_sizes_of_natsbench_equal_the_count_from_the_description() -> None:
    archs = [SIZES.at(i) for i in range(0, SIZES.size, 111)]
    choices = np.array([arch.choices for arch in archs])
    found = [measured(SIZES, arch) for arch in archs]
    assert [m.parameters for m in found] == natsbench_size.parameters(choices, classes=10).tolist()
    assert [m.macs + 10 for m in found] == natsbench_size.flops(choices, classes=10, side=32).tolist()


def test_nasbench_macro_has_the_recorded_sizes(genuine: Callable[[str], Path]) -> None:
    release = json.loads(genuine("xiusu/NAS-Bench-Macro/*/data/nas-bench-macro_cifar10.json").read_text())
    for text in list(release)[::20]:
        found = measured(MACRO, MACRO.parse(text))
        assert (found.parameters, found.macs) == (release[text]["params"], release[text]["flops"]), text
    choices = MACRO.choice_matrix[::37]
    found = [measured(MACRO, Architecture(MACRO.name, tuple(row))).parameters for row in choices.tolist()]
    assert found == nasbench_macro.parameters(choices).tolist()


def extras(network: Network, m: Measured) -> int:
    """What Accel-NASBench's counter adds: 4 for a normalized value, and the values in and out of a global pooling."""
    total = 0
    for layer, shape in zip(network.layers, m.shapes, strict=True):
        if layer.kind == "batch_norm":
            total += 4 * int(np.prod(shape))
        elif layer.kind == "global_pool":
            total += int(np.prod(m.shapes[layer.inputs[0]])) + shape[0]
    return total


@pytest.mark.slow
def test_accel_nasbench_has_the_recorded_sizes(genuine: Callable[[str], Path]) -> None:
    """Every tenth of 5,138 records: parameters, and multiply-adds by their counter's convention, exactly."""
    assert ACCEL.frame is not None
    with tarfile.open(genuine("afzalxo/Accel-NASBench/*/anb_dataset/anb_dataset_jsons.tar.gz")) as archive:
        files = [member for member in archive if member.isfile() and member.name.endswith(".json")][::10]
        records = [json.load(archive.extractfile(member)) for member in files]  # type: ignore[arg-type]
    assert len(records) > 500
    for record in records:
        network = ACCEL.network(ACCEL.from_settings(record["architecture"]), ACCEL.frame)
        found = measure(network)
        assert found.parameters == round(1e6 * record["model_info"]["params"])
        assert found.macs + extras(network, found) == round(1e6 * record["model_info"]["macs"])


BUILT = [name for name in space_names() if get_space(name).frame is not None]


def test_the_published_spaces_have_networks() -> None:
    assert {"nasbench101", "nasbench201", "nasbench1shot1-1", "natsbench-size", "nasbench_macro"} <= set(BUILT)


@pytest.mark.parametrize("name", BUILT)
def test_equal_architectures_are_equally_large(name: str) -> None:
    """And every network fits small images: widths and classes are the frame's."""
    space, rng = get_space(name), random.Random(3)
    assert space.frame is not None
    pixels = isinstance(space, SegmentationSpace)
    frame = space.frame._replace(channels=8, cells=2, classes=7, image=(1, 16, 16))
    sizes: dict[object, tuple[int, int]] = {}
    for arch in [space.sample(rng) for _ in range(30)]:
        found = measure(space.network(arch, frame))
        assert found.shapes[0] == (1, 16, 16) and found.shapes[-1] == ((7, 16, 16) if pixels else (7, 1, 1))
        for kind in ("published",):
            key = space.canonical(arch, kind)
            if isinstance(key, Architecture):
                twin = measure(space.network(key, frame))
                assert (twin.parameters, twin.macs) == (found.parameters, found.macs)
            if not name.startswith("nasbench201"):  # edges that lead nowhere count there, and classes do not know them
                assert sizes.setdefault(key, (found.parameters, found.macs)) == (found.parameters, found.macs)
