"""Fair DARTS: sigmoids, the zero-one loss, the threshold."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.errors import InvalidSetting
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.continuous import options, sigmoid, zero_one  # noqa: E402
from nassim.full_training.relaxations.thresholds import above  # noqa: E402

Reports = Callable[[nassim.Algorithm, Any], list[Report]]
FAIR = nassim.get_algorithm("fair_darts").configured(epochs=2, batch_size=16, arch_rate=0.1)
SPACE = nasbench201.SPACE


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(FAIR, supernets=tiny_supernets)


def test_every_option_has_its_own_sigmoid_and_none_does_not_run() -> None:
    active = options(SPACE.layout, none=False)
    assert active == ((1, 2, 3, 4),) * 6
    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mix = sigmoid(alpha, active)
    np.testing.assert_allclose(mix.weights, 1 / (1 + np.exp(-alpha.numpy())))
    assert {len(row) for row in options(darts.SPACE.layout, none=False)} == {7}


def test_the_zero_one_loss_and_its_gradient() -> None:
    """L = -1/N sum (s - 1/2)^2 over the options that run; dL/da = -2/N (s - 1/2) s (1 - s)."""
    active = options(SPACE.layout, none=False)
    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    found = zero_one(alpha, active)
    s = 1 / (1 + np.exp(-alpha.detach().numpy()[:, 1:]))
    assert float(found.detach()) == pytest.approx(-((s - 0.5) ** 2).sum() / 24)
    (gradient,) = torch.autograd.grad(found, [alpha])
    np.testing.assert_allclose(gradient[:, 1:], -2 / 24 * (s - 0.5) * s * (1 - s))
    assert (gradient[:, 0] == 0).all()
    assert float(zero_one(torch.full((6, 5), 50.0), active)) == pytest.approx(-0.25)  # the least there is


@pytest.mark.slow
def test_a_large_zero_one_weight_makes_sigmoids_bimodal_and_none_leaves_them(
    reports: Reports, tiny_supernets: Supernets
) -> None:
    def outside(weight: float) -> float:
        algorithm = FAIR.configured(zero_one_weight=weight, epochs=12, arch_rate=0.08)
        scores = np.array(reports(algorithm, tiny_supernets.make(0, "cpu"))[-1].scores)[:, 1:]
        return float(((scores < 0.2) | (scores > 0.8)).mean())

    assert outside(100.0) > 0.9 > 0.5 > outside(1e-9)


def rows(values: list[list[float]]) -> list[list[float]]:
    return [[0.5, *row] for row in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # every edge takes its best option where that reaches the threshold
        ([[0.9, 0.1, 0.1, 0.1], [0.1, 0.95, 0.9, 0.1], [0.1, 0.1, 0.1, 0.86]] * 2, (1, 2, 4, 1, 2, 4)),
        # nodes 1 and 2 reach it nowhere: their best edge stays; node 3 has one edge that does
        ([[0.5, 0.6, 0.1, 0.1], [0.2] * 4, [0.1, 0.1, 0.3, 0.1], [0.2] * 4, [0.1, 0.1, 0.1, 0.85], [0.84] * 4],
         (2, 0, 3, 0, 4, 0)),
    ],
)  # fmt: skip
def test_the_threshold(values: list[list[float]], expected: tuple[int, ...]) -> None:
    assert SPACE.layout.answer(above(rows(values), SPACE.layout, 0.85)).choices == expected


def test_in_darts_space_every_node_keeps_its_best_two_edges() -> None:
    layout = darts.SPACE.layout
    rng = random.Random(0)
    weights = [[rng.random() for _ in range(8)] for _ in range(28)]
    masked = [[-math.inf, *row[1:]] for row in weights]
    assert layout.answer(above(weights, layout, 0.85)) == layout.answer(masked)


@pytest.mark.parametrize("threshold", [1.0, 1.5])
def test_a_threshold_that_leaves_nodes_without_inputs_is_one_line(tiny_supernets: Supernets, threshold: float) -> None:
    search = FAIR.configured(threshold=threshold).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    with pytest.raises(InvalidSetting, match=r"leaves every node without inputs") as raised:
        search.ask()
    assert "\n" not in str(raised.value)


def test_logits_begin_at_zero_and_take_the_validation_batch(reports: Reports, tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    seen: list[tuple[str, Any]] = []
    loss, step = net.loss, net.step
    net.loss = lambda mix, batch: seen.append(("loss", mix.weights.detach().clone())) or loss(mix, batch)
    net.step = lambda mix, batch: seen.append(("step", mix.weights.requires_grad)) or step(mix, batch)
    reports(FAIR.configured(epochs=1), net)
    assert (seen[0][1] == 0.5).all()
    assert [s for s in seen if s[0] == "step"] == [("step", False)] * 3
