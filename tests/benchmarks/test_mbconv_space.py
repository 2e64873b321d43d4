"""MnasNet's factorized space and ProxylessNAS' layers: sizes, strings, published counts."""

from __future__ import annotations

import random
from math import prod

import pytest

from nassim.benchmarks.spaces import mbconv_layers
from nassim.benchmarks.spaces.mbconv import LAYERS, PUBLISHED, SPACE, WIDTHS
from nassim.errors import InvalidArchitecture
from nassim.network import Draft, Frame, measure
from nassim.testing import check_space


def test_contract() -> None:
    check_space(SPACE)


@pytest.mark.slow
def test_contract_of_the_layers() -> None:
    check_space(mbconv_layers.SPACE)


def test_a_block_has_432_combinations() -> None:
    assert [prod(SPACE.radices[i] for i in group) for group in SPACE.groups] == [432] * 7
    assert [len(set(widths)) for widths in WIDTHS] == [len(set(layers)) for layers in LAYERS] == [3] * 7
    assert mbconv_layers.SPACE.size == 6**6 * 7**15 == 221502229807900608  # 2.2e17, ProxylessNAS


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_strings_make_the_round_trip(name: str) -> None:
    arch = SPACE.parse(name)
    assert SPACE.format(arch) == PUBLISHED[name]
    assert SPACE.parse(PUBLISHED[name]) == SPACE.parse(f"mbconv:{PUBLISHED[name]}") == SPACE.parse(str(arch)) == arch


def test_every_architecture_makes_the_round_trip() -> None:
    rng = random.Random(0)
    for _ in range(200):
        arch = SPACE.sample(rng)
        assert SPACE.parse(SPACE.format(arch)) == arch


@pytest.mark.parametrize(
    ("name", "published", "exact"),
    # 3.9 and 4.4 M: Tan et al. 2019, table 1; exact: timm's semnasnet_100, torchvision's mnasnet1_0 and mobilenet_v2.
    [("MnasNet-A1", 3.9e6, 3_887_038), ("MnasNet-B1", 4.4e6, 4_383_312), ("MobileNetV2", 3.5e6, 3_504_872)],
)
def test_published_parameters(name: str, published: float, exact: int) -> None:
    found = measure(SPACE.network(SPACE.parse(name), SPACE.frame)).parameters
    assert found == exact and abs(found - published) <= 0.01 * published


def test_multiply_adds_of_a1() -> None:
    """312 M in the paper (table 1)."""
    assert measure(SPACE.network(SPACE.parse("MnasNet-A1"), SPACE.frame)).macs == pytest.approx(312e6, rel=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r1_k3_s11_e1_i32_o16", "1 blocks, not 7"),
        (PUBLISHED["MnasNet-A1"].replace("k3_s11_e1", "k7_s11_e1"), "block0_kernel can be 3, 5, not 7"),
        (PUBLISHED["MnasNet-A1"].replace("o112", "o120"), "block4_width can be 64, 96, 112, not 120"),
        (PUBLISHED["MnasNet-A1"].replace("i40_o80", "i48_o80"), "block 3 has stride 2 and 40 channels"),
        (PUBLISHED["MnasNet-A1"].replace("s22", "s12"), "'r2_k3_s12_e6_i16_o24' is no block"),
        ("MnasNet-A2", "not an architecture of mbconv"),
        ("r" * 5000, "not an architecture of mbconv"),
    ],
)
def test_what_is_no_network_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as raised:
        SPACE.parse(text)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 700


def test_every_decision_changes_the_network() -> None:
    """But for a skip that has no layer to be added to, which needs stride 1 and equal widths."""
    arch, frame = SPACE.parse("MobileNetV2"), Frame(16, 1, 10, (3, 64, 64))
    own = SPACE.network(arch, frame).layers
    same = [
        SPACE.decisions[next(i for i in range(42) if other.choices[i] != arch.choices[i])].name
        for other in SPACE.neighbors(arch)
        if SPACE.network(other, frame).layers == own
    ]
    assert same == ["block0_skip", "block6_skip"]  # identity or none, of a single layer that changes the width


def test_one_5x5_separable_convolution_is_cheaper_than_two_3x3_ones_from_8_channels_on() -> None:
    """Multiply-adds an output channel and pixel: 25 + C against 2 (9 + C)."""

    def macs(kernel: int, times: int, channels: int) -> int:
        draft, x = Draft((channels, 8, 8)), 0
        for i in range(times):
            depthwise = {"channels": channels, "kernel": kernel, "groups": channels}
            x = draft.chain(f"sep{i}", x, ("conv", depthwise), ("conv", {"channels": channels}))
        return measure(draft.network(x)).macs

    for channels in range(1, 65):
        one, two = macs(5, 1, channels), macs(3, 2, channels)
        assert (one, two) == (64 * channels * (25 + channels), 64 * channels * 2 * (9 + channels))
        assert (one < two) is (channels >= 8)
