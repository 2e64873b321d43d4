"""Trainings by their epochs: what searches that ask for fewer than all of them did, and what they were charged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nassim.study import Study
from nassim.trace import Run


class Rung(NamedTuple):
    """The trainings of so many epochs: how many, the epochs and the cost (seconds) that were paid for them.

    Numbers of one run, or means over several. A training that went on paid the difference.
    """

    epochs: int
    trainings: float
    paid_epochs: float
    cost: float


def of_run(run: Run) -> list[Rung]:
    """By rising epochs."""
    return _rungs((trial.result.epochs, trial.result.paid, trial.result.cost) for trial in run.trials)


def of_study(study: Study) -> dict[tuple[str, str], list[list[Rung]]]:
    """By benchmark and strategy the rungs of each run; only where a run has others than full trainings."""
    short = {(r.benchmark, r.strategy) for r in study.runs if r.epochs != r.trials * study.facts[r.benchmark].epochs}
    found: dict[tuple[str, str, int], list[tuple[int, int, float]]] = {}
    for benchmark, strategy, seed, _, row in study.trials() if short else ():
        if (benchmark, strategy) in short:
            seen = found.setdefault((benchmark, strategy, seed), [])
            seen.append((row.epochs, row.paid, row.cost_seconds))
    runs: dict[tuple[str, str], list[list[Rung]]] = {}
    for (benchmark, strategy, _), seen in found.items():
        runs.setdefault((benchmark, strategy), []).append(_rungs(seen))
    return runs


def mean(runs: Sequence[Sequence[Rung]]) -> list[Rung]:
    """The mean over runs; a run without trainings of some epochs counts as none of them."""
    total: dict[int, list[float]] = {}
    for epochs, *numbers in (rung for run in runs for rung in run):
        total[epochs] = [a + b for a, b in zip(total.get(epochs, [0.0] * 3), numbers, strict=True)]
    return [Rung(epochs, *(number / len(runs) for number in numbers)) for epochs, numbers in sorted(total.items())]


def words(rungs: Sequence[Rung]) -> str:
    """``84 trainings of 1 epoch, 28 of 3, 9 of 4; 149 epochs were paid, whole trainings would be 204``."""
    first, *others = rungs
    parts = [f"{first.trainings:.4g} trainings of {first.epochs} epoch{'s' * (first.epochs != 1)}"]
    parts += [f"{rung.trainings:.4g} of {rung.epochs}" for rung in others]
    paid = sum(rung.paid_epochs for rung in rungs)
    whole = sum(rung.epochs * rung.trainings for rung in rungs)
    rest = f", whole trainings would be {whole:.5g}" if round(whole - paid, 6) else ""
    return f"{', '.join(parts)}; {paid:.5g} epochs were paid{rest}"


def _rungs(trained: Iterable[tuple[int, int, float]]) -> list[Rung]:
    """Of (epochs, epochs paid, cost) a training."""
    found: dict[int, list[float]] = {}
    for epochs, paid, cost in trained:
        numbers = found.setdefault(epochs, [0, 0, 0.0])
        numbers[0] += 1
        numbers[1] += paid
        numbers[2] += cost
    return [Rung(epochs, *numbers) for epochs, numbers in sorted(found.items())]
