from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from nassim import Architecture, Decision, Graph, SearchSpace
from nassim.benchmarks.spaces.nasbench201 import OPERATIONS, SPACE
from nassim.benchmarks.toy import SPACE as TOY
from nassim.encodings import KINDS, encode
from nassim.errors import InvalidArchitecture, InvalidSetting, Unsupported

SAMPLE = [SPACE.at(index) for index in range(0, SPACE.size, 101)]
SEQUENCES = [names for length in (1, 2, 3) for names in product(OPERATIONS, repeat=length)]  # the 155 columns


def sequences(arch: Architecture, node: int = 0) -> set[tuple[str, ...]]:
    """Operations met on the way to the output, by following the graph."""
    if node == 3:
        return {()}
    return {
        (name, *rest)
        for source, target, name in SPACE.graph(arch).edges
        if source == node and name != "none"
        for rest in sequences(arch, target)
    }


def test_path_encoding_is_the_set_of_operation_sequences() -> None:
    encoded = encode(SPACE, SAMPLE, "path")
    assert encoded.shape == (len(SAMPLE), 155)
    for arch, row in zip(SAMPLE, encoded, strict=True):
        assert {SEQUENCES[i] for i in row.nonzero()[0]} == sequences(arch)


def test_published_truncations() -> None:
    whole = encode(SPACE, SAMPLE, "path")
    for columns in (5, 30, 155):
        np.testing.assert_array_equal(encode(SPACE, SAMPLE, "path", columns=columns), whole[:, :columns])
    for columns in (0, -1, 156):
        with pytest.raises(InvalidSetting, match="155"):
            encode(SPACE, SAMPLE, "path", columns=columns)


def test_one_hot_and_tokens() -> None:
    one_hot, tokens = encode(SPACE, SAMPLE), encode(SPACE, SAMPLE, "tokens")
    assert one_hot.shape == (len(SAMPLE), 30)
    for arch, bits, digits in zip(SAMPLE, one_hot, tokens, strict=True):
        assert [divmod(int(i), 5) for i in bits.nonzero()[0]] == list(enumerate(arch.choices))
        assert tuple(digits) == arch.choices


def test_adjacency_is_the_line_graph_in_string_order() -> None:
    full = {(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7)}  # in 0, e0..e5, out 7
    upper = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    for arch, row in zip(SAMPLE, encode(SPACE, SAMPLE, "adjacency"), strict=True):
        gone = {i + 1 for i, choice in enumerate(arch.choices) if choice == 0}
        expected = {(a, b) for a, b in full if a not in gone and b not in gone}
        assert {pair for pair, bit in zip(upper, row[:28], strict=True) if bit} == expected
        np.testing.assert_array_equal(row[28:], encode(SPACE, [arch])[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_space_is_encoded_fast_and_in_order(kind: str) -> None:
    before = time.perf_counter()
    whole = encode(SPACE, kind=kind)
    assert time.perf_counter() - before < 1.0
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(whole[::101], encode(SPACE, SAMPLE, kind))
    assert encode(SPACE, [], kind).shape == (0, whole.shape[1])


def test_injective_encodings_separate_all_cells() -> None:
    for kind in ("one_hot", "tokens", "adjacency"):
        assert len(np.unique(encode(SPACE, kind=kind), axis=0)) == SPACE.size
    paths = encode(SPACE, kind="path")
    dangling = SPACE.parse("300300"), SPACE.parse("000300")  # 0->1 leads nowhere
    np.testing.assert_array_equal(*(paths[SPACE.index(arch)] for arch in dangling))


def test_other_spaces() -> None:
    assert encode(TOY, kind="path").shape == (81, 81)
    assert (encode(TOY, kind="path").sum(axis=1) == 1).all()  # a chain: one path
    assert encode(TOY, kind="adjacency").shape == (81, 15 + 12)
    plain = SearchSpace("plain", [Decision("a", ("x", "y", "z")), Decision("b", ("x", "y"))])
    assert encode(plain).tolist()[3] == [0, 1, 0, 0, 1]
    for kind in ("path", "adjacency"):
        with pytest.raises(Unsupported, match="graph"):
            encode(plain, kind=kind)


class Chain(SearchSpace):
    def graph(self, arch: Architecture) -> Graph:
        edges = tuple(
            (i, i + 1, d.options[c]) for i, (d, c) in enumerate(zip(self.decisions, arch.choices, strict=True))
        )
        return Graph(tuple(map(str, range(len(edges) + 1))), edges)


class Shrinking(Chain):
    def graph(self, arch: Architecture) -> Graph:
        whole = super().graph(arch)
        return Graph(whole.nodes, whole.edges[arch.choices[0] :])


def test_spaces_that_do_not_fit_are_refused() -> None:
    options = tuple("abcdefghij")
    with pytest.raises(Unsupported, match="1,000,000 columns"):
        encode(Chain("long", [Decision(str(i), options) for i in range(6)]), [Architecture("long", (0,) * 6)], "path")
    with pytest.raises(Unsupported, match="one edge for each decision"):
        encode(Shrinking("shrinking", [Decision(str(i), ("a", "b")) for i in range(3)]), kind="path")


def test_bad_input() -> None:
    with pytest.raises(InvalidSetting, match="one_hot, tokens, adjacency, path"):
        encode(SPACE, SAMPLE, "binary")
    with pytest.raises(InvalidArchitecture):
        encode(SPACE, [TOY.at(0)])
