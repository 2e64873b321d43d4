"""How well predictions order and explain what was held out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.surrogates.linear import fit_ridge

Floats = NDArray[np.float64]


class Quality(NamedTuple):
    """Of predictions: the share of variance that they explain, and how they order (1: alike, 0: not at all).

    r2: the coefficient of determination. tau: Kendall's tau-b. tau_upper: the same among the values that are at
    least the median, which is where a search ends.
    """

    r2: float
    tau: float
    tau_upper: float

    @classmethod
    def of(cls, predicted: Floats, values: Floats) -> Quality:
        """Of predictions (n,) of values (n,)."""
        upper = values >= np.median(values)
        errors = ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum()
        return cls(1.0 - float(errors), kendall(predicted, values), kendall(predicted[upper], values[upper]))


def kendall(a: Floats, b: Floats) -> float:
    """Kendall's tau-b of (n,) and (n,), ties in either accounted for (Kendall, Biometrika 33, 1945)."""
    first, second = (np.sign(x[:, None] - x[None, :]) for x in (a, b))
    pairs = float((first * second).sum())
    return pairs / float(np.sqrt(np.abs(first).sum() * np.abs(second).sum()))


def cross_validated(features: Floats, values: Floats, penalties: Floats, *, folds: int, seed: int) -> Floats:
    """Of every value its prediction by ridge regression on the other folds: (n,)."""
    predicted = np.empty(len(values))
    for held in np.array_split(np.random.default_rng(seed).permutation(len(values)), folds):
        others = np.ones(len(values), bool)
        others[held] = False
        predicted[held] = fit_ridge(features[others], values[others], penalties).predict(features[held])
    return predicted
