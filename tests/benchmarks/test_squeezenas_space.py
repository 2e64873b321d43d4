"""SqueezeNAS' space: published counts, strings, and that a supernet holds its architectures."""

from __future__ import annotations

import random

import pytest

from nassim.benchmarks.spaces.squeezenas import BLOCKS, PUBLISHED, SHORT_SPACE, SKIP, SPACE
from nassim.errors import InvalidArchitecture, InvalidNetwork
from nassim.network import Frame, measure
from nassim.segmentation import SegmentationSpace
from nassim.testing import check_space

SMALL_FRAME = Frame(8, 1, 7, (1, 32, 32))


@pytest.mark.slow
@pytest.mark.parametrize("space", [SPACE, SHORT_SPACE], ids=lambda space: space.name)
def test_contract(space: SegmentationSpace) -> None:
    check_space(space)


def test_thirteen_candidates_a_block_with_dilation() -> None:
    assert len(BLOCKS) == 12 and {len(d.options) for d in SPACE.decisions} == {13}
    assert [name for name, block in BLOCKS.items() if block.dilation == 2] == [
        *("k3_e1_d2", "k3_e1_g2_d2", "k3_e3_d2", "k3_e6_d2")
    ]
    assert {(block.kernel, block.expansion, block.groups) for block in BLOCKS.values() if block.dilation == 1} == {
        (kernel, *way) for kernel in (3, 5) for way in ((1, 1), (1, 2), (3, 1), (6, 1))
    }
    assert SPACE.size == 13**20 and round(SPACE.size / 1e22, 1) == 1.9 and SHORT_SPACE.size == 13**6
    assert [width for width, _ in SPACE.places] == [16] * 4 + [24] * 4 + [40] * 4 + [48] * 4 + [96] * 4
    assert [stride for _, stride in SPACE.places if stride > 1] == [2, 2, 2]


@pytest.mark.parametrize(
    ("name", "published"),  # `eval.py` of the authors, as their README has it
    [("mac_small", 3.007512576000001), ("lat_small", 4.46)],
)
def test_published_multiply_adds(name: str, published: float) -> None:
    """But for the means of four windows in the authors' decoder, of which here there is one, of the whole map."""
    arch = SPACE.parse(name)
    windows = 3 * 256 * 128
    found = measure(SPACE.network(arch, SPACE.frame)).macs + windows
    assert found == (3_007_512_576 if name == "mac_small" else 4_465_098_752)
    assert found / 1e9 == pytest.approx(published, abs=0.0052 if name == "lat_small" else 1e-12)


def test_every_pixel_gets_its_classes_and_the_decoder_has_a_skip() -> None:
    rng = random.Random(0)
    for space in (SPACE, SHORT_SPACE):
        for side in (16, 32, 64):
            network = space.network(space.sample(rng), Frame(5, 1, 3, (3, side, side)))
            assert measure(network).shapes[-1] == (3, side, side)
        network = space.network(space.parse("-".join("0" for _ in space.decisions)), SMALL_FRAME)
        names = [layer.name for layer in network.layers]
        added = network.layers[names.index("decoder.sum")]
        low = network.layers[added.inputs[1]]
        assert network.layers[low.inputs[0]].name == f"blocks.{space.form.low}.sum"
    with pytest.raises(InvalidNetwork, match=r"decoder\.sum"):
        measure(SPACE.network(SPACE.parse("-".join(["0"] * 20)), Frame(8, 1, 3, (3, 20, 20))))


def test_strings_make_the_round_trip() -> None:
    rng = random.Random(0)
    for space in (SPACE, SHORT_SPACE):
        for _ in range(50):
            arch = space.sample(rng)
            assert space.parse(space.format(arch)) == space.parse(str(arch)) == arch
            assert space.parse(f"{space.name}:{space.format(arch)}") == arch
    assert SPACE.format(SPACE.parse("squeezenas:mac_small")) == PUBLISHED["mac_small"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k3_e1,skip", "has 6 blocks, not 2"),
        ("k3_e1,skip,k7_e1,skip,skip,skip", "'k7_e1' is not a block of squeezenas-short: use k3_e1"),
        ("skip", "has 6 blocks, not 1"),
        ("mac_small", "is not an architecture of squeezenas-short. Write 6 blocks"),
        ("1-2-3-4-5-13", "is not an architecture of squeezenas-short"),
        ("k" * 5000, "is not a block"),
        (",".join(["skip"] * 900), "is not a block|blocks, not"),
        ("", "is not an architecture"),
    ],
)
def test_what_is_no_network_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as raised:
        SHORT_SPACE.parse(text)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 700


def test_skip_is_nothing_where_the_shape_stays_and_a_projection_elsewhere() -> None:
    arch = SHORT_SPACE.parse(",".join([SKIP] * 6))
    network = SHORT_SPACE.network(arch, SMALL_FRAME)
    names = [layer.name for layer in network.layers if layer.name.startswith("blocks.")]
    assert {int(name.split(".")[1]) for name in names} == {2, 4}  # the two that change the shape
    assert sum(layer.kind == "conv" for layer in network.layers if layer.name.startswith("blocks.")) == 4
