"""NAS-Bench-101: all 423,624 cells of a graph space, trained three times on CIFAR-10.

Paper: C. Ying, A. Klein, E. Christiansen, E. Real, K. Murphy, F. Hutter, "NAS-Bench-101: Towards Reproducible Neural
    Architecture Search", ICML 2019, arXiv:1902.09635.

Splits: ``valid`` is measured on 10,000 images of the training set (the networks are trained on the other 40,000),
    ``test`` on the 10,000 test images; both on 9,984 of them.

Sources: the official release (`nassim data import nasbench101-official nasbench_full.tfrecord`) has validation
    accuracies, three trainings for each of 4, 12, 36 and 108 epochs, and their seconds. The compact source
    (`nassim data get nasbench101`) has the mean test accuracy after 108 epochs alone. A search on it sees the
    test images: it is refused, unless one asks for it by ``search_on=test``, which is then part of the
    benchmark's name; and a training costs 1, as there are no seconds. The official table is used
    where both are here.

Noise: the three trainings, as recorded; the compact source has their mean.

Pitfalls: spellings of the same cell have the same result; a search may train a cell again under another
    spelling, and pays for it. Each number of epochs is a training of its own, with its own schedule.
"""

from __future__ import annotations

from nassim.benchmark import About, Noise
from nassim.benchmarks.spaces.nasbench101.classes import Numbering
from nassim.benchmarks.spaces.nasbench101.space import SPACE, NASBench101Space
from nassim.tabular_data.recipes.nasbench101_cells import VALID_SOURCE, open_table
from nassim.tabular_data.tabulated_graphs import TabulatedGraphs

__all__ = ["SPACE", "TASKS", "load"]

TASKS = ("cifar10",)


def load(task: str, noise: Noise, search_on: str | None = None) -> TabulatedGraphs:
    """Open the task; `MissingData` if no table is here. ``search_on``: see `TabulatedGraphs`."""
    table = open_table()
    header = table.header
    space = NASBench101Space(numbering=Numbering(table.columns["lookup/edges"], table.columns["lookup/cells"]))
    return TabulatedGraphs(
        table,
        task,
        name=f"{space.name}/{task}",
        space=space,
        row=space.index,
        noise=noise,
        about=About(
            title=f"NAS-Bench-101, {task}, {', '.join(map(str, header.epochs))} epochs",
            paper="Ying et al., ICML 2019, arXiv:1902.09635",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={name.partition("/")[2]: images for name, images in header.splits.items()},
            extras={"parameters": "trainable parameters"},
            notes=header.errata,
            sha256=header.sha256,
        ),
        extras={"parameters": table.columns[f"{task}/parameters"]},
        search_on=search_on,
        valid_source=VALID_SOURCE,
    )
