"""The space of DARTS: counts, the authors' notation, published networks, moves and encodings."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.benchmarks.spaces.darts import PUBLISHED, SPACE
from nassim.benchmarks.spaces.darts_cells import NODES, OPERATIONS, PAIRS, Cell, genotype, relabelled
from nassim.encodings import encode
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, measure, outline
from nassim.plots import cell_figure
from nassim.report.drawing import graph_svg

# As the authors wrote them.
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)
DARTS_V1 = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], "
    "reduce_concat=[2, 3, 4, 5])"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], "
    "normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), "
    "('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], "
    "reduce_concat=range(2, 6))"
)
DRNAS = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), ('dil_conv_5x5', 3)], "
    "normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), "
    "('sep_conv_5x5', 1), ('sep_conv_5x5', 1), ('dil_conv_5x5', 3), ('skip_connect', 4), ('sep_conv_5x5', 1)], "
    "reduce_concat=range(2, 6))"
)
TEXTS = {"DARTS_V1": DARTS_V1, "DARTS_V2": DARTS_V2, "PC_DARTS_cifar": PC_DARTS, "DrNAS_cifar10": DRNAS}


def test_counts() -> None:
    wirings = list(product(*PAIRS.values()))
    assert len(wirings) == 180 and SPACE.size == (180 * 7**8) ** 2
    assert len(SPACE.decisions) == 22


def classes_by_burnside(operations: int) -> tuple[int, int]:
    """Classes of wirings and of cells under the order of nodes: orbits of labelings under a wiring's symmetries."""
    wirings = [
        frozenset((s, n) for n, pair in zip(NODES, w, strict=True) for s in pair) for w in product(*PAIRS.values())
    ]
    seen: set[frozenset[tuple[int, int]]] = set()
    kinds, cells = 0, Fraction(0)
    for wiring in wirings:
        if wiring in seen:
            continue
        kinds += 1
        images = []
        for order in permutations(NODES):
            place = {0: 0, 1: 1, **dict(zip(NODES, order, strict=True))}
            moved = frozenset((place[s], place[n]) for s, n in wiring)
            if all(s < n for s, n in moved):
                seen.add(moved)
            if moved == wiring:
                images.append(place)
        orbits = 0
        for place in images:
            left, cycles = set(wiring), 0
            while left:
                cycles += 1
                edge = next(iter(left))
                while edge in left:
                    left.discard(edge)
                    edge = (place[edge[0]], place[edge[1]])
            orbits += operations**cycles
        cells += Fraction(orbits, len(images))
    assert cells.denominator == 1
    return kinds, int(cells)


def test_unique_cells_by_burnsides_lemma() -> None:
    assert classes_by_burnside(7) == (79, 382_128_166)


@pytest.mark.parametrize("operations", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_canonical_cells_are_as_many_as_burnside_says(operations: int) -> None:
    """All cells with so few operations."""
    found = {
        relabelled(tuple(((a, ops[2 * i]), (b, ops[2 * i + 1])) for i, (a, b) in enumerate(wiring)))
        for wiring in product(*PAIRS.values())
        for ops in product(range(operations), repeat=8)
    }
    assert len(found) == classes_by_burnside(operations)[1]
    assert all(relabelled(cell) == cell for cell in list(found)[::7])


def test_the_authors_notation() -> None:
    for name, text in TEXTS.items():
        arch = SPACE.parse(text)
        assert arch == SPACE.parse(name) == SPACE.parse(f"darts:{name}") == SPACE.parse(PUBLISHED[name])
        assert SPACE.parse(SPACE.format(arch)) == arch
        assert SPACE.parse(text.replace("'", '"').replace(" ", "\n ").replace(")]", "),]")) == arch
    assert SPACE.format(SPACE.parse(DARTS_V2)) == (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), "
        "('skip_connect', 2), ('max_pool_3x3', 0), ('skip_connect', 2), ('max_pool_3x3', 1), ('skip_connect', 2)], "
        "reduce_concat=range(2, 6))"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("('sep_conv_3x3', 1), ('skip_connect', 0)", "('sep_conv_3x3', 0), ('skip_connect', 0)", "inputs 0 and 0"),
        ("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)", "state 5 of the normal cell has the inputs 0 and 5"),
        ("'dil_conv_3x3'", "'sep_conv_7x7'", "sep_conv_7x7 is not an operation"),
        ("'dil_conv_3x3'", "'none'", "none is not an operation"),
        ("normal_concat=[2, 3, 4, 5]", "normal_concat=[3, 4, 5]", "all four nodes"),
        ("('dil_conv_3x3', 2)]", "('dil_conv_3x3', 2), ('skip_connect', 0)]", "8 pairs"),
        ("reduce=", "reduction=", "it is not Genotype"),
        ("Genotype(", "Genotype(" + " " * 3000, "is not an architecture"),
    ],
)
def test_other_genotypes_are_refused(old: str, new: str, message: str) -> None:
    assert old in DARTS_V2
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(DARTS_V2.replace(old, new, 1))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1200


@given(st.text(alphabet="Genotype()[]'\"=,_ 0123456789abcdefnormalreduceskip", max_size=300))
def test_nonsense_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidArchitecture):
        SPACE.parse("Genotype(" + text)


def test_neighbors() -> None:
    rng = random.Random(0)
    for arch in [SPACE.sample(rng) for _ in range(20)]:
        near = SPACE.neighbors(arch)
        assert len(set(near)) == 120
        cells = SPACE.cells(arch)
        kinds = {"operation": 0, "input": 0}
        for other in near:
            old = [set(node) for cell in cells for node in cell]
            new = [set(node) for cell in SPACE.cells(other) for node in cell]
            ((gone, come),) = [(a - b, b - a) for a, b in zip(old, new, strict=True) if a != b]
            ((state, operation),), ((there, then)) = gone, next(iter(come))
            assert (state == there) != (operation == then), "one of the two changes"
            kinds["operation" if state == there else "input"] += 1
        assert kinds == {"operation": 96, "input": 24}


def test_mutations_are_neighbors_and_reach_all_of_them_as_published() -> None:
    rng = random.Random(1)
    arch = SPACE.sample(rng)
    near = SPACE.neighbors(arch)
    counts = dict.fromkeys(near, 0)
    for _ in range(12_000):
        counts[SPACE.mutate(arch, rng)] += 1
    operations = sum(counts[other] for other in near[:96])
    assert min(counts.values()) > 0
    # Half of the draws are of inputs, but those of state 2 (one in four) are drawn again.
    assert operations / 12_000 == pytest.approx(0.5 / 0.875, abs=0.02)


def test_mutations_of_connections_and_of_operations() -> None:
    rng = random.Random(6)
    arch = SPACE.sample(rng)
    near = SPACE.neighbors(arch)
    operations = {SPACE.mutate_operation(arch, rng) for _ in range(2000)}
    wirings = {SPACE.mutate_wiring(arch, rng) for _ in range(600)}
    assert operations == set(near[:96]) and wirings == set(near[96:])


def test_canonical_form_ignores_the_order_of_nodes_alone() -> None:
    rng = random.Random(2)
    for arch in [SPACE.sample(rng) for _ in range(50)]:
        key = SPACE.canonical(arch)
        assert SPACE.canonical(key) == key
        frame = Frame(8, 3, 10)
        a, b = (measure(SPACE.network(one, frame)) for one in (arch, key))
        assert (a.parameters, a.macs) == (b.parameters, b.macs)
        np.testing.assert_array_equal(encode(SPACE, [arch], "path"), encode(SPACE, [key], "path"))
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(arch, "algebraic")


def test_encodings() -> None:
    rng = random.Random(4)
    archs = [SPACE.sample(rng) for _ in range(30)]
    assert encode(SPACE, archs).shape == (30, 2 * (3 + 6 + 10 + 8 * 7))
    adjacency = encode(SPACE, archs, "adjacency")
    assert adjacency.shape == (30, 196) and (adjacency.sum(axis=1) == 16).all()
    paths = encode(SPACE, archs, "path")
    assert paths.shape == (30, 11_200)
    assert encode(SPACE, archs, "path", columns=100).shape == (30, 100)
    for arch, row, path in zip(archs, adjacency, paths, strict=True):
        blocks = row.reshape(2, 14, 7)
        wanted = set()
        for which, cell in enumerate(SPACE.cells(arch)):
            edges = [(s, n) for n in NODES for s in range(n)]
            held = {(edges[e], o) for e, o in np.argwhere(blocks[which]).tolist()}
            assert held == {((s, n), o) for n, node in zip(NODES, cell, strict=True) for s, o in node}
            wanted |= {(which, *p) for p in all_paths(cell)}
        assert path.sum() == len(wanted)
        starts = [0, 28, 28 + 196, 28 + 196 + 1372]
        for which, start, ops in wanted:
            code = sum(o * 7 ** (len(ops) - 1 - i) for i, o in enumerate(ops))
            assert path[starts[len(ops) - 1] + (2 * which + start) * 7 ** len(ops) + code]


def all_paths(cell: Cell) -> set[tuple[int, tuple[int, ...]]]:
    """Every way from an input to a node, walked backwards: (input, operations)."""

    def back(state: int) -> list[tuple[int, tuple[int, ...]]]:
        if state < 2:
            return [(state, ())]
        return [(start, (*ops, o)) for s, o in cell[state - 2] for start, ops in back(s)]

    return {path for node in NODES for path in back(node)}


def test_drawings() -> None:
    arch = SPACE.parse("PC_DARTS_cifar")
    graph = SPACE.graph(arch)
    assert len(graph.nodes) == 14 and len(graph.edges) == 2 * (8 + 4)
    assert graph_svg(graph, list(OPERATIONS), "PC-DARTS").startswith("<svg")
    assert cell_figure(SPACE, arch) is not None
    assert SPACE.frame is not None
    parts = outline(SPACE.network(arch, SPACE.frame))
    assert [part.name for part in parts if part.name.startswith("cells")] == [f"cells.{i}" for i in range(20)]
    assert {part.name: set(part.inputs) for part in parts}["cells.2"] == {"cells.0", "cells.1"}


def test_the_inputs_of_a_node_have_no_order() -> None:
    rng = random.Random(5)
    for arch in [SPACE.sample(rng) for _ in range(50)]:
        normal, reduction = SPACE.cells(arch)
        turned: Cell = tuple((node[1], node[0]) for node in normal)
        assert SPACE.of_cells(normal, reduction) == SPACE.of_cells(turned, reduction) == arch
        assert SPACE.parse(genotype([turned, reduction])) == arch
