"""The networks around cells of NAS-Bench-201, for its own space and for NATS-Bench's sizes.

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1: a 3x3 convolution, three stages of
cells with a residual block of stride 2 before the second and the third, batch normalization, ReLU, global average
pooling, a linear layer. Convolutions are ReLU-convolution-normalization.

Published multiply-adds are those of `nassim.network.measure` and one for each class, the bias of the linear layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nassim.benchmarks.spaces.partial_channels import Divided, check_partial, divided, joined
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
_DROPPED: Step = ("drop_path", {})  # the identity, but where a search drops paths (R-DARTS)
Widths = tuple[int, int, int, int, int]  # stem and first stage, block, second stage, block, third stage


def skeleton(operations: Sequence[str], widths: Widths, frame: Frame) -> Network:
    """Three stages of ``frame.cells`` cells with six operations, ordered by target and then by source."""
    return _around(lambda draft, name, x, *sides: cell(draft, name, x, operations, *sides), widths, frame)


def supernet(operations: Sequence[str], frame: Frame, partial: int | None = None) -> Network:
    """The same with every one of ``operations`` on every edge, mixed; normalizations in cells have no scale and shift.

    As in the search code of Dong & Yang, whose Table 5 calls this setting its second block. ``partial`` as in
    `SearchSpace.supernet`.
    """
    C = frame.channels
    check_partial(partial, C)
    widths = (C, 2 * C, 2 * C, 4 * C, 4 * C)
    return _around(
        lambda draft, name, x, _, outputs: mixed_cell(draft, name, x, operations, outputs, partial), widths, frame
    )


def _around(make_cell: Callable[[Draft, str, int, int, int], int], widths: Widths, frame: Frame) -> Network:
    """The skeleton; a cell is made with the channels that come in and those that leave."""
    draft = Draft(frame.image)
    x = draft.chain("stem", 0, ("conv", {"channels": widths[0], "kernel": 3}), NORMALIZED)
    width = widths[0]
    for stage in range(3):
        if stage > 0:
            width = widths[2 * stage - 1]
            x = _block(draft, f"blocks.{stage - 1}", x, width)
        for n in range(frame.cells):
            x = make_cell(draft, f"stages.{stage}.{n}", x, width, widths[2 * stage])
            width = widths[2 * stage]
    x = draft.chain("last", x, NORMALIZED, RELU)
    return draft.network(draft.add("head", "linear", draft.add("pool", "global_pool", x), channels=frame.classes))


def _convolution(draft: Draft, name: str, x: int, channels: int, kernel: int, stride: int = 1) -> int:
    settings = {"channels": channels, "kernel": kernel, "stride": stride}
    return draft.chain(name, x, RELU, ("conv", settings), NORMALIZED)


def _block(draft: Draft, name: str, x: int, outputs: int) -> int:
    """Halves the side."""
    main = _convolution(draft, f"{name}.first", x, outputs, 3, stride=2)
    main = _convolution(draft, f"{name}.second", main, outputs, 3)
    halved: Step = ("avg_pool", {"kernel": 2, "stride": 2})
    side = draft.chain(f"{name}.shortcut", x, halved, ("conv", {"channels": outputs}))
    return draft.add(f"{name}.sum", "add", main, side)


def cell(draft: Draft, name: str, x: int, operations: Sequence[str], inputs: int, outputs: int) -> int:
    """One cell: six edges between four nodes; what leaves the first node may change the number of channels."""
    nodes, remaining = [x], iter(operations)
    for target in (1, 2, 3):
        terms = []
        for source in range(target):
            operation, edge = next(remaining), f"{name}.edges.{source}-{target}"
            if operation in _KERNELS:
                terms.append(_convolution(draft, edge, nodes[source], outputs, _KERNELS[operation]))
            elif operation == "avg_pool_3x3":
                terms.append(draft.add(edge, "avg_pool", nodes[source]))
            elif operation == "skip_connect" and source == 0 and inputs != outputs:
                terms.append(draft.chain(edge, x, ("conv", {"channels": outputs}), NORMALIZED))
            elif operation == "skip_connect":
                terms.append(draft.add(edge, "identity", nodes[source]))
        name_of_sum = f"{name}.nodes.{target}"
        nodes.append(draft.sum(name_of_sum, terms) if terms else draft.add(name_of_sum, "zero", x))
    return nodes[3]


def mixed_cell(
    draft: Draft, name: str, x: int, operations: Sequence[str], channels: int, partial: int | None = None
) -> int:
    """One cell of a supernet; what several operations of a node begin with is made once."""
    nodes, group = [x], 0
    relu, pooled, sides = dict[int, int](), dict[int, int](), dict[int, Divided]()
    for target in (1, 2, 3):
        terms = []
        for source in range(target):
            edge = f"{name}.edges.{source}-{target}"
            if source not in sides:
                sides[source] = divided(draft, f"{name}.nodes.{source}", nodes[source], channels, partial)
            value, past = sides[source]
            options = {}
            for option, operation in enumerate(operations):
                if operation in _KERNELS:
                    if source not in relu:
                        relu[source] = draft.add(f"{name}.relu.{source}", "activation", value)
                    settings = {"channels": channels // (partial or 1), "kernel": _KERNELS[operation]}
                    convolution: list[Step] = [("conv", settings), ("batch_norm", {"affine": False}), _DROPPED]
                    options[option] = draft.chain(f"{edge}.{operation}", relu[source], *convolution)
                elif operation == "avg_pool_3x3":
                    if source not in pooled:
                        pooled[source] = draft.add(f"{name}.pool.{source}", "avg_pool", value)
                    options[option] = draft.chain(f"{edge}.{operation}", pooled[source], _DROPPED)
                elif operation == "skip_connect":
                    options[option] = value
            mixed = draft.add(edge, "mix", *options.values(), group=group, options=tuple(options))
            terms.append(joined(draft, edge, mixed, past, partial, group))
            group += 1
        nodes.append(draft.sum(f"{name}.nodes.{target}", terms))
    return nodes[3]
