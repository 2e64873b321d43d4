"""The spaces of recurrent cells: counts, equivalence, what is written; an LSTM is one of the trees."""

from __future__ import annotations

import math
import random
from itertools import permutations

import pytest

from nassim.benchmarks.spaces.rnn import DARTS_SPACE, ENAS_SPACE, FUNCTIONS, CellSpace, DartsCells
from nassim.benchmarks.spaces.rnn_tree import SPACE as TREES
from nassim.benchmarks.spaces.rnn_tree import TreeSpace
from nassim.errors import InvalidArchitecture, InvalidSetting, Unsupported
from nassim.network import Frame
from nassim.recurrent import outline
from nassim.space import Architecture
from nassim.testing import check_space


def test_the_counts_are_the_published_ones() -> None:
    """Spaces.md 8 and 12: 4^8 * 8!, 4^12 * 11! = 669,692,775,628,800, and about 6e16 trees."""
    assert DARTS_SPACE.size == 4**8 * math.factorial(8) == 2_642_411_520
    assert ENAS_SPACE.size == 4**12 * math.factorial(11) == 669_692_775_628_800
    assert TREES.size == (2 * 4) ** 16 * 15**2 and f"{TREES.size:.1e}" == "6.3e+16"


def rooted_trees(nodes: int, colors: int) -> int:
    """Rooted trees of so many nodes below the root, each of so many colors: by the Euler transform (Polya)."""
    trees, forests = [0], [1]  # trees of n colored nodes; forests of n nodes
    for n in range(1, nodes + 1):
        trees.append(colors * forests[n - 1])
        divisors = [sum(d * trees[d] for d in range(1, k + 1) if k % d == 0) for k in range(1, n + 1)]
        forests.append(sum(divisors[k - 1] * forests[n - k] for k in range(1, n + 1)) // n)
    return forests[nodes]


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, pytest.param(5, marks=pytest.mark.slow)])
def test_the_canonical_form_is_exact(nodes: int) -> None:
    """As many classes as rooted trees with colored nodes, and every renaming of a cell's nodes falls into its class."""
    space = DartsCells("few", FUNCTIONS, nodes, first=False)
    classes = {space.canonical(arch) for arch in space.architectures()}
    assert len(classes) == rooted_trees(nodes, len(FUNCTIONS)) < space.size or nodes == 1
    rng = random.Random(0)
    for _ in range(20):
        arch = space.sample(rng)
        _, pairs = space.pairs(arch)
        for order in permutations(range(1, nodes + 1)):
            name = {0: 0} | dict(zip(range(1, nodes + 1), order, strict=True))  # old state -> new one
            renamed = sorted((name[i], name[source], f) for i, (source, f) in enumerate(pairs, 1))
            if all(source < node for node, source, _ in renamed):
                other = space.of_pairs([(source, f) for _, source, f in renamed])
                assert space.canonical(other) == space.canonical(arch)


def test_the_number_of_different_cells_of_darts() -> None:
    assert rooted_trees(3, 1) == 4 and rooted_trees(8, 1) == 286  # rooted trees of 4 and of 9 nodes (OEIS A000081)
    assert rooted_trees(8, 4) < DARTS_SPACE.size


def swapped(arch: Architecture, place: int) -> Architecture:
    """The tree with what is below the two children of a place exchanged."""
    cell = TREES.cell(arch)
    name = list(range(len(cell.joints)))

    def exchange(a: int, b: int) -> None:
        name[a], name[b] = b, a
        if a >= cell.leaves:
            for x, y in zip(cell.children(a), cell.children(b), strict=True):
                exchange(x, y)

    exchange(*cell.children(place))
    c = arch.choices
    moved = [x for old in name for x in c[2 * old : 2 * old + 2]]
    return Architecture("rnn_tree", (*moved, *c[-4:-2], name[c[-2]], name[c[-1]]))


def test_the_two_children_of_a_place_can_be_swapped() -> None:
    rng = random.Random(1)
    for _ in range(50):
        arch = TREES.sample(rng)
        other = swapped(arch, rng.randrange(8, 15))
        assert TREES.canonical(arch) == TREES.canonical(other)
    few = TreeSpace("few", 2)
    kinds = {few.canonical(arch) for arch in few.architectures()}
    # Leaves in order, marks anywhere: Burnside over the one swap, whose fixed points have equal leaves without marks.
    assert len(kinds) == (8**4 * 9 + 8**3) // 2


@pytest.mark.parametrize("space", [DARTS_SPACE, ENAS_SPACE, TREES])
def test_what_is_written_is_read(space: CellSpace | TreeSpace) -> None:
    rng = random.Random(0)
    for _ in range(50):
        arch = space.sample(rng)
        text = space.format(arch)
        assert space.parse(text) == arch == space.parse(f"{space.name}:{text}") == space.parse(str(arch))
        assert outline(space.cell(arch))[-1][0] == "h"


def test_the_published_cells() -> None:
    v2 = DARTS_SPACE.parse("DARTS_V2")
    assert DARTS_SPACE.format(v2) == "sigmoid0 relu1 relu1 identity1 tanh2 sigmoid5 tanh3 relu5"
    text = DARTS_SPACE.genotype(v2)
    assert text.startswith("Genotype(recurrent=[('sigmoid', 0), ('relu', 1)") and DARTS_SPACE.parse(text) == v2
    assert DARTS_SPACE.cell(v2).outputs == tuple(range(1, 9)) and DARTS_SPACE.cell(v2).first == "tanh"
    enas = ENAS_SPACE.parse("0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1")
    assert enas == ENAS_SPACE.parse("ENAS") and ENAS_SPACE.cell(enas).outputs == (3, 4, 7, 9, 10, 11)
    assert ENAS_SPACE.cell(enas).nodes[10] == (8, "relu")


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (DARTS_SPACE, "relu0 relu1 tanh2"),
        (DARTS_SPACE, "relu0 relu2 tanh2 relu3 relu4 identity1 relu5 relu1"),
        (DARTS_SPACE, "relu0 relu1 tanh2 relu3 relu4 identity1 relu5 gelu1"),
        (DARTS_SPACE, "Genotype(recurrent=[('relu', 0)], concat=range(1, 9))"),
        (DARTS_SPACE, "Genotype(recurrent=[('relu', [])] * 9)"),
        (DARTS_SPACE, "Genotype(recurrent=[__import__('os')])"),
        (DARTS_SPACE, "relu0 relu1" * 9999),
        (ENAS_SPACE, "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 4"),
        (ENAS_SPACE, "0 1 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"),
        (ENAS_SPACE, "DARTS_V2"),
        (TREES, "+tanh / *relu 0 0"),
        (TREES, " ".join(["-tanh"] * 15) + " / +tanh 0 0"),
        (TREES, " ".join(["+tanh"] * 15) + " / +tanh 0 15"),
    ],
)
def test_what_is_no_cell_is_one_line(space: CellSpace | TreeSpace, text: str) -> None:
    with pytest.raises(InvalidArchitecture) as raised:
        space.parse(text)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 1200 and "Write" in str(raised.value)


def test_layouts_are_edges_and_one_is_kept() -> None:
    layout = DARTS_SPACE.layout
    assert len(layout.groups) == 36 and layout.groups[0].options == ("none", *FUNCTIONS) and layout.kept == 1
    assert [len(node) for node in layout.nodes] == list(range(1, 9))
    assert len(ENAS_SPACE.layout.groups) == 1 + 66 and ENAS_SPACE.layout.widths[0] == 4
    rng = random.Random(0)
    for space in (DARTS_SPACE, ENAS_SPACE):
        for _ in range(20):
            arch = space.sample(rng)
            rows = [[float(k in active) for k in range(n)] for active, n in zip(*both(space, arch), strict=True)]
            assert space.layout.answer(rows) == arch
    none = [[0.9, 0.02, 0.03, 0.04, 0.01]] * 36
    assert {node.function for node in DARTS_SPACE.cell(layout.answer(none)).nodes} == {"sigmoid"}  # none never wins


def both(space: CellSpace, arch: Architecture) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    return space.layout.path(arch), space.layout.widths


def test_cells_are_no_networks_of_images() -> None:
    with pytest.raises(Unsupported, match="says of no network"):
        DARTS_SPACE.network(DARTS_SPACE.at(0), Frame(8, 1, 10))
    with pytest.raises(InvalidSetting, match="is not an equivalence"):
        DARTS_SPACE.canonical(DARTS_SPACE.at(0), "algebraic")
    with pytest.raises(InvalidSetting):
        TreeSpace("odd", 3)
    with pytest.raises(InvalidSetting):
        DartsCells("odd", FUNCTIONS, 0, first=False)


def test_spaces_keep_the_contract() -> None:
    for space in (DARTS_SPACE, ENAS_SPACE, TREES):
        check_space(space)
    sizes = [space.cell(space.at(7)).matrices for space in (DARTS_SPACE, ENAS_SPACE, TREES)]
    assert sizes == [4 + 2 * 8, 4 + 2 * 11, 2 * 8]
