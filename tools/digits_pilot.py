"""How well repeats agree under other forms of the recipe of nasbench201/digits: the pilot's table of docs/digits.md.

    python tools/digits_pilot.py

72 cells, drawn at random from all, under three seeds each; about a quarter of an hour on one thread.
"""

from __future__ import annotations

import random
import sys
from itertools import combinations
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nassim.full_training.images import digits
from nassim.full_training.images.data import ImageData
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.tables.shards import SEEDS, SIZE
from nassim.full_training.training.many import DeviceData, train_many
from nassim.full_training.training.recipe import Recipe, get_recipe

CELLS = 72
# renderings of each training digit, noise in the images, passes, batch, rate; a quarter of the training is warm-up
FORMS = (
    (2, 20, 4, 100, 0.3),
    (2, 20, 4, 50, 0.15),
    (2, 40, 4, 100, 0.3),
    (4, 20, 4, 100, 0.3),
    (4, 20, 2, 100, 0.3),
    (8, 20, 1, 100, 0.3),
    (8, 20, 1, 50, 0.3),
    (8, 20, 1, 50, 0.15),
    (8, 20, 1, 50, 0.08),
)


def images(renderings: int, noise: int) -> ImageData:
    """The digits in another form."""
    with patch.dict(digits.COPIES, train=renderings), patch.object(digits, "NOISE", noise):
        return digits.load.__wrapped__()


def trained(data: ImageData, recipe: Recipe) -> tuple[NDArray[np.float64], float]:
    """Validation accuracies (cells, seeds), and processor seconds of a training."""
    by_row = {row: each.trained for each in cell_classes() for row in each.rows}
    order = {each.trained: i for i, each in enumerate(cell_classes())}
    rng = random.Random(42)
    archs = sorted((by_row[rng.randrange(len(by_row))] for _ in range(CELLS)), key=order.__getitem__)
    ready = DeviceData.of(data, recipe)
    accuracies, seconds = np.zeros((CELLS, len(SEEDS))), 0.0
    for column, seed in enumerate(SEEDS):
        for start in range(0, CELLS, SIZE):
            group = archs[start : start + SIZE]
            for row, training in enumerate(train_many(group, ready, recipe, [seed] * len(group)), start):
                accuracies[row, column] = training.valid_accuracy[-1] if not training.failed else 1 / data.classes
                seconds += sum(training.seconds)
    return accuracies, seconds / accuracies.size


def agreement(accuracies: NDArray[np.float64]) -> float:
    """Mean of Spearman's correlations between each two seeds."""
    return float(np.mean([spearmanr(accuracies[:, i], accuracies[:, j])[0] for i, j in combinations(range(3), 2)]))


def main() -> None:
    write = sys.stdout.write
    write(
        "renderings noise passes batch rate: Spearman, in the upper half; points between cells, noise; s a training\n"
    )
    for renderings, noise, passes, batch, rate in FORMS:
        recipe = get_recipe("digits", epochs=passes, epochs_a_pass=1, batch=batch, rate=rate)
        accuracies, seconds = trained(images(renderings, noise), recipe)
        mean = accuracies.mean(axis=1)
        upper = accuracies[mean >= np.median(mean)]
        between, within = mean.std(ddof=1), np.sqrt(accuracies.var(axis=1, ddof=1).mean())
        write(
            f"{renderings} {noise} {passes} {batch} {rate}: {agreement(accuracies):.3f}, {agreement(upper):.2f}; "
            f"{100 * between:.1f}, {100 * within:.1f}; {seconds:.2f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
