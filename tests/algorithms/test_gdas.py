"""GDAS: the hard Gumbel-softmax and the schedule of its temperature."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations import mixtures  # noqa: E402
from nassim.full_training.relaxations.mixtures import gumbel, linear, path  # noqa: E402

GDAS = nassim.get_algorithm("gdas").configured(epochs=3, batch_size=16)


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(GDAS, supernets=tiny_supernets)


def test_the_temperature_falls_linearly_from_10_to_a_tenth() -> None:
    taus = [linear(10.0, 0.1, epoch, 250) for epoch in range(250)]
    assert taus[0] == 10.0 and taus[-1] == pytest.approx(0.1, abs=1e-12)
    np.testing.assert_allclose(np.diff(taus), -9.9 / 249)
    assert linear(10.0, 0.1, 0, 1) == 10.0


def test_the_search_follows_the_schedule(tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def noted(logits: Any, temperature: float, *others: Any) -> Any:
        seen.append(temperature)
        return gumbel(logits, temperature, *others)

    monkeypatch.setattr(mixtures, "gumbel", noted)
    search = GDAS.begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    while isinstance(search.ask(), Report):
        search.tell([])
    assert seen == pytest.approx([10.0] * 6 + [5.05] * 6 + [0.1] * 6)  # three pairs of batches an epoch, two draws each


@pytest.mark.parametrize("tau", [10.0, 1.0, 0.1])
def test_in_value_it_is_the_chosen_path(tiny_supernets: Supernets, tau: float) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    net.schedule(1, 0.1, 0.1, weight_decay=0.0)
    (images, _), _ = next(net.batches(0, 16))
    for seed in range(5):
        mix = gumbel(torch.randn(6, 5, generator=rng(seed)).requires_grad_(), tau, rng(seed))
        chosen = [options[0] for options in mix.active]
        assert torch.equal(mix.weights, torch.nn.functional.one_hot(torch.tensor(chosen), 5).float())
        assert torch.equal(net.logits(mix, images), net.logits(path(chosen), images))


def test_the_gradient_reaches_all_logits_of_an_edge(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    net.schedule(1, 0.1, 0.1, weight_decay=0.0)
    train, _ = next(net.batches(0, 16))
    logits = torch.zeros(6, 5, requires_grad=True)
    forced = torch.zeros(6, 5)
    forced[:, 3] = 50.0  # all edges run their 3x3 convolution
    mix = gumbel(logits + forced, 10.0, rng())
    assert mix.active == ((3,),) * 6
    (gradient,) = torch.autograd.grad(net.loss(mix, train), [logits])
    assert (gradient != 0).all()
    torch.testing.assert_close(gradient.sum(1), torch.zeros(6), rtol=0, atol=1e-6)  # a softmax's rows sum to one


def test_the_gradient_is_that_of_the_soft_weights() -> None:
    """A function linear in the weights has the gradient of the softmax, whatever was drawn."""
    logits = torch.randn(6, 5, generator=rng(1), dtype=torch.float64).requires_grad_()
    slope = torch.randn(6, 5, generator=rng(2), dtype=torch.float64)
    mix = gumbel(logits, 2.0, rng(3))
    (found,) = torch.autograd.grad((slope * mix.weights).sum(), [logits])
    uniform = torch.rand(6, 5, generator=rng(3), dtype=torch.float64)
    soft = torch.softmax((torch.log_softmax(logits, 1) - (-uniform.log()).log()) / 2.0, 1)
    (expected,) = torch.autograd.grad((slope * soft).sum(), [logits])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("tau", [10.0, 0.1])
def test_options_are_drawn_with_the_probabilities_of_the_softmax(tau: float) -> None:
    """Whatever the temperature: the largest of the logits with Gumbel noise does not depend on it."""
    logits = torch.tensor([[1.0, 0.5, 0.0, -0.5, -1.0]] * 500)
    generator = rng(7)
    drawn = [options[0] for _ in range(8) for options in gumbel(logits, tau, generator).active]
    expected = 4000 * torch.softmax(logits[0].double(), 0).numpy()
    assert chisquare(np.bincount(drawn, minlength=5), expected).pvalue > 0.001


def test_weights_and_logits_are_drawn_separately(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    mixes: list[tuple[bool, Any]] = []
    step, loss = net.step, net.loss
    net.step = lambda mix, batch: mixes.append((False, mix.active)) or step(mix, batch)

    def noted(mix: Any, batch: Any) -> Any:
        if mix.weights.requires_grad:
            mixes.append((True, mix.active))
        return loss(mix, batch)

    net.loss = noted
    search = GDAS.begin(SPACE, random.Random(0), supernet=net)
    assert isinstance(search.ask(), Report)
    assert [of_logits for of_logits, _ in mixes] == [False, True] * 3
    assert len({active for _, active in mixes}) == 6
