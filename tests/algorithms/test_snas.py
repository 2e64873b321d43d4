"""SNAS: the concrete distribution, one level, the expected cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.network import Frame, measure
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.continuous import concrete, expected_cost, geometric, options  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix  # noqa: E402
from nassim.full_training.supernets.sizes import option_sizes  # noqa: E402

Reports = Callable[[nassim.Algorithm, Any], list[Report]]
SNAS = nassim.get_algorithm("snas").configured(epochs=2, batch_size=16, arch_rate=0.1)
SPACE = nasbench201.SPACE
ALL = options(SPACE.layout)


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(SNAS, supernets=tiny_supernets)


def test_a_sample_is_the_softmax_of_logits_with_gumbel_noise() -> None:
    """Z_k = a_k^(1/t) E_k^(-1/t) over their sum, a the softmax of the logits and E exponential: without logarithms."""
    logits = torch.randn(6, 5, generator=rng(1), dtype=torch.float64)
    found = concrete(logits, 0.7, rng(3), ALL).weights
    exponential = -np.log(torch.rand(6, 5, generator=rng(3), dtype=torch.float64).numpy())
    a = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    powers = (a / exponential) ** (1 / 0.7)
    np.testing.assert_allclose(found, powers / powers.sum(1, keepdims=True))


def test_samples_become_one_hot_where_the_temperature_falls() -> None:
    logits = torch.randn(500, 5, generator=rng(1), dtype=torch.float64)
    active = ((0, 1, 2, 3, 4),) * 500
    largest = [float(concrete(logits, t, rng(2), active).weights.max(1).values.mean()) for t in (10.0, 1.0, 0.1, 1e-3)]
    assert largest == sorted(largest) and largest[0] < 0.4 and largest[-1] > 0.999


@pytest.mark.parametrize("temperature", [1.0, 0.05])
def test_the_largest_option_has_the_probability_of_the_softmax(temperature: float) -> None:
    logits = torch.tensor([[1.0, 0.5, 0.0, -0.5, -1.0]] * 4000)
    drawn = concrete(logits, temperature, rng(7), ((0, 1, 2, 3, 4),) * 4000).weights.argmax(1)
    expected = 4000 * torch.softmax(logits[0].double(), 0).numpy()
    assert chisquare(np.bincount(drawn.numpy(), minlength=5), expected).pvalue > 0.001


def test_the_gradient_goes_through_the_sample() -> None:
    logits = torch.randn(6, 5, generator=rng(1), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: concrete(x, 0.8, rng(4), ALL).weights, [logits])


def test_single_level_the_same_batch_for_both(reports: Reports, tiny_supernets: Supernets) -> None:
    """No validation batch is asked for; the logits' gradient is that of the loss whose step the weights take."""
    net: Any = tiny_supernets.make(0, "cpu")
    steps: list[tuple[Any, Any]] = []
    step = net.step
    net.step = lambda mix, batch: steps.append((mix, batch)) or step(mix, batch)
    net.batches = lambda *a: pytest.fail("SNAS has one level")
    net.scoring_batches = lambda *a: pytest.fail("SNAS has one level")
    reports(SNAS, net)
    assert len(steps) == 6 and all(mix.weights.requires_grad for mix, _ in steps)


def test_the_gradient_of_the_logits_is_that_of_the_weights_loss(reports: Reports, tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    found: list[Any] = []
    adam = torch.optim.Adam

    class Noted(adam):  # type: ignore[misc,valid-type]
        def step(self, *a: Any) -> None:
            found.append(self.param_groups[0]["params"][0].grad.clone())
            super().step(*a)

    expected: list[Any] = []
    step = net.step

    def noted(mix: Any, batch: Any) -> Any:
        leaf = mix.weights.detach().requires_grad_()
        loss = net.loss(type(mix)(mix.active, leaf), batch)
        expected.append((torch.autograd.grad(loss, [leaf])[0], mix.weights))
        (g, weights) = expected[-1]
        nodes = torch.autograd.grad(weights, _leaf(weights), g, retain_graph=True)
        expected[-1] = nodes[0]
        return step(mix, batch)

    net.step = noted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Noted)
        reports(SNAS.configured(epochs=1), net)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-7)


def _leaf(tensor: Any) -> list[Any]:
    """The leaves that a tensor was made of."""
    open_, found = [tensor.grad_fn], []
    while open_:
        node = open_.pop()
        if node is None:
            continue
        if hasattr(node, "variable"):
            found.append(node.variable)
        open_ += [n for n, _ in node.next_functions]
    return found


@pytest.mark.parametrize("space", [nasbench201.SPACE, darts.SPACE], ids=lambda s: s.name)
def test_the_sizes_of_options_are_what_a_supernet_without_them_lacks(space: Any) -> None:
    """Options alone: the parameters of the supernet are those of its options and of what is around them."""
    frame = Frame(4, 3, 3, (1, 8, 8))
    network = space.supernet(frame)
    sizes = option_sizes(network, space.layout.widths)
    around = sum(
        size
        for layer, size in zip(network.layers, measure(network).layer_parameters, strict=True)
        if ".edges." not in layer.name
    )
    assert sum(map(sum, sizes)) + around == measure(network).parameters
    if space.name == "nasbench201":  # per cell 4 to 16 channels: 3 cells a stage of C, 2C, 4C; weights C^2 and 9 C^2
        squares = 3 * (4**2 + 8**2 + 16**2)
        assert sizes == [[0, 0, squares, 9 * squares, 0]] * 6


def test_expected_cost_is_linear_in_the_sample() -> None:
    sizes = [[0, 1, 3], [2, 4]]
    weights = torch.tensor([[0.2, 0.3, 0.5], [0.25, 0.75, 9.0]])
    assert float(expected_cost(Mix(((0, 1, 2), (0, 1)), weights), sizes)) == pytest.approx((0.3 + 1.5 + 0.5 + 3.0) / 10)


def test_the_temperature_falls_from_the_first_to_the_last() -> None:
    taus = [geometric(1.0, 0.03, epoch, 150) for epoch in range(150)]
    assert taus[0] == 1.0 and taus[-1] == pytest.approx(0.03)
    np.testing.assert_allclose(np.diff(np.log(taus)), np.log(0.03) / 149)
    assert geometric(1.0, 0.03, 0, 1) == 1.0


@pytest.mark.slow
def test_a_larger_resource_weight_gives_fewer_parameters(reports: Reports, tiny_supernets: Supernets) -> None:

    def convolutions(weight: float) -> float:
        last = reports(SNAS.configured(resource_weight=weight, epochs=6), tiny_supernets.make(0, "cpu"))[-1]
        cost = expected_cost(Mix(ALL, torch.tensor(last.scores)), [[0, 0, 1, 9, 0]] * 6)
        return float(cost)

    found = [convolutions(weight) for weight in (0.0, 3.0, 300.0)]
    assert found == sorted(found, reverse=True) and found[0] > found[-1] + 0.02
