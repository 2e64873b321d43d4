"""The eigenvalue of the validation Hessian: against numpy on a toy and against finite differences on a supernet."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.query import Report
from nassim.supernet import Moment, Recording, Supernets, configuration

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.curvature import largest_eigenvalue, watch  # noqa: E402
from nassim.full_training.relaxations.mixtures import small_logits, softmax  # noqa: E402


def symmetric(seed: int, n: int = 12) -> Any:
    a = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return a + a.T


@pytest.mark.parametrize("seed", range(8))
def test_power_iteration_equals_numpy_on_a_toy(seed: int) -> None:
    """The largest and not the largest absolute one: of some of these matrices that is the smallest."""
    A = symmetric(seed)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(9), dtype=torch.float64).requires_grad_()
    found = largest_eigenvalue(lambda: x.flatten() @ A @ x.flatten() / 2 + x.sum(), x)
    assert found == pytest.approx(np.linalg.eigvalsh(A.numpy())[-1], rel=1e-3)


def test_the_toys_have_both_signs() -> None:
    largest = [np.linalg.eigvalsh(symmetric(seed).numpy())[[0, -1]] for seed in range(8)]
    assert {abs(low) > high for low, high in largest} == {True, False}


def test_where_all_are_negative_and_where_all_are_zero() -> None:
    x = torch.ones(5, dtype=torch.float64, requires_grad=True)
    assert largest_eigenvalue(lambda: -(torch.arange(1.0, 6.0) * x.square()).sum(), x) == pytest.approx(-2.0, rel=1e-3)
    assert largest_eigenvalue(lambda: 3 * x.sum(), x) == 0.0


@pytest.mark.slow
def test_it_is_that_of_the_whole_hessian_of_a_supernet(tiny_supernets: Supernets) -> None:
    """Row by row with automatic differentiation, and numpy's eigenvalues, in float64."""
    net: Any = tiny_supernets.make(0, "cpu")
    net.network.double()
    images, labels = next(iter(net.scoring_batches(0, 16)))
    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()

    def loss() -> Any:
        return net.loss(softmax(alpha), (images.double(), labels))

    (gradient,) = torch.autograd.grad(loss(), [alpha], create_graph=True)
    rows = [torch.autograd.grad(g, [alpha], retain_graph=True)[0].flatten() for g in gradient.flatten()]
    expected = np.linalg.eigvalsh(torch.stack(rows).numpy())
    assert largest_eigenvalue(loss, alpha) == pytest.approx(expected[-1], rel=1e-3)


def answers(algorithm: nassim.Algorithm, net: Any) -> list[Report]:
    search, found = algorithm.begin(SPACE, random.Random(0), supernet=net), []
    while (message := search.ask()) is not None:
        assert isinstance(message, Report)
        found.append(message)
        search.tell([])
    return found


GRADIENT = ["darts", "gdas", "pc_darts", "fair_darts", "snas", "drnas", "r_darts", "smooth_darts", "darts_pt"]


@pytest.mark.slow
@pytest.mark.parametrize("name", GRADIENT)
def test_looking_changes_nothing_of_a_search(tiny_supernets: Supernets, name: str) -> None:
    algorithm = nassim.get_algorithm(name).configured(epochs=3, batch_size=16)
    if name == "pc_darts":
        algorithm = algorithm.configured(partial=2, warmup=1)
    if name == "darts_pt":
        algorithm = algorithm.configured(tune=1, epochs=1)
    plain = answers(algorithm, tiny_supernets.make(0, "cpu"))
    looked = answers(algorithm.configured(hessian_every=2), tiny_supernets.make(0, "cpu"))
    assert [(r.arch, r.scores) for r in plain] == [(r.arch, r.scores) for r in looked]
    assert not any(r.seen for r in plain)
    seen = [i for i, r in enumerate(looked) if r.seen]
    assert seen == sorted({*range(1, len(looked), 2), len(looked) - 1})
    assert {name for name, _ in looked[-1].seen} == {"eigenvalue", "supernet"}
    assert 0 <= dict(looked[-1].seen)["supernet"] <= 1


@pytest.mark.slow
def test_it_does_not_depend_on_where_the_search_has_been(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    alpha = small_logits([5] * 6, random.Random(0))
    first = watch(net, 1, 0, 3, alpha, lambda: softmax(alpha))
    assert watch(net, 1, 2, 3, alpha, lambda: softmax(alpha)) == first
    assert watch(net, None, 2, 3, alpha, lambda: softmax(alpha)) == {}


@pytest.mark.slow
def test_recordings_hold_what_was_seen_and_serve_who_does_not_ask(tiny_supernets: Supernets) -> None:
    from nassim.record import record

    darts = nassim.get_algorithm("darts").configured(epochs=3, batch_size=16)
    path = record(darts.configured(hessian_every=2), tiny_supernets, seeds=1, device="cpu", scored_cells=0)
    [read] = tiny_supernets.recordings("darts", path.parent)
    assert [bool(moment.seen) for moment in read.runs[0]] == [False, True, True]
    assert read.serves(darts.hyperparameters(SPACE)) and read.serves({"hessian_every": 5})
    unseen = {seed: tuple(moment._replace(seen=()) for moment in run) for seed, run in read.runs.items()}
    blind = Recording(read.algorithm, read.benchmark, read.hyperparameters, read.supernet, "", unseen)
    assert blind.configuration == read.configuration
    assert blind.serves({}) and not blind.serves({"hessian_every": 5})


def test_settings_that_change_nothing_are_not_told_apart() -> None:
    """Recordings from before these settings were there serve: the same hash."""
    before = configuration("darts", {"epochs": 3}, {})
    assert configuration("darts", {"epochs": 3, "hessian_every": None, "replicas": 1}, {}) == before
    assert configuration("darts", {"epochs": 3, "hessian_every": 5}, {}) == before
    assert configuration("darts", {"epochs": 3, "replicas": 2}, {}) != before


def test_who_asks_for_what_was_not_looked_at_is_told_so() -> None:
    """In one line, without the settings that change nothing and were not there when it was recorded."""
    from nassim.one_shot import _nothing_fits

    darts = nassim.get_algorithm("darts").configured(epochs=3)
    before = {k: v for k, v in darts.hyperparameters(SPACE).items() if k not in ("hessian_every", "runs", "replicas")}
    moment = Moment(SPACE.at(0), 1.0)
    recording = Recording("darts", "nasbench201/stripes", before, {}, "", {0: (moment,)})
    supernets: Any = SimpleNamespace(
        space=SPACE, benchmark="nasbench201/stripes", settings={}, recordings=lambda *a: [recording]
    )
    text = _nothing_fits(darts.configured(hessian_every=5), supernets)
    assert "in the nearest nothing was looked at (hessian_every is not 5)" in text and "runs" not in text
    text = _nothing_fits(darts.configured(replicas=2), supernets)
    assert "in the nearest replicas is None, not 2." in text
