"""From pictures in class folders to a data set: JPEG and PNG, decoded, divided into splits the same way everywhere."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidSetting
from nassim.full_training.images.data import ImageData, Split, random_bits
from nassim.full_training.images.sources import Picture
from nassim.tabular_data.archives import DAMAGED

MOST_PIXELS = 1 << 24  # of one picture, before it is made smaller
MOST_VALUES = 8 << 30  # of all pictures as they are kept: bytes of memory
WIDEST = 512  # pixels of a side that networks are trained on
SPLITS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}  # folder -> split
TENTH = 0.1  # of each class, where the source has no folder for a split
_SEED = 0x70696373
UNREADABLE: tuple[type[Exception], ...] = (
    *DAMAGED,
    SyntaxError,
    IndexError,
    KeyError,
    TypeError,
    MemoryError,
    struct.error,
)


@dataclass
class Taken:
    """Pictures as they were read: by split as the source names it ("" where it names none) and class."""

    images: dict[tuple[str, str], list[tuple[str, NDArray[np.uint8]]]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # "path (reason)"
    other: list[str] = field(default_factory=list)  # pictures that lie in no folder of a class
    count: int = 0


class Sides:
    """Refuses pictures that are no square, of another size than those before, or too many for the memory."""

    def __init__(self) -> None:
        self.path, self.size, self.values = "", (0, 0), 0

    def check(self, path: str, image: NDArray[np.uint8]) -> None:
        """`InvalidSetting` for a picture, (height, width) or (height, width, 3), that does not go with the others."""
        size = (image.shape[1], image.shape[0])
        if not self.path:
            self.path, self.size = path, size
            if size[0] != size[1] or size[0] > WIDEST:
                raise InvalidSetting(
                    f"{path} has {size[0]} x {size[1]} pixels: networks take squares of at most {WIDEST}. "
                    "--side 32 makes squares of all."
                )
        if size != self.size:
            raise InvalidSetting(
                f"images of different sizes: {self.path} has {self.size[0]} x {self.size[1]} pixels, {path} "
                f"{size[0]} x {size[1]}. --side 32 makes squares of all."
            )
        self.values += image.nbytes
        if self.values > MOST_VALUES:
            raise InvalidSetting(f"the images take more than {MOST_VALUES >> 30} GiB: --side makes them smaller.")


def take(source: Iterable[Picture], side: int | None = None) -> Taken:
    """Decode all pictures; with ``side`` each is made a square of so many pixels.

    `InvalidSetting` where sizes differ or are no square, or where the pictures do not fit into memory.
    """
    taken, sides = Taken(), Sides()
    for picture in source:
        place = _place(picture.path)
        if place is None:
            taken.other.append(str(picture.path))
            continue
        taken.count += 1
        try:
            image, _ = decoded(picture.read(), side)
        except UNREADABLE as error:
            taken.broken.append(f"{picture.path} ({str(error) or type(error).__name__:.80})")
            continue
        sides.check(str(picture.path), image)
        taken.images.setdefault(place, []).append((str(picture.path), image))
    return taken


def _place(path: PurePosixPath) -> tuple[str, str] | None:
    """Split and class of a picture: its folder is the class, and a folder above that may name the split."""
    folders = path.parts[:-1]
    if not folders or (len(folders) == 1 and folders[0].lower() in SPLITS):
        return None
    above = folders[-2].lower() if len(folders) > 1 else ""
    return SPLITS.get(above, ""), folders[-1]


def decoded(content: bytes, side: int | None) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Pixels (height, width) of a grey picture or (height, width, 3) of one in color; (width, height) in the file."""
    image = opened(content, ("JPEG", "PNG"))
    size: tuple[int, int] = image.size
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"pixels of another kind ({image.mode}) than 8 bits")
    image = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
    if side is not None and image.size != (side, side):
        from PIL import Image

        image = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8), size


def opened(content: bytes, formats: tuple[str, ...]) -> Any:
    """A picture of one of these formats, as Pillow has it; ValueError where it is none, cut off or too large."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which is not read
        try:
            with Image.open(io.BytesIO(content), formats=formats) as found:
                width, height = found.size
                if width * height > MOST_PIXELS:
                    raise ValueError(f"{width} x {height} pixels")
                found.load()
                return found.copy()
        except Image.DecompressionBombError as error:
            raise ValueError("too many pixels") from error
        except OSError as error:
            raise ValueError(f"no {' or '.join(formats)}, or cut off") from error


def divide(name: str, taken: Taken, *, flip: bool) -> ImageData:
    """The splits: those that folders are named after, and of each class a tenth for every other one.

    Which image is where depends on the names of the files alone. `InvalidSetting` for fewer than two classes or a class
    with too few images.
    """
    names = sorted({label for _, label in taken.images})
    if len(names) < 2:
        what = f"only the class {names[0]!r:.60}" if names else "no picture in a folder of its class"
        raise InvalidSetting(f"{name} has {what}: a data set has a folder for each of at least two classes.")
    colored = any(image.ndim == 3 for images in taken.images.values() for _, image in images)
    given = {split for split, _ in taken.images} - {""}
    parts: dict[str, list[tuple[int, str, NDArray[np.uint8]]]] = {"train": [], "valid": [], "test": []}
    for label, each in enumerate(names):
        free = sorted([*taken.images.get(("", each), []), *taken.images.get(("train", each), [])], key=_by_name)
        missing = [split for split in ("valid", "test") if split not in given]
        for split in ("valid", "test"):
            parts[split] += [(label, *image) for image in sorted(taken.images.get((split, each), []), key=_by_name)]
        if len(free) <= len(missing):
            has = "one image" if len(free) == 1 else f"{len(free)} images"
            raise InvalidSetting(
                f"the class {each!r:.60} of {name} has {has} to train on and to divide: it needs at least "
                f"{len(missing) + 1}."
            )
        order = np.argsort(random_bits(_SEED + label, len(free)), kind="stable").tolist()
        part = max(1, round(TENTH * len(free)))
        part = min(part, (len(free) - 1) // max(1, len(missing)))
        for split in missing:
            parts[split] += [(label, *free[i]) for i in sorted(order[:part])]
            order = order[part:]
        parts["train"] += [(label, *free[i]) for i in sorted(order)]
    splits = {split: _split(images, colored) for split, images in parts.items()}
    said = {split: split if split == "train" or split not in given else f"{split} (given)" for split in parts}
    return ImageData(name, len(names), splits, said, flip=flip)


def _by_name(image: tuple[str, NDArray[np.uint8]]) -> str:
    return image[0]


def _split(images: list[tuple[int, str, NDArray[np.uint8]]], colored: bool) -> Split:
    pixels = stacked([image for _, _, image in images], colored)
    return Split(pixels, np.array([label for label, _, _ in images], dtype=np.int64))


def stacked(images: Sequence[NDArray[np.uint8]], colored: bool) -> NDArray[np.uint8]:
    """Pictures of one size as (n, channels, side, side); grey ones among those in color get three equal channels."""
    side = images[0].shape[0]
    pixels = np.empty((len(images), 3 if colored else 1, side, side), dtype=np.uint8)
    for i, image in enumerate(images):
        pixels[i] = image.transpose(2, 0, 1) if image.ndim == 3 else image
    return pixels
