"""A network that holds all cells of NAS-Bench-201 at once, with shared weights, and its images.

Weights are keyed: an operation with weights belongs to one (stage, cell, edge, option), and every architecture with
that option on that edge uses the same tensors. ``forward(x, mix)`` runs what the mix needs: all options for a
softmax, one an edge for a path, and of a path only the edges that lead from the input to the output.

Batch normalization always uses the statistics of the present batch, in training and in scoring, and keeps no running
ones: those of one path are wrong for the next. In cells it has no scale and shift (as in the search code of
Dong & Yang, ICLR 2020, arXiv:2001.00326, whose Table 5 calls this setting its second block).

The training images are divided in two halves: one trains the weights, the other the architecture. The benchmark's own
validation and test images are not used. On the CPU a supernet works with one thread, so that results do not
depend on the number of cores, and its cost is processor time; on a GPU it is elapsed time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.errors import CorruptData, InvalidSetting, MissingData, ProtocolError
from nassim.files import put_in_place
from nassim.full_training.images.batches import DeviceSplit, EpochPlan, generator, plan_epoch, take, to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.nasbench201 import initialize, skeleton
from nassim.full_training.relaxations.bilevel import WeightUpdate
from nassim.full_training.relaxations.mixtures import Mix, path
from nassim.full_training.supernets.shared_cell import SharedCell
from nassim.full_training.supernets.sources import supernet_settings
from nassim.full_training.training.device import choose_device, device_seconds, processor
from nassim.full_training.training.recipe import Recipe
from nassim.space import Architecture

Batch = tuple[Tensor, Tensor]


class SharedNetwork:
    """The supernet of NAS-Bench-201 on a data set: `nassim.supernet.Supernet`.

    recipe: gives channels, cells and augmentation (crop, flip); its schedule is for whole trainings and not used.
    seed: of the initial weights, of the order of the images and of their augmentation.
    """

    def __init__(self, data: ImageData, recipe: Recipe, seed: int, device: str = "cpu") -> None:
        self.device = choose_device(device)
        self.seed = seed
        self.recipe = recipe
        self.settings = {**supernet_settings(data.name, recipe), "images_sha256": data.sha256}
        self.network = skeleton(
            SharedCell,
            channels=recipe.channels,
            cells=recipe.cells,
            classes=data.classes,
            image_channels=data.channels,
        )
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.track_running_stats = False
                module.running_mean = module.running_var = module.num_batches_tracked = None
        initialize(self.network, generator("supernet weights", seed), self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on both devices
        whole = to_device(data, "train", self.device, recipe.padding(data.side))
        # Renderings of one original lie side by side (at most eight of them): none may be in both halves.
        half = len(whole) // 16 * 8
        self._train = DeviceSplit(whole.images[:half], whole.labels[:half], whole.pad)
        self._valid = DeviceSplit(whole.images[half:], whole.labels[half:], whole.pad)
        self._optimizer: torch.optim.SGD | None = None
        self._rates: list[float] = []
        self._clip = math.inf
        self._began: float | None = None
        self._threads = 0

    @property
    def machine(self) -> str:
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            name = f"{processor()}, one thread" if self.device.type == "cpu" else f"{processor()}, {self.device.type}"
        return f"{name}, torch {torch.__version__}"

    @property
    def weights(self) -> list[nn.Parameter]:
        return list(self.network.parameters())

    def shared(self, stage: int, cell: int, edge: int, option: int) -> list[nn.Parameter]:
        """The tensors of a key: the same objects whatever else an architecture holds."""
        cells = cast(nn.ModuleList, self.network.stages[stage])
        return list(cast(SharedCell, cells[cell]).shared[f"{edge}-{option}"].parameters())

    # -- training -------------------------------------------------------------------------------------

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
    ) -> None:
        self._rates = list(cosine(epochs, learning_rate, final_rate, restart))
        self._clip = clip
        self._optimizer = torch.optim.SGD(
            self.network.parameters(), learning_rate, momentum, nesterov=nesterov, weight_decay=weight_decay
        )

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Batch, Batch]]:
        for group in self._sgd.param_groups:
            group["lr"] = self._rates[epoch]
        self._begin()
        halves = self._train, self._valid
        plans = [plan_epoch(half, self.recipe, 2 * self.seed + k, epoch) for k, half in enumerate(halves)]
        fewest = min(map(len, plans))
        size = min(size, fewest)
        for i in range(0, fewest - size + 1, size):
            train, valid = (take(h, plan, slice(i, i + size)) for h, plan in zip(halves, plans, strict=True))
            yield train, valid

    def scoring_batches(self, size: int) -> Iterator[Batch]:
        size = min(size, len(self._valid))
        rounds = 0
        while True:
            order = torch.randperm(len(self._valid), generator=generator("scoring", self.seed, rounds))
            for i in range(0, len(self._valid) - size + 1, size):
                yield self._plain(order[i : i + size])
            rounds += 1

    def loss(self, mix: Mix, batch: Batch) -> Tensor:
        return F.cross_entropy(self.logits(mix, batch[0]), batch[1])

    def logits(self, mix: Mix, images: Tensor) -> Tensor:
        """Logits (batch, classes) of normalized images."""
        return cast(Tensor, self.network(images, mix))

    def step(self, mix: Mix, batch: Batch) -> float:
        optimizer = self._sgd
        optimizer.zero_grad(set_to_none=True)  # a weight without gradient is passed over: no decay, no momentum
        loss = self.loss(mix, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self._clip)
        optimizer.step()
        return float(loss.detach())

    def next_update(self) -> WeightUpdate:
        group = self._sgd.param_groups[0]
        velocity = [self._sgd.state[w].get("momentum_buffer") if w in self._sgd.state else None for w in self.weights]
        return WeightUpdate(group["lr"], group["momentum"], group["weight_decay"], velocity)

    @torch.no_grad()
    def accuracy(self, mix: Mix, *batches: Batch) -> float:
        right = total = 0
        for images, labels in batches or (self._plain(torch.arange(len(self._valid))),):
            right += int((self.logits(mix, images).argmax(dim=1) == labels).sum())
            total += len(labels)
        return right / total

    def score(self, arch: Architecture) -> float:
        threads = torch.get_num_threads()
        self._restrict()
        try:
            return self.accuracy(path(arch.choices))
        finally:
            torch.set_num_threads(threads)

    def cost(self) -> float:
        if self._began is None:
            return 0.0
        seconds = self._now() - self._began
        self._began = None
        torch.set_num_threads(self._threads)
        return seconds

    # -- on disk --------------------------------------------------------------------------------------

    def save(self, file: Path) -> None:
        """Write the shared weights and the settings that they belong to."""
        with put_in_place(file) as written:
            torch.save({"settings": self.settings, "weights": self.network.state_dict()}, written)

    def restore(self, file: Path) -> None:
        """Read weights that `save` wrote; `InvalidSetting` if they are of a supernet with other settings."""
        if not file.is_file():
            raise MissingData(f"there are no supernet weights at {file}.")
        try:
            stored = torch.load(file, map_location=self.device, weights_only=True)
            settings, weights = stored["settings"], stored["weights"]
        except Exception as error:  # a damaged file raises nearly anything
            raise CorruptData(f"{file} does not hold the weights of a supernet ({type(error).__name__}).") from error
        if settings != self.settings:
            raise InvalidSetting(
                f"{file} holds a supernet with other settings: {settings}, this one has {self.settings}."
            )
        self.network.load_state_dict(weights)

    # -- parts ----------------------------------------------------------------------------------------

    @property
    def _sgd(self) -> torch.optim.SGD:
        if self._optimizer is None:
            raise ProtocolError("a supernet needs a schedule() before it is trained.")
        return self._optimizer

    def _plain(self, order: Tensor) -> Batch:
        """Validation images without augmentation."""
        still = torch.full((len(order),), self._valid.pad)
        plan = EpochPlan(order, still, still, torch.zeros_like(still))
        return take(self._valid, plan, slice(0, len(order)))

    def _begin(self) -> None:
        if self._began is None:
            self._threads = torch.get_num_threads()
            self._restrict()
            self._began = self._now()

    def _restrict(self) -> None:
        if self.device.type == "cpu":
            torch.set_num_threads(1)

    def _now(self) -> float:
        return device_seconds(self.device)


def cosine(epochs: int, first: float, last: float, restart: int | None = None) -> Iterator[float]:
    """Learning rate of each epoch: half a cosine from ``first`` to ``last``, begun anew after ``restart`` epochs, then
    after twice as many each time (Loshchilov & Hutter, ICLR 2017, equation 5)."""
    length, position = restart or epochs, 0
    for _ in range(epochs):
        yield last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * position / length))
        position += 1
        if position == length:
            length, position = 2 * length, 0
