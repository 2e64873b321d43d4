"""From a NATS-Bench release to two tables: what a search asks for, and beside it every epoch of every training.

The first, ``NAME.h5``, has the columns of any benchmark: validation and test accuracy of each repeat (by ascending
seed) after each schedule, and the seconds that the official simulation charges: all epochs and one validation pass.
The second, ``NAME-curves.h5``, is the release itself, in the authors' names: ``dataset/split@schedule`` (rows, repeats,
epochs) as counts of images, ``dataset/split_seconds@schedule`` (an epoch of training, or one pass over a split),
``latency`` and ``seed``. A split that is evaluated after the last epoch only has one epoch there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.tabular_data.recipes.natsbench import CLASSES, IMAGES, Columns, Release, fractions, trainings
from nassim.tabular_data.recipes.natsbench_files import locate, number_of, read
from nassim.tabular_data.table import Header, Table, column_name, write_table

TASKS = {  # -> the authors' data set and split that a search sees, and those that are reported
    "cifar10": (("cifar10-valid", "x-valid"), ("cifar10", "ori-test")),
    "cifar100": (("cifar100", "x-valid"), ("cifar100", "x-test")),
    "imagenet16-120": (("ImageNet16-120", "x-valid"), ("ImageNet16-120", "x-test")),
}
SPLITS = {
    "cifar10/valid_accuracy": "25,000 images of the training set; the network was trained on the other 25,000",
    "cifar10/test_accuracy": "the 10,000 test images; the network was trained on all 50,000 training images",
    "cifar100/valid_accuracy": "5,000 images of the test set (x-valid); trained on the 50,000 training images",
    "cifar100/test_accuracy": "the other 5,000 images of the test set (x-test)",
    "imagenet16-120/valid_accuracy": "3,000 images of the validation set (x-valid); trained on 151,700 images",
    "imagenet16-120/test_accuracy": "the other 3,000 images of the validation set (x-test)",
}
UNITS = {
    "valid_accuracy": "fraction",
    "test_accuracy": "fraction",
    "train_seconds": "seconds: all epochs and one validation pass",
    "latency": "seconds, measured by the authors",
}
LICENCE = "MIT (github.com/D-X-Y/NATS-Bench)"
CITATION = (
    'X. Dong, L. Liu, K. Musial and B. Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology '
    'and Size", TPAMI 2021, arXiv:2009.00437'
)
ERRATA = ("The release's times are estimates: the same for every epoch, repeat and schedule of an architecture.",)
CURVES = "curves"  # in `Header.sources` of the first table: the sha256 of the second
Size = Callable[..., NDArray[np.int64]]  # parameters(choices, classes=) or flops(choices, classes=, side=)


def import_release(path: Path, target: Path, release: Release, parameters: Size, flops: Size) -> None:
    """Make both tables from a release, or from a part of it; older ones are replaced when all has been read.

    parameters, flops: counts from the network, which the released ones are held against.
    `InvalidSetting` if the table that is there has architectures which this part of the release has not.
    """
    path = locate(path, release)
    columns = Columns(release.space.size)
    numbers = np.full(release.space.size, -1, dtype=np.int32)
    sizes = _sizes(release, parameters, flops)
    meta: list[str] = []
    other_sizes = 0
    for where, content in read(path, release):
        if isinstance(content, dict) and "meta_archs" in content:
            meta = list(content["meta_archs"])
            continue
        number, row, found = trainings(content, release, where)
        if numbers[row] >= 0 or number_of(where) not in (None, number):
            raise CorruptData(f"{where} holds architecture {number}, again or in a wrong place: nothing was imported.")
        numbers[row] = number
        columns.add(row, found)
        other_sizes += any(sizes[t.dataset][row].tolist() != list(t.size) for t in found)
    if (numbers < 0).all():
        raise MissingData(f"{path} holds no records of {' or '.join(release.names)}: nothing was imported.")
    _check_numbers(numbers, meta, release, path)
    _refuse_less(target, numbers, release, path)
    write(target, _header(path, release, columns, int((numbers >= 0).sum()), other_sizes), columns, numbers)


def write(target: Path, header: Header, columns: Columns, numbers: NDArray[np.int32]) -> None:
    """Write both tables; ``numbers``: the official number of each architecture, -1 where it is not there."""
    curves = curves_path(target)
    write_table(curves, _of_curves(header), columns.arrays)
    sources = {CURVES: Table.open(curves).header.sha256}
    main = {**_main(columns.arrays, header.epochs), "official_number": numbers}
    write_table(target, replace(header, sources=sources), main)


def curves_path(target: Path) -> Path:
    """Where the second table lies."""
    return target.with_name(f"{target.stem}-curves.h5")


def open_curves(table: Table) -> Table:
    """The second table that was made with ``table``; `CorruptData` if another import's is there."""
    curves = Table.open(curves_path(table.path))
    if curves.header.sha256 != table.header.sources.get(CURVES):
        raise CorruptData(f"{curves.path} and {table.path.name} are not from one import: import the release again.")
    return curves


def check(path: Path) -> list[str]:
    """What `nassim data verify` says beside the checksums: the first table follows from the second."""
    table = Table.open(path)
    again = _main(open_curves(table).columns, table.header.epochs)
    for name, column in again.items():
        if not np.array_equal(table.columns[name], column, equal_nan=True):
            raise CorruptData(f"{path}: column {name} does not follow from {curves_path(path).name}. Import it again.")
    here = int((table.columns["official_number"] >= 0).sum())
    return [
        f"{len(again)} columns are those that follow from {curves_path(path).name}",
        f"{here:,} of {len(table.columns['official_number']):,} architectures are here",
    ]


def _sizes(release: Release, parameters: Size, flops: Size) -> dict[str, NDArray[np.int64]]:
    """Parameters and multiply-adds of every architecture, (rows, 2), by the authors' data set."""
    choices = release.space.choice_matrix
    sides = {name: 16 if name == "ImageNet16-120" else 32 for name in IMAGES}
    return {
        name: np.stack([parameters(choices, classes=k), flops(choices, classes=k, side=sides[name])], axis=1)
        for name, k in CLASSES.items()
    }


def _check_numbers(numbers: NDArray[np.int32], meta: list[str], release: Release, path: Path) -> None:
    """The official numbers must be different, and be the places of the architectures in the release's list."""
    there = np.flatnonzero(numbers >= 0)
    if len(set(numbers[there].tolist())) != len(there):
        raise CorruptData(f"{path}: two records have the same official number. Nothing was imported.")
    texts = [release.space.format(release.space.at(int(row))) for row in there]
    if meta and (len(meta) != release.space.size or [meta[n] for n in numbers[there] if n < len(meta)] != texts):
        raise CorruptData(f"{path}: the list of architectures is not that of the records. Nothing was imported.")


def _refuse_less(target: Path, numbers: NDArray[np.int32], release: Release, path: Path) -> None:
    """A part of a release, such as a copy that was interrupted, does not take the place of more."""
    with suppress(MissingData, CorruptData):
        before = Table.open(target).columns["official_number"] >= 0
        lost = int((before & (numbers < 0)).sum())
        if lost:
            raise InvalidSetting(
                f"{path} is a part of the release, with {int((numbers >= 0).sum()):,} architectures: {lost:,} of the "
                f"{int(before.sum()):,} in {target} are not in it, which is kept. If you mean it, first: "
                f"nassim data remove {release.recipe}"
            )


def _main(curves: Mapping[str, NDArray[Any]], schedules: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """The columns of the first table, from those of the second."""
    made: dict[str, NDArray[Any]] = {}
    full = max(schedules)
    for task, (valid, test) in TASKS.items():
        for epochs in schedules:
            for metric, (dataset, split) in (("valid_accuracy", valid), ("test_accuracy", test)):
                counts = curves[f"{dataset}/{split}@{epochs}"][:, :, -1]
                name = column_name(task, metric, epochs, full)
                made[name] = fractions(counts, IMAGES[dataset][split])
            dataset, split = valid
            train = curves[f"{dataset}/train_seconds@{epochs}"][:, :, 0]
            one_pass = curves[f"{dataset}/{split}_seconds@{epochs}"][:, :, 0]
            made[column_name(task, "train_seconds", epochs, full)] = epochs * train + one_pass
        latency = curves[f"{test[0]}/latency@{full}"][:, :, 0]
        made[f"{task}/latency"] = _mean(latency)
    return made


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    mean: NDArray[np.float64] = np.where(there, values, 0.0).sum(axis=1) / np.where(count, count, np.nan)
    return mean


def _header(path: Path, release: Release, columns: Columns, here: int, other_sizes: int) -> Header:
    schedules = sorted(set(release.schedules.values()))
    notes = []
    if here < release.space.size:
        part = f"{here:,} of {release.space.size:,} architectures"
        notes.append(f"A part of the release: {part}; others are refused by name.")
    if other_sizes:
        notes.append(f"{other_sizes:,} records state other sizes than those of the network, which are used.")
    return Header(
        space=release.space.name,
        tasks=tuple(TASKS),
        metrics=("valid_accuracy", "test_accuracy"),
        splits=SPLITS,
        repeats=columns.arrays[f"cifar10-valid/x-valid@{release.full}"].shape[1],
        seeds="; ".join(f"after {epochs} epochs {_seeds(columns, epochs)}" for epochs in schedules),
        epochs=tuple(schedules),
        units=UNITS,
        source=f"the official release, {path.name}",
        licence=LICENCE,
        citation=CITATION,
        errata=(*notes, *ERRATA),
    )


def _seeds(columns: Columns, epochs: int) -> str:
    found = {int(seed) for dataset in IMAGES for seed in np.unique(columns.arrays[f"{dataset}/seed@{epochs}"])}
    return ", ".join(map(str, sorted(found - {-1})))


def _of_curves(header: Header) -> Header:
    return replace(
        header,
        tasks=tuple(IMAGES),
        metrics=tuple(dict.fromkeys(split for splits in IMAGES.values() for split in splits)),
        splits={f"{dataset}/{split}": f"{n:,} images" for dataset, of in IMAGES.items() for split, n in of.items()},
        units={
            **{split: "correct images; the type's largest number: missing" for of in IMAGES.values() for split in of},
            "*_seconds": "seconds, of an epoch (train) or of one pass",
            "latency": "seconds",
            "seed": "-1: missing",
        },
    )
