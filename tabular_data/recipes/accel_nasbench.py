"""Accel-NASBench: 5,138 trainings of 5,125 mobile networks on ImageNet, with speed on six accelerators."""

from __future__ import annotations

import json
import tarfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.accel_nasbench import SPACE
from nassim.errors import CorruptData
from nassim.space import Architecture
from nassim.tabular_data.download import RemoteFile
from nassim.tabular_data.table import Header, write_table

NAME = "accel_nasbench"
LICENCE = "Apache-2.0"
CITATION = (
    'A. Ahmad et al., "Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS", DAC 2024, '
    "arXiv:2404.08005, https://github.com/afzalxo/Accel-NASBench"
)
ERRATA = (
    "13 networks were trained twice: 5,138 trainings, 5,125 networks.",
    "One accuracy for each training, on ImageNet's validation images: there is no separate test split.",
    "The files do not say for how many epochs the networks were trained: that one training counts as 1 epoch.",
    "Some trainings took up to fifteen times the median; the seconds are kept as they are.",
    "2 to 44 networks lack the speed of a device.",
)
SHA256 = "5d0f63530cd25f52037d21d2b27cca89ac50464fa7c1d22e19f572f4c22edbe7"  # of the columns
PATH = "anb_dataset/anb_dataset_jsons.tar.gz"
FILES = (
    RemoteFile(
        "afzalxo/Accel-NASBench",
        "42603572d530310e6bac7191d00cf45625a6b197",
        PATH,
        1173570,
        "3520992d42e368b7c08c99fc3f6612855b5b366bf98668a7f19d49f3131aa4ae",
    ),
)
TRAININGS, IMAGES = 5_138, 50_000
HEADER = Header(
    space=SPACE.name,
    tasks=("imagenet",),
    metrics=("valid_accuracy",),
    splits={"imagenet/valid_accuracy": "50,000 validation images of ImageNet, top 1"},
    repeats=2,
    seeds="not in the release",
    epochs=(1,),
    units={
        "valid_accuracy": "fraction",
        "train_seconds": "seconds",
        "parameters": "number",
        "flops": "multiply-adds for one image",
        "latency_*": "ms",
        "throughput_*": "images/s",
    },
    source=f"{FILES[0].repository}@{FILES[0].commit[:7]}, {PATH}",
    licence=LICENCE,
    citation=CITATION,
    errata=ERRATA,
)


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Make the table: a row for each network in ascending order of its choices, trainings in the release's order."""
    networks: dict[Architecture, list[dict[str, Any]]] = defaultdict(list)
    for record in _records(paths[PATH]):
        networks[SPACE.from_settings(record["architecture"])].append(record)
    if sum(map(len, networks.values())) != TRAININGS:
        raise CorruptData(f"accel_nasbench: the release holds {sum(map(len, networks.values()))} trainings.")
    rows = [networks[arch] for arch in sorted(networks)]
    correct = np.rint(_repeats(rows, "val_top1") / 100.0 * IMAGES)
    columns: dict[str, NDArray[Any]] = {
        "imagenet/choices": np.array([arch.choices for arch in sorted(networks)], dtype=np.int8),
        "imagenet/valid_accuracy": correct / IMAGES,
        "imagenet/train_seconds": _repeats(rows, "train_time"),
        "imagenet/parameters": np.array([1e6 * row[0]["model_info"]["params"] for row in rows]).round(),
        "imagenet/flops": np.array([1e6 * row[0]["model_info"]["macs"] for row in rows]).round(),
    }
    for name in rows[0][0]["platform_perf"]:
        mean = f"{name.partition('_')[0]}_mean"  # of a network that was trained twice, the first that is there
        found = [[record["platform_perf"][name][mean] for record in row] for row in rows]
        columns[f"imagenet/{name}"] = np.array([next((v for v in row if v is not None), np.nan) for row in found])
    write_table(target, HEADER, columns)


def _records(path: Path) -> list[dict[str, Any]]:
    """The release's records in the order of their numbers; nothing is unpacked to disk."""
    try:
        with tarfile.open(path) as archive:
            files = [member for member in archive if member.isfile() and member.name.endswith(".json")]
            files.sort(key=lambda member: int(Path(member.name).stem.rpartition("_")[2]))
            return [json.load(archive.extractfile(member)) for member in files]  # type: ignore[arg-type]  # a file
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise CorruptData(f"{path} is not the archive of Accel-NASBench ({error}).") from error


def _repeats(rows: list[list[dict[str, Any]]], metric: str) -> NDArray[np.float64]:
    column = np.full((len(rows), 2), np.nan)
    for values, row in zip(column, rows, strict=True):
        values[: len(row)] = [record["metrics"][metric] for record in row]
    return column
