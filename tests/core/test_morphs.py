"""Morphs as changes of values: where they apply, what they make, and what they say where they do not."""

from __future__ import annotations

import pytest

from nassim.channels import assigned
from nassim.errors import InvalidNetwork, InvalidQuery
from nassim.inheritance import inherited
from nassim.morphs import APPROXIMATE, EXACT, Morph, morphed, places, tied
from nassim.network import NORMALIZED, RELU, Draft, Network, measure


def residual() -> Network:
    """A stem, a block that is added to it, a strided convolution beside a pooling, concatenated, and a head."""
    draft = Draft((3, 8, 8))
    x = draft.chain("n1", 0, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU)
    y = draft.chain("n2", x, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED)
    x = draft.add("n3.relu", "activation", draft.add("n3.add", "add", x, y))
    left = draft.chain("n4", x, ("conv", {"channels": 6, "kernel": 3, "stride": 2}), RELU)
    right = draft.add("n5.pool", "max_pool", x, kernel=3, stride=2)
    x = draft.add("n6.concat", "concat", left, right)
    return draft.network(draft.add("head", "linear", x, channels=5))


def test_all_places_are_listed() -> None:
    network = residual()
    assert [m.place for m in places(network, "widen")] == ["n1.0", "n2.0", "n4.0"]
    assert [m.place for m in places(network, "kernel")] == ["n1.0", "n2.0", "n4.0"]
    assert len(places(network, "deepen")) == len(network.layers) - 1  # behind every layer but the output
    assert {m.place for m in places(network, "remove_skip")} == {"n3.add"}
    # A skip leads from every layer to every later one whose maps a stride can make; no map grows.
    sides = [shape[1] for shape in measure(network).shapes]
    pairs = sum(sides[j] >= sides[i] for i in range(len(sides) - 1) for j in range(i))
    assert len(places(network, "skip_add")) == len(places(network, "skip_concat")) == pairs


@pytest.mark.parametrize("kind", [*EXACT, *APPROXIMATE])
def test_every_listed_place_can_be_morphed(kind: str) -> None:
    network = residual()
    found = places(network, kind)
    assert found
    before = measure(network).parameters
    for morph in found:
        after = measure(morphed(network, morph)).parameters
        if kind in EXACT and kind != "skip_concat":
            assert after > before
        if kind in ("prune", "separate", "remove_skip"):
            assert after < before
        assert inherited(network, morphed(network, morph)).exact or kind in APPROXIMATE


def test_widths_that_a_sum_joins_change_together() -> None:
    network = residual()
    assert tied(network, "n1.0") == tied(network, "n2.0") == ("n1.0", "n2.0")
    child = morphed(network, Morph("widen", "n2.0", 7))
    widths = {layer.name: layer.settings.get("channels") for layer in child.layers if layer.kind == "conv"}
    assert widths == {"n1.0": 7, "n2.0": 7, "n4.0": 6}
    # Behind the concatenation six channels keep their places and the pooled ones are found where they are now.
    head = inherited(network, child).layers["head"].inputs
    assert head == (*range(6), 6, 7, 8, 9, 6, 7, 8)


def test_shares_of_copies_add_up() -> None:
    inputs, shares, found = assigned([5, 6, 5, 5, -1, -2], [5, 6])
    assert inputs == [0, 1, 0, 0, -1, -1] and found
    assert sum(shares[i] for i in (0, 2, 3)) == pytest.approx(1.0) and len({shares[i] for i in (0, 2, 3)}) == 3
    assert not assigned([5], [5, 6])[2] and assigned([5], [5, -2])[2]


def test_names_are_what_layers_are_known_by() -> None:
    network = residual()
    renamed = network._replace(layers=tuple(layer._replace(name=f"x{layer.name}") for layer in network.layers))
    found = inherited(network, renamed)
    assert not found.exact and {begun.start for begun in found.layers.values()} <= {"random", "identity"}
    assert inherited(network, network).exact and inherited(network, network, "match").exact
    with pytest.raises(InvalidQuery, match="is no way to inherit"):
        inherited(network, network, "wish")


@pytest.mark.parametrize(
    ("morph", "said"),
    [
        (Morph("widen", "head", 9), "it is the output"),
        (Morph("widen", "image", 9), "only convolutions and linear layers have a width"),
        (Morph("widen", "n1.0", 1), "is not more"),
        (Morph("prune", "n1.0", 4), "is not less"),
        (Morph("widen", "nowhere", 9), "no layer nowhere"),
        (Morph("fold", "n1.0"), "'fold' is no morph: use deepen"),
        (Morph("kernel", "n1.0", 4), "odd number"),
        (Morph("kernel", "n1.0", 99), "up to 7"),
        (Morph("skip_add", "n1.0", 0, "n1.2"), "earlier layer"),
        (Morph("skip_add", "n1.0", 0, "elsewhere"), "no layer elsewhere"),
        (Morph("remove", "n1.0"), "keeps the shape"),
        (Morph("deepen", "head", 3), "it is the output"),
        (Morph("branch", "n3.add", 3), "whole convolution"),
        (Morph("stride", "image", 2), "takes a convolution"),
        (Morph("stride", "n2.0", 2), "its inputs differ"),
        (Morph("remove_skip", "n1.0"), "no sum"),
    ],
)
def test_a_morph_where_it_does_not_apply_is_one_line(morph: Morph, said: str) -> None:
    with pytest.raises(InvalidNetwork, match=said) as caught:
        morphed(residual(), morph)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_an_unknown_kind_has_no_places() -> None:
    with pytest.raises(InvalidNetwork, match="is no morph"):
        places(residual(), "fold")
