"""The networks around cells of NAS-Bench-101.

Paper: Ying et al., ICML 2019, arXiv:1902.09635, section 2.3 and figure 1. A 3x3 convolution, three stacks of
equal modules with a 2x2 max pooling and twice the channels from one to the next, global average pooling, a
linear layer. Convolutions are convolution-normalization-ReLU.

Inside a module edges from its input are 1x1 convolutions to the channels of the vertex that they reach; other edges
give the first channels of their source, and a vertex works on the sum. What feeds the output is concatenated, to which
an edge from the input is added. Departure: normalizations forget as PyTorch's do (momentum 0.1) where the paper's
has 0.003, which takes thousands of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import pair_bit
from nassim.benchmarks.spaces.nasbench101.cost import STACKS, vertex_channels
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network

_KERNELS = {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}


def stacked(matrix: NDArray[Any], labels: Sequence[str], frame: Frame) -> Network:
    """Three stacks of ``frame.cells`` modules of a pruned cell, given by its matrix and labels."""
    edges = [(a, b) for a, b in np.argwhere(matrix).tolist()]
    draft, width = Draft(frame.image), frame.channels
    x = _convolution(draft, "stem", 0, width, 3)
    for stack, unit in enumerate(STACKS):
        if stack > 0:
            x = draft.add(f"pools.{stack - 1}", "max_pool", x, kernel=2, stride=2)
        for number in range(frame.cells):
            inputs, width = width, unit * frame.channels
            x = module(draft, f"stacks.{stack}.{number}", x, edges, labels, inputs, width)
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def module(
    draft: Draft,
    name: str,
    x: int,
    edges: Sequence[tuple[int, int]],
    labels: Sequence[str],
    inputs: int,
    outputs: int,
) -> int:
    """One module with so many channels in and out."""
    last = len(labels) - 1
    channels = vertex_channels(sum(1 << pair_bit(a, b) for a, b in edges), len(labels), inputs, outputs)
    values = {0: x}
    for v in range(1, last):
        vertex, terms = f"{name}.vertices.{v}", []
        for source, target in edges:
            if target == v and source > 0:
                cut = f"{vertex}.from{source}"
                narrower = channels[source] > channels[v]
                terms.append(
                    draft.add(cut, "resize_channels", values[source], channels=channels[v])
                    if narrower
                    else values[source]
                )
        if (0, v) in edges:
            terms.append(_convolution(draft, f"{vertex}.projection", x, channels[v], 1))
        value = draft.sum(f"{vertex}.sum", terms)
        kernel = _KERNELS.get(labels[v])
        if kernel is None:
            values[v] = draft.add(f"{vertex}.pool", "max_pool", value)
        else:
            values[v] = _convolution(draft, f"{vertex}.convolution", value, channels[v], kernel)
    feeding = [values[source] for source, target in edges if target == last and source > 0]
    joined = [feeding[0] if len(feeding) == 1 else draft.add(f"{name}.concat", "concat", *feeding)] if feeding else []
    if (0, last) in edges:
        joined.append(_convolution(draft, f"{name}.projection", x, outputs, 1))
    return draft.sum(f"{name}.sum", joined)


def _convolution(draft: Draft, name: str, x: int, channels: int, kernel: int) -> int:
    return draft.chain(name, x, ("conv", {"channels": channels, "kernel": kernel}), NORMALIZED, RELU)
