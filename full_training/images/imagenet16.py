"""ImageNet16-120: the first 120 classes of ImageNet at 16 x 16 pixels (Chrabaszcz et al., arXiv:1707.08819).

Read from the batch files of the 16 x 16 release (pickles of plain arrays, read by a restricted reader). Splits as in
NAS-Bench-201 (Dong & Yang, ICLR 2020, section 2.2): 151,700 training images; the 6,000 validation images are
halved into ``x-valid`` and ``x-test``, here by a fixed seed (the authors' lists are not in the release).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nassim.errors import CorruptData, MissingData
from nassim.full_training.images.data import ImageData, Split, halves, images_folder
from nassim.tabular_data import safe_pickle

CLASSES, SIDE = 120, 16
TRAIN_FILES = tuple(f"train_data_batch_{i}" for i in range(1, 11))
VALID_FILE = "val_data"
IMAGES = {"train": 151_700, "valid": 6_000}
FOLDER = "ImageNet16"


def load(folder: Path | None = None) -> ImageData:
    """Read the release; `MissingData` if a batch file is not there, `CorruptData` if one is not as released."""
    folder = folder if folder is not None else images_folder()
    place = next((p for p in (folder, folder / FOLDER) if (p / VALID_FILE).is_file()), folder)
    parts = [_read(place / file) for file in TRAIN_FILES]
    train = Split(np.concatenate([s.images for s in parts]), np.concatenate([s.labels for s in parts]))
    held_out = _read(place / VALID_FILE)
    for split, name in ((train, "train"), (held_out, "valid")):
        if len(split) != IMAGES[name]:
            raise CorruptData(
                f"{place} has {len(split):,} {name} images of the first {CLASSES} classes instead of {IMAGES[name]:,}."
            )
    valid, test = halves(held_out, seed=16)
    splits = {"train": train, "valid": valid, "test": test}
    names = {"train": "train", "valid": "x-valid", "test": "x-test"}
    return ImageData("imagenet16-120", CLASSES, splits, names, flip=True)


def _read(path: Path) -> Split:
    """The images of the first 120 classes in a batch file, whose labels count from 1."""
    if not path.is_file():
        raise MissingData(
            f"imagenet16-120: {path} is not there. Fetch the 16 x 16 batch files from https://image-net.org "
            "(free registration) and put them there."
        )
    batch = safe_pickle.load(path)
    try:
        images = np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, SIDE, SIDE)
        labels = np.asarray(batch["labels"], dtype=np.int64)
        if len(images) != len(labels) or labels.min() < 1:
            raise ValueError("labels")
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptData(
            f"{path} does not hold images of 16 x 16 pixels with labels from 1. Fetch it again."
        ) from error
    wanted = labels <= CLASSES
    return Split(images[wanted], labels[wanted] - 1)
