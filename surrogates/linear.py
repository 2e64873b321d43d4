"""Ridge regression as arrays: a linear model that numpy alone fits and reads.

Source: Hoerl & Kennard, "Ridge Regression", Technometrics 12, 1970; each feature with a penalty of its own, which is
the same as scaling the features first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidSetting

Floats = NDArray[np.float64]


class Linear(NamedTuple):
    """``intercept + features @ weights``; weights have the shape (d,), in the unit of what was fitted."""

    intercept: float
    weights: Floats

    def predict(self, features: NDArray[np.generic]) -> Floats:
        """Predictions (n,) of features (n, d)."""
        predicted: Floats = np.asarray(features, np.float64) @ self.weights + self.intercept
        return predicted


def fit_ridge(features: NDArray[np.generic], values: NDArray[np.generic], penalties: NDArray[np.generic]) -> Linear:
    """The weights w that make ``|y - b - X w|^2 + sum_j penalties_j w_j^2`` least; the intercept b has no penalty.

    features: (n, d). values: (n,). penalties: (d,), positive, so that there is one answer whatever the features are.
    `InvalidSetting` for shapes that do not fit each other, or numbers that are not finite.
    """
    x, y, p = (np.asarray(given, np.float64) for given in (features, values, penalties))
    if x.ndim != 2 or y.shape != x.shape[:1] or p.shape != x.shape[1:] or not len(y):
        raise InvalidSetting(f"ridge regression of {y.shape} values on {x.shape} features with {p.shape} penalties.")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(p).all() and (p > 0).all()):
        raise InvalidSetting("ridge regression needs finite features and values, and positive penalties.")
    center, mean = x.mean(axis=0), float(y.mean())
    x = x - center
    weights: Floats = np.linalg.solve(x.T @ x + np.diag(p), x.T @ (y - mean))
    return Linear(mean - float(center @ weights), weights)
