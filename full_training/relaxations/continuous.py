"""Mixtures in which all options run: sigmoids, concrete samples, Dirichlet samples, weights of whole decisions.

Logits are (decisions, options); where decisions have fewer options than others, what stands behind is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.full_training.relaxations.mixtures import Mix
from nassim.layout import Active, Layout

LEAST = 1e-6  # of a Dirichlet distribution's concentrations, which would underflow


def options(layout: Layout, *, none: bool = True) -> Active:
    """All options of every decision; without those that are called ``none`` if ``none`` is false."""
    return tuple([tuple([i for i, o in enumerate(g.options) if none or o != "none"]) for g in layout.groups])


def chosen(active: Active, width: int) -> Tensor:
    """Which entries of (decisions, options) are active: a mask."""
    mask = torch.zeros(len(active), width, dtype=torch.bool)
    for row, those in zip(mask, active, strict=True):
        row[list(those)] = True
    return mask


def sigmoid(logits: Tensor, active: Active) -> Mix:
    """Every option by itself: Fair DARTS, equation 4."""
    return Mix(active, torch.sigmoid(logits))


def zero_one(logits: Tensor, active: Active) -> Tensor:
    """Fair DARTS' loss L_0-1, least where all sigmoids are 0 or 1 (equation 6): minus the mean of (s - 1/2)^2."""
    among = chosen(active, logits.shape[1]).to(logits.device)
    return -(torch.sigmoid(logits)[among] - 0.5).square().mean()


def masked(logits: Tensor, active: Active) -> Tensor:
    """Logits of options that are not active are minus infinity: a softmax gives them exactly 0."""
    return logits.masked_fill(~chosen(active, logits.shape[1]).to(logits.device), float("-inf"))


def uniform(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Numbers in (0, 1), neither 0 nor 1, in float64 on the CPU."""
    return torch.rand(shape, generator=generator, dtype=torch.float64).clamp_(1e-300, 1 - 1e-16)


def concrete(logits: Tensor, temperature: float, generator: torch.Generator, active: Active) -> Mix:
    """A sample of the concrete distribution: softmax((log softmax(logits) + Gumbel noise) / temperature).

    SNAS, equation 4 (Maddison et al., ICLR 2017): the gradient goes through the sample.
    """
    noise = (-(-uniform(logits.shape, generator).log()).log()).to(logits)
    return Mix(active, F.softmax((F.log_softmax(masked(logits, active), dim=1) + noise) / temperature, dim=1))


def geometric(first: float, last: float, epoch: int, epochs: int) -> float:
    """A temperature that falls from ``first`` in epoch 0 by the same factor every epoch to ``last`` in the last."""
    return float(first * (last / first) ** (epoch / (epochs - 1) if epochs > 1 else 0.0))


def expected_cost(mix: Mix, sizes: Sequence[Sequence[float]]) -> Tensor:
    """What the options of a mixture cost, weighted, as a share of what all cost together: SNAS, equation 11."""
    weights = cast(Tensor, mix.weights)
    total = float(sum(map(sum, sizes))) or 1.0
    rows = [torch.tensor([size / total for size in row], device=weights.device) for row in sizes]
    return torch.stack([(w[: len(row)] * row).sum() for w, row in zip(weights, rows, strict=True)]).sum()


def concentrations(alpha: Tensor) -> Tensor:
    """DrNAS' parameters of the Dirichlet distributions: elu(alpha) + 1, which is 1 at 0."""
    return (F.elu(alpha) + 1.0).clamp(min=LEAST)


def dirichlet(alpha: Tensor, generator: torch.Generator, active: Active) -> Mix:
    """A random point of each decision's simplex, with the path-wise gradient to its concentrations: DrNAS, section 3.2.

    A Dirichlet sample is a vector of gamma samples over their sum; their gradient is torch's.
    """
    among = chosen(active, alpha.shape[1]).to(alpha.device)
    # In float64 on the CPU, so that samples do not depend on the device.
    gammas = torch._standard_gamma(concentrations(alpha).double().cpu(), generator=generator).to(alpha.device)
    kept = torch.where(among, gammas.clamp(min=1e-300), torch.zeros_like(gammas))
    return Mix(active, (kept / kept.sum(dim=1, keepdim=True)).to(alpha.dtype))


def mean_of_dirichlet(alpha: Tensor, active: Active) -> Tensor:
    """The mean of each decision's distribution: its concentrations over their sum."""
    beta = torch.where(chosen(active, alpha.shape[1]).to(alpha.device), concentrations(alpha), torch.zeros_like(alpha))
    return beta / beta.sum(dim=1, keepdim=True)


def divergence(alpha: Tensor, active: Active) -> Tensor:
    """Sum over the decisions of KL(Dirichlet(beta) || Dirichlet(1)), 0 at alpha = 0: DrNAS, equation 5."""
    total = alpha.new_zeros(())
    for row, those in zip(concentrations(alpha), active, strict=True):
        beta = row[list(those)]
        whole = beta.sum()
        total = total + torch.lgamma(whole) - torch.lgamma(beta).sum() - math.lgamma(len(those))
        total = total + ((beta - 1.0) * (torch.digamma(beta) - torch.digamma(whole))).sum()
    return total


def of_nodes(beta: Tensor, nodes: Sequence[Sequence[int]]) -> Tensor:
    """Weights of whole decisions (decisions,): of those that meet at a node a softmax. PC-DARTS, equation 2."""
    weights = torch.empty_like(beta)
    for node in nodes:
        weights = weights.index_put((torch.tensor(node, device=beta.device),), F.softmax(beta[list(node)], dim=0))
    return weights


def numbers(weights: Tensor, layout: Layout) -> list[list[float]]:
    """Weights as numbers, a row a decision."""
    return [row[:width] for row, width in zip(weights.detach().tolist(), layout.widths, strict=True)]
