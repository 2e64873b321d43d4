"""How a supernet mixes the options of its decisions: a path, a softmax, a hard Gumbel-softmax.

A mix says which options run and what each one's output is multiplied by. One-hot weights are a path: only the
chosen options run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import Diverged
from nassim.layout import Active


@dataclass(frozen=True)
class Mix:
    """Which options of each decision run, and their weights.

    active: per decision the options that run, ascending.
    weights: (decisions, options), or per decision (batch, options); None for a path: outputs as they are.
    rest: (decisions,) the sum of the weights of the options that do not run, added to a decision's output: zero in
        value, with the gradient to their logits (Dong & Yang, CVPR 2019, arXiv:1910.04465, section 3.2).
    edges: (decisions,) what the output of each decision is multiplied by as a whole (PC-DARTS); None: by one.
    """

    active: Active
    weights: Tensor | Sequence[Tensor] | None = None
    rest: Tensor | None = None
    edges: Tensor | None = None


def path(choices: Sequence[int]) -> Mix:
    """The single path of one option a decision."""
    return Mix(tuple([(int(choice),) for choice in choices]))


def softmax(logits: Tensor, widths: Sequence[int] | None = None, edges: Tensor | None = None) -> Mix:
    """All options run, weighted by the softmax of their logits (decisions, options): DARTS, equation 2.

    widths: the options of each decision, where they have different numbers of them; what stands behind is ignored.
    edges: as in `Mix`.
    """
    active = tuple([tuple(range(n)) for n in widths or [logits.shape[1]] * len(logits)])
    return Mix(active, F.softmax(_masked(logits, widths), dim=1), edges=edges)


def dropped(widths: Sequence[int], rate: float, share: float, rng: random.Random) -> Mix:
    """Every option runs with probability 1 - share * rate^(1/k), k the options of its decision; what runs is summed.

    With a share of 1 all k options of a decision are dropped with probability ``rate``: Bender et al., ICML 2018.
    """
    active = []
    for width in widths:
        drop = share * rate ** (1.0 / width)
        active.append(tuple([option for option in range(width) if rng.random() >= drop]))
    return Mix(tuple(active))


def shares(logits: Tensor, widths: Sequence[int]) -> list[list[float]]:
    """The weights of `softmax` as numbers, a row a decision."""
    with torch.no_grad():
        rows = F.softmax(_masked(logits, widths), dim=1).tolist()
    if not all(map(math.isfinite, map(sum, rows))):
        raise Diverged("the search diverged: weights of its options are no numbers. --set arch_rate= to a lower one.")
    return [row[:width] for row, width in zip(rows, widths, strict=True)]


def gumbel(
    logits: Tensor,
    temperature: float,
    generator: torch.Generator,
    widths: Sequence[int] | None = None,
    takes: Sequence[int] = (),
) -> Mix:
    """One option of each decision runs, drawn by hard Gumbel-softmax with a straight-through gradient.

    GDAS, equations 3 to 5: p = softmax((log softmax(logits) + g) / temperature), g standard Gumbel noise; the
    option of the largest p runs. The weights are one-hot in value (exactly) and have the gradient of p.
    ``widths`` as in `softmax`. ``takes``: how many options of each decision run, if not one: those of the largest p,
    which are draws without replacement; 0: all.
    """
    uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64).clamp_(1e-300, 1 - 1e-16)
    noise = (-(-uniform.log()).log()).to(logits)  # never infinite: no resampling is needed
    soft = F.softmax((F.log_softmax(_masked(logits, widths), dim=1) + noise) / temperature, dim=1)
    if any(count != 1 for count in takes):
        return _several(soft, widths or [logits.shape[1]] * len(logits), takes)
    chosen = soft.argmax(dim=1, keepdim=True)
    hard = torch.zeros_like(soft).scatter_(1, chosen, 1.0)
    weights = hard + (soft - soft.detach())  # the bracket is exactly zero: one-hot to the last bit
    rest = (weights * (1.0 - hard)).sum(dim=1)
    return Mix(tuple([(int(k),) for k in chosen.flatten().tolist()]), weights, rest)


def _several(soft: Tensor, widths: Sequence[int], takes: Sequence[int]) -> Mix:
    """`gumbel` where decisions take several options, or all."""
    order = soft.detach().argsort(dim=1, descending=True).tolist()
    active = tuple(
        [tuple(sorted(row[: count or width])) for row, width, count in zip(order, widths, takes, strict=True)]
    )
    hard = torch.tensor([[float(k in options) for k in range(soft.shape[1])] for options in active]).to(soft)
    weights = hard + (soft - soft.detach())
    return Mix(active, weights, (weights * (1.0 - hard)).sum(dim=1))


def _masked(logits: Tensor, widths: Sequence[int] | None) -> Tensor:
    if widths is None or min(widths) == logits.shape[1]:
        return logits
    return logits.masked_fill(_beyond(tuple(widths), logits.shape[1], logits.device), -math.inf)


@cache
def _beyond(widths: tuple[int, ...], most: int, device: torch.device) -> Tensor:
    """(decisions, most), where a decision has no option; made once, as it is copied to the device."""
    return (torch.arange(most)[None, :] >= torch.tensor(widths)[:, None]).to(device)


def small_logits(widths: Sequence[int], rng: random.Random, device: torch.device | str = "cpu") -> Tensor:
    """Logits (decisions, options) of normal noise with standard deviation 0.001: near the uniform mixture.

    A leaf that requires gradient. Where decisions have fewer options than others, zeros that nobody reads stand behind.
    """
    noise = 1e-3 * torch.randn(len(widths), max(widths), generator=seeded(rng))
    for row, width in zip(noise, widths, strict=True):
        row[width:] = 0.0
    return noise.to(device).requires_grad_()


def linear(first: float, last: float, epoch: int, epochs: int) -> float:
    """A temperature that falls linearly from ``first`` in epoch 0 to ``last`` in the last of ``epochs``."""
    return first + (last - first) * (epoch / (epochs - 1) if epochs > 1 else 0.0)


def seeded(rng: random.Random) -> torch.Generator:
    """A generator of the CPU that follows from the strategy's stream."""
    return torch.Generator().manual_seed(rng.getrandbits(63))
