"""FBNet: the schedule of its temperature, its two sets of images, the sampled answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nassim
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations import continuous  # noqa: E402

Reports = Callable[[nassim.Algorithm, Any], list[Report]]
FBNET = nassim.get_algorithm("fbnet").configured(epochs=3, warmup=1, batch_size=8, sampled=3, unit="us")


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(FBNET, supernets=tiny_supernets)


@pytest.mark.parametrize(("cooling", "expected"), [("start", [5.0, 4.78, 4.56968]), ("warmup", [5.0, 5.0, 4.78])])
def test_the_temperature_falls_by_a_factor_an_epoch(
    reports: Reports, tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch, cooling: str, expected: list[float]
) -> None:
    seen: list[float] = []
    concrete = continuous.concrete
    monkeypatch.setattr(continuous, "concrete", lambda theta, tau, *a: seen.append(tau) or concrete(theta, tau, *a))
    reports(FBNET.configured(cooling=cooling), tiny_supernets.make(0, "cpu"))
    assert list(dict.fromkeys(seen)) == pytest.approx(list(dict.fromkeys(expected)))


def test_logits_rest_in_the_first_epochs_and_learn_from_the_other_images(
    reports: Reports, tiny_supernets: Supernets
) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    calls: list[str] = []
    step, loss = net.step, net.loss
    inside: list[bool] = []

    def stepped(mix: Any, batch: Any) -> Any:
        calls.append("w")
        assert not mix.weights.requires_grad
        inside.append(True)
        found = step(mix, batch)
        inside.pop()
        return found

    def lost(mix: Any, batch: Any) -> Any:
        if not inside:
            calls.append("theta")
            assert mix.weights.requires_grad
        return loss(mix, batch)

    net.step, net.loss = stepped, lost
    found = reports(FBNET, net)
    epoch = ["w"] * 9 + ["theta"] * 3  # 72 and 24 images of 96, batches of eight
    assert calls == ["w"] * 9 + epoch * 2
    assert len(found) == 3 and all(dict(each.seen)["latency_ms"] > 0.01 for each in found)
    assert len({each.scores for each in found[:2]}) == 2


def test_the_answer_is_a_sample_of_the_distribution(reports: Reports, tiny_supernets: Supernets) -> None:
    """With one sample an epoch the answers vary, as those of the largest logits would not without any step of them."""
    found = reports(FBNET.configured(epochs=6, warmup=6, sampled=1), tiny_supernets.make(0, "cpu"))
    assert len({each.scores for each in found}) == 1 and len({each.arch for each in found}) > 3
