"""Forests as arrays: the same predictions as the forest that they were grown by; arrays that are none are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nassim.surrogates.forest import Forest
from nassim.surrogates.trees import TREES, Trees


def made(n: int = 120, d: int = 9) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    features = rng.integers(0, 2, (n, d), dtype=np.uint8)
    return features, features[:, 0] + 0.5 * features[:, 1] * features[:, 2] + 0.01 * rng.standard_normal(n)


def test_arrays_predict_as_the_forest_does() -> None:
    features, values = made()
    forest = Forest(np.random.default_rng(5), trees=TREES, leaf=2)
    forest.fit(features, values)
    trees = Trees.fit(features, values, 5)
    np.testing.assert_allclose(trees.predict(features), forest.predict_each(features).mean(axis=0), atol=1e-6)
    assert np.corrcoef(trees.predict(features), values)[0, 1] > 0.95


def test_what_is_stored_is_what_is_read() -> None:
    features, values = made()
    trees = Trees.fit(features, values, 1)
    read = Trees.of(trees.columns("x"), "x", features.shape[1])
    assert read.trees == trees.trees and all(map(np.array_equal, read[1:], trees[1:]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(x_trees=np.array([0])),
        lambda c: c.update(x_trees=np.array([10**6])),
        lambda c: c.update(x_child=np.zeros_like(c["x_child"])),  # the second node leads back to the first
        lambda c: c.update(x_child=np.full_like(c["x_child"], 2**31)),
        lambda c: c.update(x_feature=np.full_like(c["x_feature"], 9)),
        lambda c: c.update(x_value=np.full_like(c["x_value"], np.nan)),
        lambda c: c.update(x_value=c["x_value"][1:]),
    ],
)
def test_arrays_that_are_no_trees_are_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    features, values = made()
    columns = Trees.fit(features, values, 1).columns("x")
    spoil(columns)
    with pytest.raises(ValueError, match="x"):
        Trees.of(columns, "x", features.shape[1])
