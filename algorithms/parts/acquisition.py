"""Acquisition functions: what observing a candidate promises. All are maximized, for values to be maximized.

Sources: expected improvement, Jones, Schonlau & Welch, "Efficient Global Optimization of Expensive
Black-Box Functions", 1998, equation 15; upper confidence bound, Srinivas et al., ICML 2010, arXiv:0912.3995;
probability of improvement, Kushner, 1964; Thompson sampling with a joint and with independent draws: White,
Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, section 5; the logarithm of expected improvement: Ament,
Daulton, Eriksson, Balandat, Bakshy, NeurIPS 2023, arXiv:2310.20708; expected hypervolume improvement of two objectives:
Emmerich, Deutz, Klinkenberg, IEEE CEC 2011, in the form of boxes of Yang, Emmerich, Deutz, Bäck, 2019.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from nassim.pareto import non_dominated
from nassim.surrogates.predictors import Prediction

Floats = NDArray[np.floating]


def expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """E[max(f - best, 0)] for f ~ N(mean, deviation²): (μ - best) Φ(z) + s φ(z), z = (μ - best) / s.

    Shapes: all (N,). Where ``deviation`` is 0 it is the plain improvement max(μ - best, 0).
    """
    from scipy.special import ndtr  # here: importing SciPy costs more than a short search

    gain = mean - mean.dtype.type(best)
    z = gain / np.maximum(deviation, np.finfo(mean.dtype).tiny ** 0.5)
    near = np.minimum(np.abs(z), mean.dtype.type(1e6))  # its square is a number
    density = np.exp(-0.5 * np.minimum(near * near, 80)) / mean.dtype.type(np.sqrt(2 * np.pi))
    result: Floats = np.maximum(gain * ndtr(z) + deviation * density, 0)
    return result


def log_expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """The logarithm of `expected_improvement`, finite where that underflows; -inf without deviation and gain.

    log s + log(φ(z) + z Φ(z)); for z < -1 as log φ(z) + log(1 - |z| Φ(z)/φ(z)), the last by the scaled error function.
    """
    from scipy.special import erfcx, ndtr

    gain, s = mean.astype(np.float64) - best, deviation.astype(np.float64)
    z = np.clip(gain / np.maximum(s, 1e-150), -1e5, 1e5)
    density = -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    low, high = np.minimum(z, -1.0), np.maximum(z, -1.0)
    tail = np.log1p(np.sqrt(np.pi / 2) * low * erfcx(-low / np.sqrt(2)))
    bulk = np.log(np.exp(-0.5 * high * high) / np.sqrt(2 * np.pi) + high * ndtr(high))
    with np.errstate(divide="ignore"):
        sure = np.log(np.maximum(gain, 0.0))
        result: Floats = np.where(s > 0, np.log(s) + np.where(z < -1.0, density + tail, bulk), sure)
    return result


def expected_hypervolume_improvement(means: Floats, deviations: Floats, front: Floats, reference: Floats) -> Floats:
    """How much the hypervolume of a front of two objectives grows with each candidate, in the mean, shape (N,); exact.

    means, deviations: of the candidates (N, 2), independent and normal; front: any points (n, 2), dominated ones and
    those not above the reference add nothing; all are to be maximized. With the front sorted by the first objective,
    a_0 = r_1, a_{n+1} = inf, b_{n+1} = r_2 and Ψ(c) = E[max(y - c, 0)], it is the sum over i = 1 ... n+1 of
    (Ψ_1(a_{i-1}) - Ψ_1(a_i)) Ψ_2(b_i).
    """
    means, deviations, front = (np.asarray(each, np.float64) for each in (means, deviations, front))
    above = front[(front > reference).all(axis=1)]
    above = above[non_dominated(-above)]
    a, order = np.unique(above[:, 0], return_index=True)  # rising; of equal points one
    b = np.append(above[order, 1], reference[1])
    total = np.zeros(len(means))
    right: Floats
    left = expected_improvement(means[:, 0], deviations[:, 0], float(reference[0]))
    for i, floor in enumerate(b):
        right = np.zeros(len(means))
        if i < len(a):
            right = expected_improvement(means[:, 0], deviations[:, 0], float(a[i]))
        total += (left - right) * expected_improvement(means[:, 1], deviations[:, 1], float(floor))
        left = right
    return total


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
