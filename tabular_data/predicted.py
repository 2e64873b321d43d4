"""``SPACE/DATA:surrogate``: a benchmark whose answers are predicted by what `fitted.fit` made of trainings.

There is no optimum, hence no regret. A drawn answer is a prediction and what some repeat of a training of about that
accuracy differed from its mean by.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import CorruptData, InvalidQuery, UnknownName, Unsupported
from nassim.names import unknown
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.surrogates.trees import Trees
from nassim.tabular_data.fitted import features_of
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table import Table

NEAR = 32  # residuals of trainings of about the same accuracy, of which one is drawn
ENDING = ".surrogate.h5"


def surrogate_path(space: str, data: str) -> Path:
    """Where the surrogate of trainings lies: in the data folder."""
    return data_folder() / f"{space}-{data}{ENDING}"


def surrogates_of(space: str) -> list[str]:
    """The data of which there is a surrogate in a space."""
    return sorted(path.name[len(space) + 1 : -len(ENDING)] for path in data_folder().glob(f"{space}-*{ENDING}"))


class Predicted(Benchmark):
    """Predictions in place of trainings; every architecture has one value, and noise about it."""

    test_source = "The trainings that it was fitted to have none."

    def __init__(self, table: Table, space: SearchSpace, noise: Noise) -> None:
        header = table.header
        self.space, self.noise = space, noise
        self.epochs, self.fidelities = max(header.epochs), tuple(sorted(header.epochs))
        task = header.tasks[0]
        self.name = f"{space.name}/{task}:surrogate"
        if noise.kind == "repeat":
            raise InvalidQuery(f"{self.name} predicts: it has no repeat={noise.repeat}. Use draw or mean.")
        self._features = features_of(space)
        columns = {name.partition("/")[2]: column for name, column in table.columns.items()}
        try:
            width = self._features.shape[1]
            self._valid = {epochs: Trees.of(columns, f"valid{epochs}", width) for epochs in self.fidelities}
            self._test = Trees.of(columns, "test", width) if "test_trees" in columns else None
            self._seconds = Trees.of(columns, "seconds", width)
            self._residuals, self._at = columns["residuals"], columns["residuals_at"]
            low, high = columns["learned"].tolist()
            r2, tau, upper = columns["quality"].tolist()
            if self._residuals.shape != (len(self._at), len(self.fidelities)) or not np.isfinite(self._residuals).all():
                raise ValueError("its noise has another shape")
        except (LookupError, TypeError, ValueError) as error:
            raise CorruptData(f"{table.path} is no surrogate of {space.name} ({error}). Fit it again.") from None
        self.about = About(
            title=f"{space.name} on {task}: surrogate, {header.source}",
            paper="none",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={name.partition("/")[2]: text for name, text in header.splits.items()},
            notes=(
                *header.errata,
                f"On architectures held out: R2 {r2:.3f}, Kendall's tau {tau:.3f}, in the upper half {upper:.3f}.",
                f"Fitted to accuracies of {100 * low:.2f} to {100 * high:.2f} %: what lies beyond is extrapolated.",
                "Noise: differences of repeats from their mean, of trainings of about the same accuracy."
                if len(self._at)
                else "No noise: no architecture was trained more than once.",
            ),
            sha256=header.sha256,
            surrogate=header.source,
            learned=(low, high),
        )
        self._known: dict[tuple[Architecture, str], float] = {}

    def query(self, query: Query, rng: random.Random) -> Result:
        """The prediction; under ``draw`` with noise, which ``rng`` chooses."""
        epochs, arch = self.epochs_of(query), self.space.check(query.arch)
        value = self._predict(self._valid[epochs], arch, f"valid{epochs}")
        if self.noise.kind == "draw" and len(self._at):
            final = self._predict(self._valid[self.epochs], arch, f"valid{self.epochs}")
            first = min(max(0, int(np.searchsorted(self._at, final)) - NEAR // 2), max(0, len(self._at) - NEAR))
            row = first + int(rng.random() * min(NEAR, len(self._at)))
            value += float(self._residuals[row, self.fidelities.index(epochs)])
        cost = self._predict(self._seconds, arch, "seconds") * epochs / self.epochs
        return Result(min(max(value, 0.0), 1.0), epochs, cost, {}, f"{arch}/1/{epochs}")

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """The prediction after a full training."""
        if metric == "test_accuracy":
            if self._test is None:
                raise Unsupported(f"{self.name} has no test split. {self.test_source}")
            return self._predict(self._test, self.space.check(arch), "test")
        if metric != "valid_accuracy":
            raise InvalidQuery(f"{self.name} has the metric valid_accuracy, not {metric!r:.40}.")
        return self._predict(self._valid[self.epochs], self.space.check(arch), f"valid{self.epochs}")

    @property
    def has_test(self) -> bool:
        return self._test is not None

    def cheapest_cost(self, epochs: int | None = None) -> float:
        """The least seconds that are predicted."""
        return float(self._seconds.value.min()) * (epochs or self.search_epochs or self.epochs) / self.epochs

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        """Nothing is known without training."""
        return {}

    def _predict(self, trees: Trees, arch: Architecture, what: str) -> float:
        found = self._known.get((arch, what))
        if found is None:
            row = self._features[[self.space.index(arch)]]
            found = self._known[arch, what] = float(trees.predict(row)[0])
            if not math.isfinite(found):
                raise CorruptData(f"{self.name} predicts {found} for {arch}. Fit it again.")
        return found


def load(space: SearchSpace, data: str, noise: Noise) -> Predicted:
    """The surrogate of a space and data; `UnknownName` where there is none."""
    path = surrogate_path(space.name, data)
    if not path.exists():
        there = surrogates_of(space.name)
        raise UnknownName(
            f"{unknown('surrogate', data, there)} `nassim data build {space.name}/{data} --fit` makes one of trainings."
        )
    table = Table.open(path)
    if table.header.space != space.name or table.header.tasks != (data,):
        raise CorruptData(f"{path} is not the surrogate of {space.name}/{data}. Fit it again.")
    return Predicted(table, space, noise)
