"""The networks around NASNet's cells: stacks of normal cells with a reduction cell between them.

Paper: Zoph, Vasudevan, Shlens, Le, "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018,
    arXiv:1707.07012, figure 2 and appendix; the operations of Real et al., AAAI 2019, arXiv:1802.01548.

A 3x3 convolution to 3 F channels with normalization; N normal cells, a reduction cell, N normal, a reduction, N normal;
global average pooling, a linear layer. A reduction cell doubles F, and operations on its inputs have stride 2. A cell
brings its inputs to F channels by ReLU-1x1-normalization, one from before a reduction cell by two 1x1 convolutions of
stride 2 on pixels beside each other (sides must be even); so are an input of a reduction cell that no block takes,
and an identity of stride 2.

Separable convolutions are ReLU-depthwise-1x1-normalization twice, the dilated one (rate 2) once; 1x7-7x1 is ReLU, both
convolutions at F channels, normalization, as in DARTS' code (a later public version of AmoebaNet has a bottleneck
there). Poolings have no normalization. Every operation but a plain identity may be dropped by a recipe.
Departure: without the auxiliary head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nassim.benchmarks.spaces.darts_network import brought, depthwise, halved
from nassim.benchmarks.spaces.nasnet_cells import OPERATIONS, Cell, unused
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

REDUCTIONS = 2
C = TypeVar("C")
Made = Callable[[Draft, str, tuple[int, int], C, int, int], int]  # draft, name, inputs, cell, F, stride


def stacked(normal: C, reduction: C, frame: Frame, made: Made[C]) -> Network:
    """The network of two cells: ``frame.channels`` is F, ``frame.cells`` is N; ``made`` appends a cell."""
    draft, F = Draft(frame.image), frame.channels
    before = last = draft.chain("stem", 0, ("conv", {"channels": 3 * F, "kernel": 3}), NORMALIZED)
    kinds = ([normal] * frame.cells + [reduction]) * REDUCTIONS + [normal] * frame.cells
    smaller = False  # the last cell was a reduction: what came before has maps of twice the side
    for i, cell in enumerate(kinds):
        reduces = (i + 1) % (frame.cells + 1) == 0
        F *= 2 if reduces else 1
        first = halved if smaller else brought
        inputs = (first(draft, f"cells.{i}.input0", before, F), brought(draft, f"cells.{i}.input1", last, F))
        before, last = last, made(draft, f"cells.{i}", inputs, cell, F, 2 if reduces else 1)
        smaller = reduces
    x = draft.add("pool", "global_pool", last)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def summed(draft: Draft, name: str, inputs: tuple[int, int], cell: Cell, F: int, stride: int) -> int:
    """A cell whose blocks are sums: the position of its output, of a multiple of F channels."""
    states = [*inputs]
    for b, block in enumerate(cell):
        terms = [
            _operation(draft, f"{name}.blocks.{b}.{i}", states[state], OPERATIONS[o], F, stride if state < 2 else 1)
            for i, (state, o) in enumerate(block)
        ]
        states.append(draft.add(f"{name}.blocks.{b}.sum", "add", *terms))
    ends = [
        halved(draft, f"{name}.unused{state}", states[state], F) if state < 2 and stride > 1 else states[state]
        for state in unused(cell)
    ]
    return draft.add(f"{name}.concat", "concat", *ends)


def _operation(draft: Draft, name: str, x: int, operation: str, F: int, stride: int) -> int:
    if operation == "identity" and stride == 1:
        return draft.add(name, "identity", x)
    if operation == "identity":
        x = halved(draft, name, x, F)
    elif operation in ("avg3", "max3"):
        x = draft.add(f"{name}.pool", f"{operation[:3]}_pool", x, stride=stride)
    elif operation == "dil3":
        x = draft.chain(name, x, *depthwise(F, 3, stride, dilation=2))
    elif operation == "1x7-7x1":
        wide: Step = ("conv", {"channels": F, "kernel": (1, 7), "stride": (1, stride)})
        high: Step = ("conv", {"channels": F, "kernel": (7, 1), "stride": (stride, 1)})
        x = draft.chain(name, x, RELU, wide, high, NORMALIZED)
    else:
        kernel = int(operation[-1])
        x = draft.chain(name, x, *depthwise(F, kernel, stride, dilation=1), *depthwise(F, kernel, 1, dilation=1))
    return draft.add(f"{name}.drop", "drop_path", x)
