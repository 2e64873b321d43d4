"""The spaces of CGP-CNN: the grid, active genes, phenotypes and networks."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from nassim.benchmarks.spaces.cgp import CONV_SET, RESIDUAL, SPACE, WIDEST, CGPSpace
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, measure
from nassim.plots import cell_figure
from nassim.space import Architecture
from nassim.testing import check_space

# Two rows, three columns, two columns back: nodes 1 and 2, 3 and 4, 5 and 6.
SMALL = CGPSpace("small", 2, 3, 2, least=1, most=6)


def written(output: int, *nodes: tuple[str, int, int]) -> Architecture:
    """A genotype of SMALL: the function and the numbers of the inputs of each node, and the output's number."""
    firsts = (0, 0, 0, 0, 1, 1)
    genes = [
        x
        for (f, a, b), first in zip(nodes, firsts, strict=True)
        for x in (FUNCTIONS.index(f), max(0, a - first), max(0, b - first))
    ]
    return SMALL.check(Architecture("small", (*genes, output - 3)))


FUNCTIONS = SMALL.functions
IDLE = ("max_pool", 0, 0)


def test_a_small_grid_keeps_the_contract() -> None:
    check_space(CGPSpace("smaller", 2, 3, 2, least=1, most=6, blocks=("conv32-3x3",)))


@pytest.mark.parametrize("space", [SPACE, RESIDUAL], ids=lambda space: space.name)
def test_the_grid_of_the_paper(space: CGPSpace) -> None:
    assert len(space.decisions) == 3 * 150 + 1 and len(space.functions) == 10
    options = [len(d.options) for d in space.decisions]
    assert options[:3] == [10, 1, 1]  # the first column takes the image alone
    assert options[3 * 5 :][:3] == [10, 6, 6] and options[3 * 45 :][:3] == [10, 46, 46]
    assert options[3 * 50 :][:3] == [10, 50, 50] and options[-4:] == [10, 50, 50, 50]
    # Node 51 is the first that cannot take the image; the last takes the ten columns before its own.
    assert space.decisions[3 * 50 + 1].options[0] == "1" and space.decisions[3 * 149 + 1].options[::49] == ("96", "145")
    assert space.decisions[-1].options[::49] == ("101", "150")
    rng = random.Random(0)
    for arch in [space.sample(rng) for _ in range(20)]:
        assert 10 <= len(space.nodes(arch)) <= 50
        assert space.parse(str(arch)) == arch == space.at(space.index(arch))
        assert space.is_valid(space.mutate(arch, rng)) and space.is_valid(space.crossover(arch, space.sample(rng), rng))


def test_active_genes_are_those_that_change_the_phenotype() -> None:
    """Every single change of an inactive gene leaves the phenotype; of an active one nearly every one changes it."""
    rng = random.Random(1)
    kept: Counter[bool] = Counter()
    for arch in [SPACE.sample(rng) for _ in range(6)]:
        active, same = SPACE.active(arch), SPACE.canonical(arch)
        assert len(active) <= 3 * len(SPACE.nodes(arch)) + 1 and len(SPACE.decisions) - 1 in active
        for i, n in enumerate(SPACE.radices):
            if n > 1:
                c = arch.choices
                other = Architecture("cgp", (*c[:i], (c[i] + 1) % n, *c[i + 1 :]))
                if i not in active:
                    assert SPACE.is_valid(other) and SPACE.canonical(other) == same
                elif SPACE.is_valid(other):
                    kept[SPACE.canonical(other) == same] += 1
    assert kept[False] > 50 > 10 * kept[True]


def test_the_second_input_of_a_function_of_one_is_inactive() -> None:
    a = written(5, ("conv32-3x3", 0, 0), IDLE, ("avg_pool", 1, 0), IDLE, ("sum", 1, 3), IDLE)
    b = written(5, ("conv32-3x3", 0, 0), IDLE, ("avg_pool", 1, 2), IDLE, ("sum", 1, 3), IDLE)
    assert a != b and SMALL.canonical(a) == SMALL.canonical(b)
    assert SMALL.canonical(a) == (("conv32-3x3", (0,)), ("avg_pool", (1,)), ("sum", (1, 2)))
    assert set(range(len(a.choices))) - SMALL.active(a) == {2, 3, 4, 5, 8, 9, 10, 11, 15, 16, 17}


def test_the_place_of_a_node_is_not_part_of_the_phenotype() -> None:
    a = written(5, ("conv32-3x3", 0, 0), ("conv64-5x5", 0, 0), IDLE, IDLE, ("concat", 1, 2), IDLE)
    b = written(6, ("conv64-5x5", 0, 0), ("conv32-3x3", 0, 0), IDLE, IDLE, IDLE, ("concat", 2, 1))
    shared = written(5, ("conv32-3x3", 0, 0), ("conv64-5x5", 0, 0), IDLE, IDLE, ("concat", 1, 1), IDLE)
    assert SMALL.canonical(a) == SMALL.canonical(b) != SMALL.canonical(shared)


def test_networks_by_hand() -> None:
    frame = Frame(32, 1, 10, (3, 8, 8))

    def sizes(arch: Architecture) -> tuple[int, tuple[int, int, int]]:
        measured = measure(network := SMALL.network(arch, frame))
        return measured.parameters, measured.shapes[network.layers[-1].inputs[0]]

    conv = 9 * 3 * 32 + 64
    # A sum of 32 channels at 8x8 and of the image pooled to 4x4: the larger is pooled, the narrower padded.
    arch = written(5, ("conv32-3x3", 0, 0), ("max_pool", 0, 0), IDLE, IDLE, ("sum", 1, 2), IDLE)
    assert sizes(arch) == (conv + 10 * (32 * 16 + 1), (32, 4, 4))
    arch = written(5, ("conv32-3x3", 0, 0), ("avg_pool", 0, 0), IDLE, IDLE, ("concat", 2, 1), IDLE)
    assert sizes(arch) == (conv + 10 * (35 * 16 + 1), (35, 4, 4))
    arch = written(3, ("conv64-5x5", 0, 0), IDLE, ("conv128-3x3", 1, 0), IDLE, IDLE, IDLE)
    weights = 25 * 3 * 64 + 128 + 9 * 64 * 128 + 256
    assert sizes(arch) == (weights + 10 * (128 * 64 + 1), (128, 8, 8))


def test_residual_blocks_pad_the_narrower() -> None:
    small = CGPSpace("small", 2, 3, 2, least=1, most=6, blocks=("res64-3x3", "res32-5x5"))
    genes = [0, 0, 0, 2, 0, 0, 1, 1, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 0]  # node 3, a block of 32, takes node 1, one of 64
    arch = small.check(Architecture("small", tuple(genes)))
    network = small.network(arch, Frame(32, 1, 10, (3, 8, 8)))
    shapes = dict(zip([layer.name for layer in network.layers], measure(network).shapes, strict=True))
    assert shapes["nodes.1.shortcut"] == (64, 8, 8) == shapes["nodes.1.sum"]
    assert shapes["nodes.3.padded"] == (64, 8, 8) == shapes["nodes.3.sum"] and "nodes.3.shortcut" not in shapes


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 5, 7), (16, 1, 4)])
def test_any_image_does(image: tuple[int, int, int]) -> None:
    """Maps are halved as long as they can be; what meets has the same side."""
    rng = random.Random(3)
    for space in (SPACE, RESIDUAL):
        for arch in [space.sample(rng) for _ in range(10)]:
            assert measure(space.network(arch, Frame(4, 1, 7, image))).shapes[-1] == (7, 1, 1)


def test_equal_phenotypes_have_networks_of_equal_size() -> None:
    rng = random.Random(4)
    by_key: dict[object, set[tuple[int, int]]] = {}
    archs = [SMALL.sample(rng) for _ in range(1500)]
    for arch in archs:
        found = measure(SMALL.network(arch, Frame(8, 1, 10, (3, 8, 8))))
        by_key.setdefault(SMALL.canonical(arch), set()).add((found.parameters, found.macs))
    assert len(by_key) < 0.9 * len(archs) and all(len(found) == 1 for found in by_key.values())


def test_maps_that_double_at_every_node_are_no_architectures() -> None:
    """A chain of concatenations of a node with itself: 3 channels become 3 * 2^10."""
    space = CGPSpace("chain", 1, 12, 1, least=1, most=12)
    concat = space.functions.index("concat")
    c = [concat, 0, 0] * 12 + [0]
    with pytest.raises(InvalidArchitecture, match=f"node 9 has 1536 channels, more than {WIDEST}") as raised:
        space.check(Architecture("chain", tuple(c)))
    assert "\n" not in str(raised.value)


def test_bad_input_is_one_line() -> None:
    for text in ("cgp:0-0-0", "cgp:" + "-".join(["9"] * 451), "-".join(["0"] * 10_000), "conv32(image)"):
        with pytest.raises(InvalidArchitecture) as raised:
            SPACE.parse(text)
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 1200
    with pytest.raises(InvalidArchitecture, match="10 to 50 nodes must be active"):
        SPACE.parse("cgp:" + "-".join(["0"] * 451))
    for wrong in ({"rows": 0}, {"back": 40}, {"least": 60}, {"least": 5, "most": 4}):
        with pytest.raises(InvalidSetting, match="a grid of"):
            CGPSpace("wrong", **wrong)
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(SPACE.sample(random.Random(0)), "algebraic")


def test_neighbors_change_one_active_gene() -> None:
    arch = SPACE.sample(random.Random(5))
    near = SPACE.neighbors(arch)
    active = SPACE.active(arch)
    for other in near:
        ((place, _),) = [(i, y) for i, (x, y) in enumerate(zip(arch.choices, other.choices, strict=True)) if x != y]
        assert place in active and SPACE.is_valid(other)
    assert len(set(near)) == len(near) > 100
    assert len([name for name in CONV_SET if name.startswith("conv32")]) == 2


def test_drawing() -> None:
    arch = SPACE.sample(random.Random(6))
    graph = SPACE.graph(arch)
    assert len(graph.nodes) == len(SPACE.nodes(arch)) + 2 and graph.nodes[0] == "image"
    assert cell_figure(SPACE, arch) is not None
