"""ProxylessNAS: a path a step, warm-up, its three ways to train logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nassim
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

Reports = Callable[[nassim.Algorithm, Any], list[Report]]
PROXYLESS = nassim.get_algorithm("proxyless_nas").configured(
    epochs=2, warmup=1, every=2, batch_size=16, penalty="sum", arch_rate=0.1
)


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(PROXYLESS, supernets=tiny_supernets)


@pytest.mark.parametrize(("gradient", "options"), [("two", 2), ("all", 5)])
def test_weights_train_one_path_and_logits_two_or_all(
    reports: Reports, tiny_supernets: Supernets, gradient: str, options: int
) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    mixes: list[Any] = []
    loss = net.loss
    net.loss = lambda mix, batch: mixes.append(mix) or loss(mix, batch)
    found = reports(PROXYLESS.configured(gradient=gradient), net)
    counts = [{len(active) for active in mix.active} for mix in mixes]
    with_logits = [{1}, {options}, {1}, {1}, {options}]  # three batches an epoch, logits with the first and the third
    assert counts == [{1}] * 3 + with_logits * 2
    assert all(mix.weights is None for mix in mixes if {len(active) for active in mix.active} == {1})
    assert len(found) == 3 and found[0].scores != found[2].scores


def test_reinforcement_scores_ten_paths_a_step(reports: Reports, tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    scored: list[Any] = []
    score = net.score
    net.score = lambda mix, *batches: scored.append(mix) or score(mix, *batches)
    found = reports(PROXYLESS.configured(gradient="reinforce"), net)
    assert len(scored) == 4 * 10 and found[0].scores != found[2].scores


def test_logits_of_options_that_were_not_drawn_stay(reports: Reports, tiny_supernets: Supernets) -> None:
    """One step: of a decision the three that did not run have the shares that they had; where nothing depends on the
    two that ran (both take no time, and no value goes on from there), all five."""
    changed = PROXYLESS.configured(epochs=1, every=9)
    before, after = reports(changed, tiny_supernets.make(0, "cpu"))
    pairs = zip(before.scores, after.scores, strict=True)
    moved = [sum(abs(a - b) > 1e-6 for a, b in zip(old, new, strict=True)) for old, new in pairs]
    assert set(moved) <= {0, 2} and sum(moved) >= 6
