"""A mixture of its own for every image of a batch.

Paper: Shaw et al., "SqueezeNAS", ICCV Workshops 2019, arXiv:1908.01748; `search/arch_search.py` of its authors' code
(https://github.com/ashaw596/squeezenas), where logits are repeated for every image before Gumbel noise is added.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nassim.full_training.relaxations.continuous import masked, uniform
from nassim.full_training.relaxations.mixtures import Mix
from nassim.layout import Active


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
