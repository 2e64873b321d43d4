"""NAS-Bench-Macro: all 6,561 networks of a mobile space, trained for 50 epochs on CIFAR-10.

Paper: X. Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021, arXiv:2103.11922.

Splits: the release has the test accuracies of three trainings and nothing else. By declaration the first is what a
    search sees (``valid``) and the mean of the other two is what is reported (``test``): different trainings, but the
    same 10,000 images, so that the two agree better than a validation and a test set would.

Noise: none; there is one value for each split.

Pitfalls: no recorded times. A training is charged by a declared model: three times the multiply-adds (forward, and
    backward at twice its cost) for 50 epochs of 50,000 images on an accelerator of 10^12 multiply-adds a second.
    Identities inside a stage commute: 3,969 networks differ, and equal ones have one value; sampling strings draws
    networks with identities more often.
"""

from __future__ import annotations

from nassim.benchmark import About, Noise
from nassim.benchmarks.spaces.nasbench_macro import SPACE, flops, parameters
from nassim.errors import MissingData
from nassim.full_training.supernets.sources import known_supernets, supernets_of
from nassim.supernet import Supernets
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated

__all__ = ["SPACE", "TASKS", "load", "supernets"]

TASKS = ("cifar10",)


def load(task: str, noise: Noise) -> Tabulated:
    """Open the table; `MissingData` until `nassim data get nasbench_macro` has made it."""
    path = data_folder() / "nasbench_macro.h5"
    if not path.exists():
        raise MissingData(f"nasbench_macro/{task} needs a table that is not here: nassim data get nasbench_macro")
    table = Table.open(path)
    header = table.header
    return Tabulated(
        table,
        task,
        space=SPACE,
        noise=noise,
        about=About(
            title="NAS-Bench-Macro, cifar10, 50 epochs",
            paper="Su et al., CVPR 2021, arXiv:2103.11922",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={name.partition("/")[2]: text for name, text in header.splits.items()},
            extras={"parameters": "trainable", "flops": "multiply-adds for one image"},
            notes=(
                *header.errata,
                "Cost: 3 x multiply-adds x 50 epochs x 50,000 images at 10^12 multiply-adds a second.",
            ),
            sha256=header.sha256,
        ),
        extras={"parameters": parameters(SPACE.choice_matrix), "flops": flops(SPACE.choice_matrix)},
    )


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs on a set of images come from; those on Fashion-MNIST serve where there are none."""
    images = task.partition(":")[0]
    if images != "cifar10":
        return known_supernets(SPACE, images)
    return supernets_of(SPACE, images, stand_in=known_supernets(SPACE, "fashion14"))
