"""The factorized space of MnasNet: seven blocks, each of equal layers, with six decisions a block.

Paper: M. Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", CVPR 2019, arXiv:1807.11626,
section 3.2. A block says what its layers are (a convolution; a depthwise and a 1x1 convolution; inverted residuals with
expansion 3 or 6), their kernel, squeeze-and-excitation, what is added to them, their width and how many there are: 4 x
2 x 2 x 3 x 3 x 3 = 432 combinations a block, as the paper counts (it takes five blocks as an example). Widths are 0.75,
1 and 1.25 times MobileNetV2's (Sandler et al., CVPR 2018, arXiv:1801.04381, table 2), layers one fewer, as many and one
more.

What the paper does not say, by declaration:
1. Widths of 96 and more are multiples of 16, rounded down: the published networks have 112 and 192 where 1.25 times
   MobileNetV2's would be 120 and 200.
2. A block has one layer at least: the first and the last, with one in MobileNetV2, have 1, 2 or 3.
3. "pool" adds the input after a 3x3 average pooling of the layer's stride, its channels cut or filled up with zeros, so
   that it is there in all layers; the identity only where stride and width keep the shape.

Network: 3x3 convolution of stride 2 to 32 channels; the blocks; 1x1 convolution to 1,280; global average pooling;
linear layer; images of 224 pixels. Squeeze-and-excitation narrows to a quarter of a layer's input channels.
Parameters held against published ones: MnasNet-A1 3.9 M, MnasNet-B1 4.4 M (paper, table 1), MobileNetV2 3.5 M
(torchvision). Multiply-adds are those of convolutions and linear layers.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.mbconv_strings import SEPARATOR, Block, parse_block, write_block
from nassim.benchmarks.spaces.mobile import excited, inverted_residual
from nassim.errors import InvalidArchitecture
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network
from nassim.space import Architecture, Decision, SearchSpace

OPERATIONS = ("conv", "dwconv", "mb3", "mb6")
EXPANSIONS = {"dwconv": 1, "mb3": 3, "mb6": 6}
KERNELS, SQUEEZES, SKIPS = ("3", "5"), ("0", "0.25"), ("pool", "identity", "none")
STEM, HEAD = 32, 1280
STRIDES = (1, 2, 2, 2, 1, 2, 1)
_WIDTHS, _LAYERS = (16, 24, 32, 64, 96, 160, 320), (1, 2, 3, 4, 3, 3, 1)  # MobileNetV2's
WIDTHS = tuple(
    tuple(w // 16 * 16 if base >= 96 else w for w in (base * 3 // 4, base, base * 5 // 4)) for base in _WIDTHS
)
LAYERS = tuple((1, 2, 3) if base == 1 else (base - 1, base, base + 1) for base in _LAYERS)
# As in https://github.com/tensorflow/tpu/tree/master/models/official/mnasnet; MobileNetV2 in the same words.
PUBLISHED = {
    "MnasNet-A1": "r1_k3_s11_e1_i32_o16_noskip,r2_k3_s22_e6_i16_o24,r3_k5_s22_e3_i24_o40_se0.25,r4_k3_s22_e6_i40_o80,"
    "r2_k3_s11_e6_i80_o112_se0.25,r3_k5_s22_e6_i112_o160_se0.25,r1_k3_s11_e6_i160_o320",
    "MnasNet-B1": "r1_k3_s11_e1_i32_o16_noskip,r3_k3_s22_e3_i16_o24,r3_k5_s22_e3_i24_o40,r3_k5_s22_e6_i40_o80,"
    "r2_k3_s11_e6_i80_o96,r4_k5_s22_e6_i96_o192,r1_k3_s11_e6_i192_o320_noskip",
    "MobileNetV2": "r1_k3_s11_e1_i32_o16,r2_k3_s22_e6_i16_o24,r3_k3_s22_e6_i24_o32,r4_k3_s22_e6_i32_o64,"
    "r3_k3_s11_e6_i64_o96,r3_k3_s22_e6_i96_o160,r1_k3_s11_e6_i160_o320",
}
LONGEST = 1000  # characters of a string


class MBConvSpace(SearchSpace):
    """Seven blocks of six decisions.

    >>> arch = SPACE.parse("MnasNet-A1")
    >>> SPACE.format(arch).split(",")[2], SPACE.size == 432**7
    ('r3_k5_s22_e3_i24_o40_se0.25', True)
    """

    frame = Frame(channels=STEM, cells=1, classes=1000, image=(3, 224, 224))
    known = PUBLISHED
    inherits = True

    def __init__(self) -> None:
        decisions = []
        for block, (widths, layers) in enumerate(zip(WIDTHS, LAYERS, strict=True)):
            options = {
                "operation": OPERATIONS,
                "kernel": KERNELS,
                "squeeze": SQUEEZES,
                "skip": SKIPS,
                "width": tuple(map(str, widths)),
                "layers": tuple(map(str, layers)),
            }
            decisions += [Decision(f"block{block}_{name}", given) for name, given in options.items()]
        super().__init__("mbconv", decisions)
        self.groups = tuple(tuple(range(i, i + len(options))) for i in range(0, len(decisions), len(options)))

    def blocks(self, arch: Architecture) -> list[Block]:
        """What an architecture says of each block, at the published widths."""
        words = [d.options[c] for d, c in zip(self.decisions, self.check(arch).choices, strict=True)]
        found, inputs = [], STEM
        for group, stride in zip(self.groups, STRIDES, strict=True):
            operation, kernel, squeeze, skip, width, layers = (words[i] for i in group)
            outputs = int(width)
            found.append(
                Block(int(layers), int(kernel), stride, operation, inputs, outputs, squeeze != SQUEEZES[0], skip)
            )
            inputs = outputs
        return found

    def of_blocks(self, blocks: list[Block]) -> Architecture:
        """The architecture of seven blocks; ValueError where the space has none such."""
        if len(blocks) != len(STRIDES):
            raise ValueError(f"it has {len(blocks)} blocks, not {len(STRIDES)}")
        choices: list[int] = []
        inputs = STEM
        for number, (block, stride) in enumerate(zip(blocks, STRIDES, strict=True)):
            if (block.stride, block.inputs) not in ((stride, inputs), (stride, -1)):
                raise ValueError(f"block {number} has stride {stride} and {inputs} channels that enter it")
            words = (block.operation, block.kernel, SQUEEZES[block.squeeze], block.skip, block.outputs, block.layers)
            for i, word in zip(self.groups[number], map(str, words), strict=True):
                decision = self.decisions[i]
                if word not in decision.options:
                    raise ValueError(f"{decision.name} can be {', '.join(decision.options)}, not {word}")
                choices.append(decision.options.index(word))
            inputs = block.outputs
        return Architecture(self.name, tuple(choices))

    def parse(self, text: str) -> Architecture:
        """Read blocks as MnasNet's code writes them, with commas between them, a name of `PUBLISHED`, or numbers."""
        body = text.strip().removeprefix(f"{self.name}:")
        body = PUBLISHED.get(body, body)
        if not body.startswith("r") or len(body) > LONGEST:
            return super().parse(text if len(text) <= 200 else text[:200] + "...")
        try:
            return self.of_blocks([parse_block(part) for part in body.split(SEPARATOR)])
        except ValueError as error:
            raise InvalidArchitecture(f"not an architecture of {self.name}: {error}.") from None

    def how_to_write(self) -> str:
        return (
            f"Write {', '.join(PUBLISHED)}, seven blocks as r2_k3_s22_e6_i16_o24_se0.25 (layers, kernel, strides, "
            "expansion or `conv`, channels in and out; then _se0.25, and _noskip or _poolskip for what is added) with "
            f"commas between them, or {self.name}: and {len(self.decisions)} numbers with dashes."
        )

    def format(self, arch: Architecture) -> str:
        """The notation of MnasNet's code, with commas between the blocks."""
        return SEPARATOR.join(map(write_block, self.blocks(arch)))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem, 32 as published; the others go with it."""

        def scaled(width: int) -> int:
            return max(1, width * frame.channels // STEM)

        draft, width = Draft(frame.image), frame.channels
        x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3, "stride": 2}), NORMALIZED, RELU)
        for number, block in enumerate(self.blocks(arch)):
            outputs = scaled(block.outputs)
            for layer in range(block.layers):
                stride = 1 if layer else block.stride
                x = _layer(draft, f"blocks.{number}.{layer}", x, width, outputs, block, stride)
                width = outputs
        x = draft.chain("last", x, ("conv", {"channels": scaled(HEAD)}), NORMALIZED, RELU)
        x = draft.add("pool", "global_pool", x)
        return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _layer(draft: Draft, name: str, x: int, inputs: int, outputs: int, block: Block, stride: int) -> int:
    squeeze = max(1, inputs // 4) if block.squeeze else 0
    if block.operation == "conv":
        conv = {"channels": outputs, "kernel": block.kernel, "stride": stride}
        y = draft.chain(f"{name}.conv", x, ("conv", conv), NORMALIZED, RELU)
        y = excited(draft, name, y, outputs, squeeze, "relu") if squeeze else y
    else:
        y = inverted_residual(
            *(draft, name, x, inputs, outputs),
            expansion=EXPANSIONS[block.operation],
            kernel=block.kernel,
            stride=stride,
            squeeze=squeeze,
            skip=False,
        )
    if block.skip == "pool":
        pooled = draft.add(f"{name}.pooled", "avg_pool", x, kernel=3, stride=stride)
        if inputs != outputs:
            pooled = draft.add(f"{name}.resized", "resize_channels", pooled, channels=outputs)
        return draft.add(f"{name}.sum", "add", y, pooled)
    same = stride == 1 and inputs == outputs
    return draft.add(f"{name}.sum", "add", y, x) if block.skip == "identity" and same else y


SPACE = MBConvSpace()
