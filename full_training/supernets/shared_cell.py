"""A cell of NAS-Bench-201 in which every edge holds every option: the part of a supernet that its mix decides on.

Weights are keyed: an operation with weights belongs to one edge and option, and every architecture with that option
on that edge uses the same tensors.
"""

from __future__ import annotations

from functools import cache
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.benchmarks.spaces.nasbench201 import EDGES
from nassim.full_training.relaxations.mixtures import Mix

KERNELS = {2: 1, 3: 3}  # option -> kernel side of its convolution; the other options have no weights


class SharedCell(nn.Module):
    """A cell whose six edges hold every option; ``shared["edge-option"]`` are the operations with weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shared = nn.ModuleDict(
            {
                f"{edge}-{option}": nn.Sequential(
                    nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
                    nn.BatchNorm2d(channels, affine=False, track_running_stats=False),
                )
                for edge in range(len(EDGES))
                for option, kernel in KERNELS.items()
            }
        )

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        used = needed_edges(mix.active) if mix.weights is None else range(len(EDGES))
        nodes: list[Tensor | None] = [x, None, None, None]
        ready: dict[tuple[int, str], Tensor] = {}  # what several options of a node's edges begin with
        for edge in used:
            source, target = EDGES[edge]
            value = nodes[source]
            total = nodes[target]
            for option in mix.active[edge]:
                if option == 0 or value is None:
                    continue
                out = self._operation(edge, option, value, source, ready)
                if mix.weights is not None:
                    out = mix.weights[edge, option] * out
                total = out if total is None else total + out
            if mix.carry and mix.weights is not None:
                others = [k for k in range(mix.weights.shape[1]) if k not in mix.active[edge]]
                rest = mix.weights[edge, others].sum()
                total = x.new_zeros(x.shape) + rest if total is None else total + rest
            nodes[target] = total
        return torch.zeros_like(x) if nodes[3] is None else nodes[3]

    def _operation(
        self, edge: int, option: int, value: Tensor, source: int, ready: dict[tuple[int, str], Tensor]
    ) -> Tensor:
        if option == 1:
            return value
        if option == 4:
            if (source, "pool") not in ready:
                ready[source, "pool"] = F.avg_pool2d(value, 3, 1, 1, count_include_pad=False)
            return ready[source, "pool"]
        if (source, "relu") not in ready:
            ready[source, "relu"] = F.relu(value)
        return cast(Tensor, self.shared[f"{edge}-{option}"](ready[source, "relu"]))


@cache
def needed_edges(active: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The edges on a way from the input to the output that no ``none`` interrupts, in order."""
    alive = [any(option != 0 for option in options) for options in active]
    from_input, to_output = {0}, {3}
    for edge, (source, target) in enumerate(EDGES):  # sources come before targets
        if alive[edge] and source in from_input:
            from_input.add(target)
    for edge, (source, target) in reversed(list(enumerate(EDGES))):
        if alive[edge] and target in to_output:
            to_output.add(source)
    return tuple(e for e, (s, t) in enumerate(EDGES) if alive[e] and s in from_input and t in to_output)
