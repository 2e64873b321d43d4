"""A supernet with its images, as weight-sharing strategies use it: `nassim.supernet.Supernet`, of any space.

Two splits are searched on: one trains the weights, the other the architecture. Where a release says which (the CIFAR
sets and ImageNet16 as NAS-Bench-201 has them) they are the training and the validation images; elsewhere the training
images are divided in two halves, and the benchmark's own validation and test images are not used.

On the CPU a supernet works with one thread, so that results do not depend on the number of cores, and its cost is
processor time; on an accelerator it is elapsed time.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import ProtocolError
from nassim.full_training.images.batches import DeviceSplit, EpochPlan, generator, plan_epoch, take
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.construct import DropPath, Noise, initialize
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.supernets.memory import Room
from nassim.full_training.supernets.mixed import MixedNetwork
from nassim.full_training.supernets.replicas import devices_of, replicated
from nassim.full_training.supernets.searched import HALVES, searched
from nassim.full_training.supernets.shared import SharedWeights
from nassim.full_training.supernets.sizes import option_sizes, option_sums, whole_paths
from nassim.full_training.tables.designs import frame_of
from nassim.full_training.training.device import one_thread
from nassim.full_training.training.recipe import Recipe
from nassim.network import measure
from nassim.space import SearchSpace
from nassim.tabular_data.latencies import latency_table

Batch = tuple[Tensor, Tensor]
SCORED = 256  # images at once where a mix is scored on all validation images: it has the moments of so many


class SharedNetwork(SharedWeights):
    """The supernet of a space on a data set: `nassim.supernet.Supernet`.

    recipe: gives channels, cells, precision and augmentation; its schedule is for whole trainings and not used.
    seed: of the initial weights, of the order of the images and of their augmentation.
    settings: what decides how it trains beside the strategy's hyperparameters (`sources.supernet_settings`).
    """

    network: MixedNetwork

    def __init__(
        self,
        space: SearchSpace,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        device: str | torch.device = "cpu",
        *,
        settings: dict[str, object],
    ) -> None:
        super().__init__(space, seed, device, {**settings, "images_sha256": data.sha256})
        self.recipe = recipe
        self._frame = frame_of(data, recipe)
        self.shape()
        how = str(settings.get("searched", HALVES))
        self._divided = partial(searched, data, recipe, self.device, how)
        self._train, self._valid = self._divided()
        self._room = Room(self.device)

    def shape(self, *, partial: int | None = None, replicas: int = 1, keys: str | None = None) -> None:
        if keys is not None:
            raise ProtocolError(f"a supernet for images has no matrices that keys={keys} could share.")
        self.plan = self.space.supernet(self._frame, **({} if partial is None else {"partial": partial}))
        self.network = MixedNetwork(self.plan)
        initialize(self.network, generator("supernet weights", self.seed), self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on both devices
        self._noises = [module for module in self.network.modules() if isinstance(module, Noise)]
        self._make_noise(0)
        self._devices = devices_of(self.device, replicas)

    def divide(self, portion: float) -> None:
        self._train, self._valid = self._divided(portion)

    def renew(self, run: int) -> None:
        initialize(self.network, generator(f"supernet weights {run}", self.seed), self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._sgd.param_groups[0]["params"] = self.weights
        self._sgd.state.clear()

    @property
    def option_sizes(self) -> list[list[int]]:
        return option_sizes(self.plan, self.layout.widths)

    @property
    def option_macs(self) -> tuple[list[list[int]], int]:
        values = measure(self.plan).layer_macs
        rows = option_sums(self.plan, self.layout.widths, values)
        return rows, sum(values) - sum(map(sum, rows))

    def latencies(self, table: str) -> tuple[list[list[float]], float]:
        values = latency_table(table).of_layers(self.plan)
        rows = option_sums(self.plan, self.layout.widths, values)
        return rows, max(0.0, math.fsum(values) - math.fsum(map(math.fsum, rows)))

    # -- training -------------------------------------------------------------------------------------

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Batch, Batch]]:
        valid = plan_epoch(self._valid, self.recipe, 2 * self.seed + 1, epoch)
        size = min(size, len(valid))
        for i, train in enumerate(self.training_batches(epoch, size)):
            first = i * size % (len(valid) - size + 1)  # where there are fewer of them they are used again
            yield train, take(self._valid, valid, slice(first, first + size))

    def training_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        self._turn_to(epoch)
        self._make_noise(epoch)
        yield from self._augmented(self._train, 2 * self.seed, epoch, size)

    def validation_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        yield from self._augmented(self._valid, 2 * self.seed + 1, epoch, size)

    def scoring_batches(self, epoch: int, size: int) -> Iterator[Batch]:
        size = min(size, len(self._valid))
        rounds = 0
        while True:
            order = torch.randperm(len(self._valid), generator=generator(f"scoring {epoch}", self.seed, rounds))
            order = order.to(self.device)
            for i in range(0, len(self._valid) - size + 1, size):
                yield self._plain(order[i : i + size])
            rounds += 1

    def drop_paths(self, probability: float, epoch: int) -> None:
        draws = generator(f"drop path {epoch}", self.seed)
        for module in self._drops():
            module.probability, module.generator = probability, draws

    def loss(self, mix: Mix, batch: Batch) -> Tensor:
        return F.cross_entropy(self.logits(mix, batch[0], self._devices), batch[1])

    def logits(self, mix: Mix, images: Tensor, devices: Sequence[torch.device] = ()) -> Tensor:
        """Logits (batch, classes) of normalized images, in as many parts as there are devices."""
        self._room.check(self.network, mix, len(images))
        with self._precision():
            several = len(devices) > 1
            logits: Tensor = replicated(self.network, mix, images, devices) if several else self.network(images, mix)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    @torch.no_grad()
    def score(self, mix: Mix, *batches: Batch) -> float:
        with one_thread(self.device.type == "cpu" and self._began is None), whole_paths(self._drops()):
            right, total = torch.zeros((), dtype=torch.long, device=self.device), 0
            for images, labels in batches or self._whole():
                right += (self.logits(mix, images).argmax(dim=1) == labels).sum()
                total += len(labels)
            return int(right) / total

    # -- parts ----------------------------------------------------------------------------------------

    def _drops(self) -> list[DropPath]:
        return [module for module in self.network.modules() if isinstance(module, DropPath)]

    def _whole(self) -> Iterator[Batch]:
        """All validation images, in parts of equal size but for one image."""
        n = len(self._valid)
        parts, places = max(1, round(n / SCORED)), torch.arange(n, device=self.device)
        return (self._plain(places[n * i // parts : n * (i + 1) // parts]) for i in range(parts))

    def _plain(self, order: Tensor) -> Batch:
        """Validation images without augmentation."""
        still = torch.full_like(order, self._valid.pad)
        plan = EpochPlan(order, still, still, torch.zeros_like(still))
        return take(self._valid, plan, slice(0, len(order)))

    def _augmented(self, split: DeviceSplit, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        plan = plan_epoch(split, self.recipe, seed, epoch)
        size = min(size, len(plan))
        for i in range(0, len(plan) - size + 1, size):
            yield take(split, plan, slice(i, i + size))

    def _make_noise(self, epoch: int) -> None:
        """Noise in the network follows from seed and epoch, so that a search that resumes has the same."""
        drawn = generator("supernet noise", self.seed, epoch, self.device)
        for module in self._noises:
            module.generator = drawn

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        if self.device.type == "cuda" and self.recipe.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return contextlib.nullcontext()
