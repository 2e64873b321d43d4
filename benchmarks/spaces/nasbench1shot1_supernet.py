"""The supernets of NAS-Bench-1Shot1: every choice block with all operations, every edge that may be there.

Paper: Zela, Siems, Hutter, ICLR 2020, arXiv:2001.10422, section 3.2. A block's edges are weighted as a whole (a
decision takes as many of them as its vertex has parents), its operations likewise; the output joins all blocks, each
times the weight of its edge, and adds the projected input of the cell times the weight of that edge.

A block is as wide as the networks of NAS-Bench-101 have it where the output joins blocks only: the channels of a module
divided by the parents of the output. So a path of that kind is the network of its cell, between whose channels those of
blocks that the output does not take are zero; where the output takes the cell's input too, the path keeps the narrower
blocks, and the table's network has wider ones. Normalizations have no scale and shift but the stem's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from nassim.benchmarks.spaces.nasbench101.cost import STACKS
from nassim.benchmarks.spaces.nasbench101.graph import OPERATIONS
from nassim.errors import InvalidSetting
from nassim.layout import Active, Group, Layout
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network, Step
from nassim.space import Architecture

if TYPE_CHECKING:
    from nassim.benchmarks.spaces.nasbench1shot1 import NASBench1Shot1Space

_PLAIN: Step = ("batch_norm", {"affine": False})
_KERNELS = {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}


class NASBench1Shot1Layout(Layout):
    """A group of operations for each block, and one of edges for each vertex that has a choice of its parents.

    parents: of each vertex from the input to the output, how many.
    """

    space: NASBench1Shot1Space

    def __init__(self, space: NASBench1Shot1Space, parents: Sequence[int]) -> None:
        self.space = space
        self._choosing = [v for v, count in enumerate(parents) if 0 < count < v]
        self.groups = (
            *(Group(decision.name, decision.options) for decision in space.decisions[: space.blocks]),
            *(
                Group(f"choice_block_{v}_parents", tuple(map(str, range(v))), "edge", parents[v])
                for v in self._choosing
            ),
        )

    def path(self, arch: Architecture) -> Active:
        """Of each block its operation, of each vertex with a choice its parents."""
        choices = self.space.check(arch).choices
        names = [
            decision.options[choice]
            for decision, choice in zip(
                self.space.decisions[self.space.blocks :], choices[self.space.blocks :], strict=True
            )
        ]
        edges = [tuple(map(int, name.split("+"))) for name in names]
        return (*((choice,) for choice in choices[: self.space.blocks]), *edges)

    def answer(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """The operation of the largest weight of each block, and as many of the heaviest edges as a vertex has parents.

        Of equal ones the first.
        """
        blocks = self.space.blocks
        choices = [max(range(len(OPERATIONS)), key=row.__getitem__) for row in weights[:blocks]]
        for v, group, row in zip(self._choosing, self.groups[blocks:], weights[blocks:], strict=True):
            heaviest = sorted(range(v), key=lambda u: -row[u])[: group.takes]
            choices.append(list(combinations(range(v), group.takes)).index(tuple(sorted(heaviest))))
        return self.space.check(Architecture(self.space.name, tuple(choices)))


def supernet(layout: NASBench1Shot1Layout, parents: Sequence[int], frame: Frame) -> Network:
    """Three stacks of ``frame.cells`` cells; ``frame.channels`` are those of a module of the first stack."""
    number = {group.name: i for i, group in enumerate(layout.groups)}
    if frame.channels < parents[-1]:
        raise InvalidSetting(f"{layout.space.name}: {frame.channels} channels are too few for {parents[-1]} parents.")
    draft = Draft(frame.image)
    x = _convolution(draft, "stem", 0, frame.channels, 3, NORMALIZED)
    for stack, unit in enumerate(STACKS):
        if stack > 0:
            x = draft.add(f"pools.{stack - 1}", "max_pool", x, kernel=2, stride=2)
        for cell in range(frame.cells):
            x = _cell(draft, f"stacks.{stack}.{cell}", x, unit * frame.channels // parents[-1], parents, number)
    x = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", x, channels=frame.classes))


def _cell(draft: Draft, name: str, x: int, width: int, parents: Sequence[int], number: Mapping[str, int]) -> int:
    last = len(parents) - 1
    values: list[int] = []
    for v in range(1, last):
        vertex = f"{name}.vertices.{v}"
        edges = [_convolution(draft, f"{vertex}.projection", x, width, 1), *values]
        block = f"choice_block_{v}"
        group = number.get(f"{block}_parents")
        if group is None:  # all of them
            value = draft.sum(f"{vertex}.sum", edges)
        else:
            value = draft.add(f"{vertex}.sum", "mix", *edges, group=group, options=tuple(range(v)))
        options = [
            _convolution(draft, f"{vertex}.{kind}", value, width, _KERNELS[kind])
            if kind in _KERNELS
            else draft.add(f"{vertex}.{kind}", "max_pool", value)
            for kind in OPERATIONS
        ]
        group = number[f"{block}_op"]
        values.append(draft.add(f"{vertex}.block", "mix", *options, group=group, options=tuple(range(len(OPERATIONS)))))
    group = number[f"choice_block_{last}_parents"]
    slots = [
        draft.add(f"{name}.slots.{v}", "mix", value, group=group, options=(v,)) for v, value in enumerate(values, 1)
    ]
    joined = draft.add(f"{name}.concat", "concat", *slots)
    projected = _convolution(draft, f"{name}.projection", x, width * len(slots), 1)
    projected = draft.add(f"{name}.slots.0", "mix", projected, group=group, options=(0,))
    return draft.add(f"{name}.sum", "add", joined, projected)


def _convolution(draft: Draft, name: str, x: int, channels: int, kernel: int, norm: Step = _PLAIN) -> int:
    return draft.chain(name, x, ("conv", {"channels": channels, "kernel": kernel}), norm, RELU)
