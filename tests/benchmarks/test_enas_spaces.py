"""ENAS' spaces: exact counts, the numbers of its code, skips and loose ends, networks."""

from __future__ import annotations

import random

import pytest

from nassim.benchmarks.spaces.enas import MACRO_SPACE, MICRO_SPACE, loose
from nassim.benchmarks.spaces.enas_network import LAYERS, MACRO, MICRO
from nassim.errors import InvalidArchitecture, InvalidNetwork, InvalidSetting
from nassim.network import Frame, measure
from nassim.space import Architecture, SearchSpace
from nassim.testing import check_space

SMALL = Frame(4, 5, 3, (1, 8, 8))


@pytest.mark.parametrize("space", [MACRO_SPACE, MICRO_SPACE], ids=lambda space: space.name)
def test_the_spaces_hold_what_spaces_must(space: SearchSpace) -> None:
    check_space(space)


def test_exact_counts() -> None:
    assert MACRO_SPACE.size == 6**12 * 2**66 == 160_618_186_625_454_535_808_756_219_904
    assert len(MACRO_SPACE.neighbors(MACRO_SPACE.at(0))) == 12 * 5 + 66 == 126
    assert MICRO_SPACE.size == 5_062_500_000_000**2  # of a cell: 2^2 3^2 4^2 5^2 6^2 * 25^5
    assert len(MICRO_SPACE.neighbors(MICRO_SPACE.at(0))) == 2 * (10 * 4 + 2 * (1 + 2 + 3 + 4 + 5))


def test_architectures_are_written_as_in_enas_code() -> None:
    text = "3 " + "4 1 " + "0 0 1 " + " ".join("5 " + "1 " * layer for layer in range(3, LAYERS))
    arch = MACRO_SPACE.parse(text)
    operations, skips = MACRO_SPACE.layers(arch)
    assert [MACRO[o] for o in operations] == ["sep5", "avg3", "conv3", *["max3"] * 9]
    assert skips[:3] == ((), (1,), (0, 1)) and all(bits == (1,) * layer for layer, bits in enumerate(skips[3:], 3))
    assert MACRO_SPACE.format(arch) == " ".join(text.split()) and MACRO_SPACE.parse(str(arch)) == arch
    normal, reduction = "1 0 0 4 0 1 1 3 2 2 2 0 1 1 4 1 0 0 5 4", "0 0 0 0 " * 5
    arch = MICRO_SPACE.parse(f"{normal} {reduction}")
    assert MICRO_SPACE.cells(arch)[0] == tuple(map(int, normal.split()))
    assert loose(MICRO_SPACE.cells(arch)[0]) == (3, 6) and loose(MICRO_SPACE.cells(arch)[1]) == (1, 2, 3, 4, 5, 6)
    for wrong in ("", "1 2 3", "9 " * 78, "x " * 40, "enas-macro:" + "0-" * 70):
        for space in (MACRO_SPACE, MICRO_SPACE):
            with pytest.raises(InvalidArchitecture, match=f"not an architecture of {space.name}"):
                space.parse(wrong)


def test_sides_of_a_node_commute() -> None:
    rng = random.Random(0)
    arch = MICRO_SPACE.sample(rng)
    c = arch.choices
    swapped = Architecture("enas-micro", (*c[2:4], *c[:2], *c[4:]))
    assert swapped != arch and MICRO_SPACE.canonical(swapped) == MICRO_SPACE.canonical(arch)
    with pytest.raises(InvalidSetting, match="not an equivalence"):
        MICRO_SPACE.canonical(arch, "algebraic")
    assert MICRO_SPACE.crossover(arch, swapped, rng).space == "enas-micro" and len(MICRO_SPACE.groups) == 10
    assert [len(group) for group in MACRO_SPACE.groups] == list(range(1, 13))


def test_graphs_have_the_operations_skips_and_ends() -> None:
    arch = MACRO_SPACE.sample(random.Random(1))
    operations, skips = MACRO_SPACE.layers(arch)
    edges = MACRO_SPACE.graph(arch).edges
    assert [e[2] for e in edges[:LAYERS]] == [MACRO[o] for o in operations]
    assert sum(e[2] == "skip" for e in edges) == sum(map(sum, skips))
    cell = MICRO_SPACE.sample(random.Random(1))
    found = MICRO_SPACE.graph(cell)
    assert sum(e[2] in MICRO for e in found.edges) == 20
    assert sum(e[2] == "end" for e in found.edges) == sum(map(len, map(loose, MICRO_SPACE.cells(cell))))


def parameters_of_a_macro_layer(kind: str, C: int) -> int:
    """Counted by hand: 1x1-normalization, then the operation."""
    first = C * C + 2 * C
    if kind in ("avg3", "max3"):
        return first
    k = int(kind[-1])
    return first + (k * k * C * C if kind.startswith("conv") else k * k * C + C * C) + 2 * C


def test_parameters_of_the_macro_child_are_counted_by_hand() -> None:
    C, image, classes = 4, 1, 3
    for seed in range(3):
        arch = MACRO_SPACE.sample(random.Random(seed))
        operations, _ = MACRO_SPACE.layers(arch)
        expected = 9 * image * C + 2 * C + sum(parameters_of_a_macro_layer(MACRO[o], C) for o in operations)
        expected += (LAYERS - 1) * 2 * C  # normalizations of the sums
        expected += (5 + 9) * (C * C + 2 * C)  # halved: of five and of nine values
        expected += C * classes + classes
        assert measure(MACRO_SPACE.child(arch, SMALL)).parameters == expected


def test_networks_that_are_trained_alone_join_their_skips() -> None:
    rng = random.Random(2)
    for _ in range(3):
        arch = MACRO_SPACE.sample(rng)
        kinds = [layer.kind for layer in MACRO_SPACE.network(arch, SMALL).layers]
        assert kinds.count("concat") >= LAYERS - 1 and "add" not in kinds
        assert "add" in [layer.kind for layer in MACRO_SPACE.child(arch, SMALL).layers]
    with pytest.raises(InvalidNetwork, match="halved"):
        measure(MACRO_SPACE.network(arch, SMALL._replace(image=(1, 1, 1))))
