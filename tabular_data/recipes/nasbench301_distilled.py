"""NAS-Bench-301 at second hand: a linear model of 1,218 of its predictions, which comes with nassim.

The recipe makes it again. The files are two of NASLib's, which hold scores of untrained networks and, beside them,
what NAS-Bench-301's surrogate predicted for each. A cell is eight pairs (input, operation), two a node; that the
operations are those of `darts_cells.OPERATIONS` in their order is checked on the recorded parameters (the poolings,
which have none, cannot be told apart so).

The model is ridge regression on `darts_features`; docs/surrogates.md says how well it predicts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.darts import SPACE
from nassim.benchmarks.spaces.darts_cells import NODES, adjacency_encoding
from nassim.benchmarks.spaces.darts_cost import parameters
from nassim.benchmarks.spaces.darts_features import BLOCKS, features
from nassim.errors import CorruptData
from nassim.space import Architecture
from nassim.surrogates.linear import fit_ridge
from nassim.surrogates.quality import Quality, cross_validated
from nassim.tabular_data.download import RemoteFile, local_path
from nassim.tabular_data.table import Header, Table, write_table

NAME = "nasbench301_distilled"
ADDS = "nothing new: darts/cifar10 comes with nassim; this fetches what it was fitted to, and fits it again"
LICENCE = "Apache-2.0"
CITATION = (
    'A. Zela, J. Siems, L. Zimmer, J. Lukasik, M. Keuper, F. Hutter, "Surrogate NAS Benchmarks: Going Beyond the '
    'Limited Search Spaces of Tabular NAS Benchmarks", ICLR 2022, arXiv:2008.09777; its predictions as in '
    'A. Krishnakumar, C. White, A. Zela, R. Tu, M. Safari, F. Hutter, "NAS-Bench-Suite-Zero", NeurIPS 2022, '
    "arXiv:2210.03230, https://github.com/automl/NASLib"
)
ERRATA = (
    "Predictions of a surrogate of a surrogate: no network of the 1,218 was trained for these files.",
    "Seven architectures are in both files, with values that differ by up to 0.17 points: their mean is taken.",
)
_PATH = "naslib/data/zc_nasbench301.json"
FILES = (
    RemoteFile(
        "automl/NASLib",
        "6639fd1579010457885c641553c55b0c153045aa",
        _PATH,
        820765,
        "537e9abd6f0b14fdffdfcb3c07b18a037647b5c80808b3b2cf9a51b1b491aba1",
        name="first",
    ),
    RemoteFile(
        "automl/NASLib",
        "22280f711aa782fe9157d1b4e5ce4f83f47ab908",
        _PATH,
        240552,
        "e47e258b95f63f85a6917dfc5814f5b42f793d7ef8f9a00e66689783e43affac",
        name="second",
    ),
)
ARCHITECTURES = 1_218
SHA256 = "fdfcdfb632b7ff5c94d89d1ef0e497eed881e49300bb4f12ea0f6132c40d5ec2"  # of the columns
# Of the squared weights of each block of features: chosen by ten-fold cross-validation (docs/surrogates.md).
PENALTIES = {"places": 1.0, "pairs": 3.0, "counts": 300.0, "chains": 15.0, "shape": 1.0, "size": 0.01}
EDGES_ALONE = 1.0  # about the best for edges alone, of 0.5, 1, 2 and 4
FOLDS, SEED = 10, 0  # of the cross-validation whose figures are stored
EPOCHS = 100  # of the trainings that NAS-Bench-301 was fitted to
HEADER = Header(
    space=SPACE.name,
    tasks=("cifar10",),
    metrics=("valid_accuracy",),
    splits={
        "cifar10/valid_accuracy": "no images: predictions of the accuracy on 10,000 validation images after 100 epochs"
    },
    repeats=1,
    seeds="none: nothing was trained",
    epochs=(EPOCHS,),
    units={"weights": "fraction, of each feature", "intercept": "fraction", "learned": "fraction, least and largest"},
    source=", ".join(f"{file.repository}@{file.commit[:7]}" for file in FILES) + f", {_PATH}",
    licence=LICENCE,
    citation=CITATION,
    errata=ERRATA,
)
_CELL = r"\[((?:\(\d, \d\),? ?){8})\]"
_KEY = re.compile(rf"\[{_CELL}, {_CELL}\]")


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Fit the model and write it, with its cross-validated quality; the columns are the same on any machine."""
    choices, values = predictions(paths)
    known, penalties = features(choices), penalties_of(PENALTIES)
    model = fit_ridge(known, values, penalties)
    held_out = cross_validated(known, values, penalties, folds=FOLDS, seed=SEED)
    columns = {  # rounded, as the last digits are the processor's
        "cifar10/weights": np.round(model.weights, 9) + 0.0,
        "cifar10/intercept": np.round(np.array([model.intercept]), 9),
        "cifar10/learned": np.array([values.min(), values.max()]).round(9),
        "cifar10/cross_validated": np.array(Quality.of(held_out, values)).round(4),
    }
    write_table(target, HEADER, columns)


def check(path: Path) -> list[str]:
    """The cross-validated quality as it is stored, and against plain edges where the files are here."""
    stored = Quality(*Table.open(path).columns["cifar10/cross_validated"].tolist())
    lines = [f"{FOLDS}-fold cross-validation: {_words(stored)}"]
    paths = {file.key: local_path(file) for file in FILES}
    if all(file.is_file() for file in paths.values()):
        choices, values = predictions(paths)
        edges = adjacency_encoding(choices).astype(np.float64)
        plain = cross_validated(edges, values, np.full(edges.shape[1], EDGES_ALONE), folds=FOLDS, seed=SEED)
        lines.append(f"the same of which operation is on which edge alone: {_words(Quality.of(plain, values))}")
    return lines


def _words(quality: Quality) -> str:
    return (
        f"R2 {quality.r2:.3f}, Kendall's tau {quality.tau:.3f}, in the upper half of the architectures "
        f"{quality.tau_upper:.3f}"
    )


def penalties_of(blocks: Mapping[str, float]) -> NDArray[np.float64]:
    """The penalty of each feature."""
    return np.repeat([blocks[name] for name in BLOCKS], list(BLOCKS.values()))


def predictions(paths: Mapping[str, Path]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The architectures in ascending order as choices (1218, 22), and their mean prediction as a fraction (1218,)."""
    found: dict[Architecture, list[tuple[float, float]]] = {}
    try:
        for file in FILES:
            content = json.loads(paths[file.key].read_text(encoding="utf-8"))
            for key, record in content.get("nasbench301", content)["cifar10"].items():
                found.setdefault(_architecture(key), []).append((record["val_accuracy"], _score(record["params"])))
        rows = sorted(found)
        values = np.array([sum(value for value, _ in found[arch]) / len(found[arch]) for arch in rows]) / 100.0
        recorded = np.array([found[arch][0][1] for arch in rows])
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CorruptData(f"{NAME}: the files are not NASLib's ({error!s:.200}). Get them again.") from None
    choices = np.array([arch.choices for arch in rows])
    if len(rows) != ARCHITECTURES or not ((values > 0.9) & (values < 0.95)).all():
        raise CorruptData(f"{NAME}: {len(rows)} architectures from {values.min():.4f} to {values.max():.4f}.")
    # NASLib counts some normalizations otherwise, hence not equality; with two operations exchanged it is below 0.997.
    if np.corrcoef(parameters(choices), recorded)[0, 1] < 0.99999:
        raise CorruptData(f"{NAME}: the recorded parameters are not those of the architectures.")
    return choices, values


def _architecture(key: str) -> Architecture:
    """Of ``[[(input, operation), ... eight], [... of the reduction cell]]``."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key:.80} is no architecture")
    cells = []
    for text in match.groups():
        pairs = [(int(state), int(operation)) for state, operation in re.findall(r"\((\d), (\d)\)", text)]
        cells.append(tuple((pairs[i], pairs[i + 1]) for i in range(0, 2 * len(NODES), 2)))
    return SPACE.check(SPACE.of_cells(cells[0], cells[1]))


def _score(recorded: Any) -> float:
    """A number, or in the older file an object with how long it took."""
    return float(recorded["score"] if isinstance(recorded, dict) else recorded)
