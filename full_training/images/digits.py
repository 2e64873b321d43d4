"""The data set ``digits``: scikit-learn's 1,797 handwritten digits, rendered into larger splits.

The originals (8 x 8 pixels, 17 grey levels; E. Alpaydin and C. Kaynak, UCI machine learning repository, 1998)
are divided first, so that no two splits share a handwritten digit: 997 for training, 400 for validation, 400
for test. Each original is then rendered several times (`COPIES`) under a random affine map with bilinear
interpolation, and noise is added. All arithmetic is in integers and the random numbers are a hash of a
counter, so that the images are the same, bit for bit, on every machine and with every version of numpy.

Networks see the 8 x 8 pixels as four channels of 4 x 4: the four pixels of a block of 2 x 2 are the channels
(`fold`). Nothing is lost, a training costs a third, and what is saved pays for wider and deeper networks, whose
repeats agree better (docs/digits.md).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from nassim.full_training.images.data import ImageData, Split, random_bits

SIDE = 8
ORIGINALS = {"train": 997, "valid": 400, "test": 400}
COPIES = {"train": 8, "valid": 5, "test": 5}  # renderings of each original
NAMES = {"train": "train", "valid": "x-valid", "test": "x-test"}
STRETCH, SHEAR, SHIFT = 40, 56, 192  # largest departures from the identity, in 1/256 (SHIFT: of a pixel)
NOISE = 20  # standard deviation of the noise, about, in grey levels of 256
_SEED = 0x6E617373696D


@cache
def load() -> ImageData:
    """The three splits: 7,976 training, 2,000 validation and 2,000 test images."""
    from sklearn.datasets import load_digits

    originals = load_digits()
    pixels = (np.rint(originals.images).astype(np.int64) * 255 + 8) // 16  # 0 to 16 -> 0 to 255
    labels = originals.target.astype(np.int64)
    order = np.argsort(random_bits(_SEED, len(labels)), kind="stable")
    splits = {}
    start = 0
    for stream, (name, count) in enumerate(ORIGINALS.items(), start=1):
        chosen = np.repeat(order[start : start + count], COPIES[name])
        splits[name] = Split(fold(render(pixels[chosen], _SEED + stream)), labels[chosen])
        start += count
    return ImageData("digits", 10, splits, NAMES, flip=False)


def render(images: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
    """Each image (n, 8, 8), grey levels 0 to 255, under an affine map and noise of its own."""
    n = len(images)
    bits = random_bits(seed, n * 6).reshape(n, 6)
    a, d, b, c, x0, y0 = (
        _between(bits[:, i], limit) for i, limit in enumerate((STRETCH, STRETCH, SHEAR, SHEAR, SHIFT, SHIFT))
    )
    # Source coordinates of every pixel in 1/512 of a pixel, turned about the middle of the image.
    position = 2 * np.arange(SIDE) - (SIDE - 1)  # in half pixels
    y, x = position[:, None], position[None, :]
    source_x = (256 + a)[:, None, None] * x + b[:, None, None] * y + 2 * x0[:, None, None] + 256 * (SIDE - 1)
    source_y = c[:, None, None] * x + (256 + d)[:, None, None] * y + 2 * y0[:, None, None] + 256 * (SIDE - 1)
    column, row = source_x >> 9, source_y >> 9
    right, below = source_x & 511, source_y & 511
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    k = np.arange(n)[:, None, None]

    def pixel(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        return padded[k, np.clip(rows + 1, 0, SIDE + 1), np.clip(columns + 1, 0, SIDE + 1)]

    level = (
        pixel(row, column) * (512 - right) * (512 - below)
        + pixel(row, column + 1) * right * (512 - below)
        + pixel(row + 1, column) * (512 - right) * below
        + pixel(row + 1, column + 1) * right * below
    )
    noise = random_bits(seed + (1 << 32), n * SIDE * SIDE).reshape(n, SIDE, SIDE).view(np.uint8)
    # Eight bytes of a draw: their sum has mean 1,020 and standard deviation 209.
    noise = noise.reshape(n, SIDE, SIDE, 8).astype(np.int64).sum(axis=3) - 1020
    rendered: NDArray[np.uint8] = np.clip(((level >> 18) * 209 + noise * NOISE) // 209, 0, 255).astype(np.uint8)
    return rendered


def fold(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (n, 8, 8) as four channels (n, 4, 4, 4): channel 2i + j holds the pixels (2y + i, 2x + j)."""
    half = SIDE // 2
    blocks = images.reshape(-1, half, 2, half, 2)
    return np.ascontiguousarray(blocks.transpose(0, 2, 4, 1, 3)).reshape(-1, 4, half, half)


def _between(bits: NDArray[np.uint64], limit: int) -> NDArray[np.int64]:
    """Whole numbers from -limit to limit."""
    numbers: NDArray[np.int64] = (bits >> np.uint64(32)).astype(np.int64) % (2 * limit + 1) - limit
    return numbers
