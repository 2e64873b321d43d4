"""Networks are values: layers with names, each fed by earlier ones.

A search space makes one of an architecture (`SearchSpace.network`), as large as a `Frame` says. `measure` counts its
shapes, parameters, multiply-adds and memory without torch, `outline` draws it, and
`nassim.full_training.networks.construct` makes a torch module whose weights have the names of the layers.

>>> draft = Draft((3, 8, 8))
>>> x = draft.chain("stem", 0, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU)
>>> network = draft.network(draft.add("head", "linear", draft.add("pool", "global_pool", x), channels=10))
>>> measure(network).parameters, measure(network).macs
(166, 6952)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nassim.errors import InvalidNetwork
from nassim.layers import KINDS, LARGEST, REQUIRED, Setting, Shape, acceptable

AUXILIARY = "auxiliary."  # how the names of layers begin that only training uses
VALUE = 4  # bytes of an activation


class Layer(NamedTuple):
    """One layer. Its name decides its first weights; dots in it make groups."""

    name: str
    kind: str  # one of `nassim.layers.KINDS`
    inputs: tuple[int, ...]  # positions of earlier layers
    settings: Mapping[str, Setting]


class Network(NamedTuple):
    """Layers in topological order; the first is the image, the last the output.

    auxiliary: position of a second output that only training has; -1 without one.
    """

    layers: tuple[Layer, ...]
    auxiliary: int = -1


Step = tuple[str, Mapping[str, Setting]]  # kind and settings of a layer that takes the one before it
NORMALIZED: Step = ("batch_norm", {})
RELU: Step = ("activation", {})


class Frame(NamedTuple):
    """How large an architecture is built; what its space publishes is `SearchSpace.frame`.

    channels: of the stem, or what the space says instead; all widths go with it.
    cells: repetitions, counted as the space says; spaces whose architectures have a depth of their own ignore it.
    image: shape of an image, (channels, height, width).
    auxiliary: with the second head for training, where the space has one.
    """

    channels: int
    cells: int
    classes: int
    image: Shape = (3, 32, 32)
    auxiliary: bool = False


class Measured(NamedTuple):
    """A network's size, for one image. The sums leave out what only training uses (`AUXILIARY`)."""

    shapes: tuple[Shape, ...]  # of each layer's output
    layer_parameters: tuple[int, ...]
    layer_macs: tuple[int, ...]
    parameters: int  # trainable
    macs: int  # multiply-adds of convolutions and linear layers, without biases
    memory: int  # bytes of all outputs in float32, as a training keeps them


class Part(NamedTuple):
    """Layers that are one line of a drawing."""

    name: str
    inputs: tuple[str, ...]
    kinds: str
    shape: Shape
    parameters: int
    macs: int


class Draft:
    """A network in the making: `add` and `chain` append layers and return the position of the last one."""

    def __init__(self, image: Shape) -> None:
        channels, height, width = image
        self.layers = [Layer("image", "input", (), {"channels": channels, "height": height, "width": width})]

    def add(self, name: str, kind: str, *inputs: int, **settings: Setting) -> int:
        """Append a layer."""
        self.layers.append(Layer(name, kind, inputs, settings))
        return len(self.layers) - 1

    def chain(self, name: str, source: int, *steps: Step) -> int:
        """Append layers one behind the other, named ``name.0``, ``name.1``, ..."""
        for i, (kind, settings) in enumerate(steps):
            self.layers.append(Layer(f"{name}.{i}", kind, (source,), settings))
            source = len(self.layers) - 1
        return source

    def sum(self, name: str, terms: Sequence[int]) -> int:
        """The sum of layers' outputs: a layer, but for a single term."""
        return terms[0] if len(terms) == 1 else self.add(name, "add", *terms)

    def network(self, output: int, auxiliary: int = -1) -> Network:
        """The network; the output has to be the last layer."""
        if output != len(self.layers) - 1:
            output = self.add("output", "identity", output)
        return Network(tuple(self.layers), auxiliary)


def measure(network: Network) -> Measured:
    """Count a network; `InvalidNetwork`, with the layer's name, for one that cannot be.

    Layers whose output nobody uses count like all others: published counts have them too.
    """
    shapes: list[Shape] = []
    sizes: list[int] = []
    works: list[int] = []
    names: set[str] = set()
    parameters = macs = values = 0
    layers = network.layers
    for position, layer in enumerate(layers):
        name, kind_name, sources, given = layer
        kind = KINDS.get(kind_name)
        if kind is None:
            raise _refused(layer, f"{kind_name!r:.40} is not a kind of layer: use {', '.join(KINDS)}")
        settings = {**kind.settings, **given}
        training = name.startswith(AUXILIARY)
        fewest, most = kind.inputs
        if not fewest <= len(sources) <= most or name in names or len(settings) != len(kind.settings) or not name:
            raise _refused(layer, _wrong(layer, names))
        names.add(name)
        for setting, value in given.items():
            if not acceptable(setting, value):
                raise _refused(layer, f"its {setting} cannot be {value!r:.40}")
        if position and not fewest:
            raise _refused(layer, "a network has one image, its first layer")
        inputs: list[Shape] = []
        for source in sources:
            if not 0 <= source < position:
                raise _refused(layer, f"input {source} is no earlier layer (it is number {position})")
            if not training and layers[source].name.startswith(AUXILIARY):
                raise _refused(layer, f"it uses {layers[source].name}, which only training has")
            inputs.append(shapes[source])
        if REQUIRED in settings.values():
            raise _refused(layer, f"it needs {', '.join(k for k, v in settings.items() if v is REQUIRED)}")
        try:
            shape = kind.shape(inputs, settings)
            size = kind.parameters(inputs, shape, settings)
            work = kind.macs(inputs, shape, settings)
            if not all(side.__class__ is int and 0 < side <= LARGEST for side in shape):
                raise ValueError(f"its output would be {'x'.join(map(str, shape))}")
        except (ValueError, TypeError, IndexError) as error:
            raise _refused(layer, str(error)) from None
        shapes.append(shape)
        sizes.append(size)
        works.append(work)
        if not training:
            parameters += size
            macs += work
            if kind.stored:
                values += shape[0] * shape[1] * shape[2]
    if not layers or layers[0].kind != "input" or not -1 <= network.auxiliary < len(layers):
        raise InvalidNetwork("a network needs a layer of kind 'input' first, and outputs among its layers.")
    if layers[-1].name.startswith(AUXILIARY):
        raise _refused(layers[-1], "the last layer is the output, and this one only training has")
    return Measured(tuple(shapes), tuple(sizes), tuple(works), parameters, macs, VALUE * values)


def _wrong(layer: Layer, names: set[str]) -> str:
    """Why the form of a layer is refused."""
    kind = KINDS[layer.kind]
    unknown = [name for name in layer.settings if name not in kind.settings]
    if unknown:
        return f"it has no setting {', '.join(unknown)}: use {', '.join(kind.settings) or 'none'}"
    if layer.name in names or not layer.name:
        return "another layer has the same name" if layer.name else "it has no name"
    fewest, most = kind.inputs
    return f"it has {len(layer.inputs)} inputs, not {fewest if fewest == most else f'{fewest} or more'}"


def _refused(layer: Layer, reason: str) -> InvalidNetwork:
    return InvalidNetwork(f"layer {layer.name!r:.80} ({layer.kind:.40}): {reason}.")


def outline(network: Network, lines: int = 40) -> list[Part]:
    """The network as a drawing: groups of layers whose names begin alike, in as much detail as fits into ``lines``.

    A part's inputs are the parts that feed it; its shape is that of its last layer.
    """
    measured = measure(network)
    deepest = max(layer.name.count(".") for layer in network.layers) + 1
    parts = [_grouped(network, measured, depth) for depth in range(1, deepest + 1)]
    return next((found for found in reversed(parts) if len(found) <= lines), parts[0])


def _grouped(network: Network, measured: Measured, depth: int) -> list[Part]:
    groups = [".".join(layer.name.split(".")[:depth]) for layer in network.layers]
    parts: dict[str, Part] = {}
    for i, (group, layer) in enumerate(zip(groups, network.layers, strict=True)):
        before = parts.get(group, Part(group, (), "", (0, 0, 0), 0, 0))
        feeding = [groups[source] for source in layer.inputs if groups[source] != group]
        kind = layer.settings.get("function", "relu") if layer.kind == "activation" else layer.kind
        kinds = before.kinds.split(" ") if before.kinds else []
        parts[group] = Part(
            group,
            tuple(dict.fromkeys([*before.inputs, *feeding])),
            " ".join(dict.fromkeys([*kinds, str(kind)])),
            measured.shapes[i],
            before.parameters + measured.layer_parameters[i],
            before.macs + measured.layer_macs[i],
        )
    return list(parts.values())
