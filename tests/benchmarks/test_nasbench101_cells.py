"""The enumeration of NAS-Bench-101's cells, their hashes and parameters, against independent definitions."""

from __future__ import annotations

import hashlib
import random
from itertools import pairwise, permutations, product

import numpy as np
import pytest

from nassim.benchmarks.spaces.nasbench101.classes import Numbering, Size, cells, pair_bit, spellings
from nassim.benchmarks.spaces.nasbench101.cost import parameters, vertex_channels
from nassim.benchmarks.spaces.nasbench101.graph import PAIRS, fingerprint, kept_vertices, members, objection
from nassim.benchmarks.spaces.nasbench101.hashes import fingerprints, md5

Edges = frozenset[tuple[int, int]]
SIZES, NUMBERING = cells()


def edges_of(size: Size, wiring: int) -> Edges:
    pairs = [(a, b) for b in range(size.vertices) for a in range(b)]
    return frozenset(pair for pair in pairs if wiring >> pair_bit(*pair) & 1)


# -- counting -----------------------------------------------------------------------------------------


def labelled_wirings() -> list[set[Edges]]:
    """By vertices, all graphs whose vertices are all on a path from first to last, with at most nine edges.

    Grown: removing the last inner vertex and having its sources feed the output leaves such a graph.
    """
    found: list[set[Edges]] = [{frozenset({(0, 1)})}]
    for vertices in range(3, 8):
        old, new = vertices - 2, vertices - 2
        larger = set()
        for edges in found[-1]:
            feeding = [a for a, b in edges if b == old]
            inner = {(a, b) for a, b in edges if b != old}
            for plan in product(("leave", "add", "move"), repeat=len(feeding)):
                to_new = {(a, new) for a, what in zip(feeding, plan, strict=True) if what != "leave"}
                to_output = {(a, vertices - 1) for a, what in zip(feeding, plan, strict=True) if what != "move"}
                grown = frozenset(inner | to_new | to_output | {(new, vertices - 1)})
                if to_new and len(grown) <= 9:
                    larger.add(grown)
        found.append(larger)
    return found


def moved(edges: Edges, order: tuple[int, ...]) -> Edges:
    """The edges after vertex v of the graph has come to place ``order[v]``."""
    return frozenset((order[a], order[b]) for a, b in edges)


@pytest.mark.slow
def test_counts_by_burnsides_lemma() -> None:
    """Independent of the enumeration: orbits of labelings under the automorphisms of every class of wirings."""
    unique = []
    for vertices, wirings in enumerate(labelled_wirings(), 2):
        orders = [(0, *order, vertices - 1) for order in permutations(range(1, vertices - 1))]
        left, count = set(wirings), 0
        while left:
            images = [moved(next(iter(left)), order) for order in orders]
            left -= set(images)
            automorphisms = [order for order, image in zip(orders, images, strict=True) if image == images[0]]
            fixed = sum(3 ** (cycles(order) - 2) for order in automorphisms)
            assert fixed % len(automorphisms) == 0
            count += fixed // len(automorphisms)
        unique.append(count)
    assert np.cumsum(unique).tolist() == [1, 7, 91, 2_532, 64_542, 423_624]
    assert [len(size.wiring) for size in SIZES] == unique


def cycles(order: tuple[int, ...]) -> int:
    left, count = set(range(len(order))), 0
    while left:
        v = min(left)
        while v in left:
            left.remove(v)
            v = order[v]
        count += 1
    return count


def test_wirings_are_those_of_the_definition() -> None:
    classes = [1, 2, 10, 97, 810, 1_574]
    assert [len(size.wirings) for size in SIZES] == classes
    for size, labelled in zip(SIZES, labelled_wirings(), strict=True):
        assert {edges_of(size, wiring) for wiring in size.wirings.tolist()} <= labelled
    assert [len(labelled) for labelled in labelled_wirings()] == [1, 2, 10, 121, 1_545, 4_793]


@pytest.mark.slow
def test_cells_are_in_the_order_of_the_authors_list() -> None:
    for size in SIZES:
        keys = [(int(size.wirings[w]), *labels) for w, labels in zip(size.wiring, size.labels.tolist(), strict=True)]
        assert keys == sorted(set(keys))


# -- numbering ----------------------------------------------------------------------------------------


def test_every_canonical_spelling_has_its_number() -> None:
    assert np.array_equal(NUMBERING.rows(spellings()), np.arange(423_624))
    for row in (0, 1, 6, 7, 91, 64_541, 423_623):
        assert NUMBERING.row(spellings()[row].tolist()) == row


def canonical(edges: Edges, labels: tuple[int, ...]) -> tuple[object, ...]:
    """The smallest of all renumberings of a graph: equal for isomorphic ones and only for these."""
    last = len(labels) - 1
    forms = []
    for inner in permutations(range(1, last)):
        order = (0, *inner, last)
        renamed = sorted(moved(edges, order))
        forms.append((tuple(renamed), tuple(labels[order.index(v)] for v in range(last + 1))))
    return len(labels), *min(forms)


def prune(choices: list[int]) -> tuple[Edges, tuple[int, ...]]:
    """Edges and labels of what is on a path from 0 to 6, renumbered; found by walking both ways."""
    edges = {pair for pair, bit in zip(PAIRS, choices, strict=False) if bit}
    reached, leading = {0}, {6}
    for _ in range(7):
        reached |= {b for a, b in edges if a in reached}
        leading |= {a for a, b in edges if b in leading}
    kept = sorted(reached & leading)
    if not {0, 6} <= set(kept):
        return frozenset(), ()
    operations = {0: -1, 6: -2, **{v: choices[20 + v] for v in range(1, 6)}}
    places = {v: i for i, v in enumerate(kept)}
    inside = frozenset((places[a], places[b]) for a, b in edges if a in places and b in places)
    return inside, tuple(operations[v] for v in kept)


def test_the_number_is_that_of_the_class() -> None:
    """Against an exact canonical form by brute force, for spellings of all kinds, valid or not."""
    rng = random.Random(1)
    by_row: dict[int, tuple[object, ...]] = {}
    rows_of: dict[tuple[object, ...], int] = {}
    invalid = 0
    for density in (0.3, 0.5, 0.8):
        for _ in range(600):
            choices = [int(rng.random() < density) for _ in PAIRS] + [rng.randrange(3) for _ in range(5)]
            edges, labels = prune(choices)
            row = NUMBERING.row(choices)
            valid = 0 < len(edges) <= 9
            assert (row >= 0) == valid == (objection(choices) == "")
            assert NUMBERING.rows(np.array([choices])).tolist() == [row]
            if not valid:
                invalid += 1
                continue
            key = canonical(edges, labels)
            assert by_row.setdefault(row, key) == key
            assert rows_of.setdefault(key, row) == row
            assert canonical(*prune(spellings()[row].tolist())) == key
    assert invalid > 100 and len(by_row) > 300


def test_arrays_and_numbers_are_pruned_alike() -> None:
    codes = np.arange(0, 1 << 21, 97)
    assert kept_vertices(codes).tolist() == [kept_vertices(code) for code in codes.tolist()]
    assert members(0b1000001) == (0, 6)


@pytest.mark.parametrize(
    "choices",
    [
        (),
        (1,) * 25,
        (1,) * 27,
        (2, *(0,) * 25),
        (-1, *(0,) * 25),
        (*(1,) * 25, 3),
        (*(0,) * 25, 10**30),
        "x" * 26,
        (0.5,) * 26,
    ],
)
def test_what_is_no_spelling_has_no_number(choices: tuple[int, ...]) -> None:
    assert NUMBERING.row(choices) == -1
    assert "21 edges" in objection(choices)


# -- hashes -------------------------------------------------------------------------------------------


def test_md5_of_any_length() -> None:
    rng = np.random.default_rng(0)
    for length in (0, 1, 55, 56, 63, 64, 65, 119, 120, 252):
        messages = rng.integers(0, 256, (20, length), dtype=np.uint8)
        assert [bytes(digest) for digest in md5(messages)] == [hashlib.md5(bytes(m)).digest() for m in messages]


@pytest.mark.slow
def test_hashes_at_once_are_those_one_by_one() -> None:
    """Of the small cells all, of the others some; the published names follow (tests of the tables)."""
    rng = random.Random(2)
    for size in SIZES:
        some = sorted(rng.sample(range(len(size.wiring)), min(len(size.wiring), 150)))
        part = size._replace(wiring=size.wiring[some], labels=size.labels[some])
        expected = [
            fingerprint(sorted(edges_of(size, int(size.wirings[w]))), [-1, *labels, -2])
            for w, labels in zip(part.wiring, part.labels.tolist(), strict=True)
        ]
        assert [bytes(name).hex() for name in fingerprints(part)] == expected


def test_isomorphic_cells_have_the_same_hash_and_others_not() -> None:
    small = np.concatenate([fingerprints(size) for size in SIZES[:4]])
    assert len(np.unique(small, axis=0)) == 2_532
    edges, labels = frozenset({(0, 1), (0, 2), (1, 3), (2, 4), (3, 4)}), (-1, 0, 1, 2, -2)
    for inner in permutations((1, 2, 3)):
        order = (0, *inner, 4)
        renamed = [labels[order.index(v)] for v in range(5)]
        assert fingerprint(sorted(moved(edges, order)), renamed) == fingerprint(sorted(edges), labels)


def test_the_hashed_text_is_that_of_python_numbers() -> None:
    """The trap of numpy 2: str((np.int64(1),)) names the type."""
    as_numpy = [np.int64(label) for label in (-1, 0, -2)]
    assert fingerprint([(0, 1), (1, 2)], as_numpy) == fingerprint([(0, 1), (1, 2)], (-1, 0, -2))  # type: ignore[arg-type]
    digest = {
        label: hashlib.md5(f"({o}, {i}, {label})".encode()).hexdigest() for label, o, i in ((-1, 1, 0), (-2, 0, 1))
    }
    for _ in range(2):
        digest = {
            -1: hashlib.md5(f"|{digest[-2]}|{digest[-1]}".encode()).hexdigest(),
            -2: hashlib.md5(f"{digest[-1]}||{digest[-2]}".encode()).hexdigest(),
        }
    expected = hashlib.md5(str(sorted(digest.values())).encode()).hexdigest()
    assert fingerprint([(0, 1)], (-1, -2)) == expected


# -- parameters ---------------------------------------------------------------------------------------


def test_channels_are_split_and_inherited() -> None:
    wiring = sum(1 << pair_bit(a, b) for a, b in [(0, 1), (1, 2), (0, 3), (2, 4), (3, 4), (1, 4), (0, 4)])
    assert vertex_channels(wiring, 5, 128, 256) == [128, 86, 85, 85, 256]
    chain = sum(1 << pair_bit(v, v + 1) for v in range(4))
    assert vertex_channels(chain, 5, 128, 512) == [128, 512, 512, 512, 512]


def test_parameters_of_two_networks_counted_by_hand() -> None:
    """The smallest network (a projection only) and a chain of one 3x3 convolution, layer by layer."""
    stem, classifier = 3 * 128 * 9 + 2 * 128, 512 * 10 + 10
    widths = [128, 128, 128, 128, 256, 256, 256, 512, 512, 512]
    projections = sum(a * b + 2 * b for a, b in pairwise(widths))
    assert parameters(SIZES[0]).tolist() == [stem + projections + classifier]
    convolutions = sum(9 * b * b + 2 * b for b in widths[1:])
    assert parameters(SIZES[1])[0] == stem + projections + convolutions + classifier
    pools = parameters(SIZES[1])[SIZES[1].labels[:, 0] == 2]
    assert pools.tolist() == [stem + projections + classifier, stem + 2 * projections + classifier]


def test_isomorphic_cells_can_differ_in_parameters() -> None:
    """Why it matters which member of a class was trained: 128 channels for three vertices are 43, 43 and 42."""
    wiring = sum(1 << pair_bit(a, b) for a, b in [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)])
    labels = np.array([(0, 1, 1), (1, 0, 1), (1, 1, 0)], dtype=np.int8)
    counts = parameters(Size(5, np.array([wiring], dtype=np.uint32), np.zeros(3, dtype=np.int64), labels))
    assert len(set(counts.tolist())) == 3


def test_an_invalid_place_in_the_numbering_is_not_read() -> None:
    lonely = Numbering(np.full(1 << 21, 2**32 - 1, dtype=np.uint32), np.zeros(0, dtype=np.int32))
    assert lonely.row((1,) * 21 + (0,) * 5) == -1
