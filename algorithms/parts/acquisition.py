"""Acquisition functions: what observing a candidate promises. All are maximized, for values to be maximized.

Sources: expected improvement, Jones, Schonlau & Welch, "Efficient Global Optimization of Expensive
Black-Box Functions", 1998, equation 15; upper confidence bound, Srinivas et al., ICML 2010, arXiv:0912.3995.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

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


def highest(scores: Floats, rng: random.Random) -> int:
    """The place of the highest score; by lot among those within 10⁻⁵ of it, which rounding can permute."""
    top = float(scores.max())
    return int(rng.choice(np.flatnonzero(scores >= top - 1e-5 * abs(top))))
