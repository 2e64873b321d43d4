"""Blocks of mobile networks as MnasNet's code writes them: ``r2_k3_s22_e6_i16_o24_se0.25``.

Source: https://github.com/tensorflow/tpu/tree/master/models/official/mnasnet: r layers, k kernel, s strides (height,
width), e expansion, i and o channels that enter and leave, se0.25 squeeze-and-excitation, noskip nothing added. Two
words are this project's, for what the published networks do not use: ``conv`` in place of the expansion is a plain
convolution, ``poolskip`` adds the pooled input.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SEPARATOR = ","
_OPERATIONS = {"e1": "dwconv", "e3": "mb3", "e6": "mb6", "conv": "conv"}
_SKIPS = {"": "identity", "_noskip": "none", "_poolskip": "pool"}
_BLOCK = re.compile(
    r"r([1-9])_k([1-9])_s([12])([12])_(e1|e3|e6|conv)(?:_i(\d{1,4}))?_o(\d{1,4})(_se0?\.25)?(_noskip|_poolskip)?",
    re.ASCII,
)


class Block(NamedTuple):
    """Equal layers; channels at the published width, ``inputs`` -1 where a string does not say them."""

    layers: int
    kernel: int
    stride: int  # of the first layer
    operation: str
    inputs: int
    outputs: int
    squeeze: bool
    skip: str


def parse_block(text: str) -> Block:
    """Read one block; ValueError where it is none."""
    match = _BLOCK.fullmatch(text.strip())
    if match is None or match[3] != match[4]:
        raise ValueError(f"{text.strip()!r:.60} is no block")
    layers, kernel, stride, _, operation, inputs, outputs, squeeze, skip = match.groups()
    return Block(
        *(int(layers), int(kernel), int(stride), _OPERATIONS[operation]),
        *(int(inputs or -1), int(outputs), squeeze is not None, _SKIPS[skip or ""]),
    )


def write_block(block: Block) -> str:
    """The inverse of `parse_block`."""
    operation = {name: word for word, name in _OPERATIONS.items()}[block.operation]
    skip = {name: word for word, name in _SKIPS.items()}[block.skip]
    return (
        f"r{block.layers}_k{block.kernel}_s{block.stride}{block.stride}_{operation}_i{block.inputs}_o{block.outputs}"
        f"{'_se0.25' if block.squeeze else ''}{skip}"
    )
