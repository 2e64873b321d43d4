"""The build of a table in shards: small files of finished trainings, each carrying what it was made with.

A shard holds some classes of cells under one seed. It is written whole or not at all, so that a killed build
goes on where it was; a folder of shards can be carried to another machine and goes on there. The first
shards are the pilot's: the same classes under every seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.files import put_in_place
from nassim.full_training.tables.classes import CellClass
from nassim.full_training.tables.designs import Design

SIZE = 24  # classes in a shard


@dataclass(frozen=True)
class Shard:
    """Classes (positions in a design's ``classes``) to be trained under a seed."""

    number: int
    seed: int
    classes: tuple[int, ...]

    @property
    def file_name(self) -> str:
        return f"{self.number:05d}-{self.seed}.npz"


@dataclass(frozen=True)
class Made:
    """What a shard's numbers depend on; shards of another one are refused."""

    recipe_sha256: str  # of the design: the recipe's, where that says everything
    data_sha256: str


@dataclass(frozen=True)
class Results:
    """A shard's numbers, a row for each of its classes: counts of correct images, and seconds.

    train, valid: (classes, epochs), -1 after a training diverged; test: (classes,), -1 likewise; seconds: (classes,
    epochs), of training and validation; latency: (classes,), seconds of one image; failed: (classes,), the reasons.
    """

    train: NDArray[np.int32]
    valid: NDArray[np.int32]
    test: NDArray[np.int32]
    seconds: NDArray[np.float32]
    latency: NDArray[np.float32]
    failed: NDArray[np.str_]
    machine: str


def made(design: Design) -> Made:
    """What the trainings of a design depend on in this version; reads its images."""
    return Made(design.sha256, design.load_data().sha256)


def plan(design: Design) -> tuple[Shard, ...]:
    """All shards of a build in their order: the pilot under every seed, then all other classes seed by seed.

    The pilot's classes are drawn by the number of their cells. Classes of a shard are neighbors in ``classes``, so
    that they share operations at many edges.
    """
    rng = random.Random("pilot")
    pilot: set[int] = set()
    by_row = {row: i for i, each in enumerate(design.classes) for row in each.rows}
    while len(pilot) < min(design.pilot, len(design.classes)):
        pilot.add(by_row[rng.randrange(len(by_row))])
    groups = [(seed, group) for seed in design.seeds for group in _groups(sorted(pilot))]
    later = _groups([i for i in range(len(design.classes)) if i not in pilot])
    rng.shuffle(later)  # so that the time left is estimated well from the beginning
    groups += [(seed, group) for seed in design.seeds for group in later]
    return tuple(Shard(number, seed, group) for number, (seed, group) in enumerate(groups))


def pilot_shards(design: Design) -> tuple[Shard, ...]:
    """The shards that tell whether repeats agree: the pilot's, under the first two seeds."""
    a_seed = -(-min(design.pilot, len(design.classes)) // SIZE)
    return plan(design)[: 2 * a_seed]


def _groups(positions: list[int]) -> list[tuple[int, ...]]:
    return [tuple(positions[i : i + SIZE]) for i in range(0, len(positions), SIZE)]


def trained_classes(design: Design, shard: Shard) -> list[CellClass]:
    """The classes of a shard."""
    return [design.classes[i] for i in shard.classes]


def write(folder: Path, design: Design, shard: Shard, made: Made, results: Results) -> None:
    """Put a shard's file in place whole; `OutputFailed` if the folder is full or cannot be written."""
    path = folder / shard.file_name
    about = {
        "seed": shard.seed,
        "archs": [str(each.trained) for each in trained_classes(design, shard)],
        "recipe": made.recipe_sha256,
        "data": made.data_sha256,
        "machine": results.machine,
    }
    with put_in_place(path, "What is there stays.") as file:
        np.savez_compressed(
            file,
            about=np.array(json.dumps(about)),
            train=results.train,
            valid=results.valid,
            test=results.test,
            seconds=results.seconds,
            latency=results.latency,
            failed=results.failed,
        )


def read(folder: Path, design: Design, shard: Shard, made: Made) -> Results | None:
    """A shard's results; None if its file is not there, `CorruptData` if it is damaged or of another build."""
    path = folder / shard.file_name
    if not path.exists():
        return None
    try:
        with path.open("rb") as raw, np.load(raw) as file:
            about = json.loads(str(file["about"]))
            columns = {name: file[name] for name in ("train", "valid", "test", "seconds", "latency", "failed")}
    except Exception as error:  # a damaged archive can raise anything
        raise CorruptData(
            f"the shard {path} is damaged ({type(error).__name__}). Delete it: it is trained again."
        ) from error
    wanted = {
        "seed": shard.seed,
        "archs": [str(each.trained) for each in trained_classes(design, shard)],
        "recipe": made.recipe_sha256,
        "data": made.data_sha256,
    }
    different = [name for name, value in wanted.items() if about.get(name) != value]
    if different:
        raise CorruptData(f"the shard {path} is of another build ({', '.join(different)} differ): use another folder.")
    return Results(**columns, machine=about["machine"])


def pending(folder: Path, design: Design, made: Made) -> Iterator[Shard]:
    """The shards that are not there yet, in order; damaged or foreign ones raise `CorruptData`."""
    return (shard for shard in plan(design) if read(folder, design, shard, made) is None)
