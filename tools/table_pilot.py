"""How well repeats agree under other forms of the images and the recipe of a table: the pilots of the documents.

    python tools/table_pilot.py nasbench201/digits
    python tools/table_pilot.py nasbench201_3ops/fashion14 [FORM]

digits: 72 cells, drawn at random, under three seeds; about a quarter of an hour on one thread. fashion14: the 48
classes of the build's pilot under two seeds; about a quarter of an hour for all forms, which a number chooses from.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from itertools import combinations
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nassim.full_training.images import digits, fashion14, idx
from nassim.full_training.images.data import ImageData, Split
from nassim.full_training.tables.designs import SEEDS, Design, get_design
from nassim.full_training.tables.shards import SIZE, pilot_shards
from nassim.full_training.training.many import DeviceData, train_many
from nassim.full_training.training.recipe import Recipe, get_recipe
from nassim.space import Architecture

CELLS = 72  # of digits
# renderings of each training digit, noise in the images, passes, batch, rate; a quarter of the training is warm-up
DIGITS_FORMS = (
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
# pixels of a block's side that are folded into channels, training images (each seen once), batch
FASHION_FORMS = ((4, 8_000, 64), (8, 8_000, 50), (8, 16_000, 50), (8, 32_000, 50))


def digits_forms() -> Iterator[tuple[str, ImageData, Recipe]]:
    for renderings, noise, passes, batch, rate in DIGITS_FORMS:
        with patch.dict(digits.COPIES, train=renderings), patch.object(digits, "NOISE", noise):
            data = digits.load.__wrapped__()
        recipe = get_recipe("digits", epochs=passes, epochs_a_pass=1, batch=batch, rate=rate)
        yield f"{renderings} {noise} {passes} {batch} {rate}", data, recipe


def fashion_forms() -> Iterator[tuple[str, ImageData, Recipe]]:
    whole = idx.load("fashion")
    for block, train, batch in FASHION_FORMS:
        counts = {**fashion14.COUNTS, "train": train}
        splits = {
            name: Split(fashion14.fold(split.images[: counts[name], 0], block), split.labels[: counts[name]])
            for name, split in whole.splits.items()
        }
        recipe = get_recipe("fashion14", epochs=1, epochs_a_pass=1, batch=batch)
        yield f"{block} {train} {batch}", ImageData("fashion", 10, splits, whole.names, flip=False), recipe


def cells(design: Design) -> list[Architecture]:
    """What is trained, in the order of the classes."""
    if design.data_name != "digits":
        return [design.classes[i].trained for i in sorted({i for s in pilot_shards(design) for i in s.classes})]
    by_row = {row: each.trained for each in design.classes for row in each.rows}
    order = {each.trained: i for i, each in enumerate(design.classes)}
    rng = random.Random(42)
    return sorted((by_row[rng.randrange(len(by_row))] for _ in range(CELLS)), key=order.__getitem__)


def trained(
    archs: list[Architecture], seeds: tuple[int, ...], data: ImageData, recipe: Recipe
) -> tuple[NDArray[np.float64], float]:
    """Validation accuracies (cells, seeds), and processor seconds of a training."""
    ready = DeviceData.of(data, recipe)
    accuracies, seconds = np.zeros((len(archs), len(seeds))), 0.0
    for column, seed in enumerate(seeds):
        for start in range(0, len(archs), SIZE):
            group = archs[start : start + SIZE]
            for row, training in enumerate(train_many(group, ready, recipe, [seed] * len(group)), start):
                accuracies[row, column] = training.valid_accuracy[-1] if not training.failed else 1 / data.classes
                seconds += sum(training.seconds)
    return accuracies, seconds / accuracies.size


def agreement(accuracies: NDArray[np.float64]) -> float:
    """Mean of Spearman's correlations between each two seeds."""
    pairs = combinations(range(accuracies.shape[1]), 2)
    return float(np.mean([spearmanr(accuracies[:, i], accuracies[:, j])[0] for i, j in pairs]))


def main() -> None:
    write, design = sys.stdout.write, get_design(sys.argv[1] if len(sys.argv) > 1 else "nasbench201/digits")
    small = design.data_name == "digits"
    forms = digits_forms() if small else fashion_forms()
    archs, seeds = cells(design), SEEDS if small else SEEDS[:2]
    write(f"{'renderings noise passes batch rate' if small else 'block images batch'}: ")
    write("Spearman, in the upper half; points between cells, noise; s a training\n")
    for number, (said, data, recipe) in enumerate(forms, start=1):
        if len(sys.argv) > 2 and number != int(sys.argv[2]):
            continue
        accuracies, seconds = trained(archs, seeds, data, recipe)
        mean = accuracies.mean(axis=1)
        upper = accuracies[mean >= np.median(mean)]
        between, within = mean.std(ddof=1), np.sqrt(accuracies.var(axis=1, ddof=1).mean())
        write(
            f"{said}: {agreement(accuracies):.3f}, {agreement(upper):.2f}; "
            f"{100 * between:.1f}, {100 * within:.1f}; {seconds:.2f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
