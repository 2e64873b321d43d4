"""Binary gates: of each decision one option's output, with a gradient to the gates of those that ran.

Paper: Cai et al., "ProxylessNAS", ICLR 2019, arXiv:1812.00332, equations 3 and 4; two paths and the rescaling of their
logits: its section 3.2.1 and its code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nassim.full_training.relaxations.continuous import chosen, masked, options, uniform
from nassim.full_training.relaxations.mixtures import Mix
from nassim.layout import Active, Layout


class Gated(NamedTuple):
    """A mix of gates (decisions, options), one-hot and a leaf that requires gradient; p: by which they were drawn."""

    mix: Mix
    gates: Tensor
    p: Tensor


def drawn(logits: Tensor, active: Active, generator: torch.Generator, count: int) -> Active:
    """Of each decision so many of its active options (or all it has), by their softmax, without replacement."""
    noise = (-(-uniform(logits.shape, generator).log()).log()).to(logits)
    order = (masked(logits.detach(), active) + noise).argsort(dim=1, descending=True).tolist()
    return tuple([tuple(sorted(row[: min(count, len(those))])) for row, those in zip(order, active, strict=True)])


def one_path(logits: Tensor, layout: Layout, generator: torch.Generator) -> Mix:
    """A path that is drawn by the softmax of the logits."""
    return Mix(drawn(logits, options(layout), generator, 1))


def gated(logits: Tensor, layout: Layout, generator: torch.Generator, count: int | None) -> Gated:
    """Gates of ``count`` options a decision, drawn by their softmax, or of all; all of them run, one is open."""
    active = options(layout)
    if count is not None:
        active = drawn(logits, active, generator, count)
    p = torch.softmax(masked(logits.detach(), active), dim=1)
    opened = drawn(logits, active, generator, 1)
    gates = torch.zeros_like(p)
    gates.scatter_(1, torch.tensor(opened).to(p.device), 1.0)
    gates.requires_grad_()
    return Gated(Mix(active, gates), gates, p)


def by_logits(by_gates: Tensor, p: Tensor) -> Tensor:
    """The gradient by logits of one by gates: sum_j dL/dg_j p_j (delta_ij - p_i); 0 of options that did not run."""
    return p * (by_gates - (p * by_gates).sum(dim=1, keepdim=True))


def keep_mass(logits: Tensor, before: Tensor, active: Active) -> None:
    """Move the active logits of each decision by one number, so that the others have the shares that they had."""
    with torch.no_grad():
        among = chosen(active, logits.shape[1]).to(logits.device)
        lost = [
            torch.logsumexp(each.masked_fill(~among, float("-inf")), dim=1, keepdim=True) for each in (logits, before)
        ]
        logits.copy_(torch.where(among, logits - (lost[0] - lost[1]), before))


def log_probability(logits: Tensor, active: Active, choices: Sequence[int]) -> Tensor:
    """Of a path that was drawn by the softmax of the logits."""
    logs = torch.log_softmax(masked(logits, active), dim=1)
    return logs.gather(1, torch.tensor(choices).to(logits.device)[:, None]).sum()
