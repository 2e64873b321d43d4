"""Networks as values: shapes against torch's own, counts by hand, and one clear error for what cannot be."""

from __future__ import annotations

import itertools
import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.errors import InvalidNetwork, Unsupported
from nassim.layers import ACTIVATIONS, KINDS, Shape
from nassim.network import NORMALIZED, RELU, Draft, Frame, Layer, Network, measure, outline
from nassim.registry import get_space


def single(kind: str, *images: Shape, **settings: object) -> Network:
    """A network of one layer; further inputs are convolutions to other shapes."""
    draft = Draft(images[0])
    inputs = [0]
    for i, (channels, height, width) in enumerate(images[1:]):
        stride = (images[0][1] // height, images[0][2] // width)
        inputs.append(draft.add(f"input{i}", "conv", 0, channels=channels, kernel=stride, stride=stride, padding=0))
    return draft.network(draft.add("it", kind, *inputs, **settings))  # type: ignore[arg-type]


def output(network: Network) -> Shape:
    return measure(network).shapes[-1]


def test_counts_by_hand() -> None:
    m = measure(single("conv", (4, 9, 8), channels=6, kernel=(3, 5), stride=(2, 1), groups=2, bias=True))
    assert m.shapes[-1] == (6, 5, 8)
    assert m.parameters == 2 * 6 * 15 + 6
    assert m.macs == 2 * 6 * 15 * 5 * 8
    assert m.memory == 4 * 6 * 5 * 8  # the image itself is not counted
    m = measure(single("linear", (4, 3, 2), channels=5))
    assert (m.shapes[-1], m.parameters, m.macs) == ((5, 1, 1), 5 * 24 + 5, 5 * 24)
    assert measure(single("linear", (4, 3, 2), channels=5, bias=False)).parameters == 5 * 24
    assert measure(single("batch_norm", (4, 3, 2))).parameters == 8
    assert measure(single("batch_norm", (4, 3, 2), affine=False)).parameters == 0


def test_every_kind_makes_the_shape_that_it_should() -> None:
    image = (4, 8, 6)
    assert output(single("activation", image, function="tanh")) == image
    assert output(single("max_pool", image, kernel=2, stride=2)) == (4, 4, 3)
    assert output(single("avg_pool", image, kernel=5, stride=3, padding=0)) == (4, 2, 1)
    assert output(single("global_pool", image)) == (4, 1, 1)
    assert output(single("add", image, image)) == image
    assert output(single("concat", image, (3, 8, 6))) == (7, 8, 6)
    assert output(single("multiply", image, (4, 1, 1))) == image
    assert output(single("resize_channels", image, channels=9)) == (9, 8, 6)
    assert output(single("crop", image)) == (4, 7, 5)
    assert output(single("upsample", image, factor=3)) == (4, 24, 18)
    assert {output(single(kind, image)) for kind in ("identity", "zero", "drop_path")} == {image}


def test_windows_have_the_shape_that_torch_gives_them() -> None:
    torch = pytest.importorskip("torch")
    checked = 0
    for side, kernel, stride, dilation in itertools.product(range(1, 10), range(1, 6), (1, 2, 3), (1, 2)):
        padding = dilation * (kernel - 1) // 2
        try:
            wanted = torch.nn.Conv2d(1, 1, kernel, stride, padding, dilation, device="meta")(
                torch.empty(1, 1, side, side, device="meta")
            ).shape[2:]
        except RuntimeError:
            wanted = ()
        for asked in (padding, "same", (padding, padding)):
            try:
                found = output(
                    single(
                        "conv", (1, side, side), channels=1, kernel=kernel, stride=stride, dilation=dilation,
                        padding=asked,
                    )
                )[1:]  # fmt: skip
            except InvalidNetwork:
                found = ()
            if asked == "same" and kernel % 2 == 0 and dilation == 1:
                assert found == tuple(wanted), (side, kernel, stride)
            elif asked != "same" or kernel % 2:
                assert found == tuple(wanted), (side, kernel, stride, dilation, asked)
                checked += 1
    assert checked > 500


IMAGE = Layer("image", "input", (), {"channels": 3, "height": 4, "width": 4})


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "needs a layer of kind 'input'"),
        ([Layer("a", "relu", (), {})], "'a'.*is not a kind"),
        ([IMAGE, Layer("a", "conv", (0,), {})], "'a'.*needs channels"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 0})], "'a'.*0x4x4"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 2.5})], "'a'.*2.5"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": "many"})], "'a'"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 10**12})], "'a'.*channels cannot be 1000000000000"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "groups": 2})], "'a'.*2 groups do not divide 3"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "stride": 0})], "'a'.*stride 0"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "kernel": (0, 1)})], "'a'.*make no window"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "bias": 1})], "'a'.*bias cannot be 1"),
        ([IMAGE, Layer("a", "max_pool", (0,), {"stride": True})], "'a'.*stride cannot be True"),
        ([IMAGE, Layer("a", "max_pool", (0,), {"padding": 2})], "'a'.*padding 2 is more than half of its kernel 3"),
        ([IMAGE, IMAGE._replace(name="b")], "'b'.*one image"),
        ([IMAGE, Layer("a", "upsample", (0,), {"factor": 10**7})], "'a'.*3x40000000x40000000"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "dilation": 0})], "'a'.*dilation"),
        ([IMAGE, Layer("a", "conv", (0,), {"channels": 4, "kernal": 3})], "'a'.*no setting kernal: use channels"),
        ([IMAGE, Layer("a", "max_pool", (0,), {"kernel": 5, "padding": 0})], "'a'.*nothing is left of maps of 4x4"),
        ([IMAGE, Layer("a", "global_pool", (0,), {}), Layer("b", "crop", (1,), {})], "'b'.*nothing is left"),
        ([IMAGE, Layer("a", "conv", (1,), {"channels": 4})], "'a'.*input 1 is no earlier layer"),
        ([IMAGE, Layer("a", "conv", (-1,), {"channels": 4})], "'a'.*input -1"),
        ([IMAGE, Layer("a", "add", (), {})], "'a'.*0 inputs, not 1 or more"),
        ([IMAGE, Layer("a", "identity", (0, 0), {})], "'a'.*2 inputs, not 1"),
        ([IMAGE, Layer("image", "identity", (0,), {})], "'image'.*same name"),
        ([IMAGE, Layer("", "identity", (0,), {})], "no name"),
        ([IMAGE, Layer("a", "activation", (0,), {"function": "rely"})], "'a'.*rely.*relu"),
        ([IMAGE, Layer("a", "upsample", (0,), {"factor": 0})], "'a'.*factor 0"),
        (
            [IMAGE, Layer("a", "crop", (0,), {}), Layer("b", "add", (0, 1), {})],
            "'b'.*inputs differ: 3x4x4 and 3x3x3",
        ),
        ([IMAGE, Layer("a", "crop", (0,), {}), Layer("b", "concat", (0, 1), {})], "'b'.*maps of 4x4 and 3x3"),
        ([IMAGE, Layer("a", "crop", (0,), {}), Layer("b", "multiply", (0, 1), {})], "'b'.*cannot be multiplied"),
        (
            [IMAGE, Layer("auxiliary.a", "crop", (0,), {}), Layer("b", "identity", (1,), {})],
            "'b'.*auxiliary.a, which only training has",
        ),
        ([IMAGE, Layer("auxiliary.a", "crop", (0,), {})], "'auxiliary.a'.*the last layer is the output"),
    ],
)
def test_what_cannot_be_is_one_error_that_names_the_layer(layers: list[Layer], message: str) -> None:
    with pytest.raises(InvalidNetwork, match=message) as caught:
        measure(Network(tuple(layers)))
    assert "\n" not in str(caught.value)


VALUES = st.one_of(
    st.integers(-2, 6),
    st.sampled_from([2.5, True, None, "same", "x", 10**30]),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
ANY_LAYER = st.builds(
    Layer,
    st.sampled_from(["a", "b", "c.d", "auxiliary.e", ""]),
    st.sampled_from([*KINDS, "relu"]),
    st.lists(st.integers(-1, 4), max_size=3).map(tuple),
    st.dictionaries(
        st.sampled_from(["channels", "kernel", "stride", "padding", "groups", "function", "factor"]), VALUES
    ),
)


@given(st.lists(ANY_LAYER, max_size=4))
def test_nonsense_is_measured_or_refused(layers: list[Layer]) -> None:
    network = Network((IMAGE, *layers))
    try:
        m = measure(network)
    except InvalidNetwork as error:
        assert "\n" not in str(error)
    else:
        assert all(type(side) is int and side > 0 for shape in m.shapes for side in shape)
        assert all(type(size) is int and size >= 0 for size in (*m.layer_parameters, *m.layer_macs, m.memory))


@given(st.lists(ANY_LAYER, max_size=4))
def test_what_is_measured_can_be_built_and_run(layers: list[Layer]) -> None:
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct

    network = Network((IMAGE, *layers))
    with suppress(InvalidNetwork):
        m = measure(network)
        if max(channels for channels, _, _ in m.shapes) < 100:
            module = construct(network).eval()
            out = module(torch.empty(2, 3, 4, 4, device="meta"))
            assert tuple(out.shape) == (2, math.prod(m.shapes[-1]))


def test_auxiliary_layers_are_measured_and_not_summed() -> None:
    draft = Draft((3, 4, 4))
    x = draft.add("stem", "conv", 0, channels=2)
    auxiliary = draft.add("auxiliary.head", "linear", x, channels=5)
    m = measure(draft.network(draft.add("head", "linear", x, channels=5), auxiliary))
    assert m.layer_parameters == (0, 6, 165, 165)
    assert (m.parameters, m.macs, m.memory) == (171, 6 * 16 + 160, 4 * (32 + 5))


def test_a_network_is_a_value_that_json_holds() -> None:
    space = get_space("nasbench201")
    assert space.frame is not None
    a, b = (space.network(space.parse("310423"), space.frame) for _ in range(2))
    assert a == b and json.dumps(a) == json.dumps(b)
    assert a != space.network(space.parse("310421"), space.frame)


def test_an_outline_groups_by_name_and_loses_nothing() -> None:
    draft = Draft((3, 8, 8))
    x = draft.chain("stem", 0, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU)
    left = draft.chain("cells.0.left", x, ("conv", {"channels": 4}), NORMALIZED)
    both = draft.add("cells.0.sum", "add", left, x)
    network = draft.network(draft.add("head", "linear", both, channels=10))
    m = measure(network)
    for lines in (1, 4, 5, 40):
        parts = outline(network, lines)
        assert sum(part.parameters for part in parts) == m.parameters
        assert sum(part.macs for part in parts) == m.macs
    short = outline(network, 4)
    assert [part.name for part in short] == ["image", "stem", "cells", "head"]
    assert short[2].inputs == ("stem",) and short[2].kinds == "conv batch_norm add" and short[2].shape == (4, 8, 8)
    assert [part.name for part in outline(network)] == [layer.name for layer in network.layers]


def test_a_space_without_networks_says_so() -> None:
    toy = get_space("toy")
    with pytest.raises(Unsupported, match="toy says of no network"):
        toy.network(toy.at(0), Frame(4, 1, 2))


def test_the_table_of_kinds_is_whole() -> None:
    assert 12 <= len(KINDS) <= 25
    assert len(set(ACTIVATIONS)) == len(ACTIVATIONS)
