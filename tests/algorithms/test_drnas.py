"""DrNAS: Dirichlet samples, their path-wise gradient, the divergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import digamma, gammaln

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.continuous import (  # noqa: E402
    concentrations,
    dirichlet,
    divergence,
    mean_of_dirichlet,
    options,
)

DRNAS = nassim.get_algorithm("drnas").configured(epochs=2, batch_size=16, arch_rate=0.1)
ALL = options(nasbench201.SPACE.layout)
ROW = torch.tensor([0.7, -0.5, 0.0, 1.5, -1.2], dtype=torch.float64)


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def beta_of(row: Any) -> Any:
    a = row.numpy()
    return np.where(a > 0, a + 1, np.exp(np.minimum(a, 0)))


@pytest.mark.slow
@pytest.mark.parametrize("regularizer", ["l2", "kl"])
def test_contract(tiny_supernets: Supernets, regularizer: str) -> None:
    check_strategy(DRNAS.configured(regularizer=regularizer), supernets=tiny_supernets)


def test_concentrations_are_elu_plus_one() -> None:
    np.testing.assert_allclose(concentrations(ROW), beta_of(ROW))
    assert (concentrations(torch.tensor([-1e3])) > 0).all()


def test_the_mean_of_samples_is_beta_over_its_sum() -> None:
    n, beta = 20_000, beta_of(ROW)
    drawn = dirichlet(ROW.expand(n, 5), rng(1), ((0, 1, 2, 3, 4),) * n).weights
    torch.testing.assert_close(drawn.sum(1), torch.ones(n, dtype=torch.float64))
    mean, total = beta / beta.sum(), beta.sum()
    error = np.sqrt(mean * (1 - mean) / (total + 1) / n)
    assert (np.abs(drawn.mean(0).numpy() - mean) < 4 * error).all()
    np.testing.assert_allclose(mean_of_dirichlet(ROW[None], ALL[:1])[0], mean)


@pytest.mark.slow
def test_the_path_wise_gradient_is_that_of_the_mean() -> None:
    """d E[c x] / d alpha_k = (c_k / S - c beta / S^2) d beta_k / d alpha_k."""
    n, c = 40_000, torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0], dtype=torch.float64)
    alpha = ROW.expand(n, 5).clone().requires_grad_()
    (each,) = torch.autograd.grad((dirichlet(alpha, rng(2), ((0, 1, 2, 3, 4),) * n).weights @ c).sum(), [alpha])
    beta, slope = beta_of(ROW), np.where(ROW.numpy() > 0, 1.0, np.exp(np.minimum(ROW.numpy(), 0)))
    expected = (c.numpy() / beta.sum() - c.numpy() @ beta / beta.sum() ** 2) * slope
    error = each.std(0).numpy() / np.sqrt(n)
    assert (np.abs(each.mean(0).numpy() - expected) < 4 * error).all()
    assert (np.abs(expected) > 10 * error).any()


def test_the_divergence_in_closed_form_and_its_gradient() -> None:
    alpha = torch.randn(6, 5, generator=rng(3), dtype=torch.float64).requires_grad_()
    found = divergence(alpha, ALL)
    total = 0.0
    for row in alpha.detach():
        b = beta_of(row)
        S = b.sum()
        total += gammaln(S) - gammaln(b).sum() - gammaln(5) + ((b - 1) * (digamma(b) - digamma(S))).sum()
    assert float(found.detach()) == pytest.approx(total)
    assert torch.autograd.gradcheck(lambda a: divergence(a, ALL), [alpha])
    zero = torch.zeros(6, 5, dtype=torch.float64, requires_grad=True)
    still = divergence(zero, ALL)
    assert float(still.detach()) == pytest.approx(0.0, abs=1e-12)
    assert torch.autograd.grad(still, [zero])[0].abs().max() < 1e-12


def test_what_is_masked_is_exactly_zero() -> None:
    active = options(darts.SPACE.layout, none=False)
    alpha = torch.randn(28, 8, generator=rng(4))
    weights = dirichlet(alpha, rng(5), active).weights
    assert (weights[:, 0] == 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(28))
    assert (mean_of_dirichlet(alpha, active)[:, 0] == 0).all()


def test_the_largest_alpha_is_the_largest_mean() -> None:
    alpha = torch.randn(50, 5, generator=rng(6))
    active = ((0, 1, 2, 3, 4),) * 50
    assert torch.equal(mean_of_dirichlet(alpha, active).argmax(1), alpha.argmax(1))


def test_without_a_gradient_l2_pulls_alpha_to_zero() -> None:
    alpha = torch.randn(6, 5, generator=rng(7)).requires_grad_()
    adam = torch.optim.Adam([alpha], 0.01, betas=(0.5, 0.999), weight_decay=1e-3)
    before = alpha.detach().abs().mean()
    for _ in range(300):
        alpha.grad = torch.zeros_like(alpha)
        adam.step()
    assert alpha.detach().abs().mean() < 0.05 * before
