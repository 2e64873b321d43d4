"""What retraining tells of a table's ranking: which architectures differ by more than the noise between repeats.

Tukey's test of all pairs (Tukey-Kramer where numbers of repeats differ; Kramer, Biometrics 12, 1956): two means differ
where they lie further apart than the studentized range allows at a noise that is pooled over all architectures. Taken
alone, the spread of three repeats of one architecture is often far too small, and of ten equal pairs one looks unlike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

ALPHA = 0.05


class Verdict(NamedTuple):
    """What the retraining says of the ranking; accuracies and differences are fractions.

    ``kendall``: tau-b between tabulated and measured means, NaN if one side is constant. ``noise``: standard deviation
    between repeats of one architecture, pooled, NaN with one repeat. ``least``: the difference that can be told (of the
    fewest repeats), NaN with one repeat. ``told_apart``: pairs (better, worse) by their places; ``kept``: how many of
    them the table orders alike; ``contradicted``: those that it orders the other way, and by more than ``least``.
    """

    kendall: float
    noise: float
    least: float
    mean_difference: float
    pairs: int
    told_apart: list[tuple[int, int]]
    kept: int
    contradicted: list[tuple[int, int]]
    text: str


def judge(tabulated: Sequence[float], measured: Sequence[Sequence[float]]) -> Verdict:
    """Whether the measured accuracies (repeats of each architecture, one or more) bear out the table's ranking."""
    means = [fmean(of) for of in measured]
    pairs = list(combinations(range(len(means)), 2))
    repeats = sum(map(len, measured)) - len(measured)
    squares = sum((value - mean) ** 2 for of, mean in zip(measured, means, strict=True) for value in of)
    noise = math.sqrt(squares / repeats) if repeats else math.nan
    factor = _range(len(means), repeats) * noise if pairs and repeats else math.nan
    limits = {(i, j): factor * math.sqrt((1 / len(measured[i]) + 1 / len(measured[j])) / 2) for i, j in pairs}
    least = max(limits.values(), default=math.nan) if repeats else math.nan
    apart = [
        (i, j) if means[i] > means[j] else (j, i) for i, j in pairs if abs(means[i] - means[j]) > limits[i, j] + 1e-12
    ]
    kept = sum(tabulated[i] > tabulated[j] for i, j in apart)
    against = [(i, j) for i, j in apart if tabulated[j] - tabulated[i] > least]
    return Verdict(
        kendall(tabulated, means),
        noise,
        least,
        fmean(m - t for m, t in zip(means, tabulated, strict=True)),
        len(pairs),
        apart,
        kept,
        against,
        _words(measured, means, noise, least, len(apart), kept, len(against)),
    )


@cache  # it is integrated numerically: a tenth of a second
def _range(groups: int, freedom: int) -> float:
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - ALPHA, groups, freedom))


def _words(
    measured: Sequence[Sequence[float]],
    means: Sequence[float],
    noise: float,
    least: float,
    told: int,
    kept: int,
    against: int,
) -> str:
    pairs = math.comb(len(means), 2)
    if not pairs:
        return "One architecture has no ranking."
    if math.isnan(noise):
        return "With one seed the noise between repeats is not known, so nothing can be told apart: train more seeds."
    fewest = min(map(len, measured))
    needs = f"they differ by more than {100 * least:.2f} points, at {100 * noise:.2f} points of noise between repeats"
    if not told:
        widest = max(means) - min(means)
        more = ""
        if widest > 0:
            seeds = math.ceil((_range(len(means), 10_000) * noise / widest) ** 2)
            more = f"; about {max(seeds, fewest + 1):,} seeds of each would tell the best from the worst"
        here = (
            f"{'the pair differs' if pairs == 1 else f'all {pairs} pairs differ'} by less than {100 * least:.2f} points"
        )
        return (
            f"Nothing can be told apart: {here}, which {fewest} seeds need at {100 * noise:.2f} points of noise "
            f"between repeats. Whether the ranking holds is open{more}."
        )
    said = f"Of {pairs} pair{'s' * (pairs > 1)} the retraining tells {told} apart ({needs})"
    if kept == told:
        return f"{said}, and the table orders all of these alike: as far as can be told, the ranking holds."
    if not against:
        return (
            f"{said}, and the table orders {kept} of these alike; the others lie closer in the table than that, so "
            "that it does not order them surely."
        )
    return f"{said}; the table orders {kept} of these alike and contradicts {against} of these: there it does not hold."


def kendall(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b; NaN if all of ``x`` or all of ``y`` are equal."""
    signs = [((a > b) - (a < b), (c > d) - (c < d)) for (a, c), (b, d) in combinations(zip(x, y, strict=True), 2)]
    untied_x, untied_y = sum(s != 0 for s, _ in signs), sum(t != 0 for _, t in signs)
    if not untied_x or not untied_y:
        return math.nan
    return sum(s * t for s, t in signs) / math.sqrt(untied_x * untied_y)
