"""The space of Accel-NASBench: seven mobile blocks with expansion, kernel, layers and squeeze-and-excitation.

Paper: A. Ahmad et al., "Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS", DAC 2024,
arXiv:2404.08005. The space is that of MnasNet (arXiv:1807.11626) with inverted residual blocks only: 28 decisions,
block by block.

Network: the release has no code of it. That of EfficientNet-B0 (Tan & Le, ICML 2019, arXiv:1905.11946, table 1) has
exactly the recorded parameters of all 5,138 trainings: 3x3 convolution of stride 2 to 32 channels; blocks with 16, 24,
40, 80, 112, 192, 320 channels and strides 1, 2, 2, 2, 1, 2, 1 of their first layers; 1x1 convolution to 1,280; global
average pooling; linear layer to 1,000 classes; images of 224 pixels. Squeeze-and-excitation narrows to a quarter of a
layer's input channels. What activations they used is not to be seen in a count: here they are EfficientNet's, swish.
The recorded multiply-adds are those of `nassim.network.measure`, and 4 for each normalized value, 1 for each value
that enters a pooling and 1 for each that leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nassim.benchmarks.spaces.mobile import inverted_residual
from nassim.errors import InvalidArchitecture
from nassim.network import NORMALIZED, Draft, Frame, Network, Step
from nassim.space import Architecture, Decision, SearchSpace

BLOCKS = 7
_OPTIONS = {"e": (1, 4, 6), "k": (3, 5), "l": (1, 2, 3), "se": (False, True)}
_WIDTHS = (16, 24, 40, 80, 112, 192, 320)
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_STEM, _HEAD = 32, 1280
_DEEPER = 5  # the block that may have four layers


class AccelNASBenchSpace(SearchSpace):
    """Seven blocks of four decisions: 104,485,552,128 networks."""

    frame = Frame(channels=_STEM, cells=1, classes=1000, image=(3, 224, 224))
    known = MappingProxyType(
        {"EfficientNet-B0": "0-0-0-1-2-0-1-1-2-1-1-1-2-0-2-1-2-1-2-1-2-1-3-1-2-0-0-1"}
    )  # its table 1

    def __init__(self) -> None:
        decisions = [
            Decision(f"block{block}_{name}", tuple(map(str, _options(block, name))))
            for block in range(BLOCKS)
            for name in _OPTIONS
        ]
        super().__init__("accel_nasbench", decisions)

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the stem, 32 as published; the others go with it."""
        draft, width = Draft(frame.image), frame.channels
        swish: Step = ("activation", {"function": "swish"})
        x = draft.chain("stem", 0, ("conv", {"channels": width, "kernel": 3, "stride": 2}), NORMALIZED, swish)
        options = iter(d.options[c] for d, c in zip(self.decisions, self.check(arch).choices, strict=True))
        for block, (published, stride) in enumerate(zip(_WIDTHS, _STRIDES, strict=True)):
            expansion, kernel, layers, squeezed = next(options), next(options), next(options), next(options)
            outputs = max(1, published * frame.channels // _STEM)
            for layer in range(int(layers)):
                x = inverted_residual(
                    draft,
                    f"blocks.{block}.{layer}",
                    x,
                    width,
                    outputs,
                    expansion=int(expansion),
                    kernel=int(kernel),
                    stride=1 if layer else stride,
                    squeeze=max(1, width // 4) if squeezed == "True" else 0,
                    function="swish",
                )
                width = outputs
        x = draft.chain("last", x, ("conv", {"channels": _HEAD // _STEM * frame.channels}), NORMALIZED, swish)
        x = draft.add("pool", "global_pool", x)
        return draft.network(draft.add("head", "linear", x, channels=frame.classes))

    def from_settings(self, settings: Mapping[str, object]) -> Architecture:
        """The architecture of the release's settings, ``block0_e`` to ``block6_se``."""
        try:
            choices = [
                _options(block, name).index(settings[f"block{block}_{name}"])
                for block in range(BLOCKS)
                for name in _OPTIONS
            ]
        except (KeyError, ValueError) as error:
            raise InvalidArchitecture(f"no architecture of {self.name}: {error}.") from error
        return Architecture(self.name, tuple(choices))


def _options(block: int, name: str) -> tuple[object, ...]:
    return (1, 2, 3, 4) if (block, name) == (_DEEPER, "l") else _OPTIONS[name]


SPACE = AccelNASBenchSpace()
