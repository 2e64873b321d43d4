"""A benchmark whose answers are trainings: an architecture that is asked for is trained now, and kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import InvalidQuery, Unsupported
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.device import require_torch
from nassim.full_training.training.kept import Kept
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace

SEEDS = (777, 888, 999)


class Trained(Benchmark):
    """Training behind the query interface; torch is needed from the first query on.

    A query under ``draw`` trains under one of the declared ``seeds``; the cost is measured seconds of this machine, and
    so differs between machines and moments (a kept training answers with the seconds that it took then). Fewer
    epochs than the recipe's are its schedule broken off there; the training goes on where it stopped when more are
    asked for. A training that failed answers 0 and carries ``failed`` = 1.

    Means are over the trainings that are kept, one of them at least: it is made if need be.
    """

    def __init__(
        self,
        name: str,
        space: SearchSpace,
        data: ImageData,
        recipe: Recipe,
        about: About,
        *,
        noise: Noise = Noise(),  # noqa: B008 (a value)
        seeds: Sequence[int] = SEEDS,
        device: str = "auto",
        folder: Path | None = None,
    ) -> None:
        require_torch(name)
        if noise.kind == "repeat" and noise.repeat > len(seeds):
            raise InvalidQuery(f"{name} trains under {len(seeds)} seeds: use repeat=1 to {len(seeds)}, draw or mean.")
        self.name = name
        self.space = space
        self.data = data
        self.use(recipe)
        self.about = about
        self.noise = noise
        self.seeds = tuple(seeds)
        self.device = device
        self.kept = Kept(folder)

    def use(self, recipe: Recipe) -> None:
        """Train by another recipe from now on; `InvalidSetting` if it does not fit the data."""
        recipe.check(self.data)
        self.recipe = recipe
        self.epochs = recipe.epochs
        self.fidelities = tuple(range(1, recipe.epochs + 1))

    @property
    def has_test(self) -> bool:
        return True

    def query(self, query: Query, rng: random.Random) -> Result:
        """Train, or answer from what is kept; ``rng`` draws the seed under ``draw``."""
        epochs = self.epochs_of(query)
        arch = self.space.check(query.arch)
        seeds: Sequence[int] = self.seeds
        if self.noise.kind == "draw":
            seeds = (self.seeds[int(rng.random() * len(self.seeds))],)
        elif self.noise.kind == "repeat":
            seeds = (self.seeds[self.noise.repeat - 1],)
        found = [self.training(arch, seed, epochs) for seed in seeds]
        value = sum(accuracy(training, epochs) for training in found) / len(found)
        cost = sum(sum(training.seconds[:epochs]) for training in found) / len(found)
        failed = sum(bool(training.failed) for training in found)
        return Result(value, epochs, cost, {"failed": float(failed)} if failed else {})

    def training(self, arch: Architecture, seed: int, epochs: int | None = None) -> Training:
        """The training of an architecture under a seed, for at least ``epochs`` epochs (None: all), kept or made."""
        return self.kept.obtain(arch, self.data, self.recipe, seed, until=epochs, device=self.device)

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """Mean over the whole trainings that are kept (made if there is none); a failed one counts as 0."""
        if metric not in ("valid_accuracy", "test_accuracy"):
            raise Unsupported(f"{self.name} has valid_accuracy and test_accuracy, not {metric!r:.40}.")
        found = [self.kept.find(str(arch), self.data.sha256, self.recipe.sha256, seed) for seed in self.seeds]
        whole = [t for t in found if t is not None and (t.failed or t.test_accuracy is not None)]
        values = [
            accuracy(t, self.epochs) if metric == "valid_accuracy" else t.test_accuracy or 0.0
            for t in whole or [self.training(self.space.check(arch), self.seeds[0])]
        ]
        return sum(values) / len(values)

    @property
    def typical_cost(self) -> float:
        """Mean seconds of the whole trainings that are kept; if there is none, of one that is made now."""
        whole = [t for t in self.kept.all_of(self.data.sha256, self.recipe.sha256) if t.test_accuracy is not None]
        if not whole:
            whole = [self.training(self.space.sample(random.Random("typical cost")), self.seeds[0])]
        return sum(sum(t.seconds) for t in whole) / len(whole)


def accuracy(training: Training, epochs: int) -> float:
    """Validation accuracy after so many epochs; 0 of a training that failed before."""
    return training.valid_accuracy[epochs - 1] if len(training.valid_accuracy) >= epochs else 0.0
