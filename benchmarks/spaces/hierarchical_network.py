"""The networks around hierarchical cells.

Paper: Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, "Hierarchical Representations for Efficient Architecture Search",
    ICLR 2018, arXiv:1711.00436, sections 2 and 4. The frame is from memory of the paper, not checked.

A 3x3 convolution to C channels; three stages of N cells, between them a 3x3 separable convolution of stride 2 that
doubles C; global average pooling, a linear layer. Convolutions have C channels (a depthwise one those of its input),
normalization and ReLU. What meets at a node is concatenated, and what a motif of either level gives is brought to C
channels by a 1x1 convolution where it has others: a departure, as a public implementation does; the paper
concatenates only, and would grow without bound where operations keep their channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from nassim.benchmarks.spaces.hierarchical_motifs import Edge
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

STAGES = 3


def stacked(edges: Sequence[Edge], frame: Frame) -> Network:
    """The network of a cell's whole graph: ``frame.channels`` is C of the first stage, ``frame.cells`` is N."""
    draft, C = Draft(frame.image), frame.channels
    x = draft.chain("stem", 0, ("conv", {"channels": C, "kernel": 3}), NORMALIZED, RELU)
    for stage in range(STAGES):
        if stage:
            x = draft.chain(f"reduce.{stage}", x, *_separable(C, 2 * C, stride=2))
            C *= 2
        for i in range(frame.cells):
            x = _cell(draft, f"stages.{stage}.{i}", x, edges, C)
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _cell(draft: Draft, name: str, x: int, edges: Sequence[Edge], C: int) -> int:
    """The nodes in the order of the edges that lead to them: all of a node's are known where it is first a source."""
    into: dict[str, list[tuple[int, int]]] = {}  # node -> layers that meet there, and their channels
    made = {"1": (x, C)}

    def value(node: str) -> tuple[int, int]:
        if node not in made:
            place = f"{name}.{node.replace('.', '-')}"
            layers, channels = [layer for layer, _ in into[node]], sum(width for _, width in into[node])
            joined = layers[0] if len(layers) == 1 else draft.add(f"{place}.concat", "concat", *layers)
            if node in ("5",) or node.endswith(".4"):
                joined, channels = (joined if channels == C else _conv1(draft, f"{place}.out", joined, C)), C
            made[node] = joined, channels
        return made[node]

    for source, target, operation in edges:
        layer, channels = value(source)
        place = f"{name}.{target.replace('.', '-')}.{source.replace('.', '-')}"
        if operation != "motif":
            layer, channels = _operation(draft, place, layer, operation, channels, C)
        into.setdefault(target, []).append((layer, channels))
    return value("5")[0]


def _operation(draft: Draft, name: str, x: int, operation: str, channels: int, C: int) -> tuple[int, int]:
    """An operation on a layer of so many channels: the layer and its channels."""
    if operation == "conv1":
        return _conv1(draft, name, x, C), C
    if operation == "depthwise3":
        depthwise: Step = ("conv", {"channels": channels, "kernel": 3, "groups": channels})
        return draft.chain(name, x, depthwise, NORMALIZED, RELU), channels
    if operation == "separable3":
        return draft.chain(name, x, *_separable(channels, C)), C
    kinds = {"identity": "identity", "max3": "max_pool", "avg3": "avg_pool"}
    return draft.add(f"{name}.{operation}", kinds[operation], x), channels


def _conv1(draft: Draft, name: str, x: int, C: int) -> int:
    return draft.chain(name, x, ("conv", {"channels": C}), NORMALIZED, RELU)


def _separable(channels: int, C: int, stride: int = 1) -> list[Step]:
    depthwise = {"channels": channels, "kernel": 3, "stride": stride, "groups": channels}
    return [("conv", depthwise), ("conv", {"channels": C}), NORMALIZED, RELU]
