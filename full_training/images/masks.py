"""From pictures and masks to a data set for segmentation: a mask says the class of every pixel of a picture.

Pictures lie below a folder ``images``, masks below ``masks``, under the same names but for their endings; a folder
``train``, ``valid`` or ``test`` above or below those two names the split. Masks are PNG files whose grey levels or
palette entries are the classes 0, 1, ...; 255 is a pixel that is neither learned nor judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidSetting
from nassim.full_training.images.data import ImageData, Split, random_bits
from nassim.full_training.images.pictures import SPLITS, TENTH, UNREADABLE, Sides, decoded, opened, stacked
from nassim.full_training.images.sources import Picture
from nassim.segmentation import UNLABELED

MOST_CLASSES = UNLABELED  # 0 to 254
_SEED = 0x6D61736B
Pixels = NDArray[np.uint8]


@dataclass
class Pairs:
    """What was read, by name without ``images``, ``masks`` and ending: (path, pixels) of pictures, labels of masks."""

    images: dict[str, tuple[str, Pixels]] = field(default_factory=dict)
    masks: dict[str, tuple[str, Pixels]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # "path (reason)"
    other: list[str] = field(default_factory=list)  # pictures that lie below neither of the two folders
    count: int = 0

    @property
    def labels(self) -> int:
        """The number of classes that masks have: one more than the largest label."""
        return 1 + max(int(mask[mask != UNLABELED].max()) for _, mask in self.masks.values())


def take(source: Iterable[Picture], classes: int | None = None, side: int | None = None) -> Pairs:
    """Decode all pictures and masks; with ``side`` each is made a square of so many pixels.

    classes: how many there are (None: as many as the masks have). `InvalidSetting` where sizes differ or are no
    square, for a mask with another label, or of another size than its picture, and for one of a pair without the other.
    """
    pairs, sides, sizes = Pairs(), Sides(), dict[str, tuple[int, int]]()
    for picture in source:
        kind, name = _place(picture.path)
        if not kind:
            pairs.other.append(str(picture.path))
            continue
        pairs.count += 1
        into = pairs.images if kind == "images" else pairs.masks
        if name in into:
            raise InvalidSetting(f"{into[name][0]} and {picture.path} have the same name: which is meant is not clear.")
        try:
            content = picture.read()
            pixels, size = decoded(content, side) if kind == "images" else _labels(content, picture.path, side)
        except UNREADABLE as error:
            pairs.broken.append(f"{picture.path} ({str(error) or type(error).__name__:.80})")
            continue
        if sizes.setdefault(name, size) != size:
            other, (width, height) = (pairs.masks if kind == "images" else pairs.images)[name][0], sizes[name]
            raise InvalidSetting(
                f"{picture.path} has {size[0]} x {size[1]} pixels, {other} {width} x {height}: a mask is as large as "
                "its picture."
            )
        sides.check(str(picture.path), pixels)
        into[name] = (str(picture.path), pixels)
    _paired(pairs)
    for path, mask in pairs.masks.values():
        known = mask[mask != UNLABELED]
        if not known.size:
            raise InvalidSetting(
                f"{path} labels no pixel: {UNLABELED} is what is neither learned nor judged, classes are 0, 1, ..."
            )
        if classes is not None and known.max() >= classes:
            raise InvalidSetting(
                f"{path} has the label {known.max()}: of {classes} classes labels are 0 to {classes - 1}, and "
                f"{UNLABELED} for none."
            )
    return pairs


def divide(name: str, pairs: Pairs, classes: int | None, *, flip: bool) -> ImageData:
    """The splits: those that folders are named after, and a tenth of the other pictures for each that none names.

    Which picture is where depends on the names of the files alone. `InvalidSetting` for fewer than two classes or too
    few pictures.
    """
    count = classes or (pairs.labels if pairs.masks else 0)
    if count < 2:
        what = "only the class 0" if count else "no picture below a folder `images` with its mask below `masks`"
        raise InvalidSetting(
            f"{name} has {what}: masks have at least two of the classes 0, 1, ..., and {UNLABELED} is none of them."
        )
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for key in sorted(pairs.images):
        parts[_split(key) or "train"].append(key)
    missing = [split for split in ("valid", "test") if not parts[split]]
    if len(free := parts["train"]) <= len(missing):
        raise InvalidSetting(
            f"{name} has {len(free)} picture(s) to train on and to divide: it needs at least {len(missing) + 1}."
        )
    order = np.argsort(random_bits(_SEED, len(free)), kind="stable").tolist()
    part = min(max(1, round(TENTH * len(free))), (len(free) - 1) // max(1, len(missing)))
    for split in missing:
        parts[split], order = [free[i] for i in sorted(order[:part])], order[part:]
    parts["train"] = [free[i] for i in sorted(order)]
    colored = any(image.ndim == 3 for _, image in pairs.images.values())
    splits = {
        split: Split(
            stacked([pairs.images[key][1] for key in keys], colored), np.stack([pairs.masks[key][1] for key in keys])
        )
        for split, keys in parts.items()
    }
    said = {split: split if split == "train" or split in missing else f"{split} (given)" for split in parts}
    return ImageData(name, count, splits, said, flip=flip)


def _place(path: PurePosixPath) -> tuple[str, str]:
    """``images`` or ``masks`` (empty: neither), and the path without that folder and without its ending."""
    folders = [part.lower() for part in path.parts[:-1]]
    kind = next((each for each in ("images", "masks") if each in folders), "")
    if not kind:
        return "", ""
    at = folders.index(kind)
    return kind, "/".join([*path.parts[:at], *path.parts[at + 1 : -1], path.stem])


def _split(key: str) -> str:
    return next((SPLITS[part.lower()] for part in key.split("/")[:-1] if part.lower() in SPLITS), "")


def _labels(content: bytes, path: PurePosixPath, side: int | None) -> tuple[Pixels, tuple[int, int]]:
    """The labels (height, width) of a mask, and its size before it was resized: (width, height)."""
    if path.suffix.lower() != ".png":
        raise InvalidSetting(f"{path} is a JPEG, which changes the labels of pixels: masks are PNG files.")
    image: Any = opened(content, ("PNG",))
    if image.mode not in ("L", "P", "1"):
        raise InvalidSetting(
            f"{path} has pixels of the kind {image.mode}, as of a photograph: a mask has one number from 0 to 255 a "
            "pixel, its class."
        )
    size, labels = image.size, np.asarray(image).astype(np.uint8)
    if side is not None and size != (side, side):  # the pixel in the middle of what becomes one
        rows, columns = ((2 * np.arange(side) + 1) * whole // (2 * side) for whole in labels.shape)
        labels = labels[rows[:, None], columns]
    return labels, size


def _paired(pairs: Pairs) -> None:
    """`InvalidSetting` for one of a pair without the other; where one of them is broken both are left out."""
    lost = {_place(PurePosixPath(line.rpartition(" (")[0]))[1] for line in pairs.broken}
    for whole, other, kind in ((pairs.images, pairs.masks, "masks"), (pairs.masks, pairs.images, "images")):
        for name in [name for name in whole if name not in other]:
            path, _ = whole.pop(name)
            if name not in lost:
                raise InvalidSetting(f"{path} has no file of its name below a folder `{kind}`.")
