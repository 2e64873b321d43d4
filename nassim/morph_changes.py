"""What each morph makes of a network: layers put in, left out or changed, by their names.

`nassim.morphs` says where they apply; here it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nassim.layers import Setting, Shape
from nassim.network import Layer, Network

Shapes = Sequence[Shape]  # of a network's layers
ONE_BY_ONE = ("batch_norm", "activation", "max_pool", "avg_pool", "global_pool", "identity", "drop_path")
_POSITIVE = ("max_pool", "avg_pool", "global_pool", "identity", "drop_path", "add", "concat", "crop", "resize_channels")


class Morph(NamedTuple):
    """A change at a layer: ``amount`` is the new width, kernel or stride, ``source`` where a skip comes from."""

    kind: str
    place: str
    amount: int = 0
    source: str = ""

    def __str__(self) -> str:
        amount, source = f" to {self.amount}" * bool(self.amount), f" from {self.source}" * bool(self.source)
        return f"{self.kind} {self.place}{amount}{source}"


class _Named(NamedTuple):
    """A layer that knows its inputs by name: positions move when layers are put in."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Setting]


_Layers = list[_Named]


def _named(network: Network) -> _Layers:
    names = [layer.name for layer in network.layers]
    return [_Named(n, k, tuple(names[i] for i in inputs), s) for n, k, inputs, s in network.layers]


def _network(layers: _Layers) -> Network:
    positions = {layer.name: i for i, layer in enumerate(layers)}
    return Network(tuple(Layer(n, k, tuple(positions[i] for i in inputs), s) for n, k, inputs, s in layers))


def _fresh(layers: _Layers) -> str:
    """A name for a group of new layers: ``n`` and a number above all others."""
    numbers = [layer.name.partition(".")[0][1:] for layer in layers if layer.name.startswith("n")]
    return f"n{1 + max([0, *(int(number) for number in numbers if number.isdecimal())])}"


def _put_in(layers: _Layers, place: str, new: Sequence[_Named]) -> Network:
    """New layers behind a layer; whoever took its output takes that of the last of them."""
    i = next(i for i, layer in enumerate(layers) if layer.name == place)
    rest = [layer._replace(inputs=tuple(new[-1].name if n == place else n for n in layer.inputs)) for layer in layers]
    return _network([*layers[: i + 1], *new, *rest[i + 1 :]])


def _deepen(network: Network, morph: Morph, shapes: Shapes) -> Network:
    layers = _named(network)
    i = next(i for i, layer in enumerate(layers) if layer.name == morph.place)
    name, width = _fresh(layers), shapes[i][0]
    new = [
        _Named(f"{name}.identity", "conv", (morph.place,), {"channels": width, "kernel": morph.amount}),
        _Named(f"{name}.norm", "batch_norm", (f"{name}.identity",), {}),
    ]
    if is_positive(network, i):  # a rectifier passes on what is not negative only
        new.append(_Named(f"{name}.relu", "activation", (f"{name}.norm",), {}))
    return _put_in(layers, morph.place, new)


def is_positive(network: Network, position: int) -> bool:
    """Whether a layer's output is never negative."""
    layer = network.layers[position]
    if layer.kind == "activation":
        return layer.settings.get("function", "relu") in ("relu", "relu6", "sigmoid", "hard_sigmoid")
    return layer.kind in _POSITIVE and all(is_positive(network, i) for i in layer.inputs)


def _widths(network: Network, morph: Morph, shapes: Shapes) -> Network:
    layers = _named(network)
    together = tied(network, morph.place)
    changed = []
    for layer in layers:
        if layer.name in together:
            groups = {"groups": morph.amount} if layer.settings.get("groups", 1) != 1 else {}
            layer = layer._replace(settings={**layer.settings, "channels": morph.amount, **groups})
        changed.append(layer)
    return _network(changed)


def _setting(name: str) -> Callable[[Network, Morph, Shapes], Network]:
    def change(network: Network, morph: Morph, shapes: Shapes) -> Network:
        layers = _named(network)
        new = {morph.place: {name: morph.amount}}
        return _network([x._replace(settings={**x.settings, **new.get(x.name, {})}) for x in layers])

    return change


def _skip(network: Network, morph: Morph, shapes: Shapes) -> Network:
    layers = _named(network)
    of = dict(zip((layer.name for layer in layers), shapes, strict=True))
    name, here, there = _fresh(layers), of[morph.place], of[morph.source]
    stride = stride_between(there, here)
    if morph.kind == "skip_add":
        settings = {"channels": here[0], "kernel": 1, "stride": stride}
        new = [
            _Named(f"{name}.zero", "conv", (morph.source,), settings),
            _Named(f"{name}.add", "add", (morph.place, f"{name}.zero"), {}),
        ]
        return _put_in(layers, morph.place, new)
    new, source = [], morph.source
    if stride > 1:
        new, source = [_Named(f"{name}.pool", "max_pool", (source,), {"kernel": 1, "stride": stride})], f"{name}.pool"
    return _put_in(
        layers,
        morph.place,
        [
            *new,
            _Named(f"{name}.concat", "concat", (morph.place, source), {}),
            _Named(f"{name}.identity", "conv", (f"{name}.concat",), {"channels": here[0], "kernel": 1}),
        ],
    )


def _branch(network: Network, morph: Morph, shapes: Shapes) -> Network:
    """Beside a convolution another one of its input, normalized and rectified, to be added: zeros at first."""
    layers = _named(network)
    (beside,) = [layer for layer in layers if layer.name == morph.place]
    name, width, stride = _fresh(layers), beside.settings["channels"], beside.settings.get("stride", 1)
    settings = {"channels": width, "kernel": morph.amount, "stride": stride}
    new = [
        _Named(f"{name}.conv", "conv", beside.inputs, settings),
        _Named(f"{name}.norm", "batch_norm", (f"{name}.conv",), {}),
        _Named(f"{name}.relu", "activation", (f"{name}.norm",), {}),
        _Named(f"{name}.zero", "conv", (f"{name}.relu",), {"channels": width, "kernel": 1}),
        _Named(f"{name}.add", "add", (morph.place, f"{name}.zero"), {}),
    ]
    return _put_in(layers, morph.place, new)


def _remove(network: Network, morph: Morph, shapes: Shapes) -> Network:
    layers = _named(network)
    (gone,) = [layer for layer in layers if layer.name == morph.place]
    rest = [layer for layer in layers if layer.name != morph.place]
    renamed = {morph.place: gone.inputs[0]}
    return _network([x._replace(inputs=tuple(renamed.get(n, n) for n in x.inputs)) for x in rest])


def _remove_skip(network: Network, morph: Morph, shapes: Shapes) -> Network:
    """Of a sum only the first term stays; what nobody uses any more goes with the others."""
    layers = _named(network)
    (gone,) = [layer for layer in layers if layer.name == morph.place]
    rest = _named(_remove(network, morph, shapes))
    while unused := [x for x in rest[1:-1] if not any(x.name in y.inputs for y in rest)]:
        rest = [x for x in rest if x not in unused or x.name in (gone.inputs[0],)]
    return _network(rest)


def _separate(network: Network, morph: Morph, shapes: Shapes) -> Network:
    layers = _named(network)
    i = next(i for i, layer in enumerate(layers) if layer.name == morph.place)
    whole = layers[i]
    group, channels = whole.name.rpartition(".")[0], shapes[network.layers[i].inputs[0]][0]
    depth = {**whole.settings, "channels": channels, "groups": channels, "bias": False}
    point = {"channels": whole.settings["channels"], "kernel": 1, "bias": whole.settings.get("bias", False)}
    new = [
        _Named(f"{group}.depth", "conv", whole.inputs, depth),
        _Named(f"{group}.point", "conv", (f"{group}.depth",), point),
    ]
    placed = _put_in(layers, whole.name, new)
    return _network([x for x in _named(placed) if x.name != whole.name])


CHANGES: Mapping[str, Callable[[Network, Morph, Shapes], Network]] = {
    "deepen": _deepen,
    "widen": _widths,
    "skip_add": _skip,
    "skip_concat": _skip,
    "kernel": _setting("kernel"),
    "branch": _branch,
    "prune": _widths,
    "remove": _remove,
    "separate": _separate,
    "remove_skip": _remove_skip,
    "stride": _setting("stride"),
}


# -- widths ----------------------------------------------------------------------------------------------


def tied(network: Network, place: str) -> tuple[str, ...]:
    """The layers whose width must be the same as that of ``place``, itself among them: sums join them.

    Convolutions and linear layers, and the depthwise convolutions that they feed. Empty where the width is not free:
    it is that of the image, of a concatenation, of the output.
    """
    positions = {layer.name: i for i, layer in enumerate(network.layers)}
    uses = _uses(network)
    found, queue, seen = [], [positions[place]], set[int]()
    while queue:
        i = queue.pop()
        if i in seen:
            continue
        seen.add(i)
        layer = network.layers[i]
        depthwise = layer.kind == "conv" and layer.settings.get("groups", 1) != 1
        if layer.kind in ("conv", "linear"):
            found.append(layer.name)
        if layer.kind in ONE_BY_ONE or depthwise or layer.kind == "add":
            queue += layer.inputs
        elif layer.kind not in ("conv", "linear"):
            return ()
        if i == len(network.layers) - 1:
            return ()
        for user in uses[i]:
            other = network.layers[user]
            if other.kind in ONE_BY_ONE or other.kind == "add" or is_depthwise(other):
                queue.append(user)
            elif not _takes_any_width(network, uses, user):
                return ()
    return tuple(layer.name for layer in network.layers if layer.name in found)


def _takes_any_width(network: Network, uses: list[list[int]], position: int) -> bool:
    """Whether a layer can be fed other channels without a change of the width of any layer but concatenations."""
    layer = network.layers[position]
    if layer.kind == "linear" or (layer.kind == "conv" and is_plain(layer)):
        return True
    joins = layer.kind == "concat" or layer.kind in ONE_BY_ONE
    return joins and bool(uses[position]) and all(_takes_any_width(network, uses, user) for user in uses[position])


def _uses(network: Network) -> list[list[int]]:
    uses: list[list[int]] = [[] for _ in network.layers]
    for i, layer in enumerate(network.layers):
        for source in layer.inputs:
            uses[source].append(i)
    return uses


def is_plain(layer: Layer) -> bool:
    return layer.settings.get("groups", 1) == 1


def is_depthwise(layer: Layer) -> bool:
    return layer.kind == "conv" and not is_plain(layer) and layer.settings["groups"] == layer.settings["channels"]


def stride_between(wide: Shape, narrow: Shape) -> int:
    """The stride by which a kernel of one makes maps of one size of those of another; 0 if none does."""
    strides = range(1, max(1, wide[1] // max(1, narrow[1])) + 2)
    return next(
        (s for s in strides if all((w - 1) // s + 1 == n for w, n in zip(wide[1:], narrow[1:], strict=True))), 0
    )
