"""A benchmark whose architectures share the rows of a table: isomorphic graphs are one training."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import About, Benchmark, Columns, Noise
from nassim.errors import InvalidQuery, InvalidSetting, Unsupported
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.tabular_data.table import Table
from nassim.tabular_data.tabulated import Extras, least_cost
from nassim.tabular_data.task_columns import SECONDS, check_rows, check_values, task_columns, wrong

SPLITS = {"valid": "valid_accuracy", "test": "test_accuracy"}


class TabulatedGraphs(Benchmark):
    """One task of a table; ``row(arch)`` finds the row of an architecture (`InvalidArchitecture` if it is none).

    table: columns ``task/metric``, fractions of shape (rows, repeats) without gaps, and ``task/train_seconds``
        of the same shape; after fewer epochs than a full training ``task/name@epochs``. One repeat stands
        for the mean of those that were trained. Without seconds the cost is declared: every training
        counts 1, and the clock counts trainings (``cost_unit``).
    search_on: the split that answers queries: ``valid`` (the default) or ``test``, which then stands in the
        benchmark's name. A table without validation accuracies answers no queries otherwise.
    valid_source: what the user can do about missing validation accuracies.
    members: gives the rows of the space, where these are not all.
    """

    def __init__(
        self,
        table: Table,
        task: str,
        *,
        name: str,
        space: SearchSpace,
        row: Callable[[Architecture], int],
        noise: Noise,
        about: About,
        extras: Mapping[str, NDArray[Any]],
        search_on: str | None = None,
        valid_source: str = "",
        members: Callable[[], NDArray[Any]] | None = None,
    ) -> None:
        if search_on not in (None, *SPLITS):
            raise InvalidSetting(f"{search_on!r:.40} is not a split to search on: use {' or '.join(SPLITS)}.")
        header = table.header
        self.name = f"{name}:search_on=test" if search_on == "test" else name
        self.space = space
        self.noise = noise
        self.about = about
        self.epochs = max(header.epochs)
        self.valid_source = valid_source
        self._table = table
        self._columns = task_columns(table, task)
        self._size = len(next(iter(self._columns.values())))  # rows of the table
        check_rows(table, self._size, {}, extras)
        self.search_metric = SPLITS[search_on or "valid"]
        searched = [epochs for epochs in sorted(header.epochs) if (self.search_metric, epochs) in self._columns]
        self.fidelities = tuple(searched) or (self.epochs,)
        self.searchable = bool(searched)
        self.cost_unit = "seconds" if (SECONDS, self.epochs) in self._columns else "trainings"
        for epochs in searched:
            seconds = self._columns.get((SECONDS, epochs))
            if seconds is not None and seconds.shape != self._columns[self.search_metric, epochs].shape:
                raise wrong(table, f"after {epochs} epochs there are not as many {SECONDS} as accuracies")
        self._find, self._extras, self._members = row, extras, members
        self._means: dict[str, NDArray[np.float64]] = {}
        if search_on and not self.searchable:
            raise self._nothing_to_search_on()
        if noise.kind == "repeat":
            self._check_repeat(noise.repeat)

    def query(self, query: Query, rng: random.Random) -> Result:
        """Answer from the table; ``rng`` is used by the noise policy ``draw`` only."""
        arch, epochs, metric, origin, inherit = query
        if origin or inherit:
            self.begins_from(query)  # refuses what is no query; these trainings have other schedules, none can go on
        if epochs is not None or metric is not None or not self.searchable:
            epochs = self.epochs_of(query)
        else:
            epochs = self.search_epochs or self.epochs
        row = self._row(arch)
        values = self._columns[self.search_metric, epochs]
        seconds = self._columns.get((SECONDS, epochs))
        repeats = values.shape[1]
        if repeats > 1 and self.noise.kind == "mean":
            value, cost = float(values[row].mean(dtype=np.float64)), 1.0
            if seconds is not None:
                cost = float(seconds[row].mean(dtype=np.float64))
        else:
            repeat = int(rng.random() * repeats) if self.noise.kind == "draw" else self.noise.repeat - 1
            place = row * repeats + (repeat if repeats > 1 else 0)
            value, cost = values.item(place), 1.0 if seconds is None else seconds.item(place)
        if not (0 <= value <= 1 and 0 < cost < math.inf):
            raise wrong(self._table, f"{arch} has {value} as accuracy, and costs {cost} seconds")
        return Result(value, epochs, cost, Extras(self._extras, row))

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        """What every result of the architecture carries beside its value."""
        return Extras(self._extras, self._row(arch))

    def columns(self, name: str, metrics: Sequence[str]) -> Columns:
        """As in `Benchmark.columns`, of every row of the space."""
        rows = self._rows
        measured = np.asarray(self._extras[name], dtype=np.float64)[rows]
        return measured, {metric: self.mean_accuracies(metric)[rows] for metric in metrics}

    def _row(self, arch: Architecture) -> int:
        try:
            row = self._find(arch)
        except IndexError:  # what finds rows is a column of the table too
            row = -1
        if not 0 <= row < self._size:
            raise wrong(self._table, f"it leads to no row of it for {arch}")
        return row

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy", epochs: int | None = None) -> float:
        """Mean over the repeats after ``epochs`` (None: a full training); NaN where there is no validation split."""
        column = self._columns.get((metric, epochs or self.epochs))
        if column is not None:
            return float(column[self._row(arch)].mean(dtype=np.float64))
        if metric not in SPLITS.values() or (epochs is not None and epochs not in self.fidelities):
            raise InvalidQuery(f"{self.name} has no {metric!r:.40} after {epochs or self.epochs} epochs.")
        return math.nan

    def mean_accuracies(self, metric: str = "valid_accuracy") -> NDArray[np.float64]:
        """Mean over the repeats after a full training of every row of the table (fractions), shape (rows,)."""
        if metric not in self._means:
            if (metric, self.epochs) not in self._columns:
                raise Unsupported(f"{self.name} has no {metric}. {self.valid_source}".rstrip())
            check_values(self._table, metric, self._columns[metric, self.epochs])
            self._means[metric] = self._columns[metric, self.epochs].mean(axis=1, dtype=np.float64)
        return self._means[metric]

    def optimum(self, metric: str = "valid_accuracy") -> float | None:
        """The best mean accuracy of the space, from the table; None where it has no such column."""
        if (metric, self.epochs) not in self._columns:
            return None
        return float(self.mean_accuracies(metric)[self._rows].max())

    @property
    def has_test(self) -> bool:
        return ("test_accuracy", self.epochs) in self._columns

    @cached_property
    def typical_cost(self) -> float:
        """Mean cost of a query that names no epochs, over the space."""
        seconds = self._columns.get((SECONDS, self.search_epochs or self.epochs))
        return 1.0 if seconds is None else float(seconds[self._rows].mean(dtype=np.float64))

    def cheapest_cost(self, epochs: int | None = None) -> float | None:
        """The least cost of a training that the noise policy can answer with."""
        seconds = self._columns.get((SECONDS, epochs or self.search_epochs or self.epochs))
        return 1.0 if seconds is None else least_cost(seconds[self._rows], self.noise)

    @cached_property
    def _rows(self) -> NDArray[Any] | slice:
        if self._members is None:
            return slice(None)
        try:
            rows = self._members()
        except IndexError:
            rows = np.array([-1])
        if not len(rows) or rows.min() < 0 or rows.max() >= self._size:
            raise wrong(self._table, "it leads to no row of it")
        return rows

    def epochs_of(self, query: Query) -> int:
        if not self.searchable:
            raise self._nothing_to_search_on()
        return super().epochs_of(query)

    def _nothing_to_search_on(self) -> Unsupported:
        return Unsupported(
            f"{self.name} has no validation accuracy in this source, and to search on the test accuracy is "
            f"another experiment: say so by --search-on test (search_on='test'). {self.valid_source}".rstrip()
        )

    def _check_repeat(self, repeat: int) -> None:
        for epochs in self.fidelities if self.searchable else ():
            repeats = self._columns[self.search_metric, epochs].shape[1]
            if repeats == 1:
                raise InvalidQuery(f"{self.name} has only the mean of the repeats in this source: use draw or mean.")
            if repeat > repeats:
                raise InvalidQuery(f"{self.name} has {repeats} repeats, there is no repeat={repeat}.")
