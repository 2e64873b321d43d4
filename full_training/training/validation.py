"""Training again what a study found; `nassim.stats.retraining` says what that tells of the ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from nassim.full_training.training.trained import Trained, accuracy
from nassim.space import Architecture

SEEDS_FROM = 1  # fresh seeds: none that a table was made with


@dataclass(frozen=True)
class Validated:
    """An architecture with the validation accuracy that the table says and those that were measured, by seed.

    train_loss, valid_loss, rate: the curves of its trainings (`Training`).
    """

    arch: str
    found_by: tuple[str, ...]
    tabulated: float
    measured: tuple[float, ...]
    test: tuple[float | None, ...]
    seconds: float  # of all its trainings
    train_loss: tuple[tuple[float, ...], ...]
    valid_loss: tuple[tuple[float, ...], ...]
    rate: tuple[tuple[float, ...], ...]

    @property
    def mean(self) -> float:
        """Mean of the measured accuracies."""
        return fmean(self.measured)

    @property
    def difference(self) -> float:
        """Measured minus tabulated."""
        return self.mean - self.tabulated


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
                train_loss=tuple(training.train_loss for training in trainings),
                valid_loss=tuple(training.valid_loss for training in trainings),
                rate=tuple(training.rate for training in trainings),
            )
        )
    return found
