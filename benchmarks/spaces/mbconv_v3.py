"""MobileNetV3, and the networks that NetAdapt's steps lead to from it: narrower expansions and narrower stages.

Paper: A. Howard, M. Sandler, G. Chu, L. Chen, B. Chen, M. Tan, W. Wang, Y. Zhu, R. Pang, V. Vasudevan, Q. Le, H. Adam,
    "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244: tables 1 (large) and 2 (small), sections 4.3, 5.2 and 5.3.

Two decisions of section 4.3: the expansion of each block, in channels, and the width of each stage, which the sums of
its blocks tie. Kernels, squeeze-and-excitation and where hard swish stands are those of the tables; the published
network is the widest architecture. Options are eighths of the published widths (3 to 8 of an expansion, 4 to 8 of a
stage), as multiples of 8; the paper does not say its steps.

Network: 3x3 convolution of stride 2 to 16 channels; the blocks; 1x1 convolution to six times the last width; global
average pooling; 1,280 (large) or 1,024 (small) units without normalization; linear layer; images of 224 pixels.
Squeeze-and-excitation narrows to a quarter of the expansion, with a hard sigmoid. Parameters are torchvision's:
5,483,032 and 2,542,856 (paper: 5.4 M and 2.5 M); multiply-adds against the paper's 219 M and 56 M.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from nassim.benchmarks.spaces.mobile import inverted_residual
from nassim.network import NORMALIZED, Draft, Frame, Network, Step
from nassim.space import Architecture, Decision, SearchSpace

STEM = 16
_HARD: Step = ("activation", {"function": "hard_swish"})


class Block(NamedTuple):
    """A row of the paper's tables."""

    kernel: int
    expansion: int  # in channels
    width: int
    squeeze: bool
    hard: bool  # hard swish; else ReLU
    stride: int


LARGE = (
    Block(3, 16, 16, False, False, 1),
    Block(3, 64, 24, False, False, 2),
    Block(3, 72, 24, False, False, 1),
    Block(5, 72, 40, True, False, 2),
    Block(5, 120, 40, True, False, 1),
    Block(5, 120, 40, True, False, 1),
    Block(3, 240, 80, False, True, 2),
    Block(3, 200, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 480, 112, True, True, 1),
    Block(3, 672, 112, True, True, 1),
    Block(5, 672, 160, True, True, 2),
    Block(5, 960, 160, True, True, 1),
    Block(5, 960, 160, True, True, 1),
)
SMALL = (
    Block(3, 16, 16, True, False, 2),
    Block(3, 72, 24, False, False, 2),
    Block(3, 88, 24, False, False, 1),
    Block(5, 96, 40, True, True, 2),
    Block(5, 240, 40, True, True, 1),
    Block(5, 240, 40, True, True, 1),
    Block(5, 120, 48, True, True, 1),
    Block(5, 144, 48, True, True, 1),
    Block(5, 288, 96, True, True, 2),
    Block(5, 576, 96, True, True, 1),
    Block(5, 576, 96, True, True, 1),
)


class MobileNetV3Space(SearchSpace):
    """The expansions of all blocks but the first, which has none, then the widths of all stages but the first.

    >>> from nassim.network import measure
    >>> measure(SPACE.network(SPACE.parse("MobileNetV3-Large"), SPACE.frame)).parameters
    5483032
    """

    frame = Frame(channels=STEM, cells=1, classes=1000, image=(3, 224, 224))
    inherits = True

    def __init__(self, name: str, published: str, blocks: tuple[Block, ...], units: int) -> None:
        self.blocks, self.units = blocks, units
        self.stages = list(dict.fromkeys(block.width for block in blocks))
        options = [(f"expansion{i}", _eighths(block.expansion, 3)) for i, block in enumerate(blocks) if i]
        options += [(f"width{i}", _eighths(width, 4)) for i, width in enumerate(self.stages) if i]
        super().__init__(name, [Decision(what, tuple(map(str, found))) for what, found in options])
        widest = "-".join(str(len(decision.options) - 1) for decision in self.decisions)
        self.known = MappingProxyType({published: f"{name}:{widest}"})

    def parse(self, text: str) -> Architecture:
        """Numbers of options, or the published network's name."""
        body = text.strip().removeprefix(f"{self.name}:")
        return super().parse(self.known.get(body, text))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem, 16 as published; the others go with it."""

        def scaled(width: int) -> int:
            return max(1, width * frame.channels // STEM)

        said = [int(d.options[c]) for d, c in zip(self.decisions, self.check(arch).choices, strict=True)]
        expansions = [self.blocks[0].expansion, *said[: len(self.blocks) - 1]]
        widths = dict(zip(self.stages, [self.stages[0], *said[len(self.blocks) - 1 :]], strict=True))
        draft, width = Draft(frame.image), frame.channels
        x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3, "stride": 2}), NORMALIZED, _HARD)
        for number, (block, expansion) in enumerate(zip(self.blocks, expansions, strict=True)):
            outputs, hidden = scaled(widths[block.width]), scaled(expansion)
            x = inverted_residual(
                *(draft, f"blocks.{number}", x, width, outputs),
                expansion=1,
                hidden=hidden,
                kernel=block.kernel,
                stride=block.stride,
                squeeze=_rounded(hidden / 4) if block.squeeze else 0,
                function="hard_swish" if block.hard else "relu",
                gate="hard_sigmoid",
                inner="relu",
            )
            width = outputs
        x = draft.chain("last", x, ("conv", {"channels": 6 * width}), NORMALIZED, _HARD)
        x = draft.chain(
            "units", x, ("global_pool", {}), ("conv", {"channels": scaled(self.units), "bias": True}), _HARD
        )
        return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _rounded(width: float) -> int:
    """The nearest multiple of 8, and not less than nine tenths (as in MobileNets' public code)."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest


def _eighths(width: int, fewest: int) -> list[int]:
    return sorted({_rounded(width * part / 8) for part in range(fewest, 9)})


SPACE = MobileNetV3Space("mbconv-v3", "MobileNetV3-Large", LARGE, 1280)
SMALLER = MobileNetV3Space("mbconv-v3-small", "MobileNetV3-Small", SMALL, 1024)
