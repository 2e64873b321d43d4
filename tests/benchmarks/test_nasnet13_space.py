"""NASNet's own space: thirteen operations, sums and concatenations; counts, strings, channels, networks."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.benchmarks.spaces import nasnet13_network
from nassim.benchmarks.spaces.nasnet13 import SPACE, NASNet13Space
from nassim.benchmarks.spaces.nasnet13_network import COMBINED, OPERATIONS, Cell, unused
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Draft, Frame, measure
from nassim.testing import check_space

SMALL = Frame(8, 1, 10, (3, 16, 16))
TEXT = "|".join(["sep3~0+identity~1"] * 4 + ["max5~2&conv1~5"]) + "||" + "|".join(["avg3~0&avg3~1"] * 5)


def test_counts() -> None:
    per_cell = 1
    for b in range(5):
        per_cell *= (b + 2) ** 2 * 13**2 * 2
    assert SPACE.size == per_cell**2 and f"{per_cell:.3e}" == "2.287e+18"
    assert len(OPERATIONS) == len(set(OPERATIONS)) == 13 and len(SPACE.decisions) == 50


def test_a_block_is_said_in_the_published_order() -> None:
    names = [SPACE.decisions[k].name.removeprefix("normal_block2_") for k in SPACE.groups[2]]
    assert names == ["first_input", "second_input", "first_operation", "second_operation", "combine"]


def test_a_smaller_space_keeps_the_contract() -> None:
    check_space(NASNet13Space("small", blocks=1))
    for blocks in (0, 9):
        with pytest.raises(InvalidSetting, match="1 to 8"):
            NASNet13Space("wrong", blocks=blocks)


def test_no_decision_can_take_a_later_state() -> None:
    """The controller cannot say a forward reference: a state is an option of a block only if it is earlier."""
    rng = random.Random(0)
    for arch in [SPACE.sample(rng) for _ in range(10_000)]:
        for cell in SPACE.cells(arch):
            assert all(max(block.first[0], block.second[0]) <= b + 1 for b, block in enumerate(cell))
    inputs = [d for d in SPACE.decisions if d.name.endswith("input")]
    assert [len(d.options) for d in inputs] == [b + 2 for _ in range(2) for b in range(5) for _ in range(2)]


def channels(cell: Cell, F: int) -> int:
    """Of a cell's output, by hand: F for a sum, 2 F for a concatenation, F for an input that no block takes."""
    widths = [F, F, *(F if COMBINED[block.combine] == "add" else 2 * F for block in cell)]
    return sum(widths[state] for state in unused(cell))


@pytest.mark.parametrize("samples", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_channels_are_consistent_for_every_sampled_cell(samples: int) -> None:
    """Layer by layer, in normal and in reduction cells: what follows from add and concat, and every sum fits."""
    rng = random.Random(1)
    for _ in range(samples // 2):
        for cell, stride in zip(SPACE.cells(SPACE.sample(rng)), (1, 2), strict=True):
            draft = Draft((4, 8, 8))
            draft.add("other", "identity", 0)
            last = nasnet13_network._cell(draft, "cell", (0, 1), cell, 4, stride)
            shape = measure(draft.network(last)).shapes[-1]
            assert shape == (channels(cell, 4), 8 // stride, 8 // stride)


def test_strides_stand_on_inputs_of_reduction_cells_alone() -> None:
    rng = random.Random(2)
    for arch in [SPACE.sample(rng) for _ in range(50)]:
        network = SPACE.network(arch, SMALL)
        _, reduction = SPACE.cells(arch)
        for x in network.layers:
            stride = x.settings.get("stride", 1)
            if stride in (1, (1, 1)) or ".input" in x.name or ".unused" in x.name:
                continue
            cell, block, side = (int(part) for part in x.name.split(".")[1:5:1] if part.isdigit())
            state = (reduction[block].first, reduction[block].second)[side][0]
            assert cell in (1, 3) and state < 2


def test_other_sizes_are_other_networks_of_the_same_cells() -> None:
    """Stacked anew with other N and C: the architecture is the same value, only the frame differs."""
    rng = random.Random(3)
    for arch in [SPACE.sample(rng) for _ in range(20)]:
        small, large = (SPACE.network(arch, Frame(F, N, 10, (3, 16, 16))) for F, N in ((8, 1), (12, 3)))
        normal, reduction = SPACE.cells(arch)
        assert measure(small).parameters < measure(large).parameters
        kinds = [Counter(x.name.split(".blocks")[0] for x in n.layers if ".blocks" in x.name) for n in (small, large)]
        assert len(kinds[0]) == 5 and len(kinds[1]) == 11

        def operations(network: object, cell: int) -> list[tuple[str, str]]:
            begin = f"cells.{cell}."
            return [(x.name[len(begin) :], x.kind) for x in network.layers if x.name.startswith(begin + "blocks")]  # type: ignore[attr-defined]

        assert operations(small, 0) == operations(large, 0) == operations(large, 8)
        assert operations(small, 1) == operations(large, 3) and normal is not reduction


def test_published_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    arch, frame = SPACE.parse("NASNet-A"), Frame(32, 6, 10)
    assert measure(SPACE.network(arch, frame)).parameters == 3_061_738
    loose = nasnet13_network.unused
    assert [len(loose(cell)) for cell in SPACE.cells(arch)] == [5, 3]
    monkeypatch.setattr(nasnet13_network, "unused", lambda cell: [0] * (len(loose(cell)) == 5) + loose(cell))
    network = SPACE.network(arch, frame)
    measured = measure(network)
    assert measured.parameters == 3_287_274 and round(measured.parameters / 1e6, 1) == 3.3
    assert measured.shapes[-2] == (768, 1, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("how", "+&")
def test_parameters_of_each_operation(operation: str, how: str) -> None:
    """What an operation costs on a state of 8 channels, and on one that was concatenated."""
    C = 8
    small = NASNet13Space("two", blocks=2)
    width = C if how == "+" else 2 * C
    brought = 0 if how == "+" else 2 * C * C + 2 * C
    by_hand = {
        **dict.fromkeys(("identity", "avg3", "max3", "max5", "max7"), brought),
        **{f"conv{k}": k * k * width * C + 2 * C for k in (1, 3)},
        **{f"1x{k}-{k}x1": k * width * C + k * C * C + 2 * C for k in (3, 7)},
        **{f"sep{k}": k * k * width + width * C + 2 * C + k * k * C + C * C + 2 * C for k in (3, 5, 7)},
        "dil3": 9 * width + width * C + 2 * C,
    }
    arch = small.parse(f"max3~0{how}max3~1|{operation}~2+max3~1||max3~0+max3~1|max3~0+max3~1")
    network = small.network(arch, SMALL)
    sizes = zip(network.layers, measure(network).layer_parameters, strict=True)
    assert sum(n for x, n in sizes if x.name.startswith("cells.0.blocks.1.0")) == by_hand[operation]


def test_strings() -> None:
    arch = SPACE.parse(TEXT)
    assert SPACE.format(arch) == TEXT and arch == SPACE.parse(f"nasnet13:{TEXT}") == SPACE.parse(str(arch))
    assert SPACE.parse("nasnet13:NASNet-A") == SPACE.parse("NASNet-A")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.partition("||")[0], "1 cells, not 2"),
        (TEXT + "||" + TEXT, "4 cells, not 2"),
        (TEXT.replace("conv1~5", "conv1~6"), "block 4 takes state 6: the earlier ones are 0 to 5"),
        (TEXT.replace("max5~2", "max9~2"), "is not operation~state"),
        (TEXT.replace("|max5~2&conv1~5", ""), "4 blocks in a cell, not 5"),
        (TEXT * 9, "is not an architecture"),
    ],
)
def test_what_is_no_architecture_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1200


@given(st.text(alphabet="sepidntyavgmxl0123456789~+&|-", max_size=200))
def test_nonsense_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidArchitecture):
        SPACE.parse("sep3~0+x" + text)


def test_the_order_of_halves_is_no_difference() -> None:
    rng = random.Random(5)
    for arch in [SPACE.sample(rng) for _ in range(30)]:
        swapped = [[b._replace(first=b.second, second=b.first) for b in cell] for cell in SPACE.cells(arch)]
        other = SPACE.of_cells(*swapped)
        assert SPACE.canonical(other) == SPACE.canonical(arch)
        a, b = (measure(SPACE.network(one, SMALL)) for one in (arch, SPACE.canonical(arch)))
        assert (a.parameters, a.macs, a.memory) == (b.parameters, b.macs, b.memory)
    with pytest.raises(InvalidSetting, match="published"):
        SPACE.canonical(SPACE.at(0), "algebraic")
