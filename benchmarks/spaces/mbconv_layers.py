"""The layer-wise space of ProxylessNAS: 21 layers, each one of six inverted residuals or left out.

Paper: H. Cai, L. Zhu, S. Han, "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware", ICLR 2019,
arXiv:1812.00332, section 4.2. Widths are fixed, so that all options of a layer have one shape and can be mixed: the
space that a supernet of mobile blocks has. Kernels 3, 5 or 7, expansion 3 or 6; where a layer keeps the shape it may be
left out too. 6^6 x 7^15 = 2.2 x 10^17 architectures.

Network: 3x3 convolution of stride 2 to 32 channels; a depthwise and a 1x1 convolution to 16; stages of 4, 4, 4, 4, 4
and 1 layers with 24, 40, 80, 96, 192 and 320 channels, whose first layers have the strides 2, 2, 2, 1, 2, 1; 1x1
convolution to 1,280; global average pooling; linear layer; images of 224 pixels. No published count was at hand to hold
it against.
"""

from __future__ import annotations

from collections.abc import Callable

from nassim.benchmarks.spaces.mobile import inverted_residual
from nassim.benchmarks.spaces.partial_channels import no_partial
from nassim.network import NORMALIZED, Draft, Frame, Network, Step
from nassim.space import Architecture, Decision, SearchSpace

BLOCKS = {f"mb{e}_k{k}": (e, k) for k in (3, 5, 7) for e in (3, 6)}  # expansion, kernel
SKIP = "skip"
_WIDTHS, _DEPTHS, _STRIDES = (24, 40, 80, 96, 192, 320), (4, 4, 4, 4, 4, 1), (2, 2, 2, 1, 2, 1)
_STEM, _FIRST, _HEAD = 32, 16, 1280
_RELU6: Step = ("activation", {"function": "relu6"})
# Of each layer: stage, width, stride, whether it keeps the shape.
_LAYERS = [
    (stage, width, 1 if layer else stride, layer > 0)
    for stage, (width, depth, stride) in enumerate(zip(_WIDTHS, _DEPTHS, _STRIDES, strict=True))
    for layer in range(depth)
]


class MBConvLayersSpace(SearchSpace):
    """One decision a layer.

    >>> SPACE.size == 6**6 * 7**15
    True
    """

    frame = Frame(channels=_STEM, cells=1, classes=1000, image=(3, 224, 224))

    def __init__(self) -> None:
        options = tuple(BLOCKS)
        super().__init__(
            "mbconv-layers",
            [
                Decision(f"layer{i}", (*options, SKIP) if keeps else options)
                for i, (_, _, _, keeps) in enumerate(_LAYERS)
            ],
        )

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem, 32 as published; the others go with it."""
        names = [d.options[c] for d, c in zip(self.decisions, self.check(arch).choices, strict=True)]

        def layer(draft: Draft, name: str, number: int, x: int, width: int, outputs: int, stride: int) -> int:
            return _option(draft, name, names[number], x, width, outputs, stride, affine=True)

        return _around(layer, frame)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Every layer with its options; normalizations in them have no scale and shift. No partial channels."""
        no_partial(partial, self.name)

        def layer(draft: Draft, name: str, number: int, x: int, width: int, outputs: int, stride: int) -> int:
            kinds = self.decisions[number].options
            options = [
                _option(draft, f"{name}.{kind}", kind, x, width, outputs, stride, affine=False) for kind in kinds
            ]
            return draft.add(name, "mix", *options, group=number, options=tuple(range(len(kinds))))

        return _around(layer, frame)


def _around(layer: Callable[[Draft, str, int, int, int, int, int], int], frame: Frame) -> Network:
    def scaled(width: int) -> int:
        return max(1, width * frame.channels // _STEM)

    draft, width = Draft(frame.image), frame.channels
    x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3, "stride": 2}), NORMALIZED, _RELU6)
    x = inverted_residual(draft, "first", x, width, scaled(_FIRST), expansion=1, kernel=3, function="relu6")
    width = scaled(_FIRST)
    for number, (_, published, stride, _) in enumerate(_LAYERS):
        outputs = scaled(published)
        x = layer(draft, f"layers.{number}", number, x, width, outputs, stride)
        width = outputs
    x = draft.chain("last", x, ("conv", {"channels": scaled(_HEAD)}), NORMALIZED, _RELU6)
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _option(draft: Draft, name: str, kind: str, x: int, width: int, outputs: int, stride: int, *, affine: bool) -> int:
    if kind == SKIP:
        return x
    expansion, kernel = BLOCKS[kind]
    return inverted_residual(
        *(draft, name, x, width, outputs),
        expansion=expansion,
        kernel=kernel,
        stride=stride,
        function="relu6",
        affine=affine,
    )


SPACE = MBConvLayersSpace()
