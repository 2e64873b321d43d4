"""Images for training: what a data set is, and the data sets by name."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import UnknownName
from nassim.tabular_data.locations import data_folder

DATA_SETS = ("digits", "fashion", "fashion14", "mnist", "cifar10", "cifar100", "imagenet16-120")
MASK_SETS = ("canvas",)  # with the class of every pixel in place of an image's
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Split:
    """Images, uint8 of shape (n, channels, side, side), and their labels.

    labels: the class of each image, int64 of shape (n,), or masks: of each pixel, uint8 of shape (n, side, side), where
        `nassim.segmentation.UNLABELED` is no class.
    """

    images: NDArray[np.uint8]
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageData:
    """A data set in three splits without common images.

    splits: ``train``, ``valid`` (a search sees it) and ``test`` (only reports see it).
    names: what NAS-Bench-201 calls each of the three.
    flip: whether a mirrored image keeps its label.
    """

    name: str
    classes: int
    splits: Mapping[str, Split]
    names: Mapping[str, str]
    flip: bool

    @property
    def channels(self) -> int:
        """1 for grey images, 3 for color."""
        return int(self.splits["train"].images.shape[1])

    @property
    def side(self) -> int:
        """Width and height in pixels."""
        return int(self.splits["train"].images.shape[2])

    @property
    def masks(self) -> bool:
        """Whether labels are those of pixels."""
        return self.splits["train"].labels.ndim > 1

    @cached_property
    def mean(self) -> tuple[float, ...]:
        """Mean of the training images per channel, in units of 0 to 1."""
        return tuple(float(value) for value in self._moments()[0])

    @cached_property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of the training images per channel, in units of 0 to 1."""
        return tuple(float(value) for value in self._moments()[1])

    @cached_property
    def sha256(self) -> str:
        """Of all images and labels: two data sets with the same one are the same."""
        sha256 = hashlib.sha256()
        for name in SPLITS:
            split = self.splits[name]
            sha256.update(f"{name} {split.images.shape}\n".encode())
            sha256.update(np.ascontiguousarray(split.images).data)
            sha256.update(np.ascontiguousarray(split.labels, dtype="u1" if self.masks else "<i8").data)
        return sha256.hexdigest()

    def _moments(self) -> tuple[NDArray[Any], NDArray[Any]]:
        # Sums of integers are exact, so that the two moments are the same on every machine.
        images = self.splits["train"].images
        levels = np.stack([np.bincount(images[:, c].ravel(), minlength=256) for c in range(self.channels)])
        count = levels.sum(axis=1)
        value = np.arange(256)
        total, squares = (levels * value).sum(axis=1), (levels * value**2).sum(axis=1)
        return total / count / 255, np.sqrt((squares * count - total**2) / count**2) / 255


def images_folder() -> Path:
    """Where image files are looked for if no folder is given: ``images`` in the data folder."""
    return data_folder() / "images"


def halves(split: Split, *, seed: int) -> tuple[Split, Split]:
    """Two halves of a split, drawn by a seed: the same on every machine."""
    order = np.argsort(random_bits(seed, len(split)), kind="stable")
    middle = len(split) // 2
    first, second = np.sort(order[:middle]), np.sort(order[middle:])
    return Split(split.images[first], split.labels[first]), Split(split.images[second], split.labels[second])


def random_bits(seed: int, n: int) -> NDArray[np.uint64]:
    """``n`` random words of 64 bits: the hash of a counter (splitmix64, Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        counter = np.arange(1, n + 1, dtype=np.uint64) + np.uint64(seed) * np.uint64(1 << 20)
        z = counter * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
        return words


def load_data(name: str, folder: Path | None = None) -> ImageData:
    """A data set by name, shipped or of the user's own; ``folder``: where released image files lie (digits need none).

    `UnknownName` for another name, `MissingData` or `CorruptData` where image files are not as released.
    """
    name = name.strip().replace("_", "-")  # as a user may type it
    if name == "digits":
        from nassim.full_training.images import digits

        return digits.load()
    if name == "fashion14":
        from nassim.full_training.images import fashion14

        return fashion14.load(folder)
    if name == "canvas":
        from nassim.full_training.images import canvas

        return canvas.load(folder)
    if name in ("fashion", "mnist"):
        from nassim.full_training.images import idx

        return idx.load(name, folder)
    if name in ("cifar10", "cifar100"):
        from nassim.full_training.images import cifar

        return cifar.load(name, folder)
    if name == "imagenet16-120":
        from nassim.full_training.images import imagenet16

        return imagenet16.load(folder)
    from nassim.full_training.images import own

    if name in (others := (*own.own_names(), *own.own_mask_names())):
        return own.load(name)
    known = (*DATA_SETS, *MASK_SETS, *others)
    near = " or ".join(difflib.get_close_matches(name, known, n=3))
    meant = f"Did you mean {near}? " if near else ""
    raise UnknownName(
        f"{name!r:.60} is not a data set to train on. {meant}"
        f"Known: {', '.join(known)}; `nassim data images NAME PATH` makes one of your own."
    )
