"""The space of chains with skips: counts, strings, absent layers, anchor points and networks."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.benchmarks.spaces.chain import SPACE, ChainSpace
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, measure
from nassim.testing import check_space

TEXT = "3x3/1x1*36|5x7/2x1*24@1|1x1/1x1*64@1.2|3x3/1x1*24|3x3/1x1*24@4|7x7/1x1*48@3.5"


@pytest.mark.parametrize("layers", [1, 2, 6, 15])
def test_counts(layers: int) -> None:
    fixed = ChainSpace("fixed", layers, layers, strides=(1,))
    assert fixed.size == 64**layers * 2 ** (layers * (layers - 1) // 2)
    free = ChainSpace("free", layers, layers)
    assert free.size == fixed.size * 9**layers, "a stride is two tokens: one down, one across"
    assert SPACE.size == 576**6 * 720**9 * 2**105


def test_a_layer_is_said_in_the_published_order() -> None:
    assert [SPACE.decisions[k].name for k in SPACE.groups[2]] == [
        *("layer3_filter_height", "layer3_filter_width", "layer3_stride_height", "layer3_stride_width"),
        *("layer3_filters", "layer1->layer3", "layer2->layer3"),
    ]
    assert [len(bits) for bits in SPACE.anchors] == list(range(15))
    assert {SPACE.decisions[k].name for k in SPACE.absent} == {f"layer{i}_filter_height" for i in range(7, 16)}


def test_a_small_space_keeps_the_contract() -> None:
    check_space(ChainSpace("small", 1, 2, strides=(1,)))


def test_strings() -> None:
    arch = SPACE.parse(TEXT)
    assert SPACE.format(arch) == TEXT and arch == SPACE.parse(f"chain:{TEXT}") == SPACE.parse(str(arch))
    layers = SPACE.layers(arch)
    assert layers[1] == ((5, 7), (2, 1), 24, (0,)) and layers[3].inputs == () and layers[5].inputs == (2, 4)
    gone = f"{TEXT}|-x3/1x1*24|3x3/1x1*24@7"
    assert SPACE.format(SPACE.parse(gone)) == gone


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("|7x7/1x1*48@3.5", ""), "it has 5 layers, not 6 to 15"),
        (TEXT.replace("@1.2", "@2.1"), "fed by 2.1: name earlier layers"),
        (TEXT.replace("@1.2", "@1.1"), "each once"),
        (TEXT.replace("@1.2", "@3"), "fed by 3"),
        (TEXT.replace("3x3/1x1*36", "2x3/1x1*36"), "side, stride or width that there is not"),
        (TEXT.replace("*36", "*37"), "that there is not"),
        (TEXT.replace("3x3/1x1*36", "-x3/1x1*36"), "layer 1 cannot be absent"),
        (TEXT.replace("/2x1", "/2"), "is not HEIGHTxWIDTH"),
        ("3x3/1x1*36|" * 400, "is not an architecture"),
        (TEXT + "|3x3/1x1*24" * 10, "it has 16 layers"),
    ],
)
def test_what_is_no_architecture_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitecture, match=message) as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1200


@given(st.text(alphabet="0123456789x/*@.|-", max_size=200))
def test_nonsense_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidArchitecture):
        SPACE.parse("3x3/1x1*36|x" + text)


def test_settings_that_cannot_be() -> None:
    for wrong in ({"least": 0}, {"least": 7, "most": 6}, {"most": 51}, {"strides": ()}, {"strides": (4,)}):
        with pytest.raises(InvalidSetting, match="cannot be"):
            ChainSpace("wrong", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(SPACE.at(0), "algebraic")


def test_absent_layers_are_dropped() -> None:
    """All architectures of one to three layers: classes are the networks; each canonical one says nothing unused."""
    small = ChainSpace("small", 1, 3, strides=(1,))
    rng = random.Random(0)
    for arch in [small.sample(rng) for _ in range(300)]:
        canonical = small.canonical(arch)
        assert small.layers(canonical) == small.layers(arch)
        assert small.canonical(canonical) == canonical and len(small.present(canonical)) == len(small.present(arch))
        for k in set(range(len(arch.choices))) - small.active(arch):
            for other in small._others[k][arch.choices[k]]:
                changed = type(arch)(small.name, (*arch.choices[:k], other, *arch.choices[k + 1 :]))
                assert small.canonical(changed) == canonical
    a = SPACE.parse(f"{TEXT}|-x5/3x3*64@1|3x3/1x1*24@6.7")
    b = SPACE.parse(f"{TEXT}|3x3/1x1*24@6")
    assert a != b and SPACE.canonical(a) == SPACE.canonical(b) == b


def test_mutations_always_change_the_network() -> None:
    rng = random.Random(1)
    arch = SPACE.sample(rng)
    for _ in range(300):
        mutant = SPACE.mutate(arch, rng)
        assert SPACE.layers(mutant) != SPACE.layers(arch) and mutant in SPACE.neighbors(arch)
        arch = mutant


def test_what_nothing_feeds_takes_the_image_and_what_feeds_nothing_is_concatenated() -> None:
    network = SPACE.network(SPACE.parse(TEXT), Frame(24, 1, 10, (3, 16, 16)))
    measured = measure(network)
    shapes = {layer.name: shape for layer, shape in zip(network.layers, measured.shapes, strict=True)}
    layer = {layer.name: layer for layer in network.layers}
    assert layer["layers.0.0"].inputs == layer["layers.3.0"].inputs == (0,)
    assert shapes["layers.1.2"] == (24, 8, 16)  # a stride of 2 down and of 1 across
    assert shapes["layers.2.pad1"] == (24, 16, 16) and shapes["layers.2.concat"] == (60, 16, 16)
    assert "ends.concat" not in shapes and shapes["pool"] == (48, 1, 1)  # the last layer alone is left over
    loose = SPACE.parse("|".join(["1x1/1x1*24"] * 5 + ["1x1/3x3*64"]))
    network = SPACE.network(loose, Frame(24, 1, 10, (3, 16, 16)))
    shapes = {x.name: s for x, s in zip(network.layers, measure(network).shapes, strict=True)}
    assert shapes["ends.pad5"] == (64, 16, 16) and shapes["ends.concat"] == (5 * 24 + 64, 16, 16)


def test_parameters_against_a_formula() -> None:
    rng = random.Random(2)
    for arch in [SPACE.sample(rng) for _ in range(20)]:
        layers = SPACE.layers(arch)
        widths = [layer.filters for layer in layers]
        weights = sum(
            layer.kernel[0] * layer.kernel[1] * (sum(widths[j] for j in layer.inputs) or 3) * layer.filters
            + 2 * layer.filters
            for layer in layers
        )
        ends = sum(set_width for i, set_width in enumerate(widths) if all(i not in x.inputs for x in layers))
        assert measure(SPACE.network(arch, SPACE.frame)).parameters == weights + 10 * ends + 10


def test_maps_of_any_images_fit() -> None:
    rng = random.Random(3)
    for image, _ in product(((1, 1, 1), (3, 5, 7), (1, 8, 8)), range(20)):
        assert measure(SPACE.network(SPACE.sample(rng), Frame(4, 1, 3, image))).shapes[-1] == (3, 1, 1)


def test_torch_pads_as_the_shapes_say() -> None:
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct, initialize
    from nassim.network import Draft

    draft = Draft((1, 2, 3))
    module = construct(draft.network(draft.add("wider", "pad", 0, height=5, width=4)))
    initialize(module, torch.Generator().manual_seed(0))
    out = module(torch.ones(1, 1, 2, 3))  # flat
    expected = np.zeros((5, 4))
    expected[1:3, :3] = 1.0
    assert out.reshape(5, 4).tolist() == expected.tolist()
