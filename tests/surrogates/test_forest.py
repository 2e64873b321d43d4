"""The forest: its trees against scikit-learn's, leaves, bootstrap samples, and repeatability."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.tree import DecisionTreeRegressor

from nassim.surrogates.forest import Forest

ALL = np.array(list(product((0, 1), repeat=8)), np.uint8)
GAINS = np.random.default_rng(9).normal(0, 1, 8)


def drawn(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    rows = ALL[generator.choice(len(ALL), count, replace=False)]
    return rows, rows @ GAINS + generator.normal(0, 0.3, count)


def forest(seed: int = 0, **settings: object) -> Forest:
    return Forest(np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("leaf", [1, 3, 8])
@pytest.mark.parametrize("seed", range(4))
def test_a_tree_without_chance_is_scikit_learns(leaf: int, seed: int) -> None:
    """At what it was grown on: elsewhere two features that part the trials alike may part others differently."""
    rows, values = drawn(100, seed)
    ours = forest(trees=2, share=1.0, leaf=leaf, bootstrap=False)
    ours.fit(rows, values.tolist())
    theirs = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0).fit(rows, values)
    for tree in ours.predict_each(rows):
        assert tree == pytest.approx(theirs.predict(rows))


def test_every_leaf_holds_the_mean_of_the_trials_in_it() -> None:
    rows, values = drawn(120, 5)
    grown = forest(trees=1, leaf=5, bootstrap=False)
    grown.fit(rows, values.tolist())
    predicted = grown.predict_each(rows)[0]
    for value in np.unique(predicted):
        inside = predicted == value
        assert inside.sum() >= 5
        assert values[inside].mean() == pytest.approx(value)


def test_it_ranks_what_it_has_not_seen_and_is_surer_of_what_it_has() -> None:
    rows, values = drawn(100, 1)
    grown = forest()
    grown.fit(rows, values.tolist())
    unseen = np.array([row for row in ALL.tolist() if row not in rows.tolist()], np.uint8)
    assert spearmanr(grown.predict_each(unseen).mean(axis=0), unseen @ GAINS).statistic > 0.7
    deviations = [grown.predict_each(part).std(axis=0).mean() for part in (rows, unseen)]
    assert deviations[0] < deviations[1]


def test_trees_differ_by_their_samples_and_by_their_features() -> None:
    rows, values = drawn(80, 2)
    for settings in ({"share": 1.0}, {"bootstrap": False}):
        grown = forest(**settings)
        grown.fit(rows, values.tolist())
        assert len(np.unique(grown.predict_each(ALL), axis=0)) > 15


def test_units_and_offsets_of_the_values_do_not_matter() -> None:
    rows, values = drawn(60, 3)
    one, other = forest(4), forest(4)
    one.fit(rows, values.tolist())
    other.fit(rows, (1e6 + 1000 * values).tolist())
    assert other.predict_each(ALL) == pytest.approx(1e6 + 1000 * one.predict_each(ALL))


def test_the_same_seed_gives_the_same_trees_and_another_others() -> None:
    rows, values = drawn(60, 3)
    predictions = []
    for seed in (1, 1, 2):
        grown = forest(seed)
        grown.fit(rows, values.tolist())
        predictions.append(grown.predict_each(ALL))
    assert np.array_equal(predictions[0], predictions[1])
    assert not np.array_equal(predictions[0], predictions[2])


@pytest.mark.parametrize("count", [1, 2, 50])
def test_a_constant_and_few_trials_are_predicted_by_their_mean(count: int) -> None:
    rows, _ = drawn(count, 4)
    grown = forest()
    grown.fit(rows, [0.1] * count)
    assert grown.predict_each(ALL) == pytest.approx(np.full((20, len(ALL)), 0.1))
