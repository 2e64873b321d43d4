"""The part of NAS-Bench-201 with three operations: its strings, equivalences, growth, and its place in the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim import Architecture
from nassim.benchmarks.spaces import nasbench201
from nassim.benchmarks.spaces.nasbench201_3ops import CELLS, OPERATIONS, ROWS, SPACE, whole
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.full_training.tables.classes import cell_classes
from nassim.testing import check_space

CELL = Architecture("nasbench201_3ops", (2, 1, 0, 0, 2, 1))
choices = st.tuples(*[st.integers(0, 2)] * 6)


def test_it_meets_the_contract_of_a_space() -> None:
    check_space(SPACE)
    assert SPACE.size == 729 and OPERATIONS == ("none", "skip_connect", "nor_conv_3x3")


@given(choices)
def test_every_spelling_is_read(chosen: tuple[int, ...]) -> None:
    expected = Architecture(SPACE.name, chosen)
    digits = "".join(map(str, chosen))
    for text in (digits, "-".join(digits), str(expected), SPACE.format(expected), str(SPACE.cell(expected))):
        assert SPACE.parse(text) == expected
    assert SPACE.format(expected) == nasbench201.SPACE.format(SPACE.cell(expected))
    assert SPACE.graph(expected) == nasbench201.SPACE.graph(SPACE.cell(expected))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("310031", "Write nasbench201_3ops"),
        ("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|none~2|", "it has nor_conv_1x1"),
        ("nasbench201:4-0-0-2-0-0", "it has avg_pool_3x3, nor_conv_1x1"),
        ("nasbench101:210021", "Write nasbench201_3ops"),
        pytest.param("2" * 10_000_000, "Write nasbench201_3ops", marks=pytest.mark.slow),
    ],
)
def test_other_cells_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(text)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("kind", "classes"), [("identity", 496), ("published", 127), ("zero", 82), ("algebraic", 78)])
def test_numbers_of_equivalence_classes(kind: str, classes: int) -> None:
    assert len({SPACE.canonical(arch, kind) for arch in SPACE.architectures()}) == classes


def test_an_unknown_equivalence_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="published"):
        SPACE.canonical(CELL, "isomorphic")


def test_rows_and_cells_are_those_of_the_whole_space() -> None:
    for row in range(0, SPACE.size, 31):
        cell = nasbench201.SPACE.at(int(ROWS[row]))
        assert cell == SPACE.cell(SPACE.at(row)) and tuple(CELLS[row].tolist()) == cell.choices
        assert SPACE.from_cell(cell) == SPACE.at(row)
    assert whole(CELL) == SPACE.cell(CELL) and whole(whole(CELL)) == whole(CELL)


def test_growth_reaches_every_connected_cell() -> None:
    known = set(SPACE.smallest())
    assert len(known) == 2 + 4 + 4 + 8
    frontier = list(known)
    while frontier:
        larger = {larger for arch in frontier for larger in SPACE.grow(arch)} - known
        assert all(SPACE.is_valid(arch) for arch in larger)
        known |= larger
        frontier = list(larger)
    largest = [arch for arch in known if SPACE.complexity(arch) == 6]
    assert len(largest) == 2**6


def test_classes_are_parts_of_those_of_the_whole_space() -> None:
    """A class here is what a class of NAS-Bench-201 has in this space; trained is a cell of this space."""
    classes = cell_classes(SPACE.name)
    assert len(classes) == 78 and sorted(row for each in classes for row in each.rows) == list(range(729))
    ours = {frozenset(int(ROWS[row]) for row in each.rows) for each in classes}
    rows = set(ROWS.tolist())
    theirs = {frozenset(rows.intersection(each.rows)) for each in cell_classes()} - {frozenset()}
    assert ours == theirs
    for each in classes:
        alive = nasbench201.connected(SPACE.cell(each.trained).choices)
        assert all(choice == 0 or edge in alive for edge, choice in enumerate(each.trained.choices))
