"""A benchmark whose answers are trainings: an architecture that is asked for is trained now, and kept."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import InvalidQuery, Unsupported
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.framed import network_of
from nassim.full_training.training.device import choose_device, require_torch, separate
from nassim.full_training.training.heirs import Heirs, recipe_of, refuse_strangers
from nassim.full_training.training.kept import Kept
from nassim.full_training.training.lineage import Lineage, after, read_name
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.sizes import sizes
from nassim.full_training.training.training import Training
from nassim.network import Network
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace

SEEDS = (777, 888, 999)
T = TypeVar("T")


class Trained(Benchmark):
    """Training behind the query interface; torch is needed from the first query on.

    A query under ``draw`` trains under one of the declared ``seeds``; the cost is measured device seconds of this
    machine, and so differs between machines (a kept training answers with the seconds that it took then). Fewer
    epochs than the recipe's are its schedule broken off there; the training goes on where it stopped when more are
    asked for, so that a shorter one is a prefix of a longer. One that failed answers 0 and carries ``failed`` = 1.

    A result names its training by the hash of its lineage (`name_of`); a query with that origin goes on with it, under
    its seeds, and costs what it adds; one that inherits begins a schedule of its own with those weights, and keeps them
    apart from what was trained from scratch. A `job` has its seed drawn and trains wherever it is called.
    Means are over the whole trainings that are kept, and NaN where there is none: looking something up trains nothing.
    """

    continues = True
    inherits = True
    trains = True
    has_test = True

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
        images: Callable[[], ImageData] | None = None,
    ) -> None:
        """``images`` gives ``data`` in another process; without it a job carries them along.

        `InvalidSetting` if recipe, space and data do not fit each other, `Unsupported` for a space without networks.
        """
        if noise.kind == "repeat" and noise.repeat > len(seeds):
            raise InvalidQuery(f"{name} trains under {len(seeds)} seeds: use repeat=1 to {len(seeds)}, draw or mean.")
        self.name = name
        self.space = space
        self.data = data
        self.images = images or partial(_itself, data)
        self.use(recipe)
        require_torch(name)
        self.about = about
        self.noise = noise
        self.seeds = tuple(seeds)
        self.device = device
        self.kept = Kept(folder)

    def use(self, recipe: Recipe) -> None:
        """Train by another recipe from now on; `InvalidSetting` if it does not fit the data or the space."""
        recipe.check(self.data)
        network_of(self.space.sample(random.Random(0)), recipe, self.data, self.space)
        self._follow(recipe)

    def _follow(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.epochs = recipe.epochs
        self.fidelities = tuple(range(1, recipe.epochs + 1))
        self.__dict__.pop("typical_cost", None)

    def move(self, device: str) -> None:
        """Train on another device from now on (auto, cpu, cuda, cuda:N, mps); `InvalidSetting` if it is not here."""
        choose_device(device)
        self.device = device

    def devices(self) -> list[dict[str, str]]:
        """Each accelerator of the kind that is trained on; on a CPU each core, with one thread."""
        return separate(self.device)

    # -- answers --------------------------------------------------------------------------------------

    def query(self, query: Query, rng: random.Random) -> Result:
        """Train, or answer from what is kept; ``rng`` draws the seed under ``draw``."""
        return self._task(query, rng).answer(self.data)

    def job(self, query: Query, rng: random.Random) -> Callable[[], Result]:
        """The query with its seed drawn; where it is called it trains, and keeps the training in this folder."""
        task = self._task(query, rng)
        return Job(replace(task, network=partial(_itself, task.network())), self.images)

    def _task(self, query: Query, rng: random.Random) -> Task:
        epochs, arch = self.epochs_of(query), self.space.check(query.arch)
        if query.inherit and not self.inherits:
            query = query._replace(origin="", inherit="")
        if query.inherit:
            keys, reached = read_name(query.origin)
            refuse_strangers(self.name, self.kept, keys, self.data, self.recipe)
            task = self._with(arch, self.draw(rng), epochs)
            return replace(task, origin=(keys, reached), inherit=query.inherit)
        begun = self.begins_from(query)
        seeds, since = (self.draw(rng), 0) if begun is None else (self._seeds_of(arch, begun[0].split("+")), begun[1])
        return self._with(arch, seeds, epochs, since)

    def _with(self, arch: Architecture, seeds: tuple[int, ...], epochs: int, since: int = 0) -> Task:
        network = partial(network_of, arch, self.recipe, self.data, self.space)
        return Task(arch, network, self.recipe, seeds, epochs, since, self.device, self.kept, self.space)

    def draw(self, rng: random.Random) -> tuple[int, ...]:
        """The seeds whose trainings answer a query: all under ``mean``, else one."""
        if self.noise.kind == "draw":
            return (self.seeds[int(rng.random() * len(self.seeds))],)
        return (self.seeds[self.noise.repeat - 1],) if self.noise.kind == "repeat" else self.seeds

    def begins_from(self, query: Query) -> tuple[str, int] | None:
        """(keys joined by ``+``, epochs) of the training that a query continues; None where it has no origin.

        `InvalidQuery` for an origin that names no training of the architecture by this recipe on these images, or that
        has the epochs already.
        """
        wanted = self.epochs_of(query)
        if not query.origin or query.inherit:
            return None
        keys, epochs = read_name(query.origin)
        self._seeds_of(query.arch, keys)
        if wanted <= self.check_epochs(epochs):
            raise InvalidQuery(
                f"{self.name}: a training of {epochs} epochs cannot go on to {wanted}: ask for more than it had."
            )
        return "+".join(keys), epochs

    def name_of(self, arch: Architecture, seeds: Sequence[int], epochs: int) -> str:
        """What a result calls its training: ``KEY/EPOCHS``, of a mean with all keys."""
        return after([self.lineage(arch, seed).key for seed in seeds], epochs)

    def _seeds_of(self, arch: Architecture, keys: Sequence[str]) -> tuple[int, ...]:
        seed_of = {self.lineage(arch, seed).key: seed for seed in self.seeds}
        if not set(keys) <= set(seed_of):
            raise InvalidQuery(
                f"{'+'.join(keys)!r:.30} names no training of {arch} on {self.name}: only the same architecture "
                "continues, on the same benchmark and by the same recipe."
            )
        return tuple(seed_of[key] for key in keys)

    def training(self, arch: Architecture, seed: int, epochs: int | None = None) -> Training:
        """The training of an architecture under a seed, for at least ``epochs`` epochs (None: all), kept or made."""
        return self._with(arch, (seed,), epochs or self.epochs).training(self.data, seed)

    def lineage(self, arch: Architecture, seed: int) -> Lineage:
        """What the training of an architecture under a seed is kept by."""
        return Lineage.of(arch, self.data, self.recipe, seed)

    # -- what is known --------------------------------------------------------------------------------

    def measure(self, arch: Architecture) -> dict[str, float]:
        """Parameters and multiply-adds of the network as the recipe builds it."""
        return sizes(network_of(arch, self.recipe, self.data, self.space))

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """Mean over the whole trainings that are kept, one that failed counting as its `worth`; NaN if there is none.

        The default is what is measured on validation, whatever that is.
        """
        names = self.metric.on("valid"), self.metric.on("test")
        if metric not in (*names, "valid_accuracy"):
            raise Unsupported(f"{self.name} has {' and '.join(names)}, not {metric!r:.40}.")
        found = [self.kept.find(self.lineage(arch, seed)) for seed in self.seeds]
        whole = [one for one in found if one is not None and (one.failed or one.test_accuracy is not None)]
        values = [self.tested(one) if metric == names[1] else self.worth(one, self.epochs) for one in whole]
        return sum(values) / len(values) if values else math.nan

    def worth(self, training: Training, epochs: int) -> float:
        """The value of a training after so many epochs."""
        return accuracy(training, epochs)

    def tested(self, training: Training) -> float:
        """The same on the test split, of a whole training or one that failed."""
        return training.test_accuracy or 0.0

    def own_accuracies(self, training: str) -> tuple[float, float] | None:
        """Validation and test accuracy of a kept training that inherited, the mean of several; None for any other."""
        keys, epochs = read_name(training)
        lineages, found = map(self.kept.lineage, keys), list(map(self.kept.named, keys))
        if not all(lineage is not None and lineage.inherit for lineage in lineages) or None in found:
            return None
        known = [one for one in found if one is not None]
        tests = [one.test_accuracy or 0.0 for one in known]
        return sum(accuracy(one, epochs) for one in known) / len(known), sum(tests) / len(tests)

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of the whole trainings that are kept, for a query's usual epochs; NaN if there is none.

        It stays what it was when it was first asked for, whatever is trained after that.
        """
        kept = self.kept.all_of(self.data.sha256, self.recipe.sha256, self.space.name)
        costs = [sum(t.seconds[: self.search_epochs]) for t in kept if t.test_accuracy is not None]
        return sum(costs) / len(costs) if costs else math.nan


@dataclass(frozen=True)
class Task:
    """Trainings of one architecture that answer a query, all choices made.

    since: epochs that have been paid for; seeds: several, whose mean is the answer.
    """

    arch: Architecture
    network: Callable[[], Network]  # asked for if there is something to train
    recipe: Recipe
    seeds: tuple[int, ...]
    epochs: int
    since: int
    device: str
    kept: Kept
    space: SearchSpace
    origin: tuple[list[str], int] = ([], 0)  # keys and epochs of the trainings whose weights are inherited
    inherit: str = ""

    def answer(self, data: ImageData) -> Result:
        """Train as far as need be, and answer."""
        found = [self.training(data, seed) for seed in self.seeds]
        value = sum(self.value(training, data) for training in found) / len(found)
        cost = sum(sum(training.seconds[self.since : self.epochs]) for training in found) / len(found)
        failed = sum(bool(training.failed) for training in found)
        keys = [self.lineage(data, seed).key for seed in self.seeds]
        return Result(
            value,
            self.epochs,
            cost,
            self.sizes(data) | ({"failed": float(failed)} if failed else {}),
            after(keys, self.epochs),
            self.epochs - self.since if self.since else -1,
        )

    def value(self, training: Training, data: ImageData) -> float:
        """What a training answers."""
        return accuracy(training, self.epochs)

    def sizes(self, data: ImageData) -> dict[str, float]:
        """What is known of the network without training it."""
        return sizes(self.network())

    def lineage(self, data: ImageData, seed: int) -> Lineage:
        """What the training under a seed is kept by; a mean's trainings inherit each from its own in turn."""
        plain = Lineage.of(self.arch, data, self.recipe, seed)
        if not self.inherit:
            return plain
        keys, epochs = self.origin
        origin = after([keys[self.seeds.index(seed) % len(keys)]], epochs)
        heir = replace(plain, origin=origin, inherit=self.inherit)
        return replace(heir, recipe=recipe_of(self.recipe, heir, self.epochs).sha256)

    def training(self, data: ImageData, seed: int) -> Training:
        """One of them, kept or made."""
        heirs = Heirs(self.kept, self.space, data, self.recipe, self.device)
        return heirs.obtain(self.lineage(data, seed), self.epochs, network=self.network)


@dataclass(frozen=True)
class Job:
    """A task with its images: what it returns when called is the answer of `Trained.query`."""

    task: Task
    images: Callable[[], ImageData]

    def __call__(self) -> Result:
        return self.task.answer(self.images())


def _itself(value: T) -> T:
    return value


def accuracy(training: Training, epochs: int) -> float:
    """Validation accuracy after so many epochs; 0 of a training that failed before."""
    return training.valid_accuracy[epochs - 1] if len(training.valid_accuracy) >= epochs else 0.0
