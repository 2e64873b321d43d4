"""The gradient of the validation loss through one step of the weights: second-order DARTS.

Paper: Liu, Simonyan, Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055,
equations 6 to 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from nassim.supernet import Supernet

Batch = TypeVar("Batch")


class WeightUpdate(NamedTuple):
    """What the next step of stochastic gradient descent would be, but for its gradient.

    The weights move by -rate * (momentum * velocity + gradient + decay * weights): without Nesterov's momentum and
    without clipping, as in the published code, whatever the optimizer does.
    """

    rate: float
    momentum: float
    decay: float
    velocity: Sequence[Tensor | None]  # None: no step yet


def unrolled_gradient(
    alpha: Tensor,
    weights: Sequence[Tensor],
    loss: Callable[[Batch], Tensor],
    train: Batch,
    valid: Batch,
    update: WeightUpdate,
    probe: float = 0.01,
) -> Tensor:
    """Gradient by ``alpha`` of the loss on ``valid`` after one step of the weights down the loss on ``train``.

    ``loss`` is a function of the present values of ``alpha`` and ``weights`` (leaves that require gradient).
    The product of the mixed second derivative with a vector is a central difference of first gradients (equation
    8, with ``probe`` over the vector's length as its step). The weights are bit for bit as before when this returns.
    With a rate of 0 it is the first-order gradient.
    """
    saved = [w.detach().clone() for w in weights]
    gradients: tuple[Tensor | None, ...] = torch.autograd.grad(loss(train), weights, allow_unused=True)
    try:
        with torch.no_grad():
            for w, gradient, velocity in zip(weights, gradients, update.velocity, strict=True):
                if gradient is None:  # no step without a gradient, as in the optimizer
                    continue
                step = gradient + update.decay * w
                if velocity is not None:
                    step += update.momentum * velocity
                w -= update.rate * step
        ahead: tuple[Tensor | None, ...] = torch.autograd.grad(loss(valid), [alpha, *weights], allow_unused=True)
        direct, vector = _filled(ahead[0], alpha), ahead[1:]
        if update.rate == 0.0:
            return direct
        length = torch.sqrt(torch.stack([v.square().sum() for v in vector if v is not None]).sum())
        epsilon = probe / length.clamp(min=1e-30)  # without a look at the number, which would wait for a device
        sides = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                for w, old, v, gradient in zip(weights, saved, vector, gradients, strict=True):
                    # A weight that did not step does not depend on alpha through the step.
                    w.copy_(old if v is None or gradient is None else old + sign * epsilon * v)
            sides.append(_filled(torch.autograd.grad(loss(train), [alpha], allow_unused=True)[0], alpha))
        return direct - update.rate * (sides[0] - sides[1]) / (2.0 * epsilon)
    finally:
        with torch.no_grad():
            for w, old in zip(weights, saved, strict=True):
                w.copy_(old)  # and not added back: rounding would leave a trace


def descent(supernet: Supernet, alpha: Tensor, mix: Callable[[], Any], train: Any, valid: Any, order: int) -> Tensor:
    """The gradient of the validation loss of a mixture of ``alpha``; of order 2 one step of the weights ahead."""
    if order == 1:
        return torch.autograd.grad(supernet.loss(mix(), valid), [alpha])[0]
    update = supernet.next_update()
    return unrolled_gradient(alpha, supernet.weights, lambda batch: supernet.loss(mix(), batch), train, valid, update)


def _filled(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient
