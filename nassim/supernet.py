"""The contract of supernets: what a weight-sharing strategy is given, and where its runs come from.

A supernet is a network whose decisions are mixed by weights; one-hot weights are a path, the network of one
architecture with shared weights. The ground knows no torch: tensors are not typed here.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from nassim.layout import Layout
from nassim.metric import Metric
from nassim.space import Architecture, SearchSpace

Tensor = Any  # torch.Tensor
# Settings that change nothing of a search at these values: they came later, and recordings without them serve.
OFF: Mapping[str, object] = {"replicas": 1, "linear_scaling": False, "runs": 1, "reduction_cell": ""}
WATCHING = ("hessian_every",)  # settings that only say when to look: answers and seconds do not depend on them
Batch = Any  # images and labels, or a piece of a text


class Supernet(Protocol):
    """A supernet with its images, as a strategy sees it; mixes are made by `nassim.full_training.relaxations`."""

    @property
    def device(self) -> Any:
        """Where weights and images lie (a torch.device)."""

    @property
    def machine(self) -> str:
        """What it works on, for whoever reads its seconds."""

    @property
    def metric(self) -> Metric:
        """What `score` gives: an accuracy, or minus a loss."""

    @property
    def layout(self) -> Layout:
        """The decisions, and how architectures are paths through them."""

    def path(self, arch: Architecture) -> Any:
        """The mix that runs an architecture alone."""

    def shape(self, *, partial: int | None = None, replicas: int = 1, keys: str | None = None) -> None:
        """Begin anew with another network: before anything is trained.

        partial: one of so many channels goes through the options of a decision, the others past them, and mixes may
        weigh decisions as a whole (PC-DARTS). replicas: of the network, each given a part of every batch that is
        trained on; its moments are those of its part. `InvalidSetting` where they do not divide channels or batch.
        keys: of recurrent cells, by what matrices are shared: ``target`` or ``source``; others have no such.
        """

    def divide(self, portion: float) -> None:
        """Let so large a part of the searched images train the weights, in place of a half: before anything is trained.

        Where a release says which images train what, it stays so.
        """

    def renew(self, run: int) -> None:
        """New first weights for a further search of the same strategy, of number ``run`` from 1, and no momentum."""

    @property
    def option_sizes(self) -> Sequence[Sequence[int]]:
        """Parameters of every option of every decision, in all places together."""

    @property
    def option_macs(self) -> tuple[Sequence[Sequence[int]], int]:
        """Multiply-adds of every option of every decision, for one image, and those of all other layers."""

    def latencies(self, table: str) -> tuple[Sequence[Sequence[float]], float]:
        """Milliseconds of every option of every decision by a look-up table, and those of all other layers.

        table: the name of one of the user's, a path that ends with ``.json``, or ``macs``: by multiply-adds of a
        declared device. `MissingData` where there is none, or where it lacks a layer (`nassim.latency`).
        """

    def drop_paths(self, probability: float, epoch: int) -> None:
        """From now on drop operations' outputs with a probability, image by image; not where mixes are scored."""

    @property
    def weights(self) -> Sequence[Tensor]:
        """All shared weights, in a fixed order."""

    def schedule(
        self,
        epochs: int,
        learning_rate: float,
        final_rate: float,
        *,
        weight_decay: float,
        momentum: float = 0.9,
        nesterov: bool = False,
        clip: float = 5.0,
        restart: int | None = None,
        tail: int = 0,
        tail_rate: float = 0.0,
        runs: int = 1,
    ) -> None:
        """Choose how `step` descends: stochastic gradient descent, the rate a cosine over the epochs.

        ``clip`` bounds the norm of the gradient; ``restart`` lets the cosine begin anew after so many epochs, then
        after twice as many, and so on. ``tail`` further epochs have a constant rate and begin without momentum.
        ``runs`` repeats all of it.
        """

    def epochs(self, **kept: Any) -> Iterator[int]:
        """The epochs of the schedule, from 0, or from where an interrupted search was.

        kept: what the search itself changes from epoch to epoch: tensors, optimizers, modules, generators. They are
        written after each epoch where the search is kept (`keep`), and put back where it goes on.
        """

    def state(self) -> Any:
        """Weights and optimizer as they are now (not copied), for `restore`."""

    def restore(self, state: Any, epoch: int, weight_decay: float) -> None:
        """Weights and optimizer as they were; ``epoch`` is the next of `epochs`, with another weight decay."""

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Batch, Batch]]:
        """Pairs of a training and a validation batch, augmented, through the training images (epochs from 0)."""

    def training_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        """The training batches alone."""

    def validation_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        """The validation batches alone, augmented; further work of the epoch that `training_batches` began."""

    def scoring_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        """Validation batches without augmentation, shuffled, without end."""

    def loss(self, mix: Any, batch: Batch) -> Tensor:
        """Cross-entropy of a mix on a batch."""

    def step(self, mix: Any, batch: Batch) -> Tensor:
        """A step of the weights down the loss of a mix, which it gives; weights that are not used stay as they are."""

    def training_loss(self) -> float:
        """Mean loss over the steps since the epoch began; NaN without any."""

    def next_update(self) -> Any:
        """The `nassim.full_training.relaxations.bilevel.WeightUpdate` of the next step."""

    def score(self, mix: Any, *batches: Batch) -> float:
        """What a mix is worth with the shared weights, more is better: the share of right answers, or minus a loss.

        On batches, or on all validation images in parts of some 256, each with its own moments.
        """

    def keep(self, file: Path, told: list[Any]) -> None:
        """Write the search to a file after every epoch, with what it has ``told``; go on from one that is there."""

    def cost(self) -> float:
        """Seconds worked since the epoch began (`batches`), measured; ends the measurement."""


class Moment(NamedTuple):
    """One report of a recorded search: the answer after an epoch, and the seconds that the epoch took.

    loss: mean training loss of the epoch's steps; NaN where it was not recorded. shared: what the answer was worth with
    the shared weights (a fraction of right answers on the images that train the architecture); NaN likewise.
    scores: the weight of every option of every decision of the supernet; empty for strategies without.
    seen: what was measured beside the search after this epoch, by name; its seconds are not charged.
    """

    arch: Architecture
    seconds: float
    loss: float = math.nan
    shared: float = math.nan
    scores: tuple[tuple[float, ...], ...] = ()
    seen: tuple[tuple[str, float], ...] = ()


class Scores(NamedTuple):
    """Shared-weight accuracies (fractions) of the same cells after the searches of some seeds."""

    cells: tuple[int, ...]  # rows of the space
    accuracies: Mapping[int, tuple[float, ...]]  # seed -> one a cell


class Final(NamedTuple):
    """What one training of a search's last answer gave, from scratch, after the search; accuracies are fractions."""

    valid: float
    test: float
    seconds: float


@dataclass(frozen=True)
class Recording:
    """Searches of one strategy with one configuration, recorded earlier."""

    algorithm: str
    benchmark: str  # whose images the supernet learned
    hyperparameters: Mapping[str, object]
    supernet: Mapping[str, object]  # its settings, with the hash of the images
    machine: str
    runs: Mapping[int, tuple[Moment, ...]]  # seed -> its reports, one an epoch
    scores: Scores | None = None
    finals: Mapping[int, Final] = field(default_factory=dict)  # seed -> its last answer trained; where it was
    failed: Mapping[int, str] = field(default_factory=dict)  # seed -> why it ended before its last epoch; where it did

    def serves(self, hyperparameters: Mapping[str, object]) -> bool:
        """Whether it was looked at as these ask for, which its `configuration` says nothing of."""
        asked = any(hyperparameters.get(name) for name in WATCHING)
        return not asked or all(any(moment.seen for moment in run) for run in self.runs.values())

    @property
    def configuration(self) -> str:
        """The hash of everything that decides what a recorded run gives, but for the seed."""
        return configuration(self.algorithm, self.hyperparameters, self.supernet)


def counted(hyperparameters: Mapping[str, object]) -> dict[str, object]:
    """Those that recordings are told apart by: without `WATCHING`, and without those of `OFF` with the value there."""
    return {k: v for k, v in hyperparameters.items() if k not in WATCHING and (k not in OFF or v != OFF[k])}


def configuration(algorithm: str, hyperparameters: Mapping[str, object], supernet: Mapping[str, object]) -> str:
    """SHA-256 of an algorithm's name, its hyperparameters and the settings of its supernet.

    Without the hyperparameters that change nothing.
    """
    text = json.dumps([algorithm, counted(hyperparameters), dict(supernet)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Supernets:
    """Where the one-shot runs of a benchmark come from.

    settings: of the supernet on the benchmark's own images; hashed with every recording.
    make: (seed, device) -> a supernet to train now; raises what is missing (torch, images).
    recordings: (algorithm, folder) -> its recordings on these images, of one folder or, with None, of all.
    write: (recording, folder) -> the file that it was written to.
    folder: the user's, where new recordings go.
    published_seconds: (algorithm, hyperparameters) -> seconds of a whole search on this benchmark as published, or
        None; what a search costs whose supernet learned other images.
    stand_in: the supernets of the same space on other images, whose recordings serve where there are none (mode
        proxy).
    """

    benchmark: str
    space: SearchSpace
    settings: Mapping[str, object]
    make: Callable[[int, str], Supernet]
    recordings: Callable[[str, Path | None], Sequence[Recording]]
    write: Callable[[Recording, Path], Path]
    folder: Path
    published_seconds: Callable[[str, Mapping[str, object]], float | None]
    published_source: str = ""
    stand_in: Supernets | None = None
