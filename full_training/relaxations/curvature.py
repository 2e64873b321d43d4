"""The largest eigenvalue of the validation loss' Hessian by the architecture's logits, and looking at it.

Paper: Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020, arXiv:1909.09656,
section 4: architectures found where it is large lose more when they are discretized.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nassim.supernet import Supernet

PRODUCTS, TOLERANCE = 60, 1e-4


def largest_eigenvalue(loss: Callable[[], Tensor], point: Tensor) -> float:
    """The largest (not the largest absolute) eigenvalue of the Hessian of ``loss`` by the leaf ``point``.

    By products of the Hessian with vectors, as in power iteration; but all vectors are kept and the Hessian is looked
    at in the space of them all (Lanczos), which needs a fraction of the products and tells the sign.
    """
    gradient = torch.autograd.grad(loss(), [point], create_graph=True)[0]
    if not gradient.requires_grad:
        return 0.0

    def product(v: Tensor) -> Tensor:
        moved = v.reshape(point.shape).to(point)
        found = torch.autograd.grad(gradient, [point], moved, retain_graph=True, allow_unused=True)[0]
        return torch.zeros(point.numel(), dtype=torch.float64) if found is None else found.flatten().double().cpu()

    v = torch.randn(point.numel(), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis, images, value = [v / v.norm()], list[Tensor](), 0.0
    for _ in range(min(point.numel(), PRODUCTS)):
        images.append(product(basis[-1]))
        space, moved = torch.stack(basis), torch.stack(images)
        seen = space @ moved.T
        before, value = value, float(torch.linalg.eigvalsh((seen + seen.T) / 2)[-1])
        rest = images[-1]
        for _ in range(2):  # twice: once leaves rounding's share of the earlier vectors
            rest = rest - space.T @ (space @ rest)
        length = float(rest.norm())
        if length <= 1e-10 * float(images[-1].norm()) or (
            len(basis) > 3 and abs(value - before) <= TOLERANCE * abs(value)
        ):
            break
        basis.append(rest / length)
    return value


def watch(
    supernet: Supernet, every: int | None, epoch: int, epochs: int, logits: Tensor, mix: Callable[[], Any]
) -> dict[str, float]:
    """After every so many epochs, and after the last: the eigenvalue, and what the whole supernet is worth.

    mix: the mixture of the present logits that the method trains. The eigenvalue is that of the loss on one batch of
    64 validation images, the same every time; ``supernet`` is the mixture's accuracy on all of them. Nothing is drawn
    from the search's generators. Empty in other epochs, and with ``every`` None.
    """
    if not every or ((epoch + 1) % every and epoch + 1 != epochs):
        return {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batch = next(iter(supernet.scoring_batches(0, 64)))
        eigenvalue = largest_eigenvalue(lambda: supernet.loss(mix(), batch), logits)
        with torch.no_grad():
            return {"eigenvalue": eigenvalue, "supernet": supernet.score(mix())}
    finally:
        torch.set_num_threads(threads)
