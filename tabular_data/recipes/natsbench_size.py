"""NATS-Bench, size space: 32,768 sizes of one network on three data sets, 1, 12 and 90 epochs (to import)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nassim.benchmarks.spaces.natsbench_size import SPACE, flops, parameters
from nassim.errors import Unsupported
from nassim.tabular_data.recipes import natsbench_import
from nassim.tabular_data.recipes.natsbench import Release

NAME = "natsbench-size"
LICENCE, CITATION, ERRATA = natsbench_import.LICENCE, natsbench_import.CITATION, natsbench_import.ERRATA
check = natsbench_import.check
FILES = ()
TABLES = ("natsbench_size.h5", "natsbench_size-curves.h5")
RELEASE = Release(NAME, ("NATS-sss-v1_0-50262",), SPACE, {"01": 1, "12": 12, "90": 90})


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """The release is not fetched: `Unsupported`."""
    raise Unsupported(f"{NAME} cannot be fetched: nassim data import {NAME} {RELEASE.names[0]}-simple")


def import_release(path: Path, target: Path) -> None:
    """Make the tables from the folder, its ``.tar`` or the single file (see `natsbench_import`)."""
    natsbench_import.import_release(path, target, RELEASE, parameters, flops)
