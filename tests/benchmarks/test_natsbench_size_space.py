from __future__ import annotations

import bz2
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nassim.benchmarks.spaces.natsbench_size import CELL, SPACE, flops, parameters
from nassim.encodings import encode
from nassim.errors import InvalidArchitecture
from nassim.tabular_data import safe_pickle
from nassim.testing import check_space

IMAGES = {"cifar10-valid": (10, 32), "cifar10": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}
RELEASE = "D-X-Y/NATS-Bench/*/fake_torch_dir/NATS-sss-v1_0-50262-simple"


def count_by_layers(widths: tuple[int, ...], classes: int, side: int) -> tuple[int, int]:
    """Walk the network layer by layer: parameters and multiply-adds."""
    weights = mults = 0

    def convolution(inputs: int, outputs: int, kernel: int, at: int, norm: bool = True) -> None:
        nonlocal weights, mults
        weights += inputs * outputs * kernel * kernel + (2 * outputs if norm else 0)
        mults += inputs * outputs * kernel * kernel * at * at

    convolution(3, widths[0], 3, side)
    now = widths[0]
    for place, width in enumerate(widths):
        if place in (1, 3):  # a residual block
            side //= 2
            convolution(now, width, 3, side)
            convolution(width, width, 3, side)
            convolution(now, width, 1, side, norm=False)
        else:
            for part in CELL.strip("|").replace("+|", "").split("|"):
                operation, source = part.split("~")
                inputs = now if source == "0" else width
                if operation == "nor_conv_3x3":
                    convolution(inputs, width, 3, side)
                elif inputs != width:
                    assert operation == "skip_connect"
                    convolution(inputs, width, 1, side)
        now = width
    return weights + 2 * now + now * classes + classes, mults + now * classes + classes


def test_the_space_keeps_its_contract() -> None:
    check_space(SPACE)
    assert SPACE.size == 32_768
    assert {len(SPACE.neighbors(arch)) for arch in map(SPACE.at, range(0, SPACE.size, 999))} == {35}


def test_counts_are_those_of_the_layers() -> None:
    rows = SPACE.choice_matrix[::331]
    for classes, side in IMAGES.values():
        expected = [count_by_layers(tuple(8 * choice + 8 for choice in row), classes, side) for row in rows.tolist()]
        assert parameters(rows, classes=classes).tolist() == [p for p, _ in expected]
        assert flops(rows, classes=classes, side=side).tolist() == [f for _, f in expected]


def test_counts_and_order_are_those_of_the_release(genuine: Callable[[str], Path]) -> None:
    folder = genuine(RELEASE)
    meta = safe_pickle.loads(bz2.decompress((folder / "meta.pickle.pbz2").read_bytes()), name="meta")
    assert [SPACE.format(arch) for arch in SPACE.architectures()] == meta["meta_archs"]
    checked = 0
    for file in sorted(folder.glob("0*.pickle.pbz2")):
        for results in safe_pickle.loads(bz2.decompress(file.read_bytes()), name=str(file)).values():
            row = np.array([SPACE.parse(results["arch_str"]).choices])
            for (dataset, _), training in results["all_results"].items():
                classes, side = IMAGES[dataset]
                assert training["arch_config"]["genotype"] == CELL
                assert parameters(row, classes=classes)[0] == round(training["params"] * 1e6)
                assert flops(row, classes=classes, side=side)[0] == round(training["flop"] * 1e6)
                checked += 1
    assert checked == 3 * 4 * 5


def test_largest_and_monotone() -> None:
    """Wider at any place: more of both, but where a skip changes channels (it needs a convolution then)."""
    for count in (parameters(SPACE.choice_matrix, classes=10), flops(SPACE.choice_matrix, classes=10, side=32)):
        cube = count.reshape((8,) * 5)
        assert np.argmax(count) == SPACE.index(SPACE.parse("64:64:64:64:64"))
        assert np.argmin(count) == 0
        assert (np.diff(cube, axis=0) > 0).all()


def test_texts() -> None:
    arch = SPACE.parse("64:8:16:24:32")
    assert arch.choices == (7, 0, 1, 2, 3)
    assert arch == SPACE.parse("natsbench-size:7-0-1-2-3") == SPACE.parse("70123") == SPACE.parse(" 64:8:16:24:32 ")
    for text in ("64:64:64:64", "64:64:64:64:64:64", "64:64:64:64:65", "0:8:8:8:8", "8:8:8:8:8\n8"):
        with pytest.raises(InvalidArchitecture, match="64:64:64:64:64"):
            SPACE.parse(text)


def test_ordinal_encoding_counts_steps() -> None:
    archs = [SPACE.parse(text) for text in ("8:8:8:8:8", "64:8:8:8:8", "16:8:8:8:64", "32:24:8:48:64")]
    rows = encode(SPACE, archs, "ordinal").astype(int)
    steps = np.array([arch.choices for arch in archs])
    assert rows.shape == (4, 35)
    assert encode(SPACE, archs).shape == (4, 40)
    for a in range(4):
        for b in range(4):
            assert np.abs(rows[a] - rows[b]).sum() == np.abs(steps[a] - steps[b]).sum()
