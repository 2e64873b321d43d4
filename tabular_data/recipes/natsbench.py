"""NATS-Bench's releases, one architecture at a time: every schedule, repeat, epoch and split, and the times.

A release is a folder with one pickle (bz2) an architecture and ``meta.pickle.pbz2``, the ``.tar`` of such a folder, or
a single file: ``.pickle.pbz2``, or PyTorch's ``.pth`` of the old NAS-Bench-201. All are read by the restricted
unpickler; ``torch.load(weights_only=True)`` refuses such a file, for its numbers of numpy, and would need 20 GB.

A record has, for each schedule (trainings of 1, 12, 90 or 200 epochs) and data set, the trainings by seed. Accuracies
are counts of images, blurred by single precision where batches were averaged: the tables hold the counts. The times
of an architecture are the authors' estimates, the same for all epochs of a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, InvalidArchitecture
from nassim.space import SearchSpace

# The authors' data sets and splits, and their images. ``cifar10-valid``: trained on one half of the training set and
# evaluated on the other; ``ori-test``: CIFAR-10's test set, else the images of x-valid and x-test together.
IMAGES = {
    "cifar10-valid": {"train": 25_000, "x-valid": 25_000, "ori-test": 10_000},
    "cifar10": {"train": 50_000, "ori-test": 10_000},
    "cifar100": {"train": 50_000, "x-valid": 5_000, "x-test": 5_000, "ori-test": 10_000},
    "ImageNet16-120": {"train": 151_700, "x-valid": 3_000, "x-test": 3_000, "ori-test": 6_000},
}
CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
MISSING = {np.dtype(np.uint16): 2**16 - 1, np.dtype(np.uint32): 2**32 - 1}  # of a count
_BLUR = 0.05  # images that an accuracy may be off a whole number of them; it is 0.00001 in the records seen


@dataclass(frozen=True)
class Release:
    """What is known of a release before it is read. ``names``: its files and folders, without their suffixes."""

    recipe: str
    names: tuple[str, ...]
    space: SearchSpace
    schedules: Mapping[str, int]  # its name of a schedule -> epochs

    @property
    def full(self) -> int:
        """Epochs of a full training."""
        return max(self.schedules.values())


class Training(NamedTuple):
    """One training of one architecture on one of the authors' data sets."""

    dataset: str
    epochs: int
    seed: int
    counts: Mapping[str, NDArray[np.uint32]]  # split -> correct images after each epoch, or after the last one only
    seconds: Mapping[str, float]  # split -> of an epoch of training (train), of one pass over the images (others)
    latency: float  # seconds, for a batch of 256 images; NaN where there is none
    size: tuple[int, int]  # parameters and multiply-adds, as released


def trainings(record: Any, release: Release, where: str) -> tuple[int, int, list[Training]]:
    """The official number of a record's architecture, its `index` in the space, and its trainings by ascending seed.

    `CorruptData` naming the file and the training if the record is not one of the release that is known.
    """
    try:
        found = [release.schedules[name] for name in record]
        if sorted(found) != sorted(set(release.schedules.values())):
            raise ValueError(f"schedules {', '.join(map(str, record))}")
        numbers = {int(results["arch_index"]) for results in record.values()}
        texts = {results["arch_str"] for results in record.values()}
        (number,), (text,) = numbers, texts
        arch = release.space.parse(text)
        if release.space.format(arch) != text:
            raise InvalidArchitecture(f"{text!r:.80} is not written as in the release")
        read = [
            _training(dataset, seed, epochs, results["all_results"][dataset, seed], where)
            for epochs, results in zip(found, record.values(), strict=True)
            for dataset in IMAGES
            for seed in sorted(map(int, results["dataset_seed"][dataset]))
        ]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        detail = str(error) if type(error) is not KeyError else f"no {error}"
        raise CorruptData(
            f"{where} is not a record of {' or '.join(release.names)} ({detail:.200}): damaged, or another version. "
            "Nothing was imported."
        ) from error
    return number, release.space.index(arch), read


def _training(dataset: str, seed: int, epochs: int, state: Mapping[str, Any], where: str) -> Training:
    what = f"{dataset}, seed {seed}, {epochs} epochs"
    if state["epochs"] != epochs or int(state["seed"]) != seed:
        raise ValueError(f"{what}: it says seed {state['seed']!r:.20}, {state['epochs']!r:.20} epochs")
    train = [state["train_acc1es"][epoch] for epoch in range(epochs)]
    counts = {"train": _counts(train, IMAGES[dataset]["train"], what)}
    seconds = {"train": _constant([state["train_times"][epoch] for epoch in range(epochs)], what)}
    for split, images in IMAGES[dataset].items():
        if split == "train":
            continue
        keys = [f"{split}@{epoch}" for epoch in range(epochs)]
        there = keys if keys[0] in state["eval_acc1es"] else keys[-1:]
        counts[split] = _counts([state["eval_acc1es"][key] for key in there], images, f"{what}, {split}")
        seconds[split] = _constant([state["eval_times"][key] for key in keys], f"{what}, {split}")
    latencies = state["latency"] or [-1.0]
    latency = sum(latencies) / len(latencies)
    size = round(float(state["params"]) * 1e6), round(float(state["flop"]) * 1e6)
    return Training(dataset, epochs, seed, counts, seconds, latency if latency > 0 else float("nan"), size)


def _counts(percent: list[float], images: int, what: str) -> NDArray[np.uint32]:
    exact = np.array(percent, dtype=np.float64) / 100.0 * images
    counts = np.rint(exact)
    if not (np.abs(exact - counts) < _BLUR).all() or counts.min() < 0 or counts.max() > images:
        raise ValueError(f"{what}: accuracies that are no counts of {images:,} images")
    return counts.astype(np.uint32)


def _constant(seconds: list[float], what: str) -> float:
    if len(set(seconds)) > 1 or not seconds[0] > 0:
        raise ValueError(f"{what}: times that differ between epochs")
    return float(seconds[0])


class Columns:
    """The trainings of all architectures as arrays, which grow with the repeats and epochs that come."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.arrays: dict[str, NDArray[Any]] = {}  # (rows, repeats, epochs)

    def add(self, row: int, found: list[Training]) -> None:
        """Put the trainings of an architecture in their places; repeats by ascending seed."""
        repeats: dict[tuple[str, int], int] = {}
        for t in found:
            repeat = repeats[t.dataset, t.epochs] = repeats.get((t.dataset, t.epochs), -1) + 1
            for split, counts in t.counts.items():
                small = IMAGES[t.dataset][split] < MISSING[np.dtype(np.uint16)]
                kind = np.dtype(np.uint16 if small else np.uint32)
                self._put(f"{t.dataset}/{split}@{t.epochs}", row, repeat, counts, kind, MISSING[kind])
                seconds = np.array([t.seconds[split]])
                self._put(f"{t.dataset}/{split}_seconds@{t.epochs}", row, repeat, seconds, np.dtype(float), np.nan)
            self._put(f"{t.dataset}/latency@{t.epochs}", row, repeat, np.array([t.latency]), np.dtype(float), np.nan)
            self._put(f"{t.dataset}/seed@{t.epochs}", row, repeat, np.array([t.seed]), np.dtype(np.int32), -1)

    def _put(self, name: str, row: int, repeat: int, values: NDArray[Any], kind: np.dtype[Any], missing: float) -> None:
        array = self.arrays.get(name)
        if array is None:
            array = np.full((self.rows, 0, 0), missing, dtype=kind)
        _, repeats, epochs = array.shape
        if repeat >= repeats or len(values) > epochs:
            larger = np.full((self.rows, max(repeat + 1, repeats), max(len(values), epochs)), missing, dtype=kind)
            if array.size:
                larger[:, :repeats, -epochs:] = array
            array = self.arrays[name] = larger
        array[row, repeat, -len(values) :] = values  # one value is that after the last epoch


def fractions(counts: NDArray[Any], images: int) -> NDArray[np.float64]:
    """Counts of images as fractions; NaN where the count is missing."""
    return np.where(counts == MISSING[counts.dtype], np.nan, counts / images)
