"""Which weights of a trained network another one takes over, and whether it then computes the same.

Nothing is remembered of how the second was made of the first: layers are the same if they have the same name, and what
a channel carries is followed through both networks. Each channel of the child is given, where that can be shown, the
channel of the parent whose values it carries; a layer that finds all channels it knew computes what it did, whatever
else it is fed, and the child is *exact* if the output is reached so. That is meant of evaluation: in training, batches
are normalized by their own moments.

`nassim.full_training.networks.transfer` moves the weights.

>>> from nassim.morphs import Morph, morphed
>>> from nassim.network import NORMALIZED, RELU, Draft
>>> draft = Draft((1, 8, 8))
>>> x = draft.chain("n1", 0, ("conv", {"channels": 2, "kernel": 3}), NORMALIZED, RELU)
>>> parent = draft.network(draft.add("head", "linear", x, channels=10))
>>> found = inherited(parent, morphed(parent, Morph("widen", "n1.0", 3)))
>>> found.exact, found.layers["n1.0"].outputs, found.layers["head"].inputs
(True, (0, 1, 0), (0, 1, 0))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nassim.channels import UNKNOWN, ZERO, assigned, passed_on
from nassim.errors import InvalidQuery
from nassim.layers import KINDS
from nassim.morph_changes import is_depthwise, is_plain
from nassim.network import Layer, Network, measure
from nassim.query import WAYS

_RECTIFIERS = ("relu", "relu6", "sigmoid", "hard_sigmoid")
_ALONE = ("activation", "max_pool", "avg_pool", "global_pool", "identity", "drop_path", "crop", "upsample")
_KEEPING_SIGN = ("max_pool", "avg_pool", "global_pool", "identity", "drop_path", "crop", "upsample", "add")


class Begun(NamedTuple):
    """How the weights of one of the child's layers begin.

    start: "copy" of the parent's ``layer``; "identity" passes the input on (a normalization: by the moments of what
        it is given); "zero"; "random", as from scratch; "depth" and "point", the two halves of the parent's ``layer``.
    outputs, inputs: for each of the child's channels the parent's, -1 for one that the parent has not; an identity's
        inputs are those of its own input channels that it passes on.
    shares: the part of the weights of each input, where several carry the same.
    """

    start: str
    layer: str = ""
    outputs: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()


class Inheritance(NamedTuple):
    """For each layer of the child that has weights how they begin; whether the child computes what the parent does."""

    layers: Mapping[str, Begun]
    exact: bool


def inherited(
    parent: Network, child: Network, way: str = "morph", order: Mapping[str, Sequence[int]] | None = None
) -> Inheritance:
    """What ``child`` takes over of ``parent``.

    way: "morph", "norm" and "distill" follow channels; where a layer is narrower than it was it keeps the first of
        ``order``, its channels by importance (none given: the first channels). "match" copies the layers whose name and
        shapes are the same, and nothing else.
    """
    if way not in WAYS:
        raise InvalidQuery(f"inherit={way!r:.40} is no way to inherit weights: use {', '.join(WAYS)}.")
    if way == "match":
        return _matching(parent, child)
    return _Followed(parent, child, order or {}).inheritance


def _matching(parent: Network, child: Network) -> Inheritance:
    before, after = measure(parent), measure(child)
    known = {layer.name: i for i, layer in enumerate(parent.layers)}
    found = {}
    for i, layer in enumerate(child.layers):
        if not after.layer_parameters[i]:
            continue
        j = known.get(layer.name, -1)
        same = j >= 0 and _weights(parent, j) == _weights(child, i)
        if same:
            same = before.shapes[j][0] == after.shapes[i][0] and _fed(parent, j, before) == _fed(child, i, after)
        found[layer.name] = Begun("copy", layer.name) if same else Begun("random")
    return Inheritance(found, parent == child)


def _weights(network: Network, position: int) -> object:
    layer = network.layers[position]
    settings = {**KINDS[layer.kind].settings, **layer.settings}
    return layer.kind, settings.get("kernel"), settings.get("groups"), settings.get("bias"), settings.get("affine")


def _fed(network: Network, position: int, measured: Any) -> object:
    layer = network.layers[position]
    shape = measured.shapes[layer.inputs[0]]
    return shape if layer.kind == "linear" else shape[0]


class _Followed:
    """Channels as numbers, the same in both networks where their values are the same."""

    def __init__(self, parent: Network, child: Network, order: Mapping[str, Sequence[int]]) -> None:
        self._numbers: dict[object, int] = {}
        self._positive: set[int] = set()
        self._order = order
        self.known = {layer.name: i for i, layer in enumerate(parent.layers)}
        self.parent, shapes, sizes = parent, measure(parent).shapes, measure(child).shapes
        self._widths = [shape[0] for shape in shapes]
        maps = {layer.name: shapes[layer.inputs[0]][1:] for layer in parent.layers if layer.kind == "linear"}
        heads = (layer for layer in child.layers if layer.kind == "linear")
        self._other_maps = {x.name for x in heads if maps.get(x.name) != sizes[x.inputs[0]][1:]}
        self.before: list[list[int]] = []
        for layer, shape in zip(parent.layers, shapes, strict=True):
            self.before.append(self._original(layer, shape[0]))
        self.after: list[list[int]] = []
        self.layers: dict[str, Begun] = {}
        self.exact = True
        self._still_there = {layer.name for layer in child.layers}
        self._child = child
        for layer, shape in zip(child.layers, sizes, strict=True):
            given = [self.after[i] for i in layer.inputs]
            self.after.append(self._alone(layer, given, shape[0]) or self._weighted(layer, given, shape[0]))
        self.inheritance = Inheritance(self.layers, self.exact and self.after[-1] == self.before[-1])

    def _number(self, *what: object) -> int:
        return self._numbers.setdefault(what, len(self._numbers))

    def _original(self, layer: Layer, width: int) -> list[int]:
        given = [self.before[i] for i in layer.inputs]
        found = self._alone(layer, given, width)
        return found or [self._number(layer.name, c) for c in range(width)]

    def _alone(self, layer: Layer, given: Sequence[list[int]], width: int) -> list[int]:
        """The channels of a layer without weights, in either network; none of one that has some."""
        kind, settings = layer.kind, tuple(sorted({**KINDS[layer.kind].settings, **layer.settings}.items()))
        if kind == "input":
            return [self._number("image", c) for c in range(width)]
        if kind == "concat":
            return [c for channels in given for c in channels]
        if kind == "zero":
            return [ZERO] * width
        if kind == "resize_channels":
            return [*given[0][:width], *[ZERO] * (width - len(given[0]))]
        if kind == "add":
            return [self._sum(layer, terms, c) for c, terms in enumerate(zip(*given, strict=True))]
        if kind == "multiply":
            return [UNKNOWN if min(pair) < 0 else self._number(kind, *pair) for pair in zip(*given, strict=True)]
        if kind not in _ALONE:
            return []
        return [self._passed(layer, settings, c) for c in given[0]]

    def _passed(self, layer: Layer, settings: object, channel: int) -> int:
        if channel == UNKNOWN or layer.kind in ("identity", "drop_path"):
            return channel
        function = dict(settings)["function"] if layer.kind == "activation" else ""  # type: ignore[call-overload]
        if channel == ZERO:
            return UNKNOWN if "sigmoid" in function else ZERO
        if function == "relu" and layer.name not in self.known and channel in self._positive:
            return channel  # a new rectifier of what is not negative
        number = self._number(layer.kind, settings, channel)
        if function in _RECTIFIERS or (layer.kind in _KEEPING_SIGN and channel in self._positive):
            self._positive.add(number)
        return number

    def _sum(self, layer: Layer, terms: Sequence[int], position: int) -> int:
        some = [term for term in terms if term != ZERO]
        if len(some) < 2:
            return some[0] if some else ZERO
        if UNKNOWN in some:
            i = self.known.get(layer.name, -1)
            if i < 0 or position >= self._widths[i]:
                return UNKNOWN
            self.exact = False  # no longer the parent's sum: what is behind it takes it for that
            return self.before[i][position]
        number = self._number("add", *some)
        if all(term in self._positive for term in some):
            self._positive.add(number)
        return number

    def _wanted(self, layer: Layer) -> list[int]:
        """The channels that the next of the parent's layers had where a new layer is now; none if there is no such.

        A layer may have been put in and what is before it widened or joined since: it passes on what was there then.
        """
        names = [other.name for other in self._child.layers]
        place = names.index(layer.name)
        while True:
            users = (x for x in self._child.layers[place + 1 :] if place in x.inputs)
            user = next(users, None)
            if user is None:
                return []
            i, slot = self.known.get(user.name, -1), user.inputs.index(place)
            if i < 0 and slot:
                return []  # a new sum's other terms are zero at first
            if i >= 0:
                inputs = self.parent.layers[i].inputs
                return self.before[inputs[slot]] if slot < len(inputs) else []
            place = names.index(user.name)

    # -- the child's layers with weights ------------------------------------------------------------------

    def _weighted(self, layer: Layer, given: Sequence[list[int]], width: int) -> list[int]:
        channels = given[0]
        i = self.known.get(layer.name, -1)
        if i >= 0 and self.parent.layers[i].kind == layer.kind:
            old = self.before[self.parent.layers[i].inputs[0]]
            if layer.kind == "batch_norm" or is_depthwise(layer):
                return self._each(layer, i, channels, old)
            if is_plain(layer) and is_plain(self.parent.layers[i]) and layer.name not in self._other_maps:
                return self._whole(layer, i, channels, old, width)
        return self._new(layer, channels, width)

    def _each(self, layer: Layer, i: int, channels: Sequence[int], old: Sequence[int]) -> list[int]:
        """A layer that treats each channel by itself."""
        places = {channel: place for place, channel in reversed(list(enumerate(old)))}
        outputs = [places.get(channel, -1) for channel in channels]
        for c, channel in enumerate(channels):
            if outputs[c] < 0 and channel == UNKNOWN and c < len(old):
                outputs[c], self.exact = c, False
        self.exact &= _same_window(layer, self.parent.layers[i])
        self.layers[layer.name] = Begun("copy", layer.name, tuple(outputs))
        return [self._number(layer.name, j) if j >= 0 else UNKNOWN for j in outputs]

    def _whole(self, layer: Layer, i: int, channels: Sequence[int], old: Sequence[int], width: int) -> list[int]:
        """A convolution or linear layer: its inputs by what they carry, its outputs in order."""
        inputs, shares, covered = assigned(channels, old)
        if not covered:
            self.exact = False
            free = iter([j for j in range(len(old)) if j not in set(inputs)])
            inputs = [next(free, -1) if j < 0 and channels[c] != ZERO else j for c, j in enumerate(inputs)]
        before = self._widths[i]
        kept = sorted(self._order.get(layer.name, range(before))[:width])
        outputs = [kept[c] if c < len(kept) else c % before for c in range(width)]
        self.exact &= _same_window(layer, self.parent.layers[i])
        self.layers[layer.name] = Begun("copy", layer.name, tuple(outputs), tuple(inputs), tuple(shares))
        return [self._number(layer.name, j) for j in outputs]

    def _new(self, layer: Layer, channels: Sequence[int], width: int) -> list[int]:
        group, _, start = layer.name.rpartition(".")
        if layer.kind == "batch_norm":
            some = any(channel != UNKNOWN for channel in channels)
            self.layers[layer.name] = Begun("identity" if some else "random")
            return list(channels)
        if layer.kind != "conv" or start not in ("identity", "zero", "depth", "point"):
            start = "random"
        if start == "identity" and not (is_plain(layer) and _keeps_the_map(layer)):
            start = "random"
        halved = ""
        if start in ("depth", "point"):
            gone = [x.name for x in self.parent.layers if x.kind == "conv" and x.name not in self._still_there]
            halved = next((name for name in gone if name.rpartition(".")[0] == group), "")
            start = start if halved else "random"
        passed = passed_on(channels, self._wanted(layer), width) if start == "identity" else []
        self.layers[layer.name] = Begun(start, halved, inputs=tuple(passed))
        if start == "identity":
            return [channels[c] for c in passed]
        if start == "point":
            self.exact = False
            return [self._number(halved, c) for c in range(width)]
        return [ZERO if start == "zero" else UNKNOWN] * width


def _same_window(layer: Layer, before: Layer) -> bool:
    """Whether a larger kernel around the old one can be the same function: same stride, dilation and padding."""
    new, old = ({**KINDS[x.kind].settings, **x.settings} for x in (layer, before))
    if layer.kind != "conv":
        return True
    same = all(new[name] == old[name] for name in ("stride", "dilation", "padding", "bias"))
    if new["kernel"] == old["kernel"]:
        return same
    sides = (new["kernel"], old["kernel"])
    return (
        same and all(isinstance(k, int) and k % 2 for k in sides) and sides[0] > sides[1] and new["padding"] == "same"
    )


def _keeps_the_map(layer: Layer) -> bool:
    settings = {**KINDS["conv"].settings, **layer.settings}
    kernel = settings["kernel"]
    return isinstance(kernel, int) and kernel % 2 == 1 and settings["stride"] == 1 and settings["padding"] == "same"
