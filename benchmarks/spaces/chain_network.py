"""The networks of the chain space: convolutions that take concatenations of earlier ones.

Paper: Zoph & Le, ICLR 2017, arXiv:1611.01578, sections 3.3 and 4.1. A convolution is followed by normalization and
ReLU. Maps keep their side, divided by the stride and rounded up. Where maps of different sides meet, the smaller are
padded with zeros, on all sides. Not said there: the mean over each map stands before the linear layer.
"""

from __future__ import annotations

from collections.abc import Sequence

from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

NARROWEST = 24  # filters, as published

Described = tuple[tuple[int, int], tuple[int, int], int, tuple[int, ...]]  # kernel, stride, filters, inputs


def assembled(layers: Sequence[Described], frame: Frame) -> Network:
    """The network of layers in their order; a layer's inputs are the places of earlier ones, none is the image."""
    draft = Draft(frame.image)
    made: list[tuple[int, int, int]] = []  # position, height and width of each layer's output
    for i, (kernel, stride, filters, inputs) in enumerate(layers):
        name = f"layers.{i}"
        given = [made[j] for j in inputs] or [(0, *frame.image[1:])]
        x, height, width = _joined(draft, name, given)
        channels = max(1, filters * frame.channels // NARROWEST)
        convolution: Step = ("conv", {"channels": channels, "kernel": kernel, "stride": stride})
        x = draft.chain(name, x, convolution, NORMALIZED, RELU)
        made.append((x, -(-height // stride[0]), -(-width // stride[1])))
    used = {j for *_, inputs in layers for j in inputs}
    x, _, _ = _joined(draft, "ends", [made[i] for i in range(len(layers)) if i not in used])
    return draft.network(draft.add("head", "linear", draft.add("pool", "global_pool", x), channels=frame.classes))


def _joined(draft: Draft, name: str, given: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Outputs behind each other, the smaller ones padded."""
    height, width = max(h for _, h, _ in given), max(w for _, _, w in given)
    whole = [
        x if (h, w) == (height, width) else draft.add(f"{name}.pad{i}", "pad", x, height=height, width=width)
        for i, (x, h, w) in enumerate(given)
    ]
    return (whole[0] if len(whole) == 1 else draft.add(f"{name}.concat", "concat", *whole)), height, width
