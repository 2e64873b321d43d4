"""How a supernet mixes the options of its decisions: a path, a softmax, a hard Gumbel-softmax.

A mix says which options run and what each one's output is multiplied by. One-hot weights are a path: only the
chosen options run.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import Unsupported


@dataclass(frozen=True)
class Mix:
    """Which options of each decision run, and their weights.

    active: per decision the options that run, ascending.
    weights: (decisions, options); None for a path, whose outputs are taken as they are.
    carry: add the weights of the options that do not run to a decision's output. They are zero in value
        and carry gradient to their logits (Dong & Yang, CVPR 2019, arXiv:1910.04465, section 3.2).
    """

    active: tuple[tuple[int, ...], ...]
    weights: Tensor | None = None
    carry: bool = False


def path(choices: Sequence[int]) -> Mix:
    """The single path of an architecture's choices."""
    return Mix(tuple((int(choice),) for choice in choices))


def softmax(logits: Tensor) -> Mix:
    """All options run, weighted by the softmax of their logits (decisions, options): DARTS, equation 2."""
    decisions, options = logits.shape
    return Mix((tuple(range(options)),) * decisions, F.softmax(logits, dim=1))


def gumbel(logits: Tensor, temperature: float, generator: torch.Generator) -> Mix:
    """One option of each decision runs, drawn by hard Gumbel-softmax with a straight-through gradient.

    GDAS, equations 3 to 5: p = softmax((log softmax(logits) + g) / temperature), g standard Gumbel noise; the
    option of the largest p runs. The weights are one-hot in value (exactly) and have the gradient of p.
    """
    uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64).clamp_(1e-300, 1 - 1e-16)
    noise = (-(-uniform.log()).log()).to(logits)  # never infinite: no resampling is needed
    soft = F.softmax((F.log_softmax(logits, dim=1) + noise) / temperature, dim=1)
    chosen = soft.argmax(dim=1, keepdim=True)
    hard = torch.zeros_like(soft).scatter_(1, chosen, 1.0)
    weights = hard + (soft - soft.detach())  # the bracket is exactly zero: one-hot to the last bit
    return Mix(tuple((int(k),) for k in chosen.flatten().tolist()), weights, carry=True)


def small_logits(radices: Sequence[int], rng: random.Random, device: torch.device | str = "cpu") -> Tensor:
    """Logits (decisions, options) of normal noise with standard deviation 0.001: near the uniform mixture.

    A leaf that requires gradient. `Unsupported` where decisions have different numbers of options.
    """
    if len(set(radices)) != 1:
        raise Unsupported(
            f"decisions with {'/'.join(map(str, radices))} options: a mixture needs equally many on each."
        )
    noise = torch.randn(len(radices), radices[0], generator=seeded(rng))
    return (1e-3 * noise).to(device).requires_grad_()


def linear(first: float, last: float, epoch: int, epochs: int) -> float:
    """A temperature that falls linearly from ``first`` in epoch 0 to ``last`` in the last of ``epochs``."""
    return first + (last - first) * (epoch / (epochs - 1) if epochs > 1 else 0.0)


def seeded(rng: random.Random) -> torch.Generator:
    """A generator of the CPU that follows from the strategy's stream."""
    return torch.Generator().manual_seed(rng.getrandbits(63))
