"""One number for a whole anytime curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nassim.stats.curves import Curve
from nassim.stats.finding import Finding
from nassim.stats.samples import Floats


def area_over_curve(
    curves: Sequence[Curve], start: float, end: float, *, best: float = 0.01, worst: float = 10.0
) -> Finding[Floats]:
    """Normalized area over each run's curve, both axes logarithmic: a fraction, 1 is best, shape (runs,).

    With r(t) the regret, clipped to [best, worst], between the times ``start`` and ``end``:

        1 / ln(end / start) * integral over ln t of (lg worst - lg r(t)) / (lg worst - lg best)

    1: regret ``best`` or less from ``start`` on. 0: never better than ``worst``; a time without an answer
    counts as that. Regret 0 counts as ``best``. The same number is the area under the run's empirical
    distribution over infinitely many log-spaced targets between ``worst`` and ``best`` (COCO, van Stein's
    and Baeck's AOCC, the area measures of IOHanalyzer; Lopez-Ibanez, Vermetten, Dreo & Doerr, "Using the
    empirical attainment function for analyzing single-objective black-box optimization algorithms", 2024).
    A run that ended before ``end`` keeps its last value. Depends on all four limits: state them.
    """
    if not curves:
        return Finding(None, "there is no run.")
    if not 0 < start < end:
        return Finding(None, f"a logarithmic axis cannot go from {start:g} to {end:g}.")
    if not 0 < best < worst:
        return Finding(None, f"on a logarithmic axis regret cannot go from {worst:g} down to {best:g}.")
    return Finding(np.array([_area(curve, start, end, best, worst) for curve in curves]))


def _area(curve: Curve, start: float, end: float, best: float, worst: float) -> float:
    regret = np.clip(np.concatenate([[worst], curve.value]), best, worst)
    height = np.log(worst / regret) / np.log(worst / best)
    edges = np.log(np.clip(np.concatenate([[start], curve.at, [end]]), start, end))
    return float(height @ np.diff(edges) / np.log(end / start))
