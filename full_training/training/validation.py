"""Holding what a study found against real training: differences, noise, and whether the ranking holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from nassim.full_training.training.trained import Trained, accuracy
from nassim.space import Architecture

SEEDS_FROM = 1  # fresh seeds: none that a table was made with


@dataclass(frozen=True)
class Validated:
    """An architecture with the validation accuracy that the table says and those that were measured, by seed."""

    arch: str
    found_by: tuple[str, ...]
    tabulated: float
    measured: tuple[float, ...]
    test: tuple[float | None, ...]
    seconds: float  # of all its trainings

    @property
    def mean(self) -> float:
        """Mean of the measured accuracies."""
        return fmean(self.measured)

    @property
    def error(self) -> float:
        """Standard error of the mean; NaN with one seed."""
        return stdev(self.measured) / math.sqrt(len(self.measured)) if len(self.measured) > 1 else math.nan

    @property
    def difference(self) -> float:
        """Measured minus tabulated."""
        return self.mean - self.tabulated


@dataclass(frozen=True)
class Verdict:
    """What the retraining says of the ranking.

    kendall: tau-b between tabulated and measured accuracies (NaN if one of them is the same for all).
    noise: standard deviation between repeats of one architecture, pooled (NaN with one seed).
    told_apart: pairs whose measured means differ by more than twice the standard error of the difference;
    kept: those of them that the table orders alike.
    """

    kendall: float
    noise: float
    mean_difference: float
    pairs: int
    told_apart: int
    kept: int
    text: str


def retrain(
    candidates: Sequence[tuple[Architecture, float, tuple[str, ...]]],
    trained: Trained,
    seeds: int,
    *,
    tell: Callable[[str], None],
) -> list[Validated]:
    """Train each (architecture, tabulated accuracy, found by) under ``seeds`` fresh seeds, or take what is kept."""
    found = []
    for arch, tabulated, found_by in candidates:
        trainings = []
        for seed in range(SEEDS_FROM, SEEDS_FROM + seeds):
            training = trained.training(arch, seed)
            trainings.append(training)
            value = accuracy(training, trained.epochs)
            tell(f"{arch}, seed {seed}: {training.failed or f'{100 * value:.2f} %'} ({sum(training.seconds):.1f} s)")
        found.append(
            Validated(
                arch=str(arch),
                found_by=found_by,
                tabulated=tabulated,
                measured=tuple(accuracy(training, trained.epochs) for training in trainings),
                test=tuple(training.test_accuracy for training in trainings),
                seconds=sum(sum(training.seconds) for training in trainings),
            )
        )
    return found


def judge(found: Sequence[Validated]) -> Verdict:
    """Whether the table's ranking of these architectures held."""
    pairs = list(combinations(found, 2))
    told_apart = [(a, b) for a, b in pairs if abs(a.mean - b.mean) > 2 * math.hypot(a.error, b.error)]
    kept = sum((a.mean - b.mean) * (a.tabulated - b.tabulated) > 0 for a, b in told_apart)
    squares = [stdev(each.measured) ** 2 for each in found if len(each.measured) > 1]
    tau = kendall([each.tabulated for each in found], [each.mean for each in found])
    return Verdict(
        kendall=tau,
        noise=math.sqrt(fmean(squares)) if squares else math.nan,
        mean_difference=fmean(each.difference for each in found),
        pairs=len(pairs),
        told_apart=len(told_apart),
        kept=kept,
        text=_words(len(pairs), len(told_apart), kept, tau),
    )


def _words(pairs: int, told_apart: int, kept: int, tau: float) -> str:
    if pairs == 0:
        return "One architecture has no ranking."
    if told_apart == 0:
        return (
            "Whether the ranking holds cannot be told: the architectures are closer to each other than repeats "
            "of one (more seeds, or a larger --top, may tell)."
        )
    share = f"of {pairs} pairs the retraining tells {told_apart} apart, and the table orders {kept} of these alike"
    if kept == told_apart:
        return f"The ranking held: {share}."
    if 2 * kept > told_apart and tau > 0:
        return f"The ranking held in part: {share}."
    return f"The ranking did not hold: {share}."


def kendall(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b; NaN if all of ``x`` or all of ``y`` are equal."""
    signs = [((a > b) - (a < b), (c > d) - (c < d)) for (a, c), (b, d) in combinations(zip(x, y, strict=True), 2)]
    untied_x, untied_y = sum(s != 0 for s, _ in signs), sum(t != 0 for _, t in signs)
    if not untied_x or not untied_y:
        return math.nan
    return sum(s * t for s, t in signs) / math.sqrt(untied_x * untied_y)
