"""Accel-NASBench: 5,125 networks of MnasNet's space, trained on ImageNet, with their speed on six accelerators.

Paper: A. Ahmad et al., "Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS", DAC 2024,
    arXiv:2404.08005.

Splits: ``valid`` is the top-1 accuracy on ImageNet's 50,000 validation images, under the authors' shortened
    training. There is no ``test``: regret is taken on the mean validation accuracy.

Noise: 13 networks were trained twice, all others once.

Pitfalls: the table holds a random sample of a space of 10^11. The benchmark's space is that sample: its networks
    alone are drawn, and since none differ in a single decision, neighbors (and mutations) are those that differ in at
    most nine of the 28. Growing strategies (pnas) cannot walk it. The whole training counts as one epoch: the files do
    not say how many there were.
"""

from __future__ import annotations

from nassim.benchmark import About, Noise
from nassim.benchmarks.spaces.accel_nasbench import SPACE
from nassim.errors import MissingData
from nassim.tabular_data.listed import ListedSpace
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated

__all__ = ["SPACE", "TASKS", "load"]

TASKS = ("imagenet",)
RADIUS = 9  # the smallest for which every network has a neighbor


def load(task: str, noise: Noise) -> Tabulated:
    """Open the table; `MissingData` until `nassim data get accel_nasbench` has made it."""
    path = data_folder() / "accel_nasbench.h5"
    if not path.exists():
        raise MissingData(f"accel_nasbench/{task} needs a table that is not here: nassim data get accel_nasbench")
    table = Table.open(path)
    header = table.header
    columns = {name.partition("/")[2]: column for name, column in table.columns.items()}
    space = ListedSpace(SPACE, columns["choices"], radius=RADIUS)
    units = {"parameters": "trainable", "flops": "multiply-adds for one image"}
    units |= {name: "ms" for name in columns if name.startswith("latency_")}
    units |= {name: "images/s" for name in columns if name.startswith("throughput_")}
    return Tabulated(
        table,
        task,
        space=space,
        noise=noise,
        about=About(
            title="Accel-NASBench, ImageNet, a shortened training",
            paper="Ahmad et al., DAC 2024, arXiv:2404.08005",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={name.partition("/")[2]: text for name, text in header.splits.items()},
            extras=units,
            notes=(
                f"The space is what was trained: {space.size:,} of {SPACE.size:,} networks.",
                f"Neighbors and mutations differ in at most {RADIUS} decisions.",
                *header.errata,
            ),
            sha256=header.sha256,
        ),
        extras={name: columns[name] for name in units},
        test_source="The release has one accuracy for each training.",
    )
