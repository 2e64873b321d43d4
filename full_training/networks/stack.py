"""Many small networks as one: every operation runs once for all of them.

A network of a few channels spends its time on the overhead of small operations. Here K networks (other cells, other
seeds) run through one call of each operation: activations have the shape (K, channels, side, side, batch), so that the
batch is contiguous, every convolution is a batched matrix product over networks, and the normalizations of all
networks are one normalization over K times as many channels. Where cells differ, an edge's networks with the same
operation are gathered, worked on and added back. All weights lie in one vector. Nothing couples the networks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.benchmarks.spaces.nasbench201 import EDGES
from nassim.full_training.networks.nasbench201 import STAGES
from nassim.full_training.networks.stacked_operations import (
    EPSILON,
    Normalization,
    convolve,
    dense,
    is_dense,
    multiply,
    pool,
)

MOMENTUM = 0.1  # of nn.BatchNorm2d


@dataclass
class Stack:
    """K networks of one skeleton: where their weights lie, and how they run together.

    Weights are the vector ``flat`` (a leaf); ``places`` says which networks have a parameter and its shape.
    """

    cells: list[tuple[int, ...]]
    flat: Tensor
    places: dict[tuple[str, int], tuple[list[int], tuple[int, ...]]]  # (name, kernel or 0) -> networks, shape
    statistics: dict[tuple[str, int], tuple[Tensor, Tensor]]  # of normalizations: mean, variance (networks x channels)
    depth: int  # N
    device: torch.device

    @classmethod
    def of(cls, networks: Sequence[nn.Module], cells: Sequence[tuple[int, ...]]) -> Stack:
        """Stack networks that have weights; ``cells`` are their choices."""
        found: dict[tuple[str, int], tuple[list[int], list[Tensor]]] = {}
        moments: dict[tuple[str, int], tuple[list[Tensor], list[Tensor]]] = {}
        for k, network in enumerate(networks):
            for name, module in network.named_modules():
                kernel = _kernel(name, cells[k])
                for part, tensor in module.named_parameters(recurse=False):
                    rows, tensors = found.setdefault((f"{name}.{part}", kernel), ([], []))
                    rows.append(k)
                    tensors.append(tensor.detach())
                if isinstance(module, nn.BatchNorm2d):
                    means, variances = moments.setdefault((name, kernel), ([], []))
                    means.append(cast(Tensor, module.running_mean))
                    variances.append(cast(Tensor, module.running_var))
        places = {key: (rows, (len(rows), *tensors[0].shape)) for key, (rows, tensors) in found.items()}
        flat = torch.cat([torch.stack(tensors).flatten() for _, tensors in found.values()])
        return cls(
            cells=[tuple(cell) for cell in cells],
            flat=flat.requires_grad_(),
            places=places,
            statistics={key: (torch.cat(means), torch.cat(variances)) for key, (means, variances) in moments.items()},
            depth=len(list(networks[0].get_submodule("stages.0").children())),
            device=flat.device,
        )

    def logits(self, images: Tensor, *, training: bool) -> Tensor:
        """Logits (K, classes, B) of images (K or 1, channels, side, side, B)."""
        return self.ready(training=training)(images)

    def ready(self, *, training: bool) -> Pass:
        """The networks as they are now; not in training, it may be called for many batches of images."""
        sizes = [math.prod(shape) for _, shape in self.places.values()]
        parts = zip(self.places.items(), torch.split(self.flat, sizes), strict=True)
        return Pass(self, {key: part.view(shape) for (key, (_, shape)), part in parts}, training)

    @cached_property
    def plan(self) -> dict[int, list[tuple[int, int, Tensor | None]]]:
        """Target node -> edges into it with an option and the networks that have it (None: all)."""
        steps: dict[int, list[tuple[int, int, Tensor | None]]] = {1: [], 2: [], 3: []}
        for edge, (_, target) in enumerate(EDGES):
            for option in (1, 2, 3, 4):
                chosen = [k for k, cell in enumerate(self.cells) if cell[edge] == option]
                if chosen:
                    everyone = len(chosen) == len(self.cells)
                    rows = None if everyone else torch.tensor(chosen, device=self.device)
                    steps[target].append((edge, option, rows))
        return steps


@dataclass
class Pass:
    """The networks of a stack with their weights laid out; each call is a forward pass."""

    stack: Stack
    weights: Mapping[tuple[str, int], Tensor]
    training: bool
    _matrices: dict[tuple[str, int], Tensor] = field(default_factory=dict)  # of weights that stay

    def __call__(self, images: Tensor) -> Tensor:
        x = images.expand(len(self.stack.cells), *images.shape[1:])
        x = self.normalize("stem.1", 0, self.convolve("stem.0", 0, x))
        for stage in range(len(STAGES)):
            if stage > 0:
                x = self.block(f"blocks.{stage - 1}", x)
            for n in range(self.stack.depth):
                x = self.cell(f"stages.{stage}.{n}", x)
        x = F.relu(self.normalize("last.0", 0, x)).mean(dim=(2, 3))
        return torch.baddbmm(self.weights["head.bias", 0].unsqueeze(2), self.weights["head.weight", 0], x)

    def convolve(self, name: str, kernel: int, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.weights[f"{name}.weight", kernel]
        if self.training or weight.shape[3] == 1 or not is_dense(x.shape[2], stride):
            return convolve(x, weight, stride)
        if (name, kernel) not in self._matrices:
            self._matrices[name, kernel] = dense(weight, x.shape[2], stride)
        return multiply(x, self._matrices[name, kernel], x.shape[2] // stride)

    def normalize(self, name: str, kernel: int, x: Tensor) -> Tensor:
        K, C, shape = *x.shape[:2], x.shape
        weight = self.weights[f"{name}.weight", kernel].view(-1)
        bias = self.weights[f"{name}.bias", kernel].view(-1)
        mean, variance = self.stack.statistics[name, kernel]
        x = x.reshape(K * C, -1)
        if self.training:
            out, now, spread = Normalization.apply(x, weight, bias)  # type: ignore[no-untyped-call]
            mean.lerp_(now, MOMENTUM)
            variance.lerp_(spread * (x.shape[1] / (x.shape[1] - 1)), MOMENTUM)
        else:
            scale = weight * (variance + EPSILON).rsqrt()
            out = (x * scale[:, None]).add_((bias - mean * scale)[:, None])
        return cast(Tensor, out).view(shape)

    def conv_bn(self, name: str, kernel: int, x: Tensor, stride: int = 1) -> Tensor:
        """Convolution and normalization of what is already rectified."""
        return self.normalize(f"{name}.2", kernel, self.convolve(f"{name}.1", kernel, x, stride))

    def block(self, name: str, x: Tensor) -> Tensor:
        main = self.conv_bn(f"{name}.first", 0, F.relu(x), stride=2)
        main = self.conv_bn(f"{name}.second", 0, F.relu(main))
        return main + self.convolve(f"{name}.shortcut.1", 0, pool(x, halve=True))

    def cell(self, name: str, x: Tensor) -> Tensor:
        nodes: list[Tensor] = [x]
        rectified: dict[int, Tensor] = {}
        for target in (1, 2, 3):
            total: Tensor | None = None
            for edge, option, rows in self.stack.plan[target]:
                source = EDGES[edge][0]
                value = nodes[source]
                if option in (2, 3):
                    if source not in rectified:
                        rectified[source] = F.relu(value)
                    value = rectified[source]
                if rows is not None:
                    value = value.index_select(0, rows)
                if option == 4:
                    value = pool(value)
                elif option != 1:
                    value = self.conv_bn(f"{name}.edges.{source}-{target}", option, value)
                if rows is None:
                    total = value if total is None else total + value
                else:
                    total = (torch.zeros_like(x) if total is None else total).index_add(0, rows, value)
            nodes.append(torch.zeros_like(x) if total is None else total)
        return nodes[3]


def _kernel(name: str, cell: tuple[int, ...]) -> int:
    """The option of the edge that a module belongs to, 0 for modules outside of cells."""
    if ".edges." not in name:
        return 0
    source, target = name.split(".edges.")[1].split(".")[0].split("-")
    return cell[EDGES.index((int(source), int(target)))]
