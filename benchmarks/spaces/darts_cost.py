"""Multiply-adds and parameters of DARTS' networks in NAS-Bench-301's size, counted without building them.

NAS-Bench-301 (arXiv:2008.09777, appendix) trains networks of C = 32 and 8 cells. Operations within a cell work at the
cell's channels and the size of its output, so that both counts are a sum over the operations; what is left (stem,
inputs of the cells, head) is the same for all. `nassim.network.measure` of the built network gives the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.darts import SPACE
from nassim.benchmarks.spaces.darts_cells import CELLS, EDGES, OPERATIONS, adjacency_encoding
from nassim.network import Frame, measure

FRAME = Frame(channels=32, cells=8, classes=10)
# Channels and pixels of the output of each cell, by the kind of cell: the third and the sixth reduce.
_SIZES = {
    "normal": ((32, 1024), (32, 1024), (64, 256), (64, 256), (128, 64), (128, 64)),
    "reduce": ((64, 256), (128, 64)),
}
# Of separable and dilated convolutions: the side of the kernel, and how many follow each other.
_CONVOLUTIONS = {"sep_conv_3x3": (3, 2), "sep_conv_5x5": (5, 2), "dil_conv_3x3": (3, 1), "dil_conv_5x5": (5, 1)}


def multiply_adds(choices: NDArray[Any]) -> NDArray[np.int64]:
    """Multiply-adds for one image of the network in `FRAME`: (n, 22) -> (n,)."""
    counted: NDArray[np.int64] = _counted(choices)[0]
    return counted


def parameters(choices: NDArray[Any]) -> NDArray[np.int64]:
    """Trainable parameters of the network in `FRAME`: (n, 22) -> (n,)."""
    counted: NDArray[np.int64] = _counted(choices)[1]
    return counted


def _counted(choices: NDArray[Any]) -> NDArray[np.int64]:
    by_operation, others = _weights()
    counted: NDArray[np.int64] = by_operation @ adjacency_encoding(choices).T.astype(np.int64) + others[:, None]
    return counted


@cache
def _weights() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both counts of every operation on every edge (2, 196), in the order of the encoding, and of all else (2,)."""
    rows = [_operation(cell, source, name) for cell in CELLS for source, _ in EDGES for name in OPERATIONS]
    by_operation = np.array(rows, np.int64).T
    first = SPACE.parse("DARTS_V2")
    size = measure(SPACE.network(first, FRAME))
    inside = by_operation @ adjacency_encoding(np.array([first.choices]))[0].astype(np.int64)
    return by_operation, np.array([size.macs, size.parameters]) - inside


def _operation(cell: str, source: int, name: str) -> tuple[int, int]:
    """Multiply-adds and parameters of an operation in all cells of a kind."""
    macs = weights = 0
    for channels, pixels in _SIZES[cell]:
        if name in _CONVOLUTIONS:
            side, times = _CONVOLUTIONS[name]
            kernel = side * side * channels + channels * channels  # depthwise, then 1x1
            macs += times * kernel * pixels
            weights += times * (kernel + 2 * channels)  # with normalization
        elif name == "skip_connect" and cell == "reduce" and source < 2:  # halves: two 1x1 convolutions
            macs += channels * channels * pixels
            weights += channels * channels + 2 * channels
    return macs, weights
