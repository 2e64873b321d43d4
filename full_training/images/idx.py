"""Fashion-MNIST and MNIST: 60,000 and 10,000 grey images of 28 x 28 pixels in ten classes, as files in the IDX format.

``fashion``: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747, MIT licence. ``mnist``: Y. LeCun,
C. Cortes, C. Burges, the MNIST database. Files are looked for in a folder, as released (gzip) or unpacked, and known
by the sha256 of what they hold: so Debian's package `dataset-fashion-mnist`, which compresses the same bytes with
another header, serves as well. What is nowhere is fetched.

Of the 60,000 images 50,000 train and 10,000, drawn by a fixed seed, are ``x-valid``; the test set is ``ori-test``.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData
from nassim.full_training.images.data import ImageData, Split, images_folder, random_bits
from nassim.full_training.images.fetched import retrieve
from nassim.tabular_data.download import RemoteFile, fetch

SIDE, CLASSES = 28, 10
COUNTS = {"train": 60_000, "t10k": 10_000}
HELD_OUT = 10_000  # of the training images, for validation
NAMES = {"train": "train", "valid": "x-valid", "test": "ori-test"}


@dataclass(frozen=True)
class IdxFile:
    """A released file: ``name``.gz of ``size`` bytes; ``content`` is the sha256 of what it unpacks to."""

    name: str
    content: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """Where four files are found and fetched from: a repository at a commit (owner/name/commit/folder), or a URL."""

    source: str
    files: tuple[IdxFile, ...]
    folders: tuple[str, ...]  # where a package of the system puts them
    flip: bool  # whether a mirrored image keeps its label
    seed: int  # draws the images for validation


RELEASES = {
    "fashion": Release(
        source="zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
        files=(
            IdxFile(
                "train-images-idx3-ubyte",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                26421880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            IdxFile(
                "train-labels-idx1-ubyte",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                29515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            IdxFile(
                "t10k-images-idx3-ubyte",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                4422102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            IdxFile(
                "t10k-labels-idx1-ubyte",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                5148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        folders=("/usr/share/datasets/fashion-mnist",),
        flip=True,
        seed=28,
    ),
    "mnist": Release(
        source="https://ossci-datasets.s3.amazonaws.com/mnist",
        files=(
            IdxFile(
                "train-images-idx3-ubyte",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                9912422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            IdxFile(
                "train-labels-idx1-ubyte",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                28881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            IdxFile(
                "t10k-images-idx3-ubyte",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                1648877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            IdxFile(
                "t10k-labels-idx1-ubyte",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                4542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        folders=(),
        flip=False,
        seed=29,
    ),
}


def load(name: str, folder: Path | None = None) -> ImageData:
    """Read ``fashion`` or ``mnist``; without a folder from the system's package, the data folder or the network.

    `MissingData` if the files are nowhere and cannot be fetched, `CorruptData` for others than were released.
    """
    release = RELEASES[name]
    places = _places(name, release, folder)
    found: dict[str, Split] = {}
    for part, (images, labels) in (("train", release.files[:2]), ("test", release.files[2:])):
        count = COUNTS["train" if part == "train" else "t10k"]
        pixels = _content(places[images.name], images, 16 + count * SIDE * SIDE)[16:]
        numbers = _content(places[labels.name], labels, 8 + count)[8:]
        found[part] = Split(pixels.reshape(count, 1, SIDE, SIDE), numbers.astype(np.int64))
    order = np.argsort(random_bits(release.seed, COUNTS["train"]), kind="stable")
    valid, train = np.sort(order[:HELD_OUT]), np.sort(order[HELD_OUT:])
    whole = found["train"]
    splits = {
        "train": Split(whole.images[train], whole.labels[train]),
        "valid": Split(whole.images[valid], whole.labels[valid]),
        "test": found["test"],
    }
    return ImageData(name, CLASSES, splits, NAMES, flip=release.flip)


def _places(name: str, release: Release, folder: Path | None) -> dict[str, Path]:
    """Where each file lies; it is fetched if no folder was named and none has them all."""
    folders = [folder] if folder is not None else [Path(each) for each in release.folders]
    folders += [] if folder is not None else [images_folder() / name]
    for place in folders:
        found = {file.name: path for file in release.files if (path := _file(place, file)) is not None}
        if len(found) == len(release.files):
            return found
    if folder is not None:
        raise MissingData(
            f"{name} is not in {folder}: it needs {', '.join(f'{file.name}.gz' for file in release.files)}, or the "
            "same without .gz."
        )
    if "://" in release.source:
        target = images_folder() / name
        return {
            file.name: retrieve(f"{release.source}/{file.name}.gz", f"sha256:{file.sha256}", target)
            for file in release.files
        }
    owner, repository, commit, below = release.source.split("/", 3)
    remote = [
        RemoteFile(f"{owner}/{repository}", commit, f"{below}/{file.name}.gz", file.size, file.sha256)
        for file in release.files
    ]
    paths = fetch(name, remote)
    return {file.name: paths[each.path] for file, each in zip(release.files, remote, strict=True)}


def _file(folder: Path, file: IdxFile) -> Path | None:
    return next((path for path in (folder / f"{file.name}.gz", folder / file.name) if path.is_file()), None)


def _content(path: Path, file: IdxFile, size: int) -> NDArray[np.uint8]:
    """The bytes of a file, unpacked; no more of it is read than it should have."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            content = opened.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptData(f"{path} cannot be read ({error}): fetch it again.") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.content:
        raise CorruptData(
            f"{path} does not hold the released {file.name}: sha256 {sha256[:12]} instead of {file.content[:12]}. "
            "Fetch it again."
        )
    return np.frombuffer(content, dtype=np.uint8)
