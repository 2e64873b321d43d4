"""The networks around DARTS' cells, as the authors train what they found.

Paper: Liu, Simonyan, Yang, ICLR 2019, arXiv:1806.09055, section 3 and appendix A.2; details are those of its code.

A 3x3 convolution to 3 C channels with normalization, L cells, global average pooling, a linear layer. The cells L // 3
and 2 L // 3 are reduction cells: they double the channels, and operations on their inputs have stride 2. A cell
brings both inputs to its channels by ReLU-1x1-normalization; one that comes from before a reduction cell is halved,
by two 1x1 convolutions of stride 2 on pixels beside each other. That, and a skip of stride 2, need even sides.

Separable convolutions are ReLU-depthwise-1x1-normalization twice, dilated ones once; poolings have no
normalization. Every operation but a plain skip may be dropped by a recipe (`drop_path`).
The auxiliary head stands behind cell 2 L // 3 and needs maps of 8x8 there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nassim.benchmarks.spaces.darts_cells import NODES, OPERATIONS, Cell
from nassim.errors import InvalidSetting
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

_AUXILIARY_SIDE = 8


# Makes a cell: draft, name, both inputs, channels, whether it reduces.
MakeCell = Callable[[Draft, str, tuple[int, int], int, bool], int]


def stacked(cells: Sequence[Cell], frame: Frame) -> Network:
    """The network of a normal and a reduction cell: ``frame.channels`` is C, ``frame.cells`` is L."""
    return around(
        lambda draft, name, inputs, C, reduces: _cell(draft, name, inputs, cells[reduces], C, 2 if reduces else 1),
        frame,
    )


def around(make_cell: MakeCell, frame: Frame, *, affine: bool = True) -> Network:
    """What is around cells. affine: whether normalizations behind the stem have a scale and a shift."""
    draft, C = Draft(frame.image), frame.channels
    before = last = draft.chain("stem", 0, ("conv", {"channels": 3 * C, "kernel": 3}), NORMALIZED)
    reductions, smaller, auxiliary = (frame.cells // 3, 2 * frame.cells // 3), False, -1
    for i in range(frame.cells):
        reduces = i in reductions
        C *= 2 if reduces else 1
        first = halved if smaller else brought
        inputs = (
            first(draft, f"cells.{i}.preprocess0", before, C, affine),
            brought(draft, f"cells.{i}.preprocess1", last, C, affine),
        )
        before, last = last, make_cell(draft, f"cells.{i}", inputs, C, reduces)
        smaller = reduces
        if frame.auxiliary and i == reductions[1]:
            sides = [side // 2 ** len(set(reductions)) for side in frame.image[1:]]
            if sides != [_AUXILIARY_SIDE] * 2:
                raise InvalidSetting(
                    f"the auxiliary head of darts needs maps of 8x8 behind the last reduction: they are "
                    f"{sides[0]}x{sides[1]} with images of {frame.image[1]}x{frame.image[2]} and {frame.cells} cells."
                )
            auxiliary = _auxiliary_head(draft, last, frame.classes)
    x = draft.add("pool", "global_pool", last)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes), auxiliary)


def _cell(draft: Draft, name: str, inputs: tuple[int, int], cell: Cell, C: int, stride: int) -> int:
    states = [*inputs]
    for node, terms in zip(NODES, cell, strict=True):
        values = [
            operation(draft, f"{name}.nodes.{node}.{i}", states[state], OPERATIONS[o], C, stride if state < 2 else 1)
            for i, (state, o) in enumerate(terms)
        ]
        states.append(draft.add(f"{name}.nodes.{node}.sum", "add", *values))
    return draft.add(f"{name}.concat", "concat", *states[2:])


def operation(draft: Draft, name: str, x: int, kind: str, C: int, stride: int, affine: bool = True) -> int:
    """One of `darts_cells.OPERATIONS` on an edge; affine: whether its normalizations have a scale and a shift."""
    if kind == "skip_connect" and stride == 1:
        return draft.add(name, "identity", x)
    if kind == "skip_connect":
        x = halved(draft, name, x, C, affine)
    elif kind.endswith("pool_3x3"):
        x = draft.add(f"{name}.pool", kind.removesuffix("_3x3"), x, stride=stride)
    else:
        kernel = int(kind[-1])
        steps = depthwise(C, kernel, stride, 2 if kind.startswith("dil") else 1, affine)
        if kind.startswith("sep"):
            steps += depthwise(C, kernel, 1, 1, affine)
        x = draft.chain(name, x, *steps)
    return draft.add(f"{name}.drop", "drop_path", x)


def depthwise(C: int, kernel: int, stride: int, dilation: int, affine: bool = True) -> list[Step]:
    """Half a separable convolution: ReLU-depthwise-1x1-normalization."""
    depthwise = {"channels": C, "kernel": kernel, "stride": stride, "groups": C, "dilation": dilation}
    return [RELU, ("conv", depthwise), ("conv", {"channels": C}), _normalized(affine)]


def brought(draft: Draft, name: str, x: int, C: int, affine: bool = True) -> int:
    """``x`` with C channels."""
    return draft.chain(name, x, RELU, ("conv", {"channels": C}), _normalized(affine))


def halved(draft: Draft, name: str, x: int, C: int, affine: bool = True) -> int:
    """``x`` with C channels and half the side, by 1x1 convolutions on pixels beside each other."""
    x = draft.add(f"{name}.relu", "activation", x)
    left = draft.add(f"{name}.left", "conv", x, channels=C // 2, stride=2)
    right = draft.add(f"{name}.crop", "crop", x)
    right = draft.add(f"{name}.right", "conv", right, channels=C - C // 2, stride=2)
    both = draft.add(f"{name}.concat", "concat", left, right)
    return draft.add(f"{name}.norm", "batch_norm", both, **_normalized(affine)[1])


def _auxiliary_head(draft: Draft, x: int, classes: int) -> int:
    return draft.chain(
        "auxiliary",
        x,
        RELU,
        ("avg_pool", {"kernel": 5, "stride": 3, "padding": 0}),
        ("conv", {"channels": 128}),
        NORMALIZED,
        RELU,
        ("conv", {"channels": 768, "kernel": 2}),
        NORMALIZED,
        RELU,
        ("linear", {"channels": classes}),
    )


def _normalized(affine: bool) -> Step:
    return NORMALIZED if affine else ("batch_norm", {"affine": False})
