"""Data sets of the user's own images, as arrays in the data folder (``images/own/NAME.npz``, or ``own-masks``)."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.files import put_in_place
from nassim.full_training.images.data import DATA_SETS, MASK_SETS, SPLITS, ImageData, Split, images_folder

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error)


KNOWN = (*DATA_SETS, *MASK_SETS)
IMAGES, MASKS = "own", "own-masks"  # folders


def path_of(name: str, *, masks: bool = False) -> Path:
    """Where a data set of that name lies, whether it is there or not; `InvalidSetting` for an impossible name."""
    return place_of(images_folder(), name, KNOWN, MASKS if masks else IMAGES)


def place_of(folder: Path, name: str, known: Collection[str], below: str = IMAGES) -> Path:
    """Where data of the user's own lie below a folder; `InvalidSetting` for a name that cannot be, or is ``known``."""
    if not _NAME.fullmatch(name):
        raise InvalidSetting(f"{name!r:.60} is no name of a data set: use up to 40 of a-z, 0-9 and -.")
    if name in known:
        raise InvalidSetting(f"{name} is a data set that nassim knows: give your own another name.")
    return folder / below / f"{name}.npz"


def own_names() -> tuple[str, ...]:
    """The names of all data sets of the user's own in which an image has a class."""
    return names_below(images_folder(), KNOWN)


def own_mask_names() -> tuple[str, ...]:
    """The names of all data sets of the user's own in which a pixel has a class."""
    return names_below(images_folder(), KNOWN, MASKS)


def names_below(folder: Path, known: Collection[str], below: str = IMAGES) -> tuple[str, ...]:
    """The names of the user's own data below a folder, but for those that are ``known``."""
    own = folder / below
    found = sorted(path.stem for path in own.glob("*.npz")) if own.is_dir() else []
    return tuple(name for name in found if _NAME.fullmatch(name) and name not in known)


def save(data: ImageData, labels: tuple[str, ...]) -> Path:
    """Keep a data set under its name, whole or not at all; `OutputFailed` where it cannot be written."""
    path = path_of(data.name, masks=data.masks)
    about = {
        "name": data.name,
        "classes": list(labels),
        "names": dict(data.names),
        "flip": data.flip,
        "sha256": data.sha256,
    }
    arrays = {f"{split}_{part}": getattr(data.splits[split], part) for split in SPLITS for part in ("images", "labels")}
    with put_in_place(path, "What was there stays.") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)
    return path


def load(name: str) -> ImageData:
    """Read a data set; `MissingData` if there is none, `CorruptData` if it is not as it was kept."""
    masks = name in own_mask_names()
    path = path_of(name, masks=masks)
    if not path.is_file():
        raise MissingData(f"{path} is not there: `nassim data images {name} PATH` makes it.")
    try:
        with path.open("rb") as raw, np.load(raw) as file:
            about = json.loads(str(file["about"]))
            splits = {split: Split(file[f"{split}_images"], file[f"{split}_labels"]) for split in SPLITS}
        data = ImageData(name, len(about["classes"]), splits, about["names"], flip=bool(about["flip"]))
        if data.masks is not masks:
            raise ValueError("its labels are those of another kind of data set")
        sha256 = data.sha256
        if sha256 != about["sha256"]:
            raise ValueError(f"its images have the hash {sha256[:12]}, not {about['sha256']!r:.14}")
    except DAMAGED as error:
        command = f"nassim data images {name} PATH{' --masks' * masks} --replace"
        raise CorruptData(f"{path} is damaged ({error}). `{command}` makes it again.") from error
    return data
