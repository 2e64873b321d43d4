"""DARTS: its gradient through a step of the weights, and its loop."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from nassim.full_training.relaxations.bilevel import WeightUpdate, unrolled_gradient  # noqa: E402
from nassim.full_training.relaxations.mixtures import small_logits, softmax  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402

DARTS = nassim.get_algorithm("darts").configured(epochs=2, batch_size=16, arch_rate=0.1)


def answers(algorithm: nassim.Algorithm, supernet: Any, seed: int = 0) -> list[Report]:
    """All reports of a search."""
    search = algorithm.begin(SPACE, random.Random(seed), supernet=supernet)
    found = []
    while (message := search.ask()) is not None:
        assert isinstance(message, Report)
        found.append(message)
        search.tell([])
    return found


# -- the gradient through a step --------------------------------------------------------------------


class Toy:
    """Both problems quadratic: train |w - A alpha|^2 / 2, valid |w - target|^2 / 2 + |alpha|^2 / 4."""

    def __init__(self) -> None:
        rng = torch.Generator().manual_seed(0)
        self.A = torch.randn(5, 3, generator=rng, dtype=torch.float64)
        self.alpha = torch.randn(3, generator=rng, dtype=torch.float64).requires_grad_()
        self.w = torch.randn(5, generator=rng, dtype=torch.float64).requires_grad_()
        self.target = torch.randn(5, generator=rng, dtype=torch.float64)
        self.velocity = torch.randn(5, generator=rng, dtype=torch.float64)

    def loss(self, split: str) -> Tensor:
        if split == "train":
            return (self.w - self.A @ self.alpha).square().sum() / 2
        return (self.w - self.target).square().sum() / 2 + self.alpha.square().sum() / 4

    def gradient(self, rate: float) -> Tensor:
        update = WeightUpdate(rate, 0.9, 0.1, [self.velocity])
        return unrolled_gradient(self.alpha, [self.w], self.loss, "train", "valid", update)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.3, 0.01])
def test_the_toy_problem_in_closed_form(rate: float) -> None:
    """w' = w - rate (0.9 velocity + w - A alpha + 0.1 w), so that dw'/dalpha = rate A."""
    toy = Toy()
    with torch.no_grad():
        ahead = toy.w - rate * (0.9 * toy.velocity + 1.1 * toy.w - toy.A @ toy.alpha)
        expected = toy.alpha / 2 + rate * toy.A.T @ (ahead - toy.target)
    torch.testing.assert_close(toy.gradient(rate), expected, rtol=1e-9, atol=1e-12)


def test_with_a_rate_of_zero_it_is_the_first_order_gradient() -> None:
    toy = Toy()
    (first,) = torch.autograd.grad(toy.loss("valid"), [toy.alpha])
    assert torch.equal(toy.gradient(0.0), first)


class Doubled:
    """The tiny supernet in float64, its losses as functions of other weights too."""

    def __init__(self, supernets: Supernets) -> None:
        net = supernets.make(1, "cpu")  # with seed 0 a kink lies within the fine probe
        assert isinstance(net, SharedNetwork)
        self.net = net
        net.network.double()
        net.schedule(2, 0.05, 0.01, weight_decay=1e-3)
        batches = [((a, b), (c, d)) for (a, b), (c, d) in net.batches(0, 16)]
        for train, _ in batches:
            net.step(softmax(small_logits([5] * 6, random.Random(1)).detach()), (train[0].double(), train[1]))
        net.cost()
        (train, valid), *_ = batches
        self.batches = {"train": (train[0].double(), train[1]), "valid": (valid[0].double(), valid[1])}
        self.alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()

    def loss(self, split: str) -> Tensor:
        return self.net.loss(softmax(self.alpha), self.batches[split])

    def exact(self) -> tuple[Tensor, Tensor]:
        """The gradient by automatic differentiation through the update, and its part that goes through the weights."""
        names = [name for name, _ in self.net.network.named_parameters()]
        weights = self.net.weights
        update = self.net.next_update()
        gradients = torch.autograd.grad(self.loss("train"), weights, create_graph=True)
        ahead = {}
        for name, w, g, v in zip(names, weights, gradients, update.velocity, strict=True):
            assert v is not None
            ahead[name] = w - update.rate * (update.momentum * v + g + update.decay * w)
        images, labels = self.batches["valid"]
        logits = torch.func.functional_call(self.net.network, ahead, (images, softmax(self.alpha)))
        loss = torch.nn.functional.cross_entropy(logits, labels)
        (whole,) = torch.autograd.grad(loss, [self.alpha], retain_graph=True)
        still = {name: w.detach() for name, w in ahead.items()}
        logits = torch.func.functional_call(self.net.network, still, (images, softmax(self.alpha)))
        (direct,) = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, labels), [self.alpha])
        return whole, whole - direct


@pytest.mark.slow
def test_it_is_the_gradient_through_the_update_of_a_supernet(tiny_supernets: Supernets) -> None:
    """Against automatic differentiation through the step, momentum and decay included; also its second-order part.

    With a fine probe: the paper's is coarse beside the kinks of a network this small (docs/one-shot.md).
    """
    doubled = Doubled(tiny_supernets)
    exact, through = doubled.exact()
    update = doubled.net.next_update()
    weights = doubled.net.weights
    found = unrolled_gradient(doubled.alpha, weights, doubled.loss, "train", "valid", update, probe=1e-6)
    assert torch.cosine_similarity(found.flatten(), exact.flatten(), dim=0) > 0.999
    assert (found - exact).norm() / exact.norm() < 1e-6
    assert through.norm() / exact.norm() > 0.01  # or this would test nothing
    part = found - (exact - through)
    assert torch.cosine_similarity(part.flatten(), through.flatten(), dim=0) > 0.999


@pytest.mark.parametrize("interrupted", [False, True])
def test_weights_are_bit_for_bit_as_before(tiny_supernets: Supernets, interrupted: bool) -> None:
    net = tiny_supernets.make(0, "cpu")
    assert isinstance(net, SharedNetwork)
    net.schedule(2, 0.05, 0.01, weight_decay=1e-3)
    alpha = small_logits([5] * 6, random.Random(0))
    train, valid = next(net.batches(0, 16))
    net.step(softmax(alpha.detach()), train)
    before = {name: value.clone() for name, value in net.network.state_dict().items()}
    calls = 0

    def loss(batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if interrupted and calls == 3:
            raise KeyboardInterrupt
        return net.loss(softmax(alpha), batch)

    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            unrolled_gradient(alpha, net.weights, loss, train, valid, net.next_update())
    else:
        unrolled_gradient(alpha, net.weights, loss, train, valid, net.next_update())
        assert calls == 4  # five passes with the weight step: 2.5 times the first order's two
    after = net.network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


# -- the loop -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(DARTS, supernets=tiny_supernets)
    check_strategy(DARTS.configured(order=2, epochs=1), supernets=tiny_supernets)


def test_softmax_rows_sum_to_one_and_all_options_run() -> None:
    mix = softmax(5 * torch.randn(6, 5, generator=torch.Generator().manual_seed(0)))
    assert mix.weights is not None
    torch.testing.assert_close(mix.weights.sum(1), torch.ones(6))
    assert mix.active == ((0, 1, 2, 3, 4),) * 6


class Spy:
    """A supernet that notes what it is asked for."""

    def __init__(self, net: Any) -> None:
        self._net = net
        self.calls: list[tuple[str, Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)

    def loss(self, mix: Any, batch: Any) -> Any:
        self.calls.append(("loss", mix, batch))
        return self._net.loss(mix, batch)

    def step(self, mix: Any, batch: Any) -> float:
        self.calls.append(("step", mix, batch))
        return float(self._net.step(mix, batch))

    def batches(self, epoch: int, size: int) -> Any:
        for train, valid in self._net.batches(epoch, size):
            self.calls.append(("batches", train, valid))
            yield train, valid


def test_logits_step_on_validation_before_weights_step_on_training(tiny_supernets: Supernets) -> None:
    spy = Spy(tiny_supernets.make(0, "cpu"))
    assert len(answers(DARTS, spy)) == 2
    names = [name for name, _, _ in spy.calls]
    assert names == ["batches", "loss", "step"] * 6
    for (_, train, valid), (_, alpha_mix, alpha_batch), (_, weight_mix, weight_batch) in zip(
        *[iter(spy.calls)] * 3, strict=True
    ):
        assert alpha_batch is valid and weight_batch is train
        assert alpha_mix.weights.requires_grad
        assert not weight_mix.weights.requires_grad  # the logits get no gradient from the weights' step
        assert not torch.equal(alpha_mix.weights, weight_mix.weights)  # they moved in between


def test_second_order_sees_the_training_batch_thrice(tiny_supernets: Supernets) -> None:
    spy = Spy(tiny_supernets.make(0, "cpu"))
    answers(DARTS.configured(order=2, epochs=1), spy)
    per_pair = [
        ("train" if spy.calls[0][1] is batch else "valid") for name, _, batch in spy.calls[:6] if name != "batches"
    ]
    assert per_pair == ["train", "valid", "train", "train", "train"]


def test_it_answers_with_the_largest_logits(tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch) -> None:
    from nassim.full_training.relaxations import mixtures

    made: list[Tensor] = []
    monkeypatch.setattr(mixtures, "small_logits", lambda *a: made.append(small_logits(*a)) or made[-1])
    last = answers(DARTS, tiny_supernets.make(0, "cpu"))[-1]
    assert last.arch.choices == tuple(made[0].argmax(1).tolist())
    assert last.scores == pytest.approx(torch.softmax(made[0].detach(), 1).numpy())
    assert SPACE.discretize([[0, 1, 0, 0, 0]] * 5 + [[2.0, 2.0, 0, 0, 1]]).choices == (1, 1, 1, 1, 1, 0)


@pytest.mark.slow
def test_it_finds_that_stripes_need_no_none(tiny_supernets: Supernets) -> None:
    """After a search on stripes the direct edge carries the image: it is not `none`."""
    found = answers(DARTS.configured(epochs=8, learning_rate=0.1), tiny_supernets.make(1, "cpu"))
    assert found[-1].arch.choices[3] != 0


def test_hyperparameters() -> None:
    darts = nassim.get_algorithm("darts")
    assert darts.hyperparameters(SPACE)["weight_decay"] == 5e-4  # NAS-Bench-201's
    assert darts.hyperparameters(SPACE, "nasbench201/digits")["arch_rate"] == 0.0063
    assert darts.configured(arch_rate=0.5).hyperparameters(SPACE, "nasbench201/digits")["arch_rate"] == 0.5
    with pytest.raises(ValueError, match="order=3 is not 1 or 2"):
        darts.configured(order=3)
