"""How a network that grows is spelled as numbers: the choices of an architecture of a `nassim.morph_space.MorphSpace`.

Two genes of the training, then for each layer ``part, number``, what the part has of ``width, kernel, stride``, and
where its input comes from, in layers back (a sum or concatenation: how many inputs, then each). Part and number are the
layer's name (``n7.identity``), by which weights are inherited. Widths lie on a grid of four steps to an octave. Kernels
are odd and windows padded, so that something is left of any map: what can be built for images of 32 pixels can be built
for smaller ones. The image before and a global pooling with a linear layer behind are not spelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nassim.errors import InvalidArchitecture
from nassim.network import Draft, Frame, Layer, Network, measure

# Part of a name -> kind of layer and the settings that its choices give.
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "conv": ("conv", ("channels", "kernel", "stride")),
    "identity": ("conv", ("channels", "kernel", "stride")),
    "zero": ("conv", ("channels", "kernel", "stride")),
    "point": ("conv", ("channels", "kernel", "stride")),
    "depth": ("conv", ("kernel", "stride")),
    "norm": ("batch_norm", ()),
    "relu": ("activation", ()),
    "pool": ("max_pool", ("kernel", "stride")),
    "avg": ("avg_pool", ("kernel", "stride")),
    "add": ("add", ()),
    "concat": ("concat", ()),
}
NAMES = tuple(PARTS)
WIDTHS = (*(4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56), *(64, 80, 96, 112, 128, 160, 192, 224, 256))
AS_PUBLISHED = 16  # channels of a frame in which widths are those of the grid
STEP = 2**0.5  # of the learning rate from gene to gene
RATES, NO_CHANGE = 17, 8  # genes of the learning rate; the one that is the recipe's
MOMENTA = (0.68, 0.76, 0.84, 0.9, 0.95, 0.99)
RECIPES_MOMENTUM = 0  # the gene that is the recipe's; after it MOMENTA
MOST_LAYERS = 1000  # that are read at all; a space allows fewer
MOST_NUMBER, MOST_KERNEL, MOST_STRIDE, MOST_INPUTS = 999, 7, 4, 8


def genes_of(choices: Sequence[int]) -> Mapping[str, float]:
    """The genes of the training: what the rate is multiplied by, and the momentum in parts of the usual 0.9."""
    rate, momentum = choices[:2]
    found = {"rate": STEP ** (rate - NO_CHANGE)} if rate != NO_CHANGE else {}
    return found | ({"momentum": MOMENTA[momentum - 1] / 0.9} if momentum else {})


def read(choices: Sequence[int], frame: Frame) -> Network:
    """The network that choices spell; `InvalidArchitecture` where they spell none."""
    draft, reading = Draft(frame.image), iter(choices)
    _next(reading, RATES, "the gene of the rate")
    _next(reading, 1 + len(MOMENTA), "the gene of the momentum")
    for part in reading:
        here = len(draft.layers)
        if not 0 <= part < len(NAMES):
            raise InvalidArchitecture(f"layer {here} is of part {part}, of which there are {len(NAMES)}")
        if here > MOST_LAYERS:
            raise InvalidArchitecture(f"it has more than {MOST_LAYERS} layers")
        kind, wanted = PARTS[NAMES[part]]
        name = f"n{_next(reading, MOST_NUMBER + 1, f'the number of layer {here}')}.{NAMES[part]}"
        settings: dict[str, int | str] = {}
        for setting in wanted:
            if setting == "channels":
                width = WIDTHS[_next(reading, len(WIDTHS), f"the width of {name}")]
                settings[setting] = max(1, width * frame.channels // AS_PUBLISHED)
            else:
                most = MOST_KERNEL if setting == "kernel" else MOST_STRIDE
                settings[setting] = size = _next(reading, most + 1, f"the {setting} of {name}")
                if setting == "kernel" and size % 2 == 0:
                    raise InvalidArchitecture(f"the kernel {size} of {name} is even")
        count = _next(reading, MOST_INPUTS + 1, f"the inputs of {name}") if kind in ("add", "concat") else 1
        inputs = [here - _next(reading, here + 1, f"an input of {name}") for _ in range(count)]
        if here in inputs or not inputs:
            raise InvalidArchitecture(f"{name} has no input before itself")
        if NAMES[part] == "depth":  # as wide as what it is fed
            settings["channels"] = settings["groups"] = measure(Network(tuple(draft.layers))).shapes[inputs[0]][0]
        draft.add(name, kind, *inputs, **settings)
    pooled = draft.add("pool", "global_pool", len(draft.layers) - 1)
    return draft.network(draft.add("head", "linear", pooled, channels=frame.classes))


def spell(network: Network, genes: tuple[int, int], *, rounded: bool = False) -> tuple[int, ...]:
    """The choices of a network with such names, at the published size; `InvalidArchitecture` if there are none.

    rounded: widths beside the grid become the next larger ones.
    """
    found = list(genes)
    for i, layer in enumerate(network.layers[1:-2], 1):
        number, _, part = layer.name.removeprefix("n").partition(".")
        if part not in PARTS or not number.isdecimal() or int(number) > MOST_NUMBER:
            raise InvalidArchitecture(f"{layer.name!r:.40} is no name of a layer that grows.")
        kind, wanted = PARTS[part]
        found += [NAMES.index(part), int(number)]
        defaults = {"kernel": 1 if kind == "conv" else 3, "stride": 1}
        for setting in wanted:
            value = layer.settings.get(setting, defaults.get(setting))
            if not isinstance(value, int) or layer.kind != kind:
                raise InvalidArchitecture(f"{layer.name!r:.40} is a {layer.kind} whose {setting} cannot be spelled.")
            found.append(_on_the_grid(value, layer, rounded) if setting == "channels" else value)
        if kind in ("add", "concat"):
            found.append(len(layer.inputs))
        found += [i - source for source in layer.inputs]
    if network.layers[-2].inputs != (len(network.layers) - 3,):
        raise InvalidArchitecture("the pooling at the end does not take the last layer.")
    return tuple(found)


def _next(reading: Iterator[int], below: int, what: str) -> int:
    value = next(reading, -1)
    if not 0 <= value < below:
        raise InvalidArchitecture(f"{what} is {value}, not 0 to {below - 1}" if value != -1 else f"{what} is missing")
    return value


def _on_the_grid(width: int, layer: Layer, rounded: bool) -> int:
    if width in WIDTHS:
        return WIDTHS.index(width)
    if not rounded or width > WIDTHS[-1]:
        raise InvalidArchitecture(f"the width {width} of {layer.name!r:.40} is not on the grid.")
    return next(i for i, wider in enumerate(WIDTHS) if wider > width)
