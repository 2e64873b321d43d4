"""SmoothDARTS: moved mixtures, the adversary, the schedule of its reach."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.benchmarks.spaces import nasbench201
from nassim.errors import InvalidSetting
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations import perturbation  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, softmax  # noqa: E402

SMOOTH = nassim.get_algorithm("smooth_darts").configured(epochs=2, batch_size=16, arch_rate=0.1)
SPACE = nasbench201.SPACE


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random", "adversarial"])
def test_contract(tiny_supernets: Supernets, kind: str) -> None:
    check_strategy(SMOOTH.configured(perturbation=kind, epochs=1), supernets=tiny_supernets)


def test_moved_weights_are_cut_and_divided_by_their_sum() -> None:
    weights = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.6, 0.4, 0.0]])
    moved = torch.tensor([[0.9, -0.1, 0.3], [-0.2, -0.1, 0.0], [1.4, 0.5, 7.0]])
    among = torch.tensor([[True] * 3, [True] * 3, [True, True, False]])
    found = perturbation.on_simplex(weights, moved, among)
    expected = [[0.75, 0, 0.25], [0, 0, 1], [1 / 1.5, 0.5 / 1.5, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("epsilon", [0.03, 0.3, 1.0])
def test_random_perturbations_are_mixtures_within_reach(epsilon: float) -> None:
    mix = softmax(torch.randn(200, 5, generator=rng(1), dtype=torch.float64))
    near = perturbation.random_perturbation(mix, epsilon, rng(2))
    assert isinstance(mix.weights, torch.Tensor) and isinstance(near.weights, torch.Tensor)
    torch.testing.assert_close(near.weights.sum(1), torch.ones(200, dtype=torch.float64))
    assert (near.weights >= 0).all()
    uniform = torch.rand(200, 5, generator=rng(2), dtype=torch.float64).numpy()
    cut = (mix.weights.numpy() + epsilon * (2 * uniform - 1)).clip(0, 1)
    np.testing.assert_allclose(near.weights, cut / cut.sum(1, keepdims=True))


def test_the_adversary_finds_the_worst_corner_of_a_linear_loss() -> None:
    """Of a loss c w the worst mixture within reach moves every weight by epsilon in the direction of its slope."""
    c = torch.tensor([[3.0, -1.0, -1.0], [2.0, 2.0, -2.0]], dtype=torch.float64)
    mix = Mix(((0, 1, 2),) * 2, torch.tensor([[0.3, 0.4, 0.3], [0.4, 0.3, 0.3]], dtype=torch.float64))

    def loss(m: Any) -> Any:
        return (c * m.weights).sum()

    found = perturbation.adversarial_perturbation(mix, 0.1, rng(0), loss)
    corners = []
    for signs in np.ndindex(*(2,) * 6):
        moved = mix.weights.numpy() + 0.1 * (2 * np.array(signs).reshape(2, 3) - 1)
        corners.append(float((c.numpy() * moved / moved.sum(1, keepdims=True)).sum()))
    assert float(loss(found)) == pytest.approx(max(corners), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_adversarial_loss_is_never_below_the_clean_one(tiny_supernets: Supernets, seed: int) -> None:
    net: Any = tiny_supernets.make(seed, "cpu")
    net.schedule(1, 0.1, 0.1, weight_decay=0.0)
    train, _ = next(net.batches(0, 16))
    mix = softmax(torch.randn(6, 5, generator=rng(seed)))
    before = [w.detach().clone() for w in net.weights]
    clean = float(net.loss(mix, train).detach())
    found = {
        e: perturbation.adversarial_perturbation(mix, e, rng(seed), lambda m: net.loss(m, train)) for e in (0.03, 0.3)
    }
    losses = [float(net.loss(m, train).detach()) for m in found.values()]
    assert clean <= losses[0] <= losses[1]
    assert all(torch.equal(a, b) and a.grad is None for a, b in zip(net.weights, before, strict=True))
    net.cost()


def test_where_the_attack_fails_the_mixture_is_as_it_was() -> None:
    mix = softmax(torch.zeros(2, 3, dtype=torch.float64))
    calls = iter([*[1.0] * 7, 0.5, 1.0])  # seven steps, then the attacked loss, then the clean one
    found = perturbation.adversarial_perturbation(mix, 0.1, rng(0), lambda m: m.weights.sum() * 0 + next(calls))
    assert found is mix


def test_logits_are_bit_for_bit_as_before_and_the_validation_sees_them_unmoved(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    seen: list[Any] = []
    loss, step = net.loss, net.step
    net.loss = lambda mix, batch: (
        (mix.weights.requires_grad and seen.append(("valid", mix.weights.detach()))) or loss(mix, batch)
    )
    net.step = lambda mix, batch: seen.append(("train", mix.weights)) or step(mix, batch)
    search = SMOOTH.begin(SPACE, random.Random(0), supernet=net)
    shares = []
    while isinstance(message := search.ask(), Report):
        shares.append(np.array(message.scores))
        search.tell([])
    assert [kind for kind, _ in seen] == ["valid", "train"] * 6
    for (_, clean), (_, moved) in zip(seen[::2], seen[1::2], strict=True):
        assert not torch.equal(clean, moved)
    np.testing.assert_allclose(np.array(shares[-1]).sum(1), 1.0, rtol=1e-6)


@pytest.mark.slow
def test_the_reach_rises_linearly(tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    real = perturbation.random_perturbation
    monkeypatch.setattr(perturbation, "random_perturbation", lambda m, e, g: seen.append(e) or real(m, e, g))
    search = SMOOTH.configured(epochs=3).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    while isinstance(search.ask(), Report):
        search.tell([])
    assert seen == pytest.approx([0.03] * 3 + [0.12] * 3 + [0.21] * 3)


@pytest.mark.parametrize("setting", ["first_epsilon", "last_epsilon"])
def test_perturbations_above_1_are_one_line(tiny_supernets: Supernets, setting: str) -> None:
    search = SMOOTH.configured(**{setting: 1.01}).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    with pytest.raises(InvalidSetting, match=r"perturbation of 1\.01 is not between 0 and 1") as raised:
        search.ask()
    assert "\n" not in str(raised.value)
