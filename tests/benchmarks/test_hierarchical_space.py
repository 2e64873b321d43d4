"""The space of hierarchical representations: expansion, classes, moves and networks."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from nassim.benchmarks.spaces.hierarchical import SPACE
from nassim.benchmarks.spaces.hierarchical_motifs import INNER, NONE, PAIRS, ordered, pruned
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, measure
from nassim.plots import cell_figure
from nassim.space import Architecture

CHAIN = "0-60-660"
FIRST = "1-36-652"  # conv1 1->2, separable3 1->3, avg3 2->4, depthwise3 3->4
IDLE = "|".join([CHAIN] * 4)


def test_counts() -> None:
    assert SPACE.size == 7**46 and f"{SPACE.size:.1e}" == "7.5e+38" and len(SPACE.decisions) == 6 * 6 + 10


def test_the_expansion_is_that_by_hand() -> None:
    """Two motifs in a cell 1->2 (the first), 2->5 (the second, a chain), 1->5 (the first); 1->3 leads nowhere."""
    arch = SPACE.parse(f"{FIRST}|{CHAIN}|{IDLE}||0-06-666-0166")
    first = {
        *(("1", "1>2.2", "conv1"), ("1", "1>2.3", "separable3")),
        *(("1>2.2", "1>2.4", "avg3"), ("1>2.3", "1>2.4", "depthwise3"), ("1>2.4", "2", "motif")),
    }
    # 1-36-652: pair (1,2) conv1; (1,3) separable3; (2,3) none; (1,4) none; (2,4) avg3; (3,4) depthwise3.
    again = {tuple(name.replace("1>2", "1>5") if ">" in name else name for name in edge) for edge in first}
    again = {(a, "5" if b == "2" else b, o) for a, b, o in again}
    chain = {
        *(("2", "2>5.2", "identity"), ("2>5.2", "2>5.3", "identity")),
        *(("2>5.3", "2>5.4", "identity"), ("2>5.4", "5", "motif")),
    }
    assert set(SPACE.edges(arch)) == first | again | chain and len(SPACE.edges(arch)) == 14


def test_what_has_no_input_or_leads_nowhere_is_dropped() -> None:
    assert pruned((0, 6, 6, 6, 0, 0), INNER) == (0, 6, 6, 6, 0, 6)  # node 3 has no input
    assert pruned((0, 0, 0, 6, 0, 6), INNER) == (0, 6, 6, 6, 0, 6)  # node 3 leads nowhere
    assert pruned((0, 0, 0, 6, 6, 6), INNER) is None  # no way to node 4
    # A motif without a way through it is no edge: the cell has another.
    arch = SPACE.parse(f"6-66-666|{CHAIN}|{IDLE}||0-60-660-1660")
    assert [edge for edge in SPACE.edges(arch) if edge[1] == "5"] == [("1>5.4", "5", "motif")]
    with pytest.raises(InvalidArchitecture, match="no way leads"):
        SPACE.parse(f"6-66-666|{CHAIN}|{IDLE}||0-60-660-6660")


def test_trivial_architectures() -> None:
    chain, everything = SPACE.trivial(), SPACE.trivial("all")
    assert SPACE.format(chain) == f"{'|'.join([CHAIN] * 6)}||0-60-660-6660"
    assert everything == SPACE.at(0) and set(everything.choices) == {0}
    assert {operation for _, _, operation in SPACE.edges(chain)} == {"identity", "motif"}
    assert len(SPACE.edges(chain)) == 4 * 4 and len(SPACE.edges(everything)) == 10 * 7
    with pytest.raises(InvalidSetting, match="use chain or all"):
        SPACE.trivial("none")


# -- moves --------------------------------------------------------------------------------------------


def test_a_mutation_changes_exactly_one_edge() -> None:
    rng = random.Random(0)
    arch = SPACE.sample(rng)
    places: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    for _ in range(4000):
        child = SPACE.mutate(arch, rng)
        ((i, old, new),) = [
            (i, x, y) for i, (x, y) in enumerate(zip(arch.choices, child.choices, strict=True)) if x != y
        ]
        places[i] += 1
        kinds["added" if old == NONE else "removed" if new == NONE else "altered"] += 1
        assert SPACE.is_valid(child)
    assert set(places) == set(range(46)) and set(kinds) == {"added", "removed", "altered"}
    assert sum(places[i] for i in range(36, 46)) == pytest.approx(2000, abs=150)  # either level


def test_many_mutations_of_the_trivial_one_lead_to_uniform_samples() -> None:
    rng = random.Random(1)
    mutated: Counter[int] = Counter()
    for _ in range(20):
        arch = SPACE.trivial()
        for _ in range(300):
            arch = SPACE.mutate(arch, rng)
        mutated.update(arch.choices)
    assert all(mutated[option] == pytest.approx(20 * 46 / 7, rel=0.35) for option in range(7))


# -- classes ------------------------------------------------------------------------------------------


def renamed(arch: Architecture, rng: random.Random) -> Architecture:
    """Motifs in another order, and what leads nowhere drawn anew."""
    motifs, top = SPACE.levels(arch)
    order = rng.sample(range(6), 6)
    moved = [motifs[order.index(m)] for m in range(6)]
    cell = tuple(o if o == NONE else order[o] for o in top)
    for m in range(6):
        if m not in cell:
            moved[m] = tuple(rng.randrange(7) for _ in range(6))
        elif (alive := pruned(moved[m], INNER)) is not None and alive[2] == NONE:  # nodes 2 and 3 exchanged
            a, b, c, d, e, f = moved[m]
            if c == NONE:
                moved[m] = (b, a, c, d, f, e)
    return Architecture("hierarchical", (*(o for motif in moved for o in motif), *cell))


def test_canonical_form_ignores_names_of_motifs_and_order_of_nodes() -> None:
    rng = random.Random(2)
    frame, different = Frame(8, 1, 10, (1, 8, 8)), 0
    for arch in [SPACE.sample(rng) for _ in range(60)]:
        key, other = SPACE.canonical(arch), renamed(arch, rng)
        assert SPACE.canonical(key) == key == SPACE.canonical(other) and SPACE.is_valid(key)
        a, b = (measure(SPACE.network(one, frame)) for one in (arch, key))
        assert (a.parameters, a.macs, a.memory) == (b.parameters, b.macs, b.memory)
        assert sorted(o for *_, o in SPACE.edges(arch)) == sorted(o for *_, o in SPACE.edges(key))
        different += SPACE.canonical(SPACE.mutate(arch, rng)) != key
    assert different > 30
    assert ordered((0, 1, NONE, NONE, 2, 3), INNER) == ordered((1, 0, NONE, NONE, 3, 2), INNER)
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(arch, "algebraic")


def test_inactive_decisions_change_nothing() -> None:
    arch = SPACE.parse(f"{FIRST}|{CHAIN}|{IDLE}||0-06-666-0166")
    assert SPACE.active(arch) == {*range(12), *range(36, 46)}
    other = Architecture("hierarchical", (*arch.choices[:12], *[3] * 24, *arch.choices[36:]))
    assert SPACE.canonical(other) == SPACE.canonical(arch)


# -- networks -----------------------------------------------------------------------------------------


def test_the_network_by_hand() -> None:
    C = 8
    arch = SPACE.parse(f"{FIRST}|{CHAIN}|{IDLE}||0-06-666-0166")

    def cell(C: int) -> int:
        conv1, separable, depthwise = C * C + 2 * C, 9 * C + C * C + 2 * C, 9 * C + 2 * C
        motif = conv1 + separable + depthwise + 2 * C * C + 2 * C  # its output joins two of C channels
        return 2 * motif + 2 * C * C + 2 * C  # the cell's joins the second and the chain

    reductions = 9 * C + C * 2 * C + 4 * C + 9 * 2 * C + 2 * C * 4 * C + 8 * C
    whole = 9 * C + 2 * C + cell(C) + cell(2 * C) + cell(4 * C) + reductions + 10 * (4 * C + 1)
    assert measure(SPACE.network(arch, Frame(C, 1, 10, (1, 8, 8)))).parameters == whole
    twice = measure(SPACE.network(arch, Frame(C, 2, 10, (1, 8, 8)))).parameters
    assert twice == whole + cell(C) + cell(2 * C) + cell(4 * C)
    trivial = measure(SPACE.network(SPACE.trivial(), Frame(C, 1, 10, (1, 8, 8)))).parameters
    assert trivial == 9 * C + 2 * C + reductions + 10 * (4 * C + 1)  # identities have none


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 5, 7), (2, 1, 1)])
def test_any_image_does(image: tuple[int, int, int]) -> None:
    rng = random.Random(3)
    for arch in [SPACE.sample(rng) for _ in range(10)] + [SPACE.trivial("all")]:
        assert measure(SPACE.network(arch, Frame(4, 1, 7, image))).shapes[-1] == (7, 1, 1)


def test_bad_input_is_one_line() -> None:
    for text in ("0-60-660", f"{'|'.join([CHAIN] * 6)}||7-60-660-6660", "6" * 46, "0" * 45, "|" * 5000):
        with pytest.raises(InvalidArchitecture) as raised:
            SPACE.parse(text)
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 1000
    assert SPACE.parse("0" * 46) == SPACE.trivial("all")


def test_drawing() -> None:
    arch = SPACE.sample(random.Random(4))
    graph = SPACE.graph(arch)
    assert graph.nodes[0] == "1" and graph.nodes[-1] == "5" and all(a < b for a, b, _ in graph.edges)
    assert cell_figure(SPACE, arch) is not None
    assert len(PAIRS[5]) == 10
