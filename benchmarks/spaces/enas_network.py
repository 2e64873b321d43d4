"""The networks of ENAS' two spaces: one architecture alone, or all of them in one with decisions that are mixed.

Paper: Pham, Guan, Zoph, Le, Dean, ICML 2018, arXiv:1802.03268, sections 2.3 and 2.4; details are those of its code,
written from descriptions of it: https://github.com/melodyguan/enas was not compared line by line.

Macro: a 3x3 convolution, twelve layers, global average pooling, a linear layer. A layer is 1x1-normalization-ReLU and
then its convolution (normalization-ReLU behind it) or pooling. In the search a layer's output and the earlier values
that it skips from are summed and normalized; the network that is trained alone joins them instead and brings them to
its channels by ReLU-1x1-normalization. Behind the fourth and the eighth layer all values are halved, two 1x1
convolutions of stride 2 on pixels beside each other; trained alone the channels double there.

Micro: a 3x3 convolution to 3 C channels, cells, ReLU, global average pooling, a linear layer. Of L cells two reduce,
and double the channels: their second input is halved before them. A separable convolution is ReLU-depthwise-1x1-
normalization twice. What no node of a cell takes goes through ReLU and a 1x1 convolution of its own, and the sum is
normalized: the same as one 1x1 convolution of all of it joined. Departure: trained alone cells are the same, where the
paper's reduction cells have operations of stride 2.

Shared weights are named by their place: in macro the layer and the operation, in micro the cell, the node, the side,
the operation and the value that it takes. In a supernet normalizations have no scale and shift but the stem's.
"""

from __future__ import annotations

from collections.abc import Sequence

from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

MACRO = ("conv3", "sep3", "conv5", "sep5", "avg3", "max3")
MICRO = ("sep3", "sep5", "avg3", "max3", "identity")
LAYERS = 12
HALVED = (LAYERS // 3 - 1, 2 * LAYERS // 3 - 1)  # the layers behind which values are halved
ON = 1  # the option of a skip that takes it
Skips = Sequence[Sequence[int]]  # of each layer the bits of its skips


def macro(frame: Frame, arch: tuple[Sequence[int], Skips] | None, *, joins: bool = False) -> Network:
    """The operations and skips of an architecture, or all, mixed, in the order of the space's decisions.

    joins: the form that is trained alone.
    """
    draft, C, affine = Draft(frame.image), frame.channels, arch is not None
    values = [draft.chain("stem", 0, ("conv", {"channels": C, "kernel": 3}), NORMALIZED)]
    group = 0
    for layer in range(LAYERS):
        name = f"layers.{layer}"
        if arch is None:
            options = [_macro_operation(draft, name, values[-1], kind, C, affine) for kind in MACRO]
            x = draft.add(f"{name}.operation", "mix", *options, group=group, options=tuple(range(len(MACRO))))
            skipped = [
                draft.add(f"{name}.skips.{i}", "mix", value, group=group + 1 + i, options=(ON,))
                for i, value in enumerate(values[:-1])
            ]
        else:
            x = _macro_operation(draft, name, values[-1], MACRO[arch[0][layer]], C, affine)
            skipped = [value for value, bit in zip(values[:-1], arch[1][layer], strict=True) if bit == ON]
        group += 1 + layer
        if layer > 0 and joins:
            joined = draft.add(f"{name}.concat", "concat", *skipped, x)
            x = draft.chain(f"{name}.skip", joined, RELU, ("conv", {"channels": C}), NORMALIZED)
        elif layer > 0:
            x = draft.add(f"{name}.sum", "add", *skipped, x)
            x = draft.add(f"{name}.norm", "batch_norm", x, affine=affine)
        values.append(x)
        if layer in HALVED:
            C *= 2 if joins else 1
            values = [_halved(draft, f"{name}.halved.{i}", value, C, affine) for i, value in enumerate(values)]
    return _headed(draft, values[-1], frame)


def _macro_operation(draft: Draft, name: str, x: int, kind: str, C: int, affine: bool) -> int:
    name, kernel = f"{name}.{kind}", int(kind[-1])
    x = draft.chain(f"{name}.first", x, ("conv", {"channels": C}), _norm(affine), RELU)
    if kind in ("avg3", "max3"):
        return draft.add(f"{name}.pool", f"{kind[:3]}_pool", x, kernel=kernel)
    steps: list[Step] = [("conv", {"channels": C, "kernel": kernel})]
    if kind.startswith("sep"):
        steps = [("conv", {"channels": C, "kernel": kernel, "groups": C}), ("conv", {"channels": C})]
    return draft.chain(f"{name}.second", x, *steps, _norm(affine), RELU)


Cell = Sequence[int]  # of each node: input, operation, input, operation


def micro(frame: Frame, cells: tuple[Cell, Cell] | None, nodes: int) -> Network:
    """The normal and the reduction cell of an architecture, or all; ``frame.cells`` counts both kinds.

    Decisions are numbered as the space has them, and behind them what leaves each kind of cell.
    """
    draft, C, affine = Draft(frame.image), frame.channels, cells is not None
    stem = draft.chain("stem", 0, ("conv", {"channels": 3 * C, "kernel": 3}), NORMALIZED)
    third = max(0, frame.cells - 2) // 3
    before, last, has, wide, small = stem, stem, 3 * C, 3 * C, False  # channels of both, whether `before` is larger
    for number in range(frame.cells):
        name, reduces = f"cells.{number}", number in (third, 2 * third + 1)
        if reduces:
            C *= 2
            before, has, small = last, wide, True
            last, wide = _halved(draft, f"{name}.halved", last, C, affine), C
        inputs = [before, last]
        if small:
            inputs[0] = _halved(draft, f"{name}.before", draft.add(f"{name}.relu", "activation", before), C, affine)
        elif has != C:
            inputs[0] = _brought(draft, f"{name}.before", before, C, affine)
        if wide != C:
            inputs[1] = _brought(draft, f"{name}.last", last, C, affine)
        kind = int(reduces)
        cell = None if cells is None else cells[kind]
        first = 4 * nodes * kind
        x = _cell(draft, name, inputs, C, cell, nodes, first, 8 * nodes + kind)
        before, last, has, wide, small = inputs[1], x, C, C, False
    return _headed(draft, draft.add("last", "activation", last), frame)


def _cell(
    draft: Draft, name: str, inputs: list[int], C: int, cell: Cell | None, nodes: int, group: int, ends: int
) -> int:
    states, affine = inputs, cell is not None
    for node in range(nodes):
        terms = []
        for side in range(2):
            place, number = f"{name}.nodes.{node}.{'xy'[side]}", 4 * node + 2 * side
            if cell is not None:
                source, operation = cell[number], MICRO[cell[number + 1]]
                terms.append(_micro_operation(draft, f"{place}.{source}", states[source], operation, C, affine))
                continue
            taken = []
            for source, state in enumerate(states):
                options = [_micro_operation(draft, f"{place}.{source}", state, kind, C, affine) for kind in MICRO]
                every = tuple(range(len(options)))
                taken.append(
                    draft.add(f"{place}.{source}.mix", "mix", *options, group=group + number + 1, options=every)
                )
            terms.append(draft.add(place + ".from", "mix", *taken, group=group + number, options=(*range(len(taken)),)))
        states.append(draft.add(f"{name}.nodes.{node}.sum", "add", *terms))
    leaving = range(len(states)) if cell is None else loose(cell)
    out = [draft.chain(f"{name}.ends.{i}", states[i], RELU, ("conv", {"channels": C})) for i in leaving]
    if cell is None:
        x = draft.add(f"{name}.joined", "mix", *out, group=ends, options=tuple(leaving))
    else:
        x = draft.add(f"{name}.joined", "add", *out)
    return draft.add(f"{name}.norm", "batch_norm", x, affine=affine)


def loose(cell: Cell) -> tuple[int, ...]:
    """The values of a cell, its inputs among them, that no node takes."""
    return tuple(i for i in range(len(cell) // 4 + 2) if i not in cell[::2])


def _micro_operation(draft: Draft, name: str, x: int, kind: str, C: int, affine: bool) -> int:
    name = f"{name}.{kind}"
    if kind == "identity":
        return draft.add(name, "identity", x)
    if kind in ("avg3", "max3"):
        return draft.add(name, f"{kind[:3]}_pool", x)
    depthwise: Step = ("conv", {"channels": C, "kernel": int(kind[-1]), "groups": C})
    return draft.chain(name, x, *[RELU, depthwise, ("conv", {"channels": C}), _norm(affine)] * 2)


def _headed(draft: Draft, x: int, frame: Frame) -> Network:
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _brought(draft: Draft, name: str, x: int, C: int, affine: bool) -> int:
    return draft.chain(name, x, RELU, ("conv", {"channels": C}), _norm(affine))


def _halved(draft: Draft, name: str, x: int, C: int, affine: bool) -> int:
    left = draft.add(f"{name}.left", "conv", x, channels=C // 2, stride=2)
    right = draft.add(f"{name}.crop", "crop", x)
    right = draft.add(f"{name}.right", "conv", right, channels=C - C // 2, stride=2)
    return draft.add(
        f"{name}.norm", "batch_norm", draft.add(f"{name}.concat", "concat", left, right), **_norm(affine)[1]
    )


def _norm(affine: bool) -> Step:
    return NORMALIZED if affine else ("batch_norm", {"affine": False})
