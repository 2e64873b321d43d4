"""A surrogate of trainings: forests for what each epoch gives, for test accuracy and seconds; noise as repeats have it.

It says what the trainings say and nothing more. A training that it was not fitted to is predicted from the others; how
well, is measured on trainings that were held out, and stored with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.encodings import encode
from nassim.errors import Unsupported
from nassim.space import SearchSpace
from nassim.surrogates.quality import Quality
from nassim.surrogates.trees import Trees
from nassim.tabular_data.table import Header, write_table

__all__ = ["MOST", "Quality", "Trainings", "features_of", "fit", "noise"]

Floats = NDArray[np.float64]
LEAST = 40  # trainings of different architectures
MOST = 3_000  # that are fitted to: more give larger arrays and not much else
HELD_OUT = 5  # a part of so many is held out to measure
RESIDUALS = 512  # of repeats that are kept
LARGEST = 2_000_000  # bytes of a file
SEED = 0


def features_of(space: SearchSpace) -> NDArray[np.uint8]:
    """What a space's architectures are known by, 0 and 1, (size, d): options, and paths where they can be told."""
    try:
        return np.hstack([encode(space), encode(space, kind="path")])
    except Unsupported:
        return encode(space)


class Trainings(NamedTuple):
    """What was trained: rows of the space (n,), and of each the repeats, NaN where there is none.

    valid: after every epoch that is known (n, repeats, epochs); test (n, repeats) or None; seconds (n,).
    """

    rows: NDArray[np.intp]
    valid: Floats
    test: Floats | None
    seconds: Floats


def fit(space: SearchSpace, trainings: Trainings, header: Header, target: Path) -> tuple[Header, Quality]:
    """Fit the forests, measure them on a fifth of the architectures, and write them to a file.

    `Unsupported` for too few trainings, or a file that would be larger than 2 MB.
    """
    task, features = header.tasks[0], features_of(space)
    whole = np.isfinite(trainings.valid[:, :, -1]).any(axis=1)
    order = np.random.default_rng(SEED).permutation(np.flatnonzero(whole))[:MOST]
    if len(order) < LEAST:
        raise Unsupported(
            f"{space.name}/{task}: {len(order)} architectures are trained, too few for a surrogate: it takes {LEAST}."
        )
    mean = np.nanmean(trainings.valid[order], axis=1)
    known = features[trainings.rows[order]]
    held, rest = order[: len(order) // HELD_OUT], slice(len(order) // HELD_OUT, None)
    quality = Quality.of(
        Trees.fit(known[rest], mean[rest, -1], SEED).predict(known[: len(held)]), mean[: len(held), -1]
    )
    columns: dict[str, NDArray[Any]] = {}
    for i, epochs in enumerate(header.epochs):
        columns |= Trees.fit(known, mean[:, i], SEED).columns(f"valid{epochs}")
    if trainings.test is not None:
        columns |= Trees.fit(known, np.nanmean(trainings.test[order], axis=1), SEED).columns("test")
    columns |= Trees.fit(known, trainings.seconds[order], SEED).columns("seconds")
    columns["learned"] = np.array([mean[:, -1].min(), mean[:, -1].max()])
    columns["quality"] = np.array(quality)
    columns |= noise(trainings.valid[order])
    write_table(target, header, {f"{task}/{name}": column for name, column in columns.items()})
    if (size := target.stat().st_size) > LARGEST:
        target.unlink()
        raise Unsupported(f"the surrogate of {space.name}/{task} takes {size:,} bytes, more than {LARGEST:,}.")
    return header, quality


def noise(valid: Floats) -> Mapping[str, NDArray[Any]]:
    """What repeats differ from their mean by, all epochs of a training together, ordered by the mean.

    A deviation from the mean of r repeats is too small by (r - 1)/r of its variance, which is made good.
    """
    repeats: NDArray[np.bool_] = np.all(np.isfinite(valid), axis=2)
    enough = np.flatnonzero(repeats.sum(axis=1) > 1)
    found, at = [], []
    for row in enough:
        own = valid[row][repeats[row]]
        found += list((own - own.mean(axis=0)) * np.sqrt(len(own) / (len(own) - 1)))
        at += [own[:, -1].mean()] * len(own)
    if not found:
        return {"residuals": np.zeros((0, valid.shape[2])), "residuals_at": np.zeros(0)}
    order = np.argsort(at, kind="stable")
    kept = order[np.linspace(0, len(order) - 1, min(RESIDUALS, len(order))).astype(int)]
    return {"residuals": np.array(found)[kept], "residuals_at": np.array(at)[kept]}
