"""Checking a table that nassim trained by training cells of it again."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nassim.errors import CorruptData, InvalidSetting
from nassim.full_training.tables.designs import Design
from nassim.full_training.training.device import require_torch
from nassim.full_training.training.recipe import Recipe
from nassim.tabular_data.trained import open_trained

LIMIT = 4.0  # a difference of so many standard deviations of a difference between repeats is none of noise
NEAR = 1000  # cells nearest in accuracy (all of a smaller space), whose repeats tell how far apart repeats are there


@dataclass(frozen=True)
class Recheck:
    """A recorded training and the same one made now, one by one: validation accuracies (fractions) by epoch.

    ``noise``: standard deviation between the table's repeats of a cell, over the cells nearest in accuracy.
    """

    arch: str
    seed: int
    recorded: tuple[float, ...]
    measured: tuple[float, ...]
    noise: float

    @property
    def difference(self) -> float:
        """Measured minus recorded, after the last epoch."""
        return self.measured[-1] - self.recorded[-1] if self.measured else -self.recorded[-1]

    @property
    def agrees(self) -> bool:
        """Whether noise explains the difference.

        Rounding differs between machines, and between many at once and one by one; within some ten steps it has grown
        to another course of the training, so that the same seed gives another repeat and not the same one.
        """
        return abs(self.difference) <= LIMIT * math.sqrt(2) * self.noise


def recheck(design: Design, path: Path, count: int, *, seed: int = 0, tell: Callable[[Recheck], None]) -> list[Recheck]:
    """Train ``count`` random cells of a table again, each under one of its recorded seeds.

    `CorruptData` if the table was made with another recipe or other images than its header says, or if a cell's
    accuracy, or the mean over all that were trained, is not what training gives; `InvalidSetting` for a count below 1.
    """
    require_torch("retraining")
    from nassim.full_training.tables.alone import train_alone
    from nassim.full_training.training.many import DeviceData
    from nassim.full_training.training.train import train

    if count < 1:
        raise InvalidSetting(f"--retrain {count}: it must be at least 1.")
    task, data = design.data_name, design.load_data()
    table = open_trained(path, task)
    recipe = Recipe(**json.loads(table.header.sources["recipe"]))
    for name, value in (("recipe", recipe.sha256), ("images", data.sha256)):
        if table.header.sources[f"{name} sha256"] != value:
            raise CorruptData(f"{table.path}: its {name} are not those of its header. Install nassim again.")
    full = max(table.header.epochs)
    curves = np.stack(
        [table.columns[f"{task}/valid_accuracy{'' if e == full else f'@{e}'}"] for e in table.header.epochs], axis=2
    )
    whole = curves[~np.isnan(curves[:, :, -1]).any(axis=1), :, -1]
    means, variances = whole.mean(axis=1), whole.var(axis=1, ddof=1)

    def noise(accuracy: float) -> float:
        return float(np.sqrt(variances[np.argsort(np.abs(means - accuracy), kind="stable")[:NEAR]].mean()))

    rng = random.Random(f"recheck {seed}")
    found = []
    recorded = np.argwhere(~np.isnan(curves[:, :, -1]))
    for row, repeat in (recorded[rng.randrange(len(recorded))] for _ in range(count)):
        trained = design.classes[int(table.columns[f"{task}/class"][row])].trained
        if design.gain is None:
            training = train(trained, data, recipe, design.seeds[repeat])
        else:
            ready = DeviceData.of(data, recipe)
            training = train_alone(design.space, trained, ready, recipe, design.seeds[repeat], gain=design.gain)
        result = Recheck(
            arch=str(design.space.at(int(row))),
            seed=design.seeds[repeat],
            recorded=tuple(curves[row, repeat].tolist()),
            measured=training.valid_accuracy,
            noise=noise(curves[row, repeat, -1]) if len(whole) else math.nan,
        )
        tell(result)
        found.append(result)
    known = [each for each in found if not math.isnan(each.noise)]
    wrong = [each.arch for each in known if not each.agrees]
    if wrong:
        raise CorruptData(
            f"{', '.join(wrong)}: retraining differs by more than {LIMIT:.0f} standard deviations of repeats."
        )
    mean = sum(each.difference for each in known) / max(1, len(known))
    error = math.sqrt(2.0 * sum(each.noise**2 for each in known)) / max(1, len(known))
    if abs(mean) > LIMIT * error:
        raise CorruptData(
            f"{len(known)} cells retrained differ by {100 * mean:+.2f} points on average, more than {LIMIT:.0f} "
            f"standard deviations of repeats ({100 * error:.2f} points) explain."
        )
    return found
