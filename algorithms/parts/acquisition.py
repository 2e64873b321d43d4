"""Acquisition functions: what observing a candidate promises. All are maximized, for values to be maximized.

Sources: expected improvement, Jones, Schonlau & Welch, "Efficient Global Optimization of Expensive
Black-Box Functions", 1998, equation 15; upper confidence bound, Srinivas et al., ICML 2010, arXiv:0912.3995;
probability of improvement, Kushner, 1964; Thompson sampling with a joint and with independent draws: White,
Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, section 5.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from nassim.surrogates.predictors import Prediction

Floats = NDArray[np.floating]


def expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """E[max(f - best, 0)] for f ~ N(mean, deviation²): (μ - best) Φ(z) + s φ(z), z = (μ - best) / s.

    Shapes: all (N,). Where ``deviation`` is 0 it is the plain improvement max(μ - best, 0).
    """
    from scipy.special import ndtr  # here: importing SciPy costs more than a short search

    gain = mean - mean.dtype.type(best)
    z = gain / np.maximum(deviation, np.finfo(mean.dtype).tiny ** 0.5)
    density = np.exp(-0.5 * np.minimum(z * z, 80)) / mean.dtype.type(np.sqrt(2 * np.pi))
    result: Floats = np.maximum(gain * ndtr(z) + deviation * density, 0)
    return result


def upper_confidence_bound(mean: Floats, deviation: Floats, beta: float) -> Floats:
    """μ + beta s: exploitation for beta = 0."""
    bound: Floats = mean + mean.dtype.type(beta) * deviation
    return bound


def probability_of_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """P(f > best) for f ~ N(mean, deviation²); where ``deviation`` is 0 it is 1, 1/2 or 0."""
    from scipy.special import ndtr

    chance: Floats = ndtr((mean - mean.dtype.type(best)) / np.maximum(deviation, np.finfo(mean.dtype).tiny ** 0.5))
    return chance


def score(
    acquisition: str, predicted: Prediction, best: float, generator: np.random.Generator, *, beta: float, scale: float
) -> Floats:
    """What each candidate promises, shape (n,). ``best``: the highest value so far; ``scale``: on all deviations.

    acquisition: "ei", "ucb" (with ``beta``), "pi", "ts" (one function drawn from the posterior, the same for all
    candidates) or "its" (a draw of its own for every candidate).
    """
    mean, deviation = predicted.mean, predicted.deviation * predicted.mean.dtype.type(scale)
    if acquisition == "ei":
        return expected_improvement(mean, deviation, best)
    if acquisition == "ucb":
        return upper_confidence_bound(mean, deviation, beta)
    if acquisition == "pi":
        return probability_of_improvement(mean, deviation, best)
    if acquisition == "ts":
        drawn: Floats = mean + (predicted.draw() - mean) * mean.dtype.type(scale)
        return drawn
    return upper_confidence_bound(mean, generator.standard_normal(len(mean)) * deviation, 1.0)


def ranked(scores: Floats, generator: np.random.Generator) -> list[int]:
    """All places, those of the highest scores first; by lot where scores differ by rounding (10⁻⁵ of the highest)."""
    places = generator.permutation(len(scores))
    unit = max(1e-5 * abs(float(scores.max())), np.finfo(np.float64).tiny)
    order: list[int] = places[np.argsort(-np.round(scores[places].astype(np.float64) / unit), kind="stable")].tolist()
    return order


def highest(scores: Floats, rng: random.Random) -> int:
    """The place of the highest score; by lot among those within 10⁻⁵ of it, which rounding can permute."""
    top = float(scores.max())
    return int(rng.choice(np.flatnonzero(scores >= top - 1e-5 * abs(top))))
