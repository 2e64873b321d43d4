"""CIFAR-10 and CIFAR-100 from their binary releases (A. Krizhevsky, 2009).

Splits are named and sized as in NAS-Bench-201 (Dong & Yang, ICLR 2020, section 2.2): of CIFAR-10's training images one
half trains and the other is ``x-valid``, the test set is ``ori-test``; of CIFAR-100 all training images train, and
the test set is halved into ``x-valid`` and ``x-test``. The authors' lists of which image is where come with their
code and are not in the releases: the halves here are drawn by a fixed seed, so that single accuracies differ from
theirs as repeats do.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData
from nassim.files import put_in_place
from nassim.full_training.images.data import ImageData, Split, halves, images_folder
from nassim.full_training.images.fetched import retrieve

SIDE, PIXELS = 32, 3 * 32 * 32


@dataclass(frozen=True)
class Release:
    """A binary release: an archive with a folder of files of equal records (label bytes, then 3 x 32 x 32 pixels)."""

    archive: str
    md5: str
    folder: str
    train: tuple[str, ...]
    test: str
    images: int  # in each file of the training set
    test_images: int
    label_bytes: int  # the last one is the label
    classes: int

    @property
    def url(self) -> str:
        """Where the archive is published."""
        return f"https://www.cs.toronto.edu/~kriz/{self.archive}"


RELEASES = {
    "cifar10": Release(
        archive="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        test="test_batch.bin",
        images=10_000,
        test_images=10_000,
        label_bytes=1,
        classes=10,
    ),
    "cifar100": Release(
        archive="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test="test.bin",
        images=50_000,
        test_images=10_000,
        label_bytes=2,
        classes=100,
    ),
}


def load(name: str, folder: Path | None = None) -> ImageData:
    """Read ``cifar10`` or ``cifar100``; ``folder`` holds the archive, its folder, or its files.

    `MissingData` if nothing is there, `CorruptData` for a file of another size or with labels out of range.
    """
    release = RELEASES[name]
    place = _unpacked(name, release, folder if folder is not None else images_folder())
    parts = [_read(place / file, release, release.images) for file in release.train]
    images, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    test = Split(*_read(place / release.test, release, release.test_images))
    train = Split(images, labels)
    if name == "cifar10":
        train, valid = halves(train, seed=10)
        names = {"train": "train", "valid": "x-valid", "test": "ori-test"}
    else:
        valid, test = halves(test, seed=100)
        names = {"train": "train", "valid": "x-valid", "test": "x-test"}
    splits = {"train": train, "valid": valid, "test": test}
    return ImageData(name, release.classes, splits, names, flip=True)


def download(name: str) -> Path:
    """Fetch an archive into the data folder (about 165 MB), checked by its md5; its path."""
    release = RELEASES[name]
    return retrieve(release.url, f"md5:{release.md5}", images_folder())


def _unpacked(name: str, release: Release, folder: Path) -> Path:
    """The folder with the release's files; an archive is unpacked beside itself once."""
    for place in (folder, folder / release.folder):
        if (place / release.test).is_file():
            return place
    archive = folder if folder.name == release.archive else folder / release.archive
    if not archive.is_file():
        raise MissingData(
            f"{name} is not in {folder}: neither {release.archive} nor {release.folder}/{release.test} is there. "
            f"Fetch {release.url} and put it there; `nassim train --data {name} --download` fetches it into "
            "nassim's data folder."
        )
    import hashlib

    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    if md5 != release.md5:
        raise CorruptData(f"{archive} has the md5 {md5}, not {release.md5}: fetch it again from {release.url}.")
    try:
        with tarfile.open(archive) as tar:
            for file in (*release.train, release.test):
                member = tar.extractfile(f"{release.folder}/{file}")
                if member is None:
                    raise KeyError(file)
                content = member.read()
                with put_in_place(archive.parent / release.folder / file) as target:
                    target.write(content)
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise CorruptData(f"{archive} cannot be unpacked ({error}): fetch it again from {release.url}.") from error
    return archive.parent / release.folder


def _read(path: Path, release: Release, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (count, 3, 32, 32) and labels (count,) of a file of records."""
    record = release.label_bytes + PIXELS
    try:
        content = np.fromfile(path, np.uint8)
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there. Unpack {release.archive} from {release.url} again.") from error
    except OSError as error:
        raise CorruptData(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) != count * record:
        raise CorruptData(
            f"{path} has {len(content):,} bytes instead of {count * record:,}. "
            f"Unpack {release.archive} from {release.url} again."
        )
    records = content.reshape(count, record)
    labels = records[:, release.label_bytes - 1].astype(np.int64)
    if labels.max() >= release.classes:
        raise CorruptData(f"{path} has the label {labels.max()}, of {release.classes} classes. Unpack it again.")
    return records[:, release.label_bytes :].reshape(count, 3, SIDE, SIDE), labels
