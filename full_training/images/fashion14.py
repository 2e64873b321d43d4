"""The data set ``fashion14``: Fashion-MNIST made small enough that a laptop trains hundreds of networks on it.

A part of Fashion-MNIST's training images and 5,000 of those held out; all 10,000 test images. Images of 28 x 28 pixels
are padded to 32 x 32 and folded: the pixels of a block become channels, nothing is lost, and the side is a multiple
of four. All arithmetic is in whole numbers: the images are the same, bit for bit, everywhere (`SHA256`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.full_training.images import idx
from nassim.full_training.images.data import ImageData, Split

BLOCK = 8  # pixels of a block's side
COUNTS = {"train": 16_000, "valid": 5_000, "test": 10_000}
SHA256 = "03c97d9042b22dbc6712696d91713a4d40c6d7a6cf0a58cb533736ea018e1247"


@cache
def load(folder: Path | None = None) -> ImageData:
    """The three splits; `MissingData` or `CorruptData` where Fashion-MNIST is not as released."""
    whole = idx.load("fashion", folder)
    splits = {
        name: Split(fold(split.images[: COUNTS[name], 0]), split.labels[: COUNTS[name]])
        for name, split in whole.splits.items()
    }
    data = ImageData("fashion14", whole.classes, splits, whole.names, flip=False)
    if data.sha256 != SHA256:
        raise CorruptData(f"the images of fashion14 have the hash {data.sha256[:12]}, not {SHA256[:12]}.")
    return data


def fold(images: NDArray[np.uint8], block: int = BLOCK) -> NDArray[np.uint8]:
    """Images (n, 28, 28) as (n, block * block, 32 / block, 32 / block).

    After a border of two zeros channel ``block * i + j`` holds the pixels (block * y + i, block * x + j).
    """
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    side = padded.shape[1] // block
    blocks = padded.reshape(-1, side, block, side, block)
    return np.ascontiguousarray(blocks.transpose(0, 2, 4, 1, 3)).reshape(-1, block * block, side, side)
