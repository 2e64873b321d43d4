"""The deep ensemble: gradients, Adam, exact products, and what a strategy needs of its uncertainty."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nassim.surrogates import deep_ensemble
from nassim.surrogates.deep_ensemble import DeepEnsemble

ALL = np.array(list(product((0, 1), repeat=8)), np.uint8)
GAINS = np.random.default_rng(9).normal(0, 1, 8)
Floats = NDArray[np.float64]


def made(seed: int = 0, **settings: object) -> DeepEnsemble:
    return DeepEnsemble(8, np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


def drawn(count: int, seed: int) -> tuple[NDArray[np.uint8], Floats]:
    rows = ALL[np.random.default_rng(seed).choice(len(ALL), count, replace=False)]
    return rows, rows @ GAINS


def reference(weights: list[Floats], rows: NDArray[np.uint8], member: int) -> Floats:
    """One member's output, layer by layer."""
    values = rows.astype(np.float64)
    for layer, weight in enumerate(weights):
        values = values @ weight[member, :-1] + weight[member, -1]
        if layer < len(weights) - 1:
            values = np.maximum(values, 0)
    return np.asarray(values[:, 0])


def test_the_published_network_has_ten_layers_of_twenty_units_and_five_members() -> None:
    shapes = [weights.shape for weights in made()._weights]
    assert shapes == [(5, 9, 20), *[(5, 21, 20)] * 9, (5, 21, 1)]


def test_predictions_are_those_of_the_networks() -> None:
    ensemble = made(epochs=20)
    ensemble.fit(*_listed(drawn(60, 0)))
    expected = np.array([reference(ensemble._weights, ALL, member) for member in range(5)])
    assert ensemble.predict_each(ALL) == pytest.approx(ensemble._center + ensemble._unit * expected, abs=1e-3)
    assert expected.std(axis=0).mean() > 0.01  # the members differ


def _listed(data: tuple[NDArray[np.uint8], Floats]) -> tuple[NDArray[np.uint8], list[float]]:
    return data[0], data[1].tolist()


def test_gradients_are_finite_differences_of_the_absolute_error() -> None:
    ensemble = made(layers=3, units=5, members=2)
    ensemble._flat += np.random.default_rng(1).uniform(-0.3, 0.3, len(ensemble._flat))  # units of 0 are at a kink
    rows, targets = drawn(12, 2)
    units, errors = ensemble._buffers(12)
    units[0] = np.broadcast_to(deep_ensemble._with_ones(rows), (2, 12, 9))
    gradients = [np.empty_like(weights) for weights in ensemble._weights]
    ensemble._gradients(units, errors, np.broadcast_to(targets[:, None], (2, 12, 1)), gradients)
    for weights, gradient in zip(ensemble._weights, gradients, strict=True):
        for place in np.ndindex(weights.shape):
            losses = []
            for change in (1e-5, -1e-5):
                weights[place] += change
                losses.append(np.abs(reference(ensemble._weights, rows, place[0]) - targets).sum())
                weights[place] -= change
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-3, abs=2e-3)


def test_the_first_step_of_adam_moves_weights_by_the_learning_rate() -> None:
    ensemble = made(epochs=1)
    before = ensemble._flat.copy()
    ensemble.fit(*_listed(drawn(20, 3)))  # one batch
    moved = np.abs(ensemble._flat - before)
    assert moved.max() == pytest.approx(0.01, abs=1e-5)
    assert np.median(moved[moved > 0]) == pytest.approx(0.01, rel=0.01)


def test_products_are_exact_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that adds its terms from the last to the first, without BLAS, trains the same weights bit for bit."""
    rows, values = _listed(drawn(40, 4))
    one = made(epochs=12)
    one.fit(rows, values)

    class Backwards:
        """numpy but for the product of matrices."""

        def __getattr__(self, name: str) -> object:
            return getattr(np, name)

        @staticmethod
        def matmul(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
            total = np.zeros((a.shape[0], a.shape[1], b.shape[2]))
            for k in reversed(range(a.shape[2])):
                total += a[:, :, k, None] * b[:, None, k, :]
            if out is None:
                return total
            out[...] = total
            return out

    monkeypatch.setattr(deep_ensemble, "np", Backwards())
    other = made(epochs=12)
    other.fit(rows, values)
    assert np.array_equal(one._flat, other._flat)
    assert np.array_equal(one.predict_each(ALL), other.predict_each(ALL))


@pytest.mark.slow
def test_weights_and_units_stay_where_products_are_exact() -> None:
    for seed in range(3):
        ensemble = made(seed)
        ensemble.fit(*_listed(drawn(100, seed)))
        units, _ = ensemble._buffers(len(ALL))
        units[0] = np.broadcast_to(deep_ensemble._with_ones(ALL), (5, len(ALL), 9))
        ensemble._forward(units)
        assert np.abs(ensemble._flat).max() < 16
        assert max(layer.max() for layer in units) < 128


def test_it_ranks_what_it_has_not_seen_and_is_surer_of_what_it_has() -> None:
    rows, values = _listed(drawn(100, 5))
    ensemble = made()
    ensemble.fit(rows, values)
    unseen = np.array([row for row in ALL.tolist() if row not in rows.tolist()], np.uint8)
    assert spearmanr(ensemble.predict_each(unseen).mean(axis=0), unseen @ GAINS).statistic > 0.9
    assert ensemble.predict_each(unseen).std(axis=0).mean() > 1.1 * ensemble.predict_each(rows).std(axis=0).mean()


def test_units_of_the_values_do_not_matter() -> None:
    rows, values = drawn(40, 6)
    one, other = made(epochs=10), made(epochs=10)
    one.fit(rows, values.tolist())
    other.fit(rows, (64 * values).tolist())
    assert other.predict_each(ALL) == pytest.approx(64 * one.predict_each(ALL))


@pytest.mark.parametrize("count", [1, 5])
def test_a_constant_can_be_learned(count: int) -> None:
    ensemble = made(epochs=5)
    ensemble.fit(ALL[:count], [0.7] * count)
    assert np.all(np.isfinite(ensemble.predict_each(ALL)))
