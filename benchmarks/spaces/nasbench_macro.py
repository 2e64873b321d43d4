"""The space of NAS-Bench-Macro: eight layers, each skipped or one of two inverted residual blocks.

Paper: X. Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021, arXiv:2103.11922.

Network: 3x3 convolution to 32 channels, three stages of 2, 3 and 3 layers with 64, 128 and 256 channels, of which
the first layer has stride 2, 1x1 convolution to 1,280, global average pooling, linear layer to 10 classes; images of
32 pixels. A batch normalization follows every convolution. Skipping is a true identity where a layer keeps shape and a
strided 1x1 convolution where it does not, so that identities inside a stage commute: of the 6,561 strings 3,969 are
different networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.mobile import inverted_residual
from nassim.benchmarks.spaces.partial_channels import no_partial
from nassim.errors import InvalidSetting
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

OPERATIONS = ("identity", "mb3_k3", "mb6_k5")  # inverted residual: expansion 3 or 6, kernel 3 or 5
STAGES = (range(2), range(2, 5), range(5, 8))
_WIDTHS = (64, 128, 256)
_STEM, _HEAD, _CLASSES = 32, 1280, 10
_BLOCKS = {1: (3, 3), 2: (6, 5)}  # option -> expansion, kernel


class NASBenchMacroSpace(SearchSpace):
    """Eight layers of three options.

    >>> SPACE.format(SPACE.parse("nasbench_macro:2-2-2-1-2-2-0-2"))
    '22212202'
    """

    frame = Frame(channels=32, cells=1, classes=10)

    def __init__(self) -> None:
        super().__init__("nasbench_macro", [Decision(f"layer{i}", OPERATIONS) for i in range(8)])

    def format(self, arch: Architecture) -> str:
        """The release's string of eight digits."""
        return "".join(map(str, arch.choices))

    def graph(self, arch: Architecture) -> Graph:
        """A chain of eight edges."""
        names = ("input", *(str(i + 1) for i in range(7)), "output")
        return Graph(names, tuple((i, i + 1, OPERATIONS[choice]) for i, choice in enumerate(arch.choices)))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem; the others are 2, 4, 8 and (the last) 40 times as wide.

        Published multiply-adds are those of `nassim.network.measure`.
        """
        choices = self.check(arch).choices

        def layer(draft: Draft, name: str, number: int, x: int, width: int, outputs: int, stride: int) -> int:
            return _option(draft, name, choices[number], x, width, outputs, stride, affine=True)

        return _around(layer, frame)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Every layer with its three options; normalizations in them have no scale and shift. No partial channels."""
        no_partial(partial, self.name)

        def layer(draft: Draft, name: str, number: int, x: int, width: int, outputs: int, stride: int) -> int:
            options = [
                _option(draft, f"{name}.{kind}", choice, x, width, outputs, stride, affine=False)
                for choice, kind in enumerate(OPERATIONS)
            ]
            return draft.add(name, "mix", *options, group=number, options=(0, 1, 2))

        return _around(layer, frame)

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The same network with the true identities of each stage at its end; their order does not matter."""
        if kind not in ("published", "algebraic"):
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        choices: list[int] = []
        for first, *rest in STAGES:
            blocks = [arch.choices[i] for i in rest if arch.choices[i]]
            choices += [arch.choices[first], *blocks, *[0] * (len(rest) - len(blocks))]
        return Architecture(self.name, tuple(choices))

    def smallest(self) -> list[Architecture]:
        """The network that skips every layer."""
        return [self.at(0)]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """A block in place of one skipped layer."""
        return [other for other in self.neighbors(arch) if self.complexity(other) > self.complexity(arch)]

    def complexity(self, arch: Architecture) -> int:
        """Number of blocks."""
        return sum(choice > 0 for choice in arch.choices)


def _around(layer: Callable[[Draft, str, int, int, int, int, int], int], frame: Frame) -> Network:
    draft, width = Draft(frame.image), frame.channels
    x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3}), NORMALIZED, RELU)
    for number in range(8):
        first = any(number == stage[0] for stage in STAGES)
        outputs, stride = (2 * width, 2) if first else (width, 1)
        x = layer(draft, f"layers.{number}", number, x, width, outputs, stride)
        width = outputs
    x = draft.chain("last", x, ("conv", {"channels": _HEAD // _STEM * frame.channels}), NORMALIZED, RELU)
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _option(
    draft: Draft, name: str, choice: int, x: int, width: int, outputs: int, stride: int, *, affine: bool
) -> int:
    if choice:
        expansion, kernel = _BLOCKS[choice]
        return inverted_residual(
            draft, name, x, width, outputs, expansion=expansion, kernel=kernel, stride=stride, affine=affine
        )
    if outputs == width and stride == 1:
        return x
    norm = NORMALIZED if affine else ("batch_norm", {"affine": False})
    return draft.chain(name, x, ("conv", {"channels": outputs, "stride": stride}), norm)


SPACE = NASBenchMacroSpace()


def parameters(choices: NDArray[Any]) -> NDArray[np.int64]:
    """Trainable parameters, shape (n,), of networks given as choices (n, 8)."""
    return _count(choices, multiply_adds=False)


def flops(choices: NDArray[Any]) -> NDArray[np.int64]:
    """Multiply-adds of convolutions and the linear layer for one image, shape (n,)."""
    return _count(choices, multiply_adds=True)


def _count(choices: NDArray[Any], *, multiply_adds: bool) -> NDArray[np.int64]:
    """A sum over layers: what a layer has depends on its place and operation only."""

    def conv(inputs: int, outputs: int, kernel: int, side: int, groups: int = 1) -> int:
        weights = inputs // groups * outputs * kernel**2
        return weights * side**2 if multiply_adds else weights + 2 * outputs

    width, side = _STEM, 32
    total = np.full(len(choices), conv(3, _STEM, 3, side), dtype=np.int64)
    for stage, wider in zip(STAGES, _WIDTHS, strict=True):
        for layer in stage:
            smaller = side // 2 if layer == stage[0] else side
            skipped = conv(width, wider, 1, smaller) if layer == stage[0] else 0
            per_option = [skipped]
            for expansion, kernel in _BLOCKS.values():
                hidden = expansion * width
                per_option.append(
                    conv(width, hidden, 1, side)
                    + conv(hidden, hidden, kernel, smaller, groups=hidden)
                    + conv(hidden, wider, 1, smaller)
                )
            total += np.array(per_option)[choices[:, layer]]
            width, side = wider, smaller
    linear = _HEAD * _CLASSES if multiply_adds else (_HEAD + 1) * _CLASSES
    return total + conv(width, _HEAD, 1, side) + linear
