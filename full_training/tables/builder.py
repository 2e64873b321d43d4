"""Building a table: trains every class of cells under every seed, shard by shard."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

from nassim.full_training.images.batches import generator
from nassim.full_training.networks.nasbench201 import build as build_network
from nassim.full_training.networks.nasbench201 import initialize
from nassim.full_training.tables.alone import first, train_alone
from nassim.full_training.tables.designs import Design
from nassim.full_training.tables.shards import Results, Shard, made, plan, read, trained_classes, write
from nassim.full_training.training.device import describe
from nassim.full_training.training.many import DeviceData, train_many
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.processes import processes
from nassim.space import Architecture
from nassim.spreading import spread

LATENCY_RUNS = 7  # the fastest counts


@dataclass(frozen=True)
class Progress:
    """How far a build is: shards and trainings there, and the seconds that this call will still take."""

    shards: int
    of_shards: int
    trainings: int
    of_trainings: int
    seconds_left: float


def build(
    design: Design,
    folder: Path,
    *,
    jobs: int = 1,
    limit: int | None = None,
    only: Sequence[Shard] | None = None,
    tell: Callable[[Progress], None],
) -> None:
    """Train what is missing in ``folder``, in ``jobs`` processes of one thread each; at most ``limit`` shards.

    only: these shards instead of the whole plan, as the pilot's. Each finished shard is written at once: killed, the
    build loses the shards in work, and goes on from there.
    """
    everything = plan(design) if only is None else tuple(only)
    made_with = made(design)
    todo = [shard for shard in everything if read(folder, design, shard, made_with) is None]
    there = {shard.number for shard in everything} - {shard.number for shard in todo}
    todo = todo[:limit]
    of_trainings = sum(len(shard.classes) for shard in everything)
    trainings = sum(len(shard.classes) for shard in everything if shard.number in there)
    started, done = time.monotonic(), 0
    tell(Progress(len(there), len(everything), trainings, of_trainings, math.nan))
    for shard, results in _results(design, todo, jobs):
        write(folder, design, shard, made_with, results)
        there.add(shard.number)
        done += len(shard.classes)
        left = sum(len(each.classes) for each in todo) - done
        pace = (time.monotonic() - started) / done
        tell(Progress(len(there), len(everything), trainings + done, of_trainings, pace * left))


def _results(design: Design, todo: list[Shard], jobs: int) -> Iterator[tuple[Shard, Results]]:
    train = partial(train_shard, design)
    if jobs == 1:
        yield from map(train, todo)
        return
    with processes(jobs) as pool:
        yield from spread(pool, train, todo, jobs)


def train_shard(design: Design, shard: Shard) -> tuple[Shard, Results]:
    """Train all classes of a shard on one thread: at once, or one by one, as the design says."""
    torch.set_num_threads(1)
    data, recipe = _data(design), design.recipe
    archs = [each.trained for each in trained_classes(design, shard)]
    if design.gain is None:
        trainings = train_many(archs, data, recipe, [shard.seed] * len(archs))
    else:
        trainings = [train_alone(design.space, a, data, recipe, shard.seed, gain=design.gain) for a in archs]
    return shard, pack(design, trainings, data, measure=shard.seed == design.seeds[0])


def pack(design: Design, trainings: list[Training], data: DeviceData, *, measure: bool) -> Results:
    """Trainings as the arrays of a shard; with ``measure`` each network's latency too, else NaN."""
    recipe, epochs = design.recipe, design.recipe.epochs
    train, valid = (np.full((len(trainings), epochs), -1, np.int32) for _ in range(2))
    test = np.full(len(trainings), -1, np.int32)
    seconds = np.full((len(trainings), epochs), np.nan, np.float32)
    latency = np.full(len(trainings), np.nan, np.float32)
    for i, training in enumerate(trainings):
        whole = len(training.valid_accuracy)
        train[i, :whole] = np.rint(np.array(training.train_accuracy) * recipe.images_an_epoch(len(data.train)))
        valid[i, :whole] = np.rint(np.array(training.valid_accuracy) * len(data.valid))
        if training.test_accuracy is not None:
            test[i] = round(training.test_accuracy * len(data.test))
        seconds[i, :whole] = training.seconds
        if measure:
            latency[i] = measure_latency(design, training.arch, data)
    failed = np.array([training.failed for training in trainings])
    return Results(train, valid, test, seconds, latency, failed, describe(torch.device("cpu")))


@torch.no_grad()
def measure_latency(design: Design, arch: str, data: DeviceData) -> float:
    """Seconds of one image through the network on one thread of this processor: the fastest of a few runs."""
    space, _, choices = arch.partition(":")
    cell = Architecture(space, tuple(map(int, choices.split("-"))))
    network = (
        _skeleton(cell, data, design.recipe)
        if design.gain is None
        else first(design.space, cell, data.data, design.recipe, 0, design.gain)
    )
    network.eval()
    times = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        network(data.valid.images[:1])
        times.append(time.perf_counter() - started)
    return min(times)


def _skeleton(arch: Architecture, data: DeviceData, recipe: Recipe) -> torch.nn.Module:
    network = build_network(
        arch,
        channels=recipe.channels,
        cells=recipe.cells,
        classes=data.data.classes,
        image_channels=data.data.channels,
    )
    initialize(network, generator("latency", 0))
    return network


@cache
def _data(design: Design) -> DeviceData:
    return DeviceData.of(design.load_data(), design.recipe)
