"""Mixtures moved a little: SmoothDARTS trains the weights to be good around the architecture's.

Paper: Chen & Hsieh, "Stabilizing Differentiable Architecture Search via Perturbation-based Regularization", ICML 2020,
arXiv:2002.05283, equations 4 and 5; how a moved mixture is a mixture again, and the attack's settings: its code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.continuous import chosen, uniform
from nassim.full_training.relaxations.mixtures import Mix

STEPS = 7  # of the attack, each 2 epsilon / 7


def check_epsilon(*epsilons: float) -> None:
    """`InvalidSetting` for a perturbation that is not between 0 and 1: weights of a mixture are."""
    for epsilon in epsilons:
        if not 0.0 <= epsilon <= 1.0:
            raise InvalidSetting(f"a perturbation of {epsilon:g} is not between 0 and 1, as the weights of a mixture.")


def on_simplex(weights: Tensor, moved: Tensor, among: Tensor) -> Tensor:
    """Moved weights as a mixture: cut to 0 to 1, divided by their sum; where nothing is left, the largest of before."""
    cut = torch.where(among, moved.clamp(0.0, 1.0), torch.zeros_like(moved))
    total = cut.sum(dim=1, keepdim=True)
    largest = torch.zeros_like(weights).scatter_(1, weights.argmax(dim=1, keepdim=True), 1.0)
    return torch.where(total > 0, cut / total.clamp(min=1e-30), largest)


def random_perturbation(mix: Mix, epsilon: float, generator: torch.Generator) -> Mix:
    """Every weight of a mixture moved by a number drawn uniformly from -epsilon to epsilon (SDARTS-RS)."""
    weights, among = _parts(mix)
    shift = (epsilon * (2.0 * uniform(weights.shape, generator) - 1.0)).to(weights)
    return replace(mix, weights=on_simplex(weights, weights + shift, among))


def adversarial_perturbation(
    mix: Mix, epsilon: float, generator: torch.Generator, loss: Callable[[Mix], Tensor]
) -> Mix:
    """The move within epsilon that projected gradient ascent finds worst, from a random start (SDARTS-ADV).

    The mixture as it was where the loss did not become higher.
    """
    weights, among = _parts(mix)
    shift = (epsilon * (2.0 * uniform(weights.shape, generator) - 1.0)).to(weights)
    for _ in range(STEPS):
        shift = shift.requires_grad_()
        value = loss(replace(mix, weights=on_simplex(weights, weights + shift, among)))
        (gradient,) = torch.autograd.grad(value, [shift])
        shift = (shift.detach() + 2.0 * epsilon / STEPS * gradient.sign()).clamp(-epsilon, epsilon)
    worst = replace(mix, weights=on_simplex(weights, weights + shift, among))
    with torch.no_grad():
        return worst if float(loss(worst)) >= float(loss(mix)) else mix


def _parts(mix: Mix) -> tuple[Tensor, Tensor]:
    weights = cast(Tensor, mix.weights).detach()
    return weights, chosen(mix.active, weights.shape[1]).to(weights.device)
