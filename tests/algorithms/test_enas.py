"""ENAS: the controller, its loss and baseline, and its loop."""

from __future__ import annotations

import math
import random
from itertools import product
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

from nassim.full_training.relaxations.controller import (  # noqa: E402
    TANH_CONSTANT,
    Controller,
    MovingAverage,
    Samples,
    descend,
    policy_loss,
)
from nassim.full_training.relaxations.mixtures import path  # noqa: E402

ENAS = nassim.get_algorithm("enas").configured(
    epochs=2, batch_size=16, controller_steps=3, controller_samples=4, derived=5
)


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(ENAS, supernets=tiny_supernets)


# -- the controller -----------------------------------------------------------------------------------


def exact(controller: Controller, radices: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """The probability of every architecture, by feeding each one's choices to the parts of the controller."""
    found = {}
    for choices in product(*map(range, radices)):
        x, log = controller.begin.weight, 0.0
        state = (torch.zeros(1, 64), torch.zeros(1, 64))
        for i, choice in enumerate(choices):
            state = controller.cell(x, state)
            logits = TANH_CONSTANT * torch.tanh(controller.heads[i](state[0]) / 5.0)
            log += float(torch.log_softmax(logits, 1)[0, choice].detach())
            if i < len(controller.embeddings):
                x = controller.embeddings[i](torch.tensor([choice]))
        found[choices] = math.exp(log)
    return found


def sharpened(radices: tuple[int, ...]) -> Controller:
    """A controller away from the uniform distribution."""
    controller = Controller(radices, random.Random(3))
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.mul_(12)
    return controller


def test_samples_follow_the_probabilities_that_are_reported() -> None:
    radices = (2, 3, 2)
    controller = sharpened(radices)
    probability = exact(controller, radices)
    assert sum(probability.values()) == pytest.approx(1.0, abs=1e-5)
    assert max(probability.values()) > 2 / 12
    with torch.no_grad():
        drawn = controller.sample(4000)
    keys = list(probability)
    observed = [drawn.choices.count(key) for key in keys]
    assert (
        chisquare(observed, 4000 * np.array([probability[k] for k in keys]) / sum(probability.values())).pvalue > 1e-3
    )
    for choices, log in list(zip(drawn.choices, drawn.log_probability.tolist(), strict=True))[:50]:
        assert math.exp(log) == pytest.approx(probability[choices], rel=1e-4)
    # The mean of the samples' entropies estimates the entropy of the whole distribution.
    entropy = -sum(p * math.log(p) for p in probability.values())
    assert float(drawn.entropy.mean()) == pytest.approx(entropy, rel=0.05)


def test_it_begins_near_the_uniform_distribution() -> None:
    entropy = float(Controller([5] * 6, random.Random(0)).sample(50).entropy.detach().mean())
    assert entropy == pytest.approx(6 * math.log(5), rel=0.01)


def test_the_loss_is_minus_log_probability_times_advantage() -> None:
    samples = Samples([(0,), (1,)], torch.tensor([-1.0, -3.0], requires_grad=True), torch.zeros(2))
    loss = policy_loss(samples, [0.5, -0.25])
    assert float(loss.detach()) == pytest.approx((1.0 * 0.5 + 3.0 * -0.25) / 2)


def test_what_was_better_than_the_baseline_becomes_likelier() -> None:
    controller = Controller((2, 2), random.Random(0))
    adam = torch.optim.Adam(controller.parameters(), 0.01)
    before = exact(controller, (2, 2))[1, 0]
    baseline = MovingAverage(0.9)
    for _ in range(60):
        samples = controller.sample(8)
        rewards = [float(choices == (1, 0)) for choices in samples.choices]
        descend(policy_loss(samples, baseline.advantages(rewards)), adam)
    assert exact(controller, (2, 2))[1, 0] > max(0.8, before)


def test_the_baseline_moves_with_every_reward() -> None:
    baseline = MovingAverage(0.9)
    gains = baseline.advantages([1.0, 0.0, 0.5])
    assert baseline.value == pytest.approx(0.9 * (0.9 * 1.0) + 0.1 * 0.5)
    assert gains == pytest.approx([0.0, -0.9, 0.5 - 0.86])
    other = MovingAverage(0.9)
    other.load_state_dict(baseline.state_dict())
    more = other.advantages([1.0])
    assert other.value == pytest.approx(0.9 * 0.86 + 0.1)
    assert more == pytest.approx([1.0 - 0.874])


# -- the loop -----------------------------------------------------------------------------------------


class Scripted:
    """A supernet whose shared-weight accuracy is the share of options 3."""

    device, layout = "cpu", SPACE.layout

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[int, ...]]] = []

    def schedule(self, epochs: int, *_: Any, **options: Any) -> None:
        self.many, self.options = epochs, options

    def epochs(self, **kept: Any) -> Any:
        return iter(range(self.many))

    def path(self, arch: Any) -> Any:
        return path(arch.choices)

    def training_batches(self, epoch: int, size: int) -> Any:
        yield from ["train"] * 2

    def scoring_batches(self, epoch: int, size: int) -> Any:
        while True:
            yield "batch"

    def step(self, mix: Any, batch: Any) -> float:
        assert batch == "train"
        self.calls.append(("step", tuple(k for (k,) in mix.active)))
        return 0.0

    def score(self, mix: Any, *batches: Any) -> float:
        assert batches == ("batch",)
        self.calls.append(("score", tuple(k for (k,) in mix.active)))
        return self.calls[-1][1].count(3) / 6

    def cost(self) -> float:
        return 2.0


def test_an_epoch_is_children_then_controller_then_derivation() -> None:
    net = Scripted()
    message = ENAS.begin(SPACE, random.Random(0), supernet=net).ask()
    assert isinstance(message, Report) and message.cost == 2.0
    assert [kind for kind, _ in net.calls] == ["step"] * 2 + ["score"] * (3 * 4 + 5)
    derived = [choices for _, choices in net.calls[-5:]]
    assert message.arch.choices == max(derived, key=lambda c: c.count(3))
    assert net.options["restart"] == 10


@pytest.mark.slow
def test_the_controller_learns_what_scores_well() -> None:
    net = Scripted()
    algorithm = ENAS.configured(epochs=6, controller_steps=30, controller_rate=0.02, controller_samples=10)
    search = algorithm.begin(SPACE, random.Random(0), supernet=net)
    while isinstance(search.ask(), Report):
        search.tell([])
    trained = [choices for kind, choices in net.calls if kind == "step"]
    assert sum(c.count(3) for c in trained[-4:]) / 24 > 0.6
