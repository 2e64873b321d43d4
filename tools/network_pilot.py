"""Do two seeds agree on the networks of Genetic CNN's smaller space? Pilots under forms of images, networks and recipe.

    python tools/network_pilot.py --forms            # prints them with their numbers, trains nothing
    python tools/network_pilot.py 7 --architectures 8
    python tools/network_pilot.py --out pilot.jsonl  # all, 16 architectures each: about nine minutes on one thread

Trainings are made on one thread, under the first two seeds of the tables. --out keeps each as a line, and goes on from
what is there. Images are Fashion-MNIST's, folded as in the data set fashion14; each is seen once.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from nassim.benchmarks.spaces.genetic_cnn import GeneticCNNSpace
from nassim.full_training.images import fashion14, idx
from nassim.full_training.images.data import ImageData, Split
from nassim.full_training.tables.alone import drawn, train_alone
from nassim.full_training.tables.designs import SEEDS
from nassim.full_training.training.many import DeviceData
from nassim.full_training.training.recipe import Recipe

HE = math.sqrt(6)  # makes torch's usual first weights those of He et al.


@dataclass(frozen=True)
class Form:
    """What is trained: networks, images and recipe.

    block: pixels of a block's side that are folded into channels; train, valid: images; gain: of the first weights.
    """

    block: int
    channels: int
    normalized: bool
    train: int
    rate: float
    gain: float = 1.0
    kernel: int = 3
    valid: int = 5_000
    batch: int = 64

    @property
    def space(self) -> GeneticCNNSpace:
        return GeneticCNNSpace(kernel=self.kernel, normalized=self.normalized)

    @property
    def recipe(self) -> Recipe:
        return Recipe(
            "pilot",
            channels=self.channels,
            cells=1,
            epochs=1,
            batch=self.batch,
            rate=self.rate,
            weight_decay=1e-3,
            warmup=0.25,
            crop=0,
            flip=False,
        )

    @property
    def steps(self) -> int:
        return math.ceil(self.train / self.batch)

    def data(self, whole: ImageData) -> ImageData:
        counts = {"train": self.train, "valid": self.valid, "test": 1}
        splits = {
            name: Split(fashion14.fold(split.images[: counts[name], 0], self.block), split.labels[: counts[name]])
            for name, split in whole.splits.items()
        }
        return ImageData("fashion", whole.classes, splits, whole.names, flip=False)

    def __str__(self) -> str:
        side, bn = 32 // self.block, "normalized" if self.normalized else "not normalized"
        return (
            f"{side}x{side}, C={self.channels}, {self.kernel}x{self.kernel}, {bn}, {self.steps} steps of {self.batch}, "
            f"rate {self.rate}, gain {self.gain:.2f}, validation {self.valid:,}"
        )


FORMS = (
    Form(block=8, channels=20, normalized=True, train=3_200, rate=0.02),
    Form(block=8, channels=20, normalized=True, train=3_200, rate=0.004),
    Form(block=4, channels=8, normalized=True, train=3_200, rate=0.02),
    Form(block=8, channels=8, normalized=False, train=8_000, rate=0.1),
    Form(block=4, channels=8, normalized=False, train=8_000, rate=0.01, gain=HE),
    Form(block=8, channels=20, normalized=False, train=8_000, rate=0.01, gain=HE),
    Form(block=8, channels=20, normalized=False, train=8_000, rate=0.003, gain=HE),
    Form(block=8, channels=20, normalized=False, train=8_000, rate=0.001, gain=HE),
    Form(block=8, channels=20, normalized=False, train=4_000, rate=0.003, gain=HE),
    Form(block=8, channels=48, normalized=False, train=8_000, rate=0.003, gain=HE, kernel=1),
)


def trained(form: Form, count: int, out: Path | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Validation accuracies and processor seconds (architectures, 2 seeds)."""
    data = DeviceData.of(form.data(idx.load("fashion")), form.recipe)
    key = json.dumps(asdict(form), sort_keys=True)
    there = {}
    if out is not None and out.exists():
        for line in out.read_text(encoding="utf-8").splitlines():
            each = json.loads(line)
            there[each["form"], each["arch"], each["seed"]] = each["accuracy"], each["seconds"]
    accuracies, seconds = np.zeros((2, count, 2))
    for row, arch in enumerate(drawn(form.space, count)):
        for column, seed in enumerate(SEEDS[:2]):
            found = there.get((key, str(arch), seed))
            if found is None:
                training = train_alone(form.space, arch, data, form.recipe, seed, gain=form.gain)
                accuracy = 1 / data.data.classes if training.failed else training.valid_accuracy[-1]
                found = accuracy, sum(training.seconds)
                if out is not None:
                    kept = {"form": key, "arch": str(arch), "seed": seed, "accuracy": found[0], "seconds": found[1]}
                    with out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(kept) + "\n")
            accuracies[row, column], seconds[row, column] = found
    return accuracies, seconds


def agreement(accuracies: NDArray[np.float64]) -> str:
    """Of accuracies (architectures, 2 seeds).

    What the seeds have in common is signal (their covariance), what their difference varies by is noise: a seed that is
    better for all networks is neither.
    """
    first, second = accuracies.T
    mean = accuracies.mean(axis=1)
    upper = accuracies[mean >= np.median(mean)]
    signal, noise = max(0.0, np.cov(first, second)[0, 1]), (first - second).var(ddof=1) / 2
    return (
        f"{spearmanr(first, second)[0]:.2f} | {kendalltau(first, second)[0]:.2f} | {spearmanr(*upper.T)[0]:.2f} | "
        f"{100 * mean.mean():.1f} | {100 * math.sqrt(signal):.1f} | {100 * math.sqrt(noise):.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int, metavar="FORM")
    parser.add_argument("--forms", action="store_true")
    parser.add_argument("--architectures", type=int, default=16)
    parser.add_argument("--out", type=Path)
    given, write = parser.parse_args(), sys.stdout.write
    for number, form in enumerate(FORMS, 1):
        if given.forms:
            write(f"{number}: {form}\n")
        elif not given.numbers or number in given.numbers:
            accuracies, seconds = trained(form, given.architectures, given.out)
            write(f"{number}: {form}:\n")
            write("   Spearman | Kendall | in the upper half | mean % | signal | noise | s a training\n")
            write(f"   {agreement(accuracies)} | {seconds.mean():.2f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
