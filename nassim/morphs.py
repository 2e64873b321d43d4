"""Morphs: a network made into another one, so that training need not begin anew.

Sources: Chen, Goodfellow, Shlens, "Net2Net", ICLR 2016, arXiv:1511.05641 (deeper, wider); Wei, Wang, Rui, Chen,
"Network Morphism", ICML 2016, arXiv:1603.01670 (kernels); Elsken et al., arXiv:1711.04528 (skips) and arXiv:1804.09081
(the approximate ones); Cai et al., "Path-Level Network Transformation", ICML 2018, arXiv:1806.02639 (branches).

A morph changes the structure only. Which weights the child takes over, and whether it computes what its parent did,
`nassim.inheritance` says: it follows from the two networks, as layers keep their names. The last part of a new layer's
name says how its weights begin: ``n7.identity`` passes its input on, ``n7.zero`` gives zeros, others are random.

>>> from nassim.network import NORMALIZED, RELU, Draft
>>> draft = Draft((1, 8, 8))
>>> x = draft.chain("n1", 0, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU)
>>> network = draft.network(draft.add("head", "linear", x, channels=10))
>>> [str(morph) for morph in places(network, "widen")], len(places(network, "skip_add"))
(['widen n1.0 to 8'], 6)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress

from nassim.errors import InvalidNetwork
from nassim.layers import Shape
from nassim.morph_changes import CHANGES, ONE_BY_ONE, Morph, is_plain, stride_between, tied
from nassim.network import Network, measure

EXACT = ("deepen", "widen", "skip_add", "skip_concat", "kernel", "branch")
APPROXIMATE = ("prune", "remove", "separate", "remove_skip", "stride")
LARGEST_KERNEL = 7
__all__ = ["APPROXIMATE", "EXACT", "Morph", "morphed", "places", "tied"]


def places(
    network: Network, kind: str, among: Set[str] | None = None, shapes: Sequence[Shape] | None = None
) -> list[Morph]:
    """All places where a kind of morph applies, in the order of layers, each with a usual amount.

    Widths double or halve, kernels grow by two, new layers have kernels of three. ``among``: only at these layers, and
    with skips from them. shapes: of the network's layers, where they are known. `InvalidNetwork` for an unknown kind.
    """
    if kind not in CHANGES:
        raise InvalidNetwork(f"{kind!r:.40} is no morph: use {', '.join(CHANGES)}.")
    shapes, positions = shapes or measure(network).shapes, _positions(network)
    found = [
        morph
        for morph in _candidates(network, shapes, kind)
        if among is None or (morph.place in among and (not morph.source or morph.source in among))
        if not _objection(network, shapes, positions, morph)
    ]
    return found if kind in EXACT else [morph for morph in found if _can_be(network, morph)]


def morphed(network: Network, morph: Morph, shapes: Sequence[Shape] | None = None) -> Network:
    """The child; `InvalidNetwork` with the reason where the morph does not apply.

    shapes: of the network's layers, where they are known; then it is for the caller to `measure` the child.
    """
    if morph.kind not in CHANGES:
        raise InvalidNetwork(f"{morph.kind!r:.40} is no morph: use {', '.join(CHANGES)}.")
    known = measure(network).shapes if shapes is None else shapes
    if reason := _objection(network, known, _positions(network), morph):
        raise InvalidNetwork(f"the morph {str(morph)[:120]} does not apply: {reason}.")
    child = CHANGES[morph.kind](network, morph, known)
    try:
        if shapes is None:
            measure(child)
    except InvalidNetwork as error:
        raise InvalidNetwork(f"the morph {str(morph)[:120]} does not apply: {error}") from None
    return child


def _can_be(network: Network, morph: Morph) -> bool:
    """Whether the rest of the network takes what an approximate morph makes of a layer."""
    with suppress(InvalidNetwork):
        morphed(network, morph)
        return True
    return False


# -- where ------------------------------------------------------------------------------------------------


def _candidates(network: Network, shapes: Sequence[Shape], kind: str) -> Iterator[Morph]:
    for i, layer in enumerate(network.layers[:-1]):
        width = shapes[i][0]
        if kind in ("deepen", "branch"):
            yield Morph(kind, layer.name, 3)
        elif kind == "widen":
            yield Morph(kind, layer.name, 2 * width)
        elif kind == "prune":
            yield Morph(kind, layer.name, width // 2)
        elif kind == "kernel":
            kernel = layer.settings.get("kernel", 1)
            yield Morph(kind, layer.name, kernel + 2 if isinstance(kernel, int) else 0)
        elif kind == "stride":
            yield Morph(kind, layer.name, 1 if layer.settings.get("stride", 1) == 2 else 2)
        elif kind in ("skip_add", "skip_concat"):
            yield from (Morph(kind, layer.name, 0, before.name) for before in network.layers[:i])
        else:
            yield Morph(kind, layer.name)


def _positions(network: Network) -> dict[str, int]:
    return {layer.name: i for i, layer in enumerate(network.layers)}


def _objection(network: Network, shapes: Sequence[Shape], positions: Mapping[str, int], morph: Morph) -> str:
    """Why a morph does not apply; empty if it does."""
    kind, place, amount, source = morph
    if place not in positions or (source and source not in positions):
        return f"the network has no layer {place if place not in positions else source!s:.80}"
    i = positions[place]
    layer = network.layers[i]
    if i == len(network.layers) - 1:
        return "it is the output"
    if kind in ("widen", "prune"):
        more = kind == "widen"
        if layer.kind not in ("conv", "linear") or not is_plain(layer):
            return f"only convolutions and linear layers have a width, and this is a {layer.kind}"
        if not tied(network, place):
            return "its width is also that of what cannot change"
        if not (amount > shapes[i][0] if more else 1 <= amount < shapes[i][0]):
            return f"its width is {shapes[i][0]}, and {amount} is not {'more' if more else 'less'}"
    elif kind in ("kernel", "separate", "stride"):
        kernel, stride = layer.settings.get("kernel", 1), layer.settings.get("stride", 1)
        if layer.kind != "conv" or layer.settings.get("padding", "same") != "same" or not isinstance(kernel, int):
            return f"it takes a convolution with equal sides that keeps its map's, and this is a {layer.kind}"
        if kind == "kernel" and not (kernel < amount <= LARGEST_KERNEL and kernel % 2 == amount % 2 == 1):
            return f"the kernel {kernel} grows to an odd number up to {LARGEST_KERNEL}, not to {amount}"
        if kind == "separate" and (kernel == 1 or not is_plain(layer)):
            return "it is no whole convolution with a kernel above 1"
        if kind == "separate" and f"{place.rpartition('.')[0]}.point" in positions:
            return "it was separated before"
        if kind == "stride" and (amount < 1 or amount == stride):
            return f"its stride is {stride}, and {amount} is no other"
    elif kind in ("deepen", "branch"):
        if kind == "branch" and not (layer.kind == "conv" and is_plain(layer)):
            return f"it takes a whole convolution, and this is a {layer.kind}"
        if layer.kind in ("linear", "global_pool"):
            return f"behind a layer of kind {layer.kind} there are no maps"
        if amount % 2 == 0 or not 1 <= amount <= LARGEST_KERNEL:
            return f"a kernel is an odd number up to {LARGEST_KERNEL}, not {amount}"
    elif kind in ("skip_add", "skip_concat"):
        j = positions.get(source, i)
        if j >= i:
            return "a skip comes from an earlier layer"
        if layer.kind in ("linear", "global_pool") or not stride_between(shapes[j], shapes[i]):
            return f"maps of {shapes[j][1:]} do not become those of {shapes[i][1:]} by a stride"
    elif kind == "remove":
        if layer.kind not in ("conv", *ONE_BY_ONE) or shapes[layer.inputs[0]] != shapes[i]:
            return "only what keeps the shape of its input can be left out"
    elif kind == "remove_skip" and (layer.kind != "add" or len(layer.inputs) < 2):
        return "it is no sum"
    return ""
