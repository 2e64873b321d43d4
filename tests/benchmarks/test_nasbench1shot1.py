"""The spaces of NAS-Bench-1Shot1 as parts of NAS-Bench-101."""

from __future__ import annotations

import random
from itertools import combinations, product

import numpy as np
import pytest

import nassim
from nassim import Architecture
from nassim.benchmarks.spaces.nasbench1shot1 import PARENTS, SPACES
from nassim.benchmarks.spaces.nasbench101 import space as nasbench101
from nassim.errors import InvalidSetting
from nassim.testing import check_space

NUMBERS = tuple(SPACES)
Cell = tuple[tuple[int, ...], ...]  # the parents of each used vertex, () for the others


@pytest.mark.parametrize("number", NUMBERS)
def test_it_meets_the_contract_of_a_space(number: int) -> None:
    check_space(SPACES[number])
    assert nassim.get_space(f"nasbench1shot1-{number}") is SPACES[number]


def test_sizes_are_products_of_choices() -> None:
    assert [SPACES[number].size for number in NUMBERS] == [14_580, 29_160, 1_312_200]
    assert [len(SPACES[number].wirings) for number in NUMBERS] == [180, 360, 5_400]
    for space in SPACES.values():
        assert len(set(space.wirings.tolist())) == len(space.wirings)


def generated_backwards(number: int) -> set[Cell]:
    """The paper's generator: from the output, give a vertex its parents and go on from each of them alone.

    What a branch does not reach stays without parents, and only complete graphs are yielded.
    """
    counts = PARENTS[number]
    last = len(counts) - 1
    found: set[Cell] = set()

    def complete(parents: dict[int, tuple[int, ...]]) -> bool:
        used = {u for row in parents.values() for u in row}
        return len(used) > 1 and used - {0} | {last} == {v for v, row in parents.items() if len(row) == counts[v]}

    def go_on(parents: dict[int, tuple[int, ...]], v: int) -> None:
        if complete(parents):
            found.add(tuple(parents.get(u, ()) for u in range(last + 1)))
            return
        missing = counts[v] - len(parents.get(v, ()))
        for chosen in combinations([u for u in range(v) if u not in parents.get(v, ())], missing):
            taken = parents
            for u in chosen:
                taken = {**taken, v: (*taken.get(v, ()), u)}
                go_on(taken, u)

    go_on({}, last)
    return found


def without_loose_ends(number: int) -> set[Cell]:
    """All choices of parents, each vertex dropped that does not lead to the output."""
    counts = PARENTS[number]
    last = len(counts) - 1
    found = set()
    for choice in product(*(combinations(range(v), count) for v, count in enumerate(counts))):
        used = {last}
        for v in range(last, 0, -1):
            used |= set(choice[v]) if v in used else set()
        found.add(tuple(row if v in used else () for v, row in enumerate(choice)))
    return found


def labelings(found: set[Cell]) -> int:
    return sum(3 ** sum(row != () for row in cell[1:-1]) for cell in found)


@pytest.mark.parametrize(
    ("number", "wirings", "published", "everything"),
    [(1, 49, 2_487, 3_702), (2, 65, 3_609, 12_474), (3, 234, 24_066, 135_900)],
)
def test_counts_without_loose_ends(number: int, wirings: int, published: int, everything: int) -> None:
    """The published counts are those of the paper's generator; it misses cells with two separate branches."""
    space = SPACES[number]
    backwards, all_of_them = generated_backwards(number), without_loose_ends(number)
    assert len(backwards) == wirings
    assert backwards < all_of_them
    assert space.without_loose_ends() == labelings(backwards) == published
    assert space.without_loose_ends("all") == labelings(all_of_them) == everything
    with pytest.raises(InvalidSetting, match="published or all"):
        space.without_loose_ends("most")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_cell_is_what_the_choices_say(number: int) -> None:
    space, rng = SPACES[number], random.Random(number)
    last = len(PARENTS[number]) - 1
    for _ in range(200):
        arch = space.sample(rng)
        options = {d.name: d.options[c] for d, c in zip(space.decisions, arch.choices, strict=True)}
        matrix = np.zeros((last + 1, last + 1), dtype=int)
        for v, count in enumerate(PARENTS[number]):
            everyone = "+".join(map(str, range(v)))
            parents = options.get(f"choice_block_{v}_parents", everyone)
            for u in map(int, parents.split("+") if v else ()):
                matrix[u, v] = 1
            assert matrix[:, v].sum() == count
        assert matrix.sum() == 9
        labels = ["input", *(options[f"choice_block_{v}_op"] for v in range(1, last)), "output"]
        expected = nasbench101.SPACE.from_matrix(matrix, labels)
        assert nasbench101.SPACE.is_valid(space.to_nasbench101(arch))
        assert space.canonical(arch) == nasbench101.SPACE.index(expected)
        assert space.graph(arch) == nasbench101.SPACE.graph(expected)


def test_the_missing_block_is_a_convolution_without_edges() -> None:
    spelled = SPACES[1].to_nasbench101(Architecture("nasbench1shot1-1", (0, 0, 0, 0, 0, 0, 0)))
    matrix, labels = nasbench101.SPACE.to_matrix(spelled, prune=False)
    assert labels[5] == "conv1x1-bn-relu"
    assert not matrix[5].any() and not matrix[:, 5].any()


@pytest.mark.parametrize("number", NUMBERS)
def test_the_cells_of_a_space(number: int) -> None:
    """By number in NAS-Bench-101: those of samples are among them, and space 1 is listed in full."""
    space, rng = SPACES[number], random.Random(9)
    found = set(space.cells().tolist())
    assert {space.canonical(space.sample(rng)) for _ in range(500)} <= found
    if number == 1:
        assert found == {space.canonical(arch) for arch in space.architectures()}
    assert len(found) == {1: 2_685, 2: 7_773, 3: 55_854}[number]
