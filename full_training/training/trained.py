"""A benchmark whose answers are trainings: an architecture that is asked for is trained now, and kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import InvalidQuery, InvalidSetting, Unsupported
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.device import choose_device, require_torch
from nassim.full_training.training.kept import Kept
from nassim.full_training.training.lineage import Lineage, after, read_name
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace

SEEDS = (777, 888, 999)


class Trained(Benchmark):
    """Training behind the query interface; torch is needed from the first query on.

    A query under ``draw`` trains under one of the declared ``seeds``; the cost is measured device seconds of this
    machine, and so differs between machines (a kept training answers with the seconds that it took then). Fewer
    epochs than the recipe's are its schedule broken off there; the training goes on where it stopped when more are
    asked for, so that a shorter one is a prefix of a longer. One that failed answers 0 and carries ``failed`` = 1.

    A query is answered in two steps, which a run may take apart: `draw` makes its random choice, `answer` trains.
    `continued` goes on with a training that an earlier result named (`name`) and charges what it adds.

    Means are over the trainings that are kept, one of them at least: it is made if need be. `known` and `known_cost`
    look without training.
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

    def move(self, device: str) -> None:
        """Train on another device from now on (auto, cpu, cuda, cuda:N, mps); `InvalidSetting` if it is not here."""
        choose_device(device)
        self.device = device

    @property
    def has_test(self) -> bool:
        return True

    # -- answers --------------------------------------------------------------------------------------

    def query(self, query: Query, rng: random.Random) -> Result:
        """Train, or answer from what is kept; ``rng`` draws the seed under ``draw``."""
        epochs = self.epochs_of(query)
        arch = self.space.check(query.arch)
        return self.answer(arch, epochs, self.draw(rng))

    def draw(self, rng: random.Random) -> tuple[int, ...]:
        """The seeds whose trainings answer a query: all under ``mean``, else one."""
        if self.noise.kind == "draw":
            return (self.seeds[int(rng.random() * len(self.seeds))],)
        return (self.seeds[self.noise.repeat - 1],) if self.noise.kind == "repeat" else self.seeds

    def answer(self, arch: Architecture, epochs: int, seeds: Sequence[int], since: int = 0) -> Result:
        """The mean of the trainings under ``seeds`` after ``epochs``, trained as far as need be.

        since: epochs that have been paid for: the cost is of those that follow.
        """
        found = [self.training(arch, seed, epochs) for seed in seeds]
        value = sum(accuracy(training, epochs) for training in found) / len(found)
        cost = sum(sum(training.seconds[since:epochs]) for training in found) / len(found)
        failed = sum(bool(training.failed) for training in found)
        return Result(value, epochs, cost, {"failed": float(failed)} if failed else {})

    def name_of(self, arch: Architecture, seeds: Sequence[int], epochs: int) -> str:
        """The name of what `answer` gives, by which `continued` knows it: ``KEY/EPOCHS``, of a mean with all keys."""
        return after([self.lineage(arch, seed).key for seed in seeds], epochs)

    def origin(self, arch: Architecture, name: str) -> tuple[tuple[int, ...], int]:
        """Seeds and epochs of a named training of ``arch``; `InvalidQuery` if it is none by this recipe."""
        keys, epochs = read_name(name)
        seed_of = {self.lineage(arch, seed).key: seed for seed in self.seeds}
        if not set(keys) <= set(seed_of):
            raise InvalidQuery(
                f"{name!r:.30} names no training of {arch} on {self.name}: only the same architecture continues, "
                "on the same benchmark and by the same recipe."
            )
        return tuple(seed_of[key] for key in keys), self.check_epochs(epochs)

    def continued(self, arch: Architecture, name: str, epochs: int) -> Result:
        """Go on with a named training to ``epochs``: it keeps its seeds and schedule, the cost is the difference."""
        seeds, since = self.origin(arch, name)
        if self.check_epochs(epochs) <= since:
            raise InvalidQuery(f"{arch} has {since} epochs already: a continuation to {epochs} adds none.")
        return self.answer(arch, epochs, seeds, since)

    def training(self, arch: Architecture, seed: int, epochs: int | None = None) -> Training:
        """The training of an architecture under a seed, for at least ``epochs`` epochs (None: all), kept or made."""
        return self.kept.obtain(arch, self.data, self.recipe, seed, until=epochs, device=self.device)

    def lineage(self, arch: Architecture, seed: int) -> Lineage:
        """What the training of an architecture under a seed is kept by."""
        return Lineage.of(arch, self.data, self.recipe, seed)

    # -- means ----------------------------------------------------------------------------------------

    def known(self, arch: Architecture, metric: str = "valid_accuracy") -> float | None:
        """Mean over the whole trainings that are kept, a failed one counting as 0; None if there is none."""
        if metric not in ("valid_accuracy", "test_accuracy"):
            raise Unsupported(f"{self.name} has valid_accuracy and test_accuracy, not {metric!r:.40}.")
        found = [self.kept.find(self.lineage(arch, seed)) for seed in self.seeds]
        values = [
            accuracy(training, self.epochs) if metric == "valid_accuracy" else training.test_accuracy or 0.0
            for training in found
            if training is not None and (training.failed or training.test_accuracy is not None)
        ]
        return sum(values) / len(values) if values else None

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """As `known`; if no whole training is kept, one is made."""
        value = self.known(arch, metric)
        if value is None:
            self.training(self.space.check(arch), self.seeds[0])
            value = self.known(arch, metric)
            assert value is not None
        return value

    def known_cost(self) -> float | None:
        """Mean seconds of the trainings that are kept, of each as if it were whole; None if there is none."""
        kept = self.kept.all_of(self.data.sha256, self.recipe.sha256, self.space.name)
        costs = [self.epochs * sum(t.seconds) / len(t.seconds) for t in kept if t.seconds and not t.failed]
        return sum(costs) / len(costs) if costs else None

    @property
    def typical_cost(self) -> float:
        """As `known_cost`; if nothing is kept, that of one architecture, which is trained for an epoch."""
        cost = self.known_cost()
        if cost is None:
            training = self.training(self.space.sample(random.Random("typical cost")), self.seeds[0], 1)
            if training.failed:
                raise InvalidSetting(f"recipe {self.recipe.name} on {self.data.name}: {training.failed}.")
            cost = self.epochs * sum(training.seconds)
        return cost


def accuracy(training: Training, epochs: int) -> float:
    """Validation accuracy after so many epochs; 0 of a training that failed before."""
    return training.valid_accuracy[epochs - 1] if len(training.valid_accuracy) >= epochs else 0.0
