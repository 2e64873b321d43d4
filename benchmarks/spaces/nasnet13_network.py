"""The networks around NASNet's cells of thirteen operations, which are added or concatenated.

Paper: Zoph, Vasudevan, Shlens, Le, CVPR 2018, arXiv:1707.07012, section 3, figure 2 and appendix A.

Stacks of cells as in `nasnet_network`. Every operation gives F channels: convolutions bring what they read to F, a
pooling or an identity of a state of more (one that was concatenated) is followed by ReLU-1x1-normalization. So a sum
has F channels and a concatenation 2 F. Convolutions are ReLU-convolution-normalization, separable ones twice, without
normalization between depthwise and 1x1. Strides of 2 are in reduction cells only, where a cell's input is read.

NASNet-A with N = 6 and F = 32 has 3,061,738 parameters for CIFAR-10. The paper's 3.3 million are those of a network
that ends with 768 = 6 * 128 channels: it concatenates c_{k-2} of normal cells as well, which a block takes; with that
there are 3,287,274 here (a test holds both). Departures: the two convolutions of 1x3-3x1 and 1x7-7x1 follow
one ReLU and stand before one normalization; no auxiliary head.
"""

from __future__ import annotations

from typing import NamedTuple

from nassim.benchmarks.spaces.darts_network import brought, depthwise, halved
from nassim.benchmarks.spaces.nasnet_network import stacked
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

OPERATIONS = (
    *("identity", "1x3-3x1", "1x7-7x1", "dil3", "avg3", "max3", "max5", "max7"),
    *("conv1", "conv3", "sep3", "sep5", "sep7"),
)
COMBINED = ("add", "concat")


class Block(NamedTuple):
    """Two operations on earlier states, each (state, operation), and how they are combined."""

    first: tuple[int, int]
    second: tuple[int, int]
    combine: int


Cell = tuple[Block, ...]


def unused(cell: Cell) -> list[int]:
    """The states that no block takes, the cell's inputs among them: they are concatenated."""
    used = {state for block in cell for state, _ in (block.first, block.second)}
    return [state for state in range(len(cell) + 2) if state not in used]


def joined(normal: Cell, reduction: Cell, frame: Frame) -> Network:
    """The network of two cells: ``frame.channels`` is F, ``frame.cells`` is N."""
    return stacked(normal, reduction, frame, made=_cell)


def _cell(draft: Draft, name: str, inputs: tuple[int, int], cell: Cell, F: int, stride: int) -> int:
    states, widths = [*inputs], [F, F]
    for b, block in enumerate(cell):
        terms = [
            _operation(
                *(draft, f"{name}.blocks.{b}.{i}", states[state], OPERATIONS[operation]),
                *(widths[state], F, stride if state < 2 else 1),
            )
            for i, (state, operation) in enumerate((block.first, block.second))
        ]
        how = COMBINED[block.combine]
        states.append(draft.add(f"{name}.blocks.{b}.{how}", how, *terms))
        widths.append(F if how == "add" else 2 * F)
    ends = [
        halved(draft, f"{name}.unused{state}", states[state], F) if state < 2 and stride > 1 else states[state]
        for state in unused(cell)
    ]
    return draft.add(f"{name}.concat", "concat", *ends)


def _operation(draft: Draft, name: str, x: int, operation: str, width: int, F: int, stride: int) -> int:
    """An operation on a state of ``width`` channels; it gives F."""
    if operation == "identity" and stride == 1 and width == F:
        return draft.add(name, "identity", x)
    if operation == "identity":
        x = halved(draft, name, x, F) if stride > 1 else brought(draft, name, x, F)
    elif operation[:3] in ("avg", "max"):
        x = draft.add(f"{name}.pool", f"{operation[:3]}_pool", x, kernel=int(operation[3:]), stride=stride)
        x = x if width == F else brought(draft, f"{name}.width", x, F)
    elif operation.startswith("1x"):
        k = int(operation[2])
        wide: Step = ("conv", {"channels": F, "kernel": (1, k), "stride": (1, stride)})
        high: Step = ("conv", {"channels": F, "kernel": (k, 1), "stride": (stride, 1)})
        x = draft.chain(name, x, RELU, wide, high, NORMALIZED)
    elif operation.startswith("conv"):
        whole: Step = ("conv", {"channels": F, "kernel": int(operation[4:]), "stride": stride})
        x = draft.chain(name, x, RELU, whole, NORMALIZED)
    else:
        kernel, twice = int(operation[3:]), operation.startswith("sep")
        steps = _depthwise(width, F, kernel, stride, 1 if twice else 2)
        x = draft.chain(name, x, *steps, *(depthwise(F, kernel, 1, dilation=1) if twice else ()))
    return draft.add(f"{name}.drop", "drop_path", x)


def _depthwise(width: int, F: int, kernel: int, stride: int, dilation: int) -> list[Step]:
    """Half a separable convolution that reads ``width`` channels: ReLU-depthwise-1x1-normalization."""
    relu, (kind, settings), *rest = depthwise(F, kernel, stride, dilation)
    return [relu, (kind, {**settings, "channels": width, "groups": width}), *rest]
