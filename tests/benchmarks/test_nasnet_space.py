"""The spaces of AmoebaNet and PNAS: counts, strings, moves, classes, growth and networks."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.benchmarks.spaces.nasnet import ONE_CELL, SPACE, NASNetSpace
from nassim.benchmarks.spaces.nasnet_cells import OPERATIONS, Cell, cells_of_exactly, new_blocks, relabelled, unused
from nassim.encodings import encode
from nassim.errors import InvalidArchitecture, InvalidNetwork, InvalidSetting
from nassim.network import Frame, measure
from nassim.plots import cell_figure
from nassim.space import Architecture
from nassim.testing import check_space

TEXT = "sep3~0+identity~1|max3~2+1x7-7x1~0||avg3~0+avg3~1"


def test_a_smaller_space_keeps_the_contract() -> None:
    check_space(NASNetSpace("nasnet-two", blocks=2))


def test_counts() -> None:
    assert cells_of_exactly(5) == 556_627_761_561_600 == prod((8 * (b + 2)) ** 2 for b in range(5))
    assert f"{cells_of_exactly(5) ** 2:.3e}" == "3.098e+29"
    assert [len(new_blocks(b)) for b in range(5)] == [136, 300, 528, 820, 1176]
    assert [cells_of_exactly(b) // cells_of_exactly(b - 1) for b in range(1, 6)] == [256, 576, 1024, 1600, 2304]
    assert f"{prod(len(new_blocks(b)) for b in range(5)):.3e}" == "2.077e+13"
    assert SPACE.size == ONE_CELL.size**2 == sum(map(cells_of_exactly, range(1, 6))) ** 2


def test_every_cell_of_one_and_two_blocks_has_its_number() -> None:
    small = NASNetSpace("small", blocks=2, cells=("cell",))
    assert small.size == 256 + 256 * 576
    numbers = [*range(300), *range(300, small.size, 97), small.size - 1]
    archs = [small.at(i) for i in numbers]
    assert len(set(archs)) == len(numbers) and [small.index(arch) for arch in archs] == numbers
    assert [i for i, arch in zip(numbers, archs, strict=True) if small.complexity(arch) == 1] == list(range(256))


def test_strings() -> None:
    arch = SPACE.parse(TEXT)
    assert SPACE.format(arch) == TEXT and arch == SPACE.parse(f"nasnet:{TEXT}") == SPACE.parse(str(arch))
    assert ONE_CELL.format(ONE_CELL.parse("dil3~0+sep7~1")) == "dil3~0+sep7~1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sep3~0+identity~1", "1 cells, not 2"),
        ("sep3~0+identity~1||||sep3~0+sep3~1", "3 cells, not 2"),
        ("sep3~0+identity~2||sep3~0+sep3~1", "block 0 takes state 2: the earlier ones are 0 to 1"),
        ("sep9~0+identity~1||sep3~0+sep3~1", "'sep9~0.identity~1', is not operation"),
        ("sep3~0+sep3~1||" + "|".join(["sep3~0+sep3~1"] * 6), "6 blocks in a cell, not at most 5"),
        ("sep3~0+sep3~1||" + "|".join(["sep3~0+sep3~1"] * 600), "is not an architecture"),
        ("nasnet:" + "-".join(["0"] * 8 + ["3", "8", "3", "8"] + ["0"] * 28), "is not an architecture"),  # a gap
        ("nasnet:" + "-".join(["0"] * 4 + ["2", "8", "2", "0"] + ["0"] * 32), "is not an architecture"),  # half absent
    ],
)
def test_what_is_no_architecture_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1200


@given(st.text(alphabet="sepidntyavgmxl0123456789~+|-", max_size=200))
def test_nonsense_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidArchitecture):
        SPACE.parse("sep3~0+x" + text)


def test_settings_that_cannot_be() -> None:
    for wrong in ({"blocks": 0}, {"blocks": 8}, {"cells": ()}):
        with pytest.raises(InvalidSetting, match="it takes 1 to 7"):
            NASNetSpace("wrong", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(SPACE.at(0), "algebraic")


# -- moves --------------------------------------------------------------------------------------------


def test_there_are_200_neighbors() -> None:
    rng = random.Random(0)
    for arch in [SPACE.sample(rng) for _ in range(10)]:
        near = SPACE.neighbors(arch)
        differing = [
            [i for i, (x, y) in enumerate(zip(arch.choices, other.choices, strict=True)) if x != y] for other in near
        ]
        assert len(set(near)) == 200 and all(len(places) == 1 for places in differing)
        assert Counter(places[0] % 2 for places in differing) == {0: 60, 1: 140}  # inputs, operations
        assert len(ONE_CELL.neighbors(ONE_CELL.sample(rng))) == 100
    assert len(SPACE.neighbors(SPACE.parse(TEXT))) == 2 * (2 * 7 + 2) + 2 * (7 + 2)  # smaller cells stay as small


def test_mutations_are_uniform_within_a_place() -> None:
    rng = random.Random(1)
    arch = SPACE.sample(rng)
    for mutate, odd in ((SPACE.mutate_wiring, 0), (SPACE.mutate_operation, 1)):
        found: Counter[tuple[int, int]] = Counter()
        for _ in range(8000):
            mutant = mutate(arch, rng)
            ((place, new),) = [
                (i, y) for i, (x, y) in enumerate(zip(arch.choices, mutant.choices, strict=True)) if x != y
            ]
            found[place, new] += 1
        assert {place for place, _ in found} == {i for i in range(40) if i % 2 == odd}
        for place in range(odd, 40, 2):
            counts = [count for (at, _), count in found.items() if at == place]
            assert sum(counts) == pytest.approx(400, abs=80)
            options = len(counts)
            assert options == (7 if odd else place % 20 // 4 + 1)
            assert max(counts) - min(counts) < 6 * (400 / options) ** 0.5 + 1
    kinds = Counter(
        next(i for i, (x, y) in enumerate(zip(arch.choices, SPACE.mutate(arch, rng).choices, strict=True)) if x != y)
        % 2
        for _ in range(4000)
    )
    assert kinds[0] == pytest.approx(2000, abs=150)


def test_crossover_keeps_the_blocks_of_the_first() -> None:
    rng = random.Random(2)
    small, large = SPACE.parse(TEXT), SPACE.sample(rng)
    for _ in range(50):
        child, other = SPACE.crossover(small, large, rng), SPACE.crossover(large, small, rng)
        assert SPACE.is_valid(child) and SPACE.is_valid(other)
        assert (SPACE.complexity(child), SPACE.complexity(other)) == (3, 10)


# -- classes ------------------------------------------------------------------------------------------


def test_canonical_cells_are_the_classes_of_their_generators() -> None:
    """All cells of some blocks and operations: halves swapped, neighbors in the order exchanged."""
    for operations, blocks in ((1, 3), (2, 2), (3, 2)):
        terms = [list(product(range(b + 2), range(operations))) for b in range(blocks)]
        cells: list[Cell] = [tuple(cell) for cell in product(*(list(product(t, t)) for t in terms))]
        root = {cell: cell for cell in cells}

        def find(cell: Cell, root: dict[Cell, Cell] = root) -> Cell:
            while root[cell] != cell:
                root[cell] = cell = root[root[cell]]
            return cell

        for cell in cells:
            for other in generated(cell):
                root[find(cell)] = find(other)
        classes = {find(cell) for cell in cells}
        assert len({(find(cell), relabelled(cell)) for cell in cells}) == len(classes)
        assert len({relabelled(cell) for cell in cells}) == len(classes)
        assert all(relabelled(relabelled(cell)) == relabelled(cell) for cell in cells[::7])


def generated(cell: Cell) -> list[Cell]:
    """A block's halves swapped, or two blocks that follow each other exchanged where neither takes the other."""
    found: list[Cell] = [(*cell[:b], (cell[b][1], cell[b][0]), *cell[b + 1 :]) for b in range(len(cell))]
    for b in range(len(cell) - 1):
        if all(state != b + 2 for state, _ in cell[b + 1]):
            place = {b + 2: b + 3, b + 3: b + 2}
            order = [*range(b), b + 1, b, *range(b + 2, len(cell))]
            moved = [tuple((place.get(state, state), o) for state, o in cell[i]) for i in order]
            found.append(tuple((one, two) for one, two in moved))
    return found


def test_equal_classes_have_networks_of_equal_size() -> None:
    rng = random.Random(3)
    for arch in [SPACE.sample(rng) for _ in range(30)]:
        a, b = (measure(SPACE.network(one, Frame(8, 1, 10))) for one in (arch, SPACE.canonical(arch)))
        assert (a.parameters, a.macs, a.memory) == (b.parameters, b.macs, b.memory)


# -- growth -------------------------------------------------------------------------------------------


def test_growth_goes_from_one_block_to_five() -> None:
    assert len(ONE_CELL.smallest()) == 136 and len(SPACE.smallest()) == 136**2
    arch = ONE_CELL.smallest()[-1]
    sizes = []
    while larger := ONE_CELL.grow(arch):
        sizes.append(len(larger))
        assert len(set(larger)) == len(larger) and all(map(ONE_CELL.is_valid, larger))
        assert {ONE_CELL.complexity(one) for one in larger} == {ONE_CELL.complexity(arch) + 1}
        arch = larger[len(larger) // 2]
    assert sizes == [300, 528, 820, 1176] and ONE_CELL.complexity(arch) == 5


def test_growth_reaches_every_architecture_up_to_the_order_of_halves() -> None:
    rng = random.Random(4)
    target = [tuple(tuple(sorted(block)) for block in cell) for cell in SPACE.cells(SPACE.sample(rng))]
    arch = next(a for a in SPACE.smallest() if SPACE.cells(a) == (target[0][:1], target[1][:1]))
    for size in range(3, 11):
        wanted = SPACE.of_cells(target[0][: (size + 1) // 2], target[1][: size // 2])  # type: ignore[arg-type]
        (arch,) = [one for one in SPACE.grow(arch) if one == wanted]
    assert SPACE.grow(arch) == [] and SPACE.complexity(arch) == 10


# -- structure ----------------------------------------------------------------------------------------


def test_what_no_block_takes_is_concatenated() -> None:
    arch = SPACE.parse("sep3~0+sep3~0|sep3~2+max3~2|avg3~0+avg3~0||identity~1+identity~1")
    normal, reduction = SPACE.cells(arch)
    assert unused(normal) == [1, 3, 4] and unused(reduction) == [0, 2]
    graph = SPACE.graph(arch)
    into = [graph.nodes[a] for a, b, _ in graph.edges if graph.nodes[b] == "normal c_{k}"]
    assert into == ["normal c_{k-1}", "normal 1", "normal 2"]
    measured = measure(network := SPACE.network(arch, Frame(8, 1, 10, (3, 16, 16))))
    shapes = {layer.name: shape for layer, shape in zip(network.layers, measured.shapes, strict=True)}
    assert shapes["cells.0.concat"] == (3 * 8, 16, 16)
    assert shapes["cells.1.concat"] == (2 * 16, 8, 8)  # state 0 was halved for it
    assert shapes["cells.4.concat"] == (3 * 32, 4, 4)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_parameters_of_each_operation(operation: str) -> None:
    """Against formulas: what one more block of the operation, on the last input, adds to a normal cell of width C."""
    C = 8
    by_hand = {
        **dict.fromkeys(("identity", "avg3", "max3"), 0),
        **{f"sep{k}": 2 * (k * k * C + C * C + 2 * C) for k in (3, 5, 7)},
        "dil3": 9 * C + C * C + 2 * C,
        "1x7-7x1": 14 * C * C + 2 * C,
    }
    frame = Frame(C, 1, 10, (3, 16, 16))

    def layers(text: str) -> int:
        network = ONE_CELL.network(ONE_CELL.parse(text), frame)
        measured = measure(network)
        return sum(
            n for x, n in zip(network.layers, measured.layer_parameters, strict=True) if x.name.startswith("cells.0.b")
        )

    assert layers(f"{operation}~1+identity~0") == by_hand[operation]
    halved = C * C + 2 * C  # an identity of stride 2, at C channels
    network = ONE_CELL.network(ONE_CELL.parse(f"{operation}~1+max3~0"), frame._replace(channels=C // 2))
    names = [(x.name, n) for x, n in zip(network.layers, measure(network).layer_parameters, strict=True)]
    reduced = sum(n for name, n in names if name.startswith("cells.1.blocks"))
    assert reduced == (halved if operation == "identity" else by_hand[operation])


def test_images_that_are_too_small() -> None:
    assert measure(SPACE.network(SPACE.at(0), Frame(4, 1, 10, (1, 4, 4)))).shapes[-1] == (10, 1, 1)
    with pytest.raises(InvalidNetwork, match=r"layer 'cells\."):
        measure(SPACE.network(SPACE.at(0), Frame(4, 1, 10, (1, 7, 7))))


def test_drawing_and_encoding() -> None:
    arch = SPACE.sample(random.Random(5))
    assert cell_figure(SPACE, arch) is not None
    assert encode(SPACE, [arch, SPACE.parse(TEXT)]).shape == (2, sum(SPACE.radices))


def test_a_block_behind_an_absent_one_is_no_architecture() -> None:
    whole = SPACE.sample(random.Random(6)).choices
    gap = Architecture("nasnet", (*whole[:4], 3, 8, 3, 8, *whole[8:]))
    assert not SPACE.is_valid(gap) and not SPACE.is_valid(Architecture("nasnet", whole[:20]))
