"""NAS-Bench-1Shot1: three spaces that a one-shot model can hold, answered by the table of NAS-Bench-101.

Paper: A. Zela, J. Siems, F. Hutter, "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot Neural Architecture
    Search", ICLR 2020, arXiv:2001.10422.

Tasks: the spaces 1, 2 and 3. Splits, sources, noise and cost: those of `nasbench101`, whose table is used.

Pitfalls: the published optima (errors of 4.93, 5.16 and 4.85 % in validation, 5.45, 5.76 and 5.34 % in test) are lower
    than NAS-Bench-101's own, of which these spaces are parts: the best single trainings. Regret is taken here
    against the best mean of three trainings. Architectures with the same cell and different loose ends
    share a training.
"""

from __future__ import annotations

from nassim.benchmark import About, Noise
from nassim.benchmarks.spaces.nasbench1shot1 import SPACES as BY_NUMBER
from nassim.benchmarks.spaces.nasbench1shot1 import NASBench1Shot1Space
from nassim.benchmarks.spaces.nasbench101.classes import Numbering
from nassim.full_training.supernets.sources import known_supernets, supernets_of
from nassim.supernet import Supernets
from nassim.tabular_data.recipes.nasbench101_cells import VALID_SOURCE, open_table
from nassim.tabular_data.tabulated_graphs import TabulatedGraphs

__all__ = ["SPACES", "TASKS", "load", "supernets"]

SPACES = tuple(BY_NUMBER.values())
TASKS = tuple(str(number) for number in BY_NUMBER)
_CITATION = (
    'A. Zela, J. Siems and F. Hutter, "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot Neural Architecture '
    'Search", ICLR 2020, arXiv:2001.10422; data: '
)


def load(task: str, noise: Noise, search_on: str | None = None) -> TabulatedGraphs:
    """Open a space; `MissingData` if no table of NAS-Bench-101 is here. ``search_on``: see `TabulatedGraphs`."""
    table = open_table()
    header = table.header
    space = NASBench1Shot1Space(int(task), Numbering(table.columns["lookup/edges"], table.columns["lookup/cells"]))
    return TabulatedGraphs(
        table,
        "cifar10",
        name=f"nasbench1shot1/{task}",
        space=space,
        row=space.cell,
        noise=noise,
        about=About(
            title=f"NAS-Bench-1Shot1, space {task}, {', '.join(map(str, header.epochs))} epochs on CIFAR-10",
            paper="Zela et al., ICLR 2020, arXiv:2001.10422; table: Ying et al., ICML 2019, arXiv:1902.09635",
            source=header.source,
            licence=header.licence,
            citation=_CITATION + header.citation,
            splits={name.partition("/")[2]: images for name, images in header.splits.items()},
            extras={"parameters": "trainable parameters"},
            notes=header.errata,
            sha256=header.sha256,
        ),
        extras={"parameters": table.columns["cifar10/parameters"]},
        search_on=search_on,
        valid_source=VALID_SOURCE,
        members=space.cells,
    )


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs of a space on CIFAR-10 come from; where nothing is recorded, those on digits serve."""
    space = BY_NUMBER[int(task)]
    return supernets_of(space, "cifar10", stand_in=known_supernets(space, "digits"))
