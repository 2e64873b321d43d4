"""The data set ``canvas``: garments and digits composed on canvases, with the class of every pixel.

No photographs: a composed task, small enough that a laptop trains segmentation networks on it in seconds. Each canvas
of 32 x 32 grey pixels has a sloping background, two garments of Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, 2017,
arXiv:1708.07747) at half their size, two of the data set ``digits`` in front of them, and noise. Pixels of an object
that are darker than `VISIBLE` are those of what lies behind it. Seven classes (`CLASSES`): the background, digits,
and the ten kinds of garments in five groups. What is composed for a split comes from that split of both data sets,
so that no two splits share a garment or a handwritten digit; within a split canvases share them. All arithmetic is in
whole numbers: the images are the same, bit for bit, everywhere (`SHA256`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.full_training.images import digits, idx
from nassim.full_training.images.data import ImageData, Split, random_bits

SIDE = 32
COUNTS = {"train": 4_000, "valid": 1_000, "test": 1_000}
NAMES = {"train": "train", "valid": "valid", "test": "test"}
CLASSES = ("background", "digit", "top", "trousers", "dress", "shoe", "bag")
DIGIT = 1
GARMENT = np.array([2, 3, 2, 4, 2, 5, 2, 5, 6, 5], dtype=np.uint8)  # class of each of Fashion-MNIST's ten
OF_EACH = 2  # garments, and digits
VISIBLE = (24, 64)  # of 255: the darkest pixel that belongs to a garment, and to a digit (which has noise of its own)
BRIGHTEST, SLOPE = 64, 48  # of the background: its middle is below the first, its border so much brighter or darker
FAINTEST = 160  # objects are multiplied by so much to 255, over 256
NOISE = 8  # standard deviation, about, in grey levels of 256
SHA256 = "ed45d796a79af7e8ac02f65a06f78b6fea3a02c55b322cd3b3fcc63e4d162d5c"
_SEED = 0x63616E76


@cache
def load(folder: Path | None = None) -> ImageData:
    """The three splits; `MissingData` or `CorruptData` where Fashion-MNIST (in ``folder``) is not as released."""
    fashion, written = idx.load("fashion", folder), digits.load()
    splits = {
        name: composed(fashion.splits[name], written.splits[name], count, stream)
        for stream, (name, count) in enumerate(COUNTS.items(), start=1)
    }
    data = ImageData("canvas", len(CLASSES), splits, NAMES, flip=False)
    if data.sha256 != SHA256:
        raise CorruptData(f"the images of canvas have the hash {data.sha256[:12]}, not {SHA256[:12]}.")
    return data


def composed(garments: Split, written: Split, count: int, stream: int) -> Split:
    """So many canvases (count, 1, 32, 32) with their masks (count, 32, 32); another stream of random numbers each."""
    canvas, masks = _background(count, stream), np.zeros((count, SIDE, SIDE), dtype=np.uint8)
    quarter = garments.images[:, 0].reshape(-1, 14, 2, 14, 2)  # blocks of 2 x 2, whose mean is a pixel here
    figures = unfold(written.images)
    for number in range(2 * OF_EACH):
        bits = _bits(2 + number, stream, count * 4).reshape(count, 4)
        if number < OF_EACH:
            chosen = _below(bits[:, 0], len(garments))
            objects, labels = quarter[chosen].sum(axis=(2, 4), dtype=np.int64) // 4, GARMENT[garments.labels[chosen]]
        else:
            chosen = _below(bits[:, 0], len(written))
            objects, labels = figures[chosen].astype(np.int64), np.full(count, DIGIT, dtype=np.uint8)
        side = objects.shape[1]
        row, column = (_below(bits[:, i], SIDE - side + 1)[:, None, None] for i in (1, 2))
        along = np.arange(side)
        place = np.arange(count)[:, None, None], row + along[:, None], column + along
        seen = objects >= VISIBLE[number // OF_EACH]
        light = (FAINTEST + _below(bits[:, 3], 256 - FAINTEST))[:, None, None]
        canvas[place] = np.where(seen, (objects * light) >> 8, canvas[place])
        masks[place] = np.where(seen, labels[:, None, None], masks[place])
    grains = _bits(1, stream, canvas.size).view(np.uint8).reshape(*canvas.shape, 8)
    noise = grains.sum(axis=3, dtype=np.int64) - 1020  # of eight bytes: mean 1,020, standard deviation 209
    return Split(np.clip(canvas + noise * NOISE // 209, 0, 255).astype(np.uint8)[:, None], masks)


def unfold(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digits as they were before `digits.fold`: (n, 4, 4, 4) as (n, 8, 8)."""
    half = images.shape[2]
    whole: NDArray[np.uint8] = images.reshape(-1, 2, 2, half, half).transpose(0, 3, 1, 4, 2)
    return whole.reshape(-1, 2 * half, 2 * half)


def _background(count: int, stream: int) -> NDArray[np.int64]:
    bits = _bits(0, stream, count * 3).reshape(count, 3)
    middle, *slopes = (
        _below(bits[:, i], limit)[:, None, None] for i, limit in enumerate((BRIGHTEST, 2 * SLOPE + 1, 2 * SLOPE + 1))
    )
    down, right = (slope - SLOPE for slope in slopes)
    position = 2 * np.arange(SIDE) - (SIDE - 1)  # in half pixels from the middle
    levels: NDArray[np.int64] = middle + (down * position[:, None] + right * position) // (2 * SIDE)
    return np.clip(levels, 0, 255)


def _bits(purpose: int, stream: int, n: int) -> NDArray[np.uint64]:
    # A seed has 2^20 words before those of the next one: streams lie 2^28 words apart.
    return random_bits(_SEED + (purpose << 32) + (stream << 8), n)


def _below(bits: NDArray[np.uint64], limit: int) -> NDArray[np.int64]:
    """Whole numbers from 0, below the limit."""
    numbers: NDArray[np.int64] = (bits >> np.uint64(32)).astype(np.int64) % limit
    return numbers
