"""ProxylessNAS' steps of the logits: gates of two paths or of all with the expected latency, or reinforcement.

Paper: Cai et al., ICLR 2019, arXiv:1812.00332, sections 3.2 and 3.3; the forms of the loss are those of its code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.continuous import masked, options
from nassim.full_training.relaxations.controller import MovingAverage
from nassim.full_training.relaxations.gates import by_logits, gated, keep_mass, log_probability, one_path
from nassim.full_training.relaxations.latency import ExpectedLatency, Unit, refuse_short
from nassim.layout import Layout
from nassim.supernet import Batch, Supernet

PATHS, POWER, MEMORY = 10, 0.1, 0.99  # of reinforcement


class Penalized:
    """A loss with an expected latency in it. `InvalidSetting` for a target that is not above 0 (product: above 1).

    ``target`` None: what the mixture of equal shares takes.
    """

    def __init__(
        self,
        supernet: Supernet,
        table: str,
        form: Literal["product", "sum"],
        target: float | None,
        alpha: float,
        beta: float,
        weight: float,
        unit: Unit = "ms",
    ) -> None:
        self._latency = ExpectedLatency(supernet, table, unit)
        self._form, self._alpha, self._beta, self._weight = form, alpha, beta, weight
        equal = [sum(row) / len(row) for row in self._latency.rows]
        self.target = self._latency.rest + sum(equal) if target is None else target
        least = 1.0 if form == "product" else 0.0
        if not (math.isfinite(self.target) and self.target > least):
            raise InvalidSetting(f"proxyless_nas.target={self.target:g} must be above {least:g} {unit} in the {form}.")
        if form == "product":
            refuse_short("proxyless_nas", self._latency)

    def of(self, choices: Sequence[int]) -> float:
        """Milliseconds of one option a decision."""
        return self._latency.of(choices)

    def expected(self, logits: Tensor, layout: Layout) -> Tensor:
        """Milliseconds, by the softmax of the logits."""
        return self._latency(torch.softmax(masked(logits, options(layout)), dim=1))

    def gradient(self, loss: Tensor, by_loss: Tensor, logits: Tensor, layout: Layout) -> Tensor:
        """By the logits, of the loss with the latency, from the loss's own gradient by them."""
        E = self.expected(logits, layout)
        if self._form == "sum":
            (own,) = torch.autograd.grad(self._weight * (E - self.target) / self.target, [logits])
            return by_loss + own
        factor = self._alpha * (torch.log(E) / math.log(self.target)) ** self._beta
        (own,) = torch.autograd.grad(factor, [logits])
        return factor.detach() * by_loss + loss.detach() * own

    def reward(self, accuracy: float, choices: Sequence[int]) -> float:
        """Of reinforcement: accuracy times (T / LAT)^0.1."""
        latency = self.of(choices) * (1e3 if self._latency.unit == "us" else 1.0)
        return float(accuracy * (self.target / latency) ** POWER)


class Step:
    """One step of the logits on a validation batch."""

    def __init__(
        self,
        supernet: Supernet,
        logits: Tensor,
        draws: torch.Generator,
        penalized: Penalized,
        gradient: Literal["two", "all", "reinforce"],
    ) -> None:
        self._supernet, self._logits, self._draws, self._penalized = supernet, logits, draws, penalized
        self._gradient = gradient
        self.baseline = MovingAverage(MEMORY)

    def __call__(self, adam: torch.optim.Optimizer, valid: Batch) -> None:
        """Adam's step."""
        if self._gradient == "reinforce":
            self._reinforce(adam, valid)
        else:
            self._gates(adam, valid, 2 if self._gradient == "two" else None)

    def _gates(self, adam: torch.optim.Optimizer, valid: Batch, count: int | None) -> None:
        logits, layout = self._logits, self._supernet.layout
        mix, gates, p = gated(logits, layout, self._draws, count)
        loss = self._supernet.loss(mix, valid)
        (by_gates,) = torch.autograd.grad(loss, [gates])
        gradient = self._penalized.gradient(loss, by_logits(by_gates, p), logits, layout)
        logits.grad = torch.where(p > 0, gradient, torch.zeros_like(gradient))
        before = logits.detach().clone()
        adam.step()
        if count is not None:
            keep_mass(logits, before, mix.active)

    def _reinforce(self, adam: torch.optim.Optimizer, valid: Batch) -> None:
        layout, active = self._supernet.layout, options(self._supernet.layout)
        paths: list[Any] = [one_path(self._logits, layout, self._draws) for _ in range(PATHS)]
        choices = [[option for (option,) in path.active] for path in paths]
        scored = [self._supernet.score(path, valid) for path in paths]
        rewards = [self._penalized.reward(value, each) for value, each in zip(scored, choices, strict=True)]
        gains = self.baseline.advantages(rewards)
        logs = torch.stack([log_probability(self._logits, active, each) for each in choices])
        loss = -(logs * torch.as_tensor(gains).to(logs)).mean()
        (self._logits.grad,) = torch.autograd.grad(loss, [self._logits])
        adam.step()
