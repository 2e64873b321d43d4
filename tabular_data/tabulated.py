"""A benchmark whose answers are looked up in a table."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import About, Benchmark, Noise
from nassim.errors import InvalidQuery, Unsupported
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.tabular_data.table import Table


class Extras(Mapping[str, float]):
    """A small read-only mapping that can be pickled: one is shared by all results of an architecture."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> float:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


class Tabulated(Benchmark):
    """One task of a table: row = the space's `index` of the architecture.

    table: holds ``task/valid_accuracy`` and, if there is a test split, ``task/test_accuracy``, both
        fractions of shape (rows, repeats) with NaN for a missing repeat, and ``task/train_seconds`` (rows,).
    extras: name -> values (rows,) that every result carries.
    test_source: what the user can do about a missing test split.

    `InvalidQuery` if ``noise`` asks for a repeat that not every architecture has.
    """

    def __init__(
        self,
        table: Table,
        task: str,
        *,
        space: SearchSpace,
        noise: Noise,
        about: About,
        extras: Mapping[str, NDArray[Any]],
        test_source: str = "",
    ) -> None:
        self.name = f"{space.name}/{task}"
        self.space = space
        self.epochs = max(table.header.epochs)
        self.fidelities = table.header.epochs
        self.noise = noise
        self.about = about
        self.test_source = test_source
        self._metrics = {name: table.columns[f"{task}/{name}"] for name in table.header.metrics}
        self._valid = self._metrics["valid_accuracy"]
        self._seconds = table.columns[f"{task}/train_seconds"]
        self._extras = extras
        self._means: dict[str, NDArray[np.float64]] = {}
        self._results: dict[tuple[int, ...], tuple[Result, ...]] = {}  # of architectures asked before
        if noise.kind == "repeat":
            self._check_repeat(noise.repeat)

    def query(self, query: Query, rng: random.Random) -> Result:
        """Answer from the table; ``rng`` is used by the noise policy ``draw`` only."""
        arch, epochs, metric = query
        results = self._results.get(arch.choices)
        if results is None or epochs is not None or metric != "valid_accuracy" or arch.space != self.space.name:
            self.epochs_of(query)
            results = self._look_up(self.space.check(arch))
        return results[int(rng.random() * len(results))] if len(results) > 1 else results[0]

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        return float(self.mean_accuracies(metric)[self.space.index(self.space.check(arch))])

    def mean_accuracies(self, metric: str = "valid_accuracy") -> NDArray[np.float64]:
        """Mean over the existing repeats of every row (fractions), shape (rows,), read-only."""
        if metric not in self._means:
            if metric not in self._metrics:
                if metric == "test_accuracy":
                    raise Unsupported(f"{self.name} has no test split. {self.test_source}".rstrip())
                raise InvalidQuery(f"{self.name} has the metrics {', '.join(self._metrics)}, not {metric!r:.40}.")
            means = np.nanmean(self._metrics[metric], axis=1)
            means.setflags(write=False)
            self._means[metric] = means
        return self._means[metric]

    def optimum(self, metric: str = "valid_accuracy") -> float:
        """The best mean accuracy of the space, from the table."""
        return float(self.mean_accuracies(metric).max())

    @property
    def has_test(self) -> bool:
        return "test_accuracy" in self._metrics

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of a full training over all architectures."""
        return float(self._seconds.mean())

    def _look_up(self, arch: Architecture) -> tuple[Result, ...]:
        """The results that the noise policy chooses among; made once for an architecture."""
        row = self.space.index(arch)
        if self.noise.kind == "mean":
            values = [self.mean_accuracy(arch)]
        else:
            values = [value for value in self._valid[row].tolist() if not math.isnan(value)]
            if self.noise.kind == "repeat":
                values = [values[self.noise.repeat - 1]]
        extras = Extras({name: float(column[row]) for name, column in self._extras.items()})
        cost = float(self._seconds[row])
        results = tuple([Result(value, self.epochs, cost, extras) for value in values])
        self._results[arch.choices] = results
        return results

    def _check_repeat(self, repeat: int) -> None:
        rows, most = self._valid.shape
        missing = int(np.isnan(self._valid[:, repeat - 1]).sum()) if repeat <= most else rows
        if missing:
            everywhere = int((~np.isnan(self._valid)).all(axis=0).sum())
            raise InvalidQuery(
                f"{self.name} has no repeat={repeat} for {missing:,} of {rows:,} architectures: "
                f"use repeat=1 to {everywhere}, draw or mean."
            )
