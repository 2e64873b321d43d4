"""The space of NAS-Bench-101: spellings, moves, encodings, growth."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nassim
from nassim import Architecture
from nassim.benchmarks.spaces.nasbench101.graph import OPERATIONS, PAIRS
from nassim.benchmarks.spaces.nasbench101.space import MUTATIONS, SPACE, NASBench101Space
from nassim.encodings import encode
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.testing import check_space

CONV3, CONV1, POOL = OPERATIONS
# Two ways of spelling one cell: 0 -> 1 (conv3x3) -> 6 and 0 -> 2 (pool) -> 6, and the same by vertices 5 and 3.
MATRIX = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
CELL = SPACE.from_matrix(MATRIX, ["input", CONV3, POOL, "output"])
TWIN = SPACE.parse(f"001010/00000/0000/001/00/1 {CONV1},{CONV1},{POOL},{CONV1},{CONV3}")


def random_cells(count: int, seed: int = 0) -> list[Architecture]:
    rng = random.Random(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def test_it_meets_the_contract_of_a_space() -> None:
    check_space(SPACE)
    assert nassim.get_space("nasbench101").size == 423_624


# -- spellings ----------------------------------------------------------------------------------------


def test_spellings_of_one_cell() -> None:
    assert CELL != TWIN
    assert SPACE.index(CELL) == SPACE.index(TWIN)
    assert SPACE.canonical(CELL) == SPACE.canonical(TWIN)
    assert SPACE.fingerprint(CELL) == SPACE.fingerprint(TWIN)
    assert SPACE.complexity(TWIN) == 4
    matrix, labels = SPACE.to_matrix(TWIN)
    assert (matrix.tolist(), labels) == (MATRIX, ("input", POOL, CONV3, "output"))  # vertex 3 before vertex 5
    matrix, labels = SPACE.to_matrix(TWIN, prune=False)
    assert matrix.shape == (7, 7)
    assert labels == ("input", CONV1, CONV1, POOL, CONV1, CONV3, "output")
    assert SPACE.from_matrix(matrix, labels) == TWIN


def test_every_form_is_read() -> None:
    for arch in random_cells(50):
        matrix, labels = SPACE.to_matrix(arch, prune=False)
        digits = "".join(map(str, arch.choices))
        forms = [SPACE.format(arch), str(arch), digits, f"nasbench101:{digits}", "-".join(digits)]
        forms += [f"{matrix.tolist()} {list(labels)}", f"{matrix.tolist()},\n{list(labels)}".replace("'", '"')]
        for text in forms:
            assert SPACE.parse(f" {text} ") == arch
    text = "110000/00001/0001/000/00/0"
    assert SPACE.format(CELL) == f"{text} {CONV3},{POOL},{CONV3},{CONV3},{CONV3}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0" * 26, "Write nasbench101: and 26 digits"),
        (f"000000/00000/0000/000/00/1 {CONV1},{CONV1},{CONV1},{CONV1},{CONV1}", "no path leads from the input"),
        (f"111111/00001/0001/001/01/1 {CONV1},{CONV1},{CONV1},{CONV1},{CONV1}", "11 edges after pruning, at most 9"),
        ("[[0, 1], [0, 0]] ['input']", "it takes 2 labels"),
        ("[[0, 1], [0, 0]] ['output', 'input']", "it takes 2 labels"),
        ("[[0, 1], [1, 0]] ['input', 'output']", "above the diagonal"),
        ("[[0, 2], [0, 0]] ['input', 'output']", "0 and 1"),
        ("[[0, 1, 0], [0, 0]] ['input', 'output']", "not a cell"),
        (f"{np.zeros((8, 8), int).tolist()} ['input', 'output']", "2 to 7 rows"),
        ("[[0, 1], [0, 0]]", "not two lists"),
        ("[[" * 5000, "not an architecture"),
        ("x" * 10_000_000, "not an architecture"),
        (f"110000/00001/0001/000/00/0 {CONV1},{CONV1},{CONV1},{CONV1}", "not an architecture"),
    ],
    ids=lambda text: text[:30],
)
def test_malformed_cells(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(text)
    assert len(str(caught.value)) < 800


@given(
    st.one_of(
        st.text(), st.text("01/-,[] convmaxpol3x1:nasbench", max_size=150), st.text("01", min_size=24, max_size=28)
    )
)
def test_anything_is_a_cell_or_one_short_error(text: str) -> None:
    try:
        found = SPACE.parse(text)
    except InvalidArchitecture as error:
        assert len(str(error)) < 800
    else:
        assert SPACE.is_valid(found)


def test_architectures_of_other_spaces_are_refused() -> None:
    with pytest.raises(InvalidArchitecture, match="it belongs to toy"):
        SPACE.index(Architecture("toy", CELL.choices))
    with pytest.raises(InvalidArchitecture, match="21 edges, 0 or 1, and 5 operations"):
        SPACE.check(Architecture("nasbench101", (5,) * 26))
    for wrong in ({"sampling": "uniform"}, {"mutation": "two_edits"}):
        with pytest.raises(InvalidSetting, match="use "):
            NASBench101Space(**wrong)
    with pytest.raises(InvalidSetting, match="use published"):
        SPACE.canonical(CELL, "algebraic")


# -- moves --------------------------------------------------------------------------------------------


def test_neighbors_are_the_single_edits_that_make_another_cell() -> None:
    for arch in random_cells(40, seed=3):
        edits = []
        for i, radix in enumerate(SPACE.radices):
            for option in range(radix):
                other = Architecture(SPACE.name, (*arch.choices[:i], option, *arch.choices[i + 1 :]))
                if other != arch and SPACE.is_valid(other):
                    edits.append(other)
        assert set(SPACE.neighbors(arch, neutral=True)) == set(edits)
        assert set(SPACE.neighbors(arch)) == {e for e in edits if SPACE.fingerprint(e) != SPACE.fingerprint(arch)}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_rates_of_the_mutations(mutation: str) -> None:
    """From a cell that stays valid whatever happens to most of it; the bands are five standard errors."""
    space, rng, runs = NASBench101Space(mutation=mutation), random.Random(4), 3000
    changed = np.zeros(26)
    for _ in range(runs):
        mutant = space.mutate(TWIN, rng)
        assert space.is_valid(mutant)
        changed += np.array(mutant.choices) != TWIN.choices
    flip, change = MUTATIONS[mutation]
    operations = changed[21:] / runs
    if mutation == "one_edit":
        assert changed.sum() == runs
        assert np.abs(operations - 1 / 26).max() < 5 * np.sqrt(1 / 26 / runs) + 0.01  # a few edits are refused
        return
    # Whether the result is valid does not depend on operations: they change at exactly their rate.
    assert np.abs(operations - change).max() < 5 * np.sqrt(change * (1 - change) / runs)
    # Edges between vertices that stay unconnected are hardly selected by validity.
    assert abs(changed[PAIRS.index((1, 2))] / runs - flip) < 5 * np.sqrt(flip * (1 - flip) / runs) + 0.1 * flip


def test_sampling_is_rejection_of_fair_coins() -> None:
    rng, counts = random.Random(5), Counter[int]()
    for _ in range(4000):
        arch = SPACE.sample(rng)
        counts.update(v for v in arch.choices[21:])
    assert all(abs(count / 20_000 - 1 / 3) < 0.017 for count in counts.values())  # five standard errors
    valid = sum(
        SPACE.is_valid(Architecture(SPACE.name, (*(rng.getrandbits(1) for _ in PAIRS), 0, 0, 0, 0, 0)))
        for _ in range(4000)
    )
    assert abs(valid / 4000 - np.mean(SPACE.numbering.lookup != 2**32 - 1)) < 0.035


def test_uniform_sampling_is_over_cells() -> None:
    space, rng = NASBench101Space(sampling="uniform_unique"), random.Random(6)
    sizes = Counter(space.complexity(space.sample(rng)) for _ in range(2000))
    assert abs(sizes[7] / 2000 - 359_082 / 423_624) < 0.041
    assert sizes[7] + sizes[6] + sizes[5] + sizes[4] == 2000
    published = Counter(SPACE.complexity(arch) for arch in random_cells(2000))
    assert published[7] < 1200  # small cells have more spellings


# -- encodings and graph ------------------------------------------------------------------------------


def test_paths_by_hand() -> None:
    row = encode(SPACE, [CELL], "path")[0]
    assert row.shape == (364,)
    assert np.flatnonzero(row).tolist() == [1, 3]  # after the empty path come conv3x3, conv1x1, pool
    direct = SPACE.parse("[[0, 1], [0, 0]] ['input', 'output']")
    assert np.flatnonzero(encode(SPACE, [direct], "path")).tolist() == [0]
    chain = SPACE.parse(f"100000/10000/1000/100/10/1 {POOL},{POOL},{POOL},{POOL},{POOL}")
    assert np.flatnonzero(encode(SPACE, [chain], "path")).tolist() == [363]
    assert encode(SPACE, [CELL], "path", columns=40).shape == (1, 40)


def test_paths_do_not_depend_on_the_spelling() -> None:
    for arch in random_cells(30, seed=7):
        matrix, labels = SPACE.to_matrix(arch)
        last = len(labels) - 1
        seen = set()
        for inner in permutations(range(1, last)):
            order = [0, *inner, last]
            renamed = matrix[np.ix_(order, order)]
            if not np.tril(renamed).any():
                twin = SPACE.from_matrix(renamed, [labels[v] for v in order])
                assert SPACE.canonical(twin) == SPACE.canonical(arch)
                seen.add(encode(SPACE, [twin, arch], "path").tobytes())
        assert len(seen) == 1


def test_adjacency_is_the_spelling() -> None:
    row = encode(SPACE, [TWIN], "adjacency")[0].tolist()
    assert row[:21] == list(TWIN.choices[:21])
    assert row[21:] == [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0]
    assert encode(SPACE, [TWIN]).shape == (1, 57)


def test_the_graph_is_what_remains() -> None:
    graph = SPACE.graph(TWIN)
    assert graph.nodes == ("input", "pool", "3x3", "output")
    assert graph.edges == ((0, 1, ""), (0, 2, ""), (1, 3, ""), (2, 3, ""))
    assert not SPACE.enumerable


# -- growth -------------------------------------------------------------------------------------------


def test_growth_reaches_every_cell_of_the_next_sizes() -> None:
    level = set(SPACE.smallest())
    assert {SPACE.complexity(arch) for arch in level} == {3}
    for vertices, count in ((4, 84), (5, 2_441)):
        level = {larger for arch in level for larger in SPACE.grow(arch)}
        assert len(level) == count
        assert {SPACE.complexity(arch) for arch in level} == {vertices}


def test_the_largest_cells_can_be_reached() -> None:
    """Undoing the last step of growth leaves a cell from which it is made again."""
    rng, space = random.Random(8), NASBench101Space(sampling="uniform_unique")
    for arch in (space.sample(rng) for _ in range(20)):
        matrix, labels = SPACE.to_matrix(arch)
        last = len(labels) - 2
        smaller = np.delete(np.delete(matrix, last, 0), last, 1)
        smaller[:last, -1] |= matrix[:last, last]
        parent = SPACE.from_matrix(smaller, [*labels[:last], "output"])
        assert SPACE.complexity(parent) == SPACE.complexity(arch) - 1
        assert SPACE.canonical(arch) in SPACE.grow(parent)
    assert SPACE.grow(SPACE.at(423_623)) == []
