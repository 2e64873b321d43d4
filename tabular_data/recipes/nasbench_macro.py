"""NAS-Bench-Macro: all 6,561 networks of a mobile space on CIFAR-10, three trainings each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nassim.benchmarks.spaces.nasbench_macro import SPACE, flops, parameters
from nassim.errors import CorruptData
from nassim.tabular_data.download import RemoteFile
from nassim.tabular_data.table import Header, write_table

NAME = "nasbench_macro"
LICENCE = "Apache-2.0"
CITATION = (
    'X. Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021, arXiv:2103.11922, '
    "https://github.com/xiusu/NAS-Bench-Macro"
)
ERRATA = (
    "The release has the test accuracies of three trainings and no others.",
    "By declaration the first training is the validation, the mean of the other two the test: on the same images.",
    "No training times: the seconds are a model.",
    "Networks that are equal (identities in another place of a stage) have identical values: 3,969 were trained.",
)
SHA256 = "d86ac8bb78d3d6ff2e245047b6620e160f5e07a9fd5f36d85bbdada13b49f86c"  # of the columns
PATH = "data/nas-bench-macro_cifar10.json"
FILES = (
    RemoteFile(
        "xiusu/NAS-Bench-Macro",
        "61a2bfc2ca0dce04d0997e6cf498047c27d6acf2",
        PATH,
        1178821,
        "686dee8363cc21cca8c1f321ad5749454f2d9b9ca5972682e137e539bc522297",
    ),
)
EPOCHS, TRAIN_IMAGES, TEST_IMAGES = 50, 50_000, 10_000
MULTIPLY_ADDS_PER_SECOND = 1e12  # of the declared accelerator
HEADER = Header(
    space=SPACE.name,
    tasks=("cifar10",),
    metrics=("valid_accuracy", "test_accuracy"),
    splits={
        "cifar10/valid_accuracy": "10,000 test images, the first of three trainings; trained on 50,000 images",
        "cifar10/test_accuracy": "the same 10,000 test images, the mean of the other two trainings",
    },
    repeats=1,
    seeds="not in the release",
    epochs=(EPOCHS,),
    units={"valid_accuracy": "fraction", "test_accuracy": "fraction", "train_seconds": "seconds of the model"},
    source=f"{FILES[0].repository}@{FILES[0].commit[:7]}, {PATH}",
    licence=LICENCE,
    citation=CITATION,
    errata=ERRATA,
)


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Make the table; parameters and multiply-adds of every network must be those counted from its layers."""
    records = json.loads(paths[PATH].read_text(encoding="utf-8"))
    networks = [records[SPACE.format(arch)] for arch in SPACE.architectures()]
    choices = SPACE.choice_matrix
    for name, counted in (("params", parameters(choices)), ("flops", flops(choices))):
        if not np.array_equal([network[name] for network in networks], counted):
            raise CorruptData(f"nasbench_macro: {name} of the release are not those of the networks.")
    percent = np.array([network["test_acc"] for network in networks])
    correct = np.rint(percent / 100.0 * TEST_IMAGES)
    if np.abs(percent * TEST_IMAGES / 100.0 - correct).max() > 0.1:  # float32
        raise CorruptData("nasbench_macro: accuracies of the release are no counts of test images.")
    accuracy = correct / TEST_IMAGES
    # Forward and backward pass (twice the forward) for every image of every epoch.
    seconds = 3.0 * EPOCHS * TRAIN_IMAGES * flops(choices) / MULTIPLY_ADDS_PER_SECOND
    columns = {
        "cifar10/valid_accuracy": accuracy[:, :1],
        "cifar10/test_accuracy": accuracy[:, 1:].mean(axis=1, keepdims=True),
        "cifar10/train_seconds": seconds,
    }
    write_table(target, HEADER, columns)
