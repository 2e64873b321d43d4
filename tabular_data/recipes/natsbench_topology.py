"""NATS-Bench, topology space (the cells of NAS-Bench-201), every epoch, repeat and split (to import)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters
from nassim.errors import Unsupported
from nassim.tabular_data.recipes import natsbench_import
from nassim.tabular_data.recipes.natsbench import Release

NAME = "natsbench-topology"
LICENCE, CITATION, ERRATA = natsbench_import.LICENCE, natsbench_import.CITATION, natsbench_import.ERRATA
check = natsbench_import.check
FILES = ()
TABLES = ("natsbench_topology.h5", "natsbench_topology-curves.h5")
RELEASE = Release(
    NAME,
    ("NATS-tss-v1_0-3ffb9", "NAS-Bench-201-v1_1-096897"),
    SPACE,
    {"12": 12, "200": 200, "less": 12, "full": 200},  # the old release calls them less and full
)


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """The release is not fetched: `Unsupported`."""
    raise Unsupported(f"{NAME} cannot be fetched: nassim data import {NAME} {RELEASE.names[0]}-simple")


def import_release(path: Path, target: Path) -> None:
    """Make the tables from the folder, its ``.tar`` or a single file (see `natsbench_import`)."""
    natsbench_import.import_release(path, target, RELEASE, parameters, flops)
