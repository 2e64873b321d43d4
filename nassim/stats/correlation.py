"""Rank correlation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation, ties with their mean rank; NaN where one side is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(np.asarray(values, dtype=np.float64)) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread if spread > 0 else math.nan
