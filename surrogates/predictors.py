"""Predictors for strategies that fit a model, rank candidates by it and train the best, all through one call.

A predictor is a function of the encodings and values of what was trained and the encodings of candidates; it fits
afresh each time, so that it has no state. Encodings are 0 and 1, values any numbers of which more is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidSetting, MissingDependency

Floats = NDArray[np.floating]
Bits = NDArray[np.uint8]
LEAST = 2  # trials that say how values differ
BOOSTERS, ROUNDS, DEPTH, RATE = 5, 50, 3, 0.2  # of ``boosting``


class Prediction(NamedTuple):
    """Mean and standard deviation of every candidate, shapes (n,), in the values' unit."""

    mean: Floats
    deviation: Floats
    draw: Callable[[], Floats]  # one function out of the posterior: a value for every candidate, shape (n,)


Predictor = Callable[[Bits, Sequence[float], Bits, np.random.Generator], Prediction]


def forest(known: Bits, values: Sequence[float], candidates: Bits, generator: np.random.Generator) -> Prediction:
    """A random forest (`nassim.surrogates.forest`); its trees are the functions that `Prediction.draw` chooses from."""
    from nassim.surrogates.forest import Forest

    model = Forest(generator)
    model.fit(known, values)
    return of_members(model.predict_each(candidates), generator)


def boosting(known: Bits, values: Sequence[float], candidates: Bits, generator: np.random.Generator) -> Prediction:
    """Gradient boosting by xgboost, five boosters on a bootstrap sample each; `MissingDependency` without it."""
    try:
        import xgboost
    except ImportError as error:
        raise MissingDependency("boosting needs xgboost, which is not installed: pip install nassim[xgb]") from error
    settings = {"max_depth": DEPTH, "eta": RATE, "nthread": 1, "verbosity": 0}
    targets = np.asarray(values, np.float64)
    asked = xgboost.DMatrix(candidates, nthread=1)
    members = []
    for _ in range(BOOSTERS):
        drawn = generator.integers(len(targets), size=len(targets))
        center, unit = float(targets[drawn].mean()), _unit(targets)
        data = xgboost.DMatrix(known[drawn], label=(targets[drawn] - center) / unit, nthread=1)
        booster = xgboost.train({**settings, "base_score": 0.0}, data, num_boost_round=ROUNDS)
        members.append(center + unit * booster.predict(asked).astype(np.float64))
    return of_members(np.array(members), generator)


def mlp(known: Bits, values: Sequence[float], candidates: Bits, generator: np.random.Generator) -> Prediction:
    """BANANAS' five networks (`nassim.surrogates.deep_ensemble`)."""
    from nassim.surrogates.deep_ensemble import DeepEnsemble

    model = DeepEnsemble(known.shape[1], generator)
    model.fit(known, values)
    return of_members(model.predict_each(candidates), generator)


def gaussian_process(
    known: Bits, values: Sequence[float], candidates: Bits, generator: np.random.Generator
) -> Prediction:
    """The process of `gp_bo` with a Hamming kernel on the encoding, chosen by likelihood."""
    from nassim.surrogates.gaussian_process import Distances, Regression

    trials = len(known)
    model = Regression(Distances([np.vstack([known, candidates])]))
    for place, value in enumerate(values):
        model.observe(place, value)
    mean, deviation = model.posterior()

    def draw() -> Floats:
        cholesky = np.linalg.cholesky(model.covariance(range(trials, trials + len(candidates))))
        sample = mean[trials:] + cholesky @ generator.standard_normal(len(candidates))
        return model.center + model.unit * sample

    return Prediction(model.center + model.unit * mean[trials:], model.unit * deviation[trials:], draw)


PREDICTORS: Mapping[str, Predictor] = MappingProxyType(
    {"forest": forest, "boosting": boosting, "mlp": mlp, "gp": gaussian_process}
)


def predict(
    name: str, known: Bits, values: Sequence[float], candidates: Bits, generator: np.random.Generator
) -> Prediction:
    """What a predictor of `PREDICTORS` says of ``candidates`` (n, d), fitted to ``known`` (m, d) and its m ``values``.

    `InvalidSetting` for fewer than two trials: one says nothing about how architectures differ.
    """
    if len(values) < LEAST:
        raise InvalidSetting(
            f"the predictor {name} has {len(values)} trial{'s' * (len(values) != 1)} to learn from: it takes {LEAST}. "
            "Begin with more random architectures (n_init)."
        )
    return PREDICTORS[name](known, values, candidates, generator)


def without_outliers(values: Sequence[float]) -> list[float]:
    """Values, those raised that lie further below the median than twice the best is above it.

    Networks that learned nothing would be all that the deviations of a predictor speak of. Where the best is the
    median, all are left as they are.
    """
    middle = float(np.median(values))
    above = max(values) - middle
    return [max(value, middle - 2 * above) for value in values] if above > 0 else list(values)


def of_members(members: Floats, generator: np.random.Generator) -> Prediction:
    """The prediction of an ensemble, whose members (members, n) say one function each."""
    return Prediction(members.mean(axis=0), members.std(axis=0), lambda: members[generator.integers(len(members))])


def _unit(values: Floats) -> float:
    deviation = float(values.std())
    return deviation if deviation > 1e-9 * abs(float(values.mean())) else 1.0  # all equal, but for rounding
