"""SqueezeNAS: segmentation networks of inverted residual blocks, each one of thirteen, with a light decoder.

Paper: A. Shaw, D. Hunter, F. Iandola, S. Sidhu, "SqueezeNAS: Fast Neural Architecture Search for Faster Semantic
Segmentation", ICCV Workshops 2019, arXiv:1908.01748; the authors' code, https://github.com/ashaw596/squeezenas.

A block is an inverted residual with kernel 3 or 5 and its channels expanded 1, 3 or 6 times (of the first also with its
1x1 convolutions in two groups), the same with kernel 3 dilated by 2, or ``skip``. Where the shape stays, the input is
added, and ``skip`` is nothing more; where it changes, ``skip`` is a 1x1 convolution (of stride 2: two, the second
shifted by a pixel). 13^20 = 1.9 x 10^22 architectures of the published small form, 13^6 = 4,826,809 of the short one.

Networks: ``squeezenas`` is the small form: 3x3 convolution of stride 2 to 16 channels; five groups of four blocks with
16, 24, 40, 48 and 96 channels, whose first blocks have the strides 2, 2, 2, 1, 1; 1x1 convolution to 256.
``squeezenas-short`` is this project's, for images of 32 pixels: 16 channels; three groups of two with 16, 24 and 40
channels and the strides 1, 2, 2; 64. Decoder (LR-ASPP of MobileNetV3, arXiv:1905.02244, section 6.4): a 1x1 convolution
to 128 (32) channels, weighed by a sigmoid of their means, made larger to the size of the map behind block 8 (2), both
brought to the classes and summed, and made as large as the image; the image's sides are multiples of 16 (8).

Held against `countmacs.py` of the authors, who count convolutions of images of 1,024 x 2,048 pixels: mac_small has
3,007,512,576 multiply-adds and lat_small 4.46 x 10^9. Departure: the authors' decoder takes the means of four windows
(49 pixels wide), here of the whole map, which is 98,304 multiply-adds less; and it stretches the last maps corner to
corner, here pixels lie where they lay.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import MappingProxyType
from typing import NamedTuple

from nassim.benchmarks.spaces.partial_channels import no_partial
from nassim.errors import InvalidArchitecture
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network
from nassim.segmentation import SegmentationSpace
from nassim.space import Architecture, Decision

Block = Callable[[Draft, str, int, int, int, int, int], int]  # draft, name, number, input, its width, width, stride
SIGMOID = {"function": "sigmoid"}
SKIP = "skip"
SEPARATOR = ","
LONGEST = 1000  # characters of an architecture that is read
STEM = 16  # channels of the stem as published; the other widths go with it


class Residual(NamedTuple):
    """An inverted residual: ``groups`` of both 1x1 convolutions, ``dilation`` of the one in the middle."""

    kernel: int
    expansion: int
    groups: int = 1
    dilation: int = 1


class Stage(NamedTuple):
    """Blocks of one width; ``stride`` is that of the first."""

    width: int
    blocks: int
    stride: int


class Form(NamedTuple):
    """What is not searched: ``low`` is the block whose output the decoder takes too, ``last`` and ``middle`` widths."""

    stages: tuple[Stage, ...]
    low: int
    last: int
    middle: int


_WAYS = ((1, 1), (1, 2), (3, 1), (6, 1))  # expansion, groups: in the authors' order
BLOCKS = {
    f"k{kernel}_e{expansion}{'_g2' * (groups > 1)}{'_d2' * (dilation > 1)}": Residual(
        kernel, expansion, groups, dilation
    )
    for kernel, dilation in ((3, 1), (5, 1), (3, 2))
    for expansion, groups in _WAYS
}
SMALL = Form((Stage(16, 4, 2), Stage(24, 4, 2), Stage(40, 4, 2), Stage(48, 4, 1), Stage(96, 4, 1)), 7, 256, 128)
SHORT = Form((Stage(16, 2, 1), Stage(24, 2, 2), Stage(40, 2, 2)), 1, 64, 32)
PUBLISHED = MappingProxyType(  # `nets.py` of the authors
    {
        "mac_small": "k3_e1_g2,k3_e1,k3_e1,k3_e1_g2,k5_e6,k3_e1,k3_e1,k3_e1_g2_d2,k5_e6,k3_e6_d2,skip,k3_e1_g2,k5_e6,"
        "k3_e3_d2,k3_e1_d2,k3_e1_d2,k3_e6_d2,k3_e1_g2_d2,k3_e1_g2_d2,k3_e1_g2_d2",
        "lat_small": "k3_e1,skip,skip,skip,k3_e6,k3_e6,skip,skip,k5_e6,k3_e6_d2,k5_e1_g2,k3_e1_g2,k3_e6_d2,k3_e6_d2,"
        "k3_e6_d2,k3_e1_d2,k3_e6_d2,k3_e3_d2,k3_e3_d2,k3_e3_d2",
    }
)


class SqueezeNASSpace(SegmentationSpace):
    """One decision a block, which of thirteen it is; its networks give every pixel a class.

    >>> SPACE.size == 13**20, SHORT_SPACE.size
    (True, 4826809)
    """

    frame = Frame(channels=STEM, cells=1, classes=19, image=(3, 1024, 2048))
    options_are_words = True

    def __init__(self, name: str, form: Form) -> None:
        self.form = form
        self.places = [
            (stage.width, 1 if block else stage.stride) for stage in form.stages for block in range(stage.blocks)
        ]
        super().__init__(name, [Decision(f"block{i}", (*BLOCKS, SKIP)) for i in range(len(self.places))])
        self.known = PUBLISHED if form is SMALL else MappingProxyType({})

    def words(self, arch: Architecture) -> list[str]:
        """What each block is."""
        return [d.options[c] for d, c in zip(self.decisions, self.check(arch).choices, strict=True)]

    def format(self, arch: Architecture) -> str:
        """The blocks, with commas between them."""
        return SEPARATOR.join(self.words(arch))

    def parse(self, text: str) -> Architecture:
        """Read blocks with commas between them, a name of `known`, or numbers with dashes."""
        body = text.strip()[:LONGEST]
        head, colon, tail = body.partition(":")
        body = tail if colon and head.replace("_", "-") == self.name else body
        words = [word.strip() for word in self.known.get(body, body).split(SEPARATOR)]
        if len(words) < 2 and not words[0].startswith(("k", SKIP)):
            return super().parse(text if len(text) <= 200 else f"{text[:200]}...")
        options = self.decisions[0].options
        if unknown := [word for word in words if word not in options]:
            raise InvalidArchitecture(
                f"{unknown[0]!r:.40} is not a block of {self.name}: use {', '.join(options)}, with commas between them."
            )
        if len(words) != len(self.decisions):
            raise InvalidArchitecture(
                f"an architecture of {self.name} has {len(self.decisions)} blocks, not {len(words)}."
            )
        return Architecture(self.name, tuple(map(options.index, words)))

    def how_to_write(self) -> str:
        names = f"{', '.join(self.known)}, " if self.known else ""
        return (
            f"Write {names}{len(self.decisions)} blocks with commas between them (k3_e6_d2: kernel 3, expansion 6, "
            f"dilation 2; _g2: two groups; or skip), or {self.name}: and {len(self.decisions)} numbers with dashes."
        )

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem, 16 as published; the others go with it."""
        words = self.words(arch)

        def block(draft: Draft, name: str, number: int, x: int, inputs: int, outputs: int, stride: int) -> int:
            y = option(draft, name, words[number], x, inputs, outputs, stride)
            if stride > 1 or inputs != outputs:
                assert y is not None, "where the shape changes every option is something"
                return y
            return x if y is None else draft.add(f"{name}.sum", "add", x, y)

        return self._around(block, frame)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Every block with its options; as in the authors' code normalizations have a scale. No partial channels."""
        no_partial(partial, self.name)

        def block(draft: Draft, name: str, number: int, x: int, inputs: int, outputs: int, stride: int) -> int:
            made = {
                place: y
                for place, word in enumerate(self.decisions[number].options)
                if (y := option(draft, f"{name}.{word}", word, x, inputs, outputs, stride)) is not None
            }
            mixed = draft.add(f"{name}.mix", "mix", *made.values(), group=number, options=tuple(made))
            same = stride == 1 and inputs == outputs
            return draft.add(f"{name}.sum", "add", x, mixed) if same else mixed

        return self._around(block, frame)

    def _around(self, block: Block, frame: Frame) -> Network:
        def scaled(width: int) -> int:
            return max(2, width * frame.channels // STEM // 2 * 2)  # even: convolutions may have two groups

        form, draft, width = self.form, Draft(frame.image), scaled(STEM)
        x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3, "stride": 2}), NORMALIZED, RELU)
        low, shrunk = x, 1  # how many times smaller than the low map the last one is
        for number, (published, stride) in enumerate(self.places):
            outputs = scaled(published)
            x = block(draft, f"blocks.{number}", number, x, width, outputs, stride)
            width, shrunk = outputs, shrunk * stride
            low, shrunk = (x, 1) if number == form.low else (low, shrunk)
        x = draft.chain("last", x, ("conv", {"channels": scaled(form.last)}), NORMALIZED, RELU)
        middle, classes = {"channels": scaled(form.middle)}, {"channels": frame.classes, "bias": True}
        y = draft.chain("decoder.deep", x, ("conv", middle), NORMALIZED, RELU)
        gate = {"channels": scaled(form.middle), "bias": True}
        weights = draft.chain("decoder.gate", x, ("global_pool", {}), ("conv", gate), ("activation", SIGMOID))
        y = draft.add("decoder.weighed", "multiply", y, weights)
        y = draft.add("decoder.larger", "upsample", y, factor=shrunk, bilinear=True)
        y = draft.chain("decoder.classes", y, ("conv", classes))
        y = draft.add("decoder.sum", "add", y, draft.chain("decoder.low", low, ("conv", classes)))
        strides = [stride for _, stride in self.places[: form.low + 1]]
        y = draft.add("decoder.whole", "upsample", y, factor=2 * prod(strides), bilinear=True)
        return draft.network(draft.add("pixels", "pixels", y))


def option(draft: Draft, name: str, word: str, x: int, inputs: int, outputs: int, stride: int) -> int | None:
    """A block without what is added to it; None where it is zero."""
    if word == SKIP:
        if stride == 1 and inputs == outputs:
            return None
        x = draft.add(f"{name}.relu", "activation", x)
        if stride == 1:
            return draft.chain(f"{name}.skip", x, ("conv", {"channels": outputs}), NORMALIZED)
        half = outputs // 2
        halves = (x, outputs - half), (draft.add(f"{name}.shifted", "crop", x), half)
        both = [
            draft.chain(f"{name}.skip{i}", source, ("conv", {"channels": width, "stride": stride}), NORMALIZED)
            for i, (source, width) in enumerate(halves)
        ]
        return draft.add(f"{name}.both", "concat", *both)
    block = BLOCKS[word]
    wide = inputs * block.expansion
    middle = {"kernel": block.kernel, "stride": stride, "groups": wide, "dilation": block.dilation}
    return draft.chain(
        name,
        x,
        ("conv", {"channels": wide, "groups": block.groups}),
        NORMALIZED,
        RELU,
        ("conv", {"channels": wide, **middle}),
        NORMALIZED,
        RELU,
        ("conv", {"channels": outputs, "groups": block.groups}),
        NORMALIZED,
    )


SPACE = SqueezeNASSpace("squeezenas", SMALL)
SHORT_SPACE = SqueezeNASSpace("squeezenas-short", SHORT)
