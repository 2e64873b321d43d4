"""A mixture of its own for every image of a batch, and what each costs.

Paper: Shaw et al., "SqueezeNAS", ICCV Workshops 2019, arXiv:1908.01748; `search/arch_search.py` of its authors' code
(https://github.com/ashaw596/squeezenas), where logits are repeated for every image before Gumbel noise is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from nassim.full_training.relaxations.continuous import masked, uniform
from nassim.full_training.relaxations.mixtures import Mix
from nassim.layout import Active
from nassim.supernet import Supernet


def ones(widths: Sequence[int], device: torch.device | str = "cpu") -> Tensor:
    """Logits (decisions, options), all 1; a leaf that requires gradient."""
    return torch.ones(len(widths), max(widths), device=device, requires_grad=True)


def concrete(logits: Tensor, temperature: float, generator: torch.Generator, active: Active, images: int) -> Mix:
    """Samples of the concrete distribution, one an image: weights (decisions, images, options).

    softmax((logits + Gumbel noise) / temperature); the gradient goes through the samples.
    """
    decisions, options = logits.shape
    noise = (-(-uniform((decisions, images, options), generator).log()).log()).to(logits)
    return Mix(active, torch.softmax((masked(logits, active)[:, None] + noise) / temperature, dim=2))


class ExpectedCost:
    """What mixtures cost, linear in their weights: of one-hot weights the network's own cost.

    cost: ``macs``, multiply-adds of an image in millions, or a look-up table of milliseconds (`Supernet.latencies`).
    """

    def __init__(self, supernet: Supernet, cost: str) -> None:
        rows: Sequence[Sequence[float]]
        rest: float
        if cost == "macs":
            rows, rest = supernet.option_macs
            self.unit, scale = "mmacs", 1e-6
        else:
            rows, rest = supernet.latencies(cost)
            self.unit, scale = "ms", 1.0
        self.rest = scale * rest  # of the layers that every network has
        self.rows = [[scale * value for value in row] for row in rows]
        widest = max(map(len, self.rows))
        padded = [[*row, *[0.0] * (widest - len(row))] for row in self.rows]
        self._table = torch.tensor(padded, dtype=torch.float32).to(supernet.device)

    def __call__(self, mix: Mix) -> Tensor:
        """Of each image's mixture: (images,)."""
        return (cast(Tensor, mix.weights) * self._table[:, None]).sum(dim=(0, 2)) + self.rest

    def of(self, choices: Sequence[int]) -> float:
        """Of one option a decision."""
        return self.rest + sum(row[choice] for row, choice in zip(self.rows, choices, strict=True))
