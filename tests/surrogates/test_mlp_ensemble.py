"""The predictor ensemble: gradients, training, folds, and what ranking must not depend on."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nassim.surrogates.mlp_ensemble import MLPEnsemble

RADICES = (5, 3, 4)
Floats = NDArray[np.float64]


def architectures(count: int, seed: int) -> NDArray[np.integer]:
    generator = np.random.default_rng(seed)
    return np.stack([generator.integers(0, n, count) for n in RADICES], axis=1)


def additive(choices: NDArray[np.integer]) -> Floats:
    """Accuracies between 0.5 and 0.95."""
    gains = np.random.default_rng(0).uniform(0, 0.15, (3, 5))
    return np.asarray(0.5 + gains[np.arange(3), choices].sum(axis=1))


def reference(parameters: list[Floats], choices: NDArray[np.integer], members: int) -> Floats:
    """Every member's prediction by matrix products with one-hot vectors, in double precision."""
    embeddings, biases, weights, outputs = parameters
    one_hot = np.concatenate([np.eye(n)[column] for n, column in zip(RADICES, choices.T, strict=True)], axis=1)
    hidden = np.maximum(one_hot @ embeddings + biases, 0)
    units = hidden.shape[1] // members
    logits = [hidden[:, m * units : (m + 1) * units] @ weights[0, m * units : (m + 1) * units] for m in range(members)]
    return np.asarray(1 / (1 + np.exp(-(np.stack(logits, axis=1) + outputs))))


def parameters_of(ensemble: MLPEnsemble) -> list[Floats]:
    parameters = (ensemble._embeddings, ensemble._biases, ensemble._weights, ensemble._outputs)
    return [parameter.astype(np.float64) for parameter in parameters]


def test_predictions_are_those_of_the_network() -> None:
    ensemble = MLPEnsemble(RADICES, random.Random(0), members=3, units=7)
    choices = architectures(600, 1)  # more than one chunk
    ensemble.fit(choices, additive(choices).tolist(), learning_rate=0.01, steps=20)
    expected = reference(parameters_of(ensemble), choices, 3)
    assert ensemble.predict_each(choices) == pytest.approx(expected, abs=1e-5)
    assert ensemble.predict(choices) == pytest.approx(expected.mean(axis=1), abs=1e-5)
    assert np.ptp(expected, axis=1).mean() > 1e-4  # the members differ


def test_gradients_are_finite_differences_of_the_loss() -> None:
    ensemble = MLPEnsemble(RADICES, random.Random(1), members=2, units=4)
    choices = architectures(12, 2)
    targets = additive(choices)[:, None]
    kept = np.array([[i % 2, 1 - i % 3 // 2] for i in range(12)], np.float64)
    kept /= kept.sum(axis=0)
    parameters = parameters_of(ensemble)

    def loss() -> float:
        return float((np.abs(reference(parameters, choices, 2) - targets) * kept).sum())

    rows = ensemble._offsets + choices
    holders = [np.flatnonzero((rows == row).any(axis=1)) for row in range(sum(RADICES))]
    gradients = ensemble._gradients(rows, holders, targets.astype(np.float32), kept.astype(np.float32))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            value = parameter[place]
            parameter[place] = value + 1e-6
            up = loss()
            parameter[place] = value - 1e-6
            slope = (up - loss()) / 2e-6
            parameter[place] = value
            assert gradient[place] == pytest.approx(slope, abs=1e-6)


def test_one_step_of_adam_moves_every_parameter_by_the_learning_rate_against_its_gradient() -> None:
    """Kingma & Ba 2015: the first step is -rate · g / (|g| + tiny)."""
    ensemble = MLPEnsemble(RADICES, random.Random(2), members=2, units=4)
    before = parameters_of(ensemble)[3]
    choices = architectures(30, 3)
    ensemble.fit(choices, [0.2] * 30, learning_rate=0.01, steps=1)  # 0.2 is below the first predictions
    assert parameters_of(ensemble)[3] == pytest.approx(before - 0.01, abs=1e-6)


@pytest.mark.parametrize("average", [0.1, 0.5, 0.86])
def test_it_starts_by_predicting_the_average(average: float) -> None:
    ensemble = MLPEnsemble(RADICES, random.Random(3), average=average)
    assert ensemble.predict_each(architectures(50, 4)) == pytest.approx(average, abs=0.03)


def test_impossible_averages_leave_it_able_to_learn() -> None:
    choices = architectures(60, 5)
    for average in (0.0, 1.0):
        ensemble = MLPEnsemble(RADICES, random.Random(4), average=average)
        ensemble.fit(choices, [0.5] * 60, learning_rate=0.01, steps=300)
        assert ensemble.predict(choices) == pytest.approx(0.5, abs=0.05)


def test_it_ranks_architectures_that_it_has_not_seen() -> None:
    seen = architectures(40, 6)
    ensemble = MLPEnsemble(RADICES, random.Random(5))
    unseen = np.array([(a, b, c) for a in range(5) for b in range(3) for c in range(4)])
    before = spearmanr(ensemble.predict(unseen), additive(unseen)).statistic
    ensemble.fit(seen, additive(seen).tolist(), learning_rate=0.01, steps=100)
    after = spearmanr(ensemble.predict(unseen), additive(unseen)).statistic
    assert after > max(0.9, before)


def test_each_member_leaves_out_a_fifth() -> None:
    choices = architectures(20, 7)
    values = additive(choices)

    def trained(values: Floats) -> Floats:
        ensemble = MLPEnsemble(RADICES, random.Random(6), average=0.3)  # the same folds every time
        ensemble.fit(choices, values.tolist(), learning_rate=0.01, steps=3)
        return ensemble.predict_each(choices).astype(np.float64)

    original = trained(values)
    unmoved = []
    for i in range(20):
        changed = values.copy()
        changed[i] = 0.05  # below the predictions, the others are above: turns the sign of its gradient
        same = np.flatnonzero((trained(changed) == original).all(axis=0))
        assert len(same) == 1  # exactly one member has not seen it
        unmoved.append(int(same[0]))
    assert sorted(unmoved) == sorted([*range(5)] * 4)


def test_fine_tuning_goes_on_from_the_weights() -> None:
    choices = architectures(40, 8)
    values = additive(choices)
    ensemble = MLPEnsemble(RADICES, random.Random(7))
    ensemble.fit(choices, values.tolist(), learning_rate=0.01, steps=100)
    before = np.abs(ensemble.predict(choices) - values).mean()
    ensemble.fit(choices, values.tolist(), learning_rate=0.002, steps=2)
    assert np.abs(ensemble.predict(choices) - values).mean() < 1.2 * before < 0.2 * values.std() * 5


def test_order_and_duplicates_of_the_candidates_do_not_matter() -> None:
    choices = architectures(700, 9)
    ensemble = MLPEnsemble(RADICES, random.Random(8))
    ensemble.fit(choices[:30], additive(choices[:30]).tolist(), learning_rate=0.01, steps=30)
    order = np.random.default_rng(1).permutation(700)
    predicted = ensemble.predict(choices)
    assert np.array_equal(ensemble.predict(choices[order]), predicted[order])
    assert np.array_equal(ensemble.predict(np.concatenate([choices[:9], choices[:9]])), np.tile(predicted[:9], 2))
    assert ensemble.predict(choices[:0]).shape == (0,)


def test_the_same_seed_gives_the_same_predictions() -> None:
    choices = architectures(30, 10)

    def predictions(seed: int) -> NDArray[np.float32]:
        ensemble = MLPEnsemble(RADICES, random.Random(seed))
        ensemble.fit(choices, additive(choices).tolist(), learning_rate=0.01, steps=30)
        return ensemble.predict(choices)

    assert np.array_equal(predictions(1), predictions(1))
    assert not np.array_equal(predictions(1), predictions(2))


def test_one_trial_is_enough_to_begin_with() -> None:
    ensemble = MLPEnsemble(RADICES, random.Random(9))
    ensemble.fit(architectures(1, 11), [0.7], learning_rate=0.01, steps=100)
    assert np.all(np.isfinite(ensemble.predict(architectures(5, 12))))


def test_a_shared_embedding_is_learned_at_every_place_that_it_has() -> None:
    """Gradients of words that an architecture has twice, against finite differences."""
    ensemble = MLPEnsemble((4,), random.Random(1), members=2, units=4)
    words = np.random.default_rng(3).integers(0, 4, (12, 3))
    targets = np.linspace(0.5, 0.9, 12, dtype=np.float32)[:, None]
    kept = np.full((12, 2), 1 / 12, np.float32)
    holders = [np.nonzero(words == word)[0] for word in range(4)]
    gradient = ensemble._gradients(words, holders, targets, kept)[0]
    for place in np.ndindex(ensemble._embeddings.shape):
        losses = []
        for change in (1e-3, -1e-3):
            ensemble._embeddings[place] += np.float32(change)
            losses.append(float((np.abs(ensemble._forward(words)[1].astype(float) - targets) * kept).sum()))
            ensemble._embeddings[place] -= np.float32(change)
        assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-3, abs=3e-4)


def test_no_order_of_shared_words_matters() -> None:
    ensemble = MLPEnsemble((6,), random.Random(2))
    words = np.random.default_rng(4).integers(0, 6, (50, 5))
    ensemble.fit(words, np.linspace(0.5, 0.9, 50).tolist(), learning_rate=0.01, steps=20)
    assert ensemble.predict(words[:, ::-1]) == pytest.approx(ensemble.predict(words), abs=1e-6)
