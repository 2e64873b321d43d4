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
from nassim.errors import CorruptData, InvalidQuery, Unsupported
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.tabular_data.table import Table
from nassim.tabular_data.task_columns import SECONDS, check_accuracy, check_rows, task_columns, wrong


class Extras(Mapping[str, float]):
    """What a result carries beside its value, read from the columns when asked for; what is NaN there is absent.

    Read-only; shared by all results of an architecture. A copy or pickle of it holds the row alone.
    """

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: Mapping[str, Any], row: int = 0) -> None:
        self._columns, self._row = columns, row

    def __getitem__(self, key: str) -> float:
        value = float(self._columns[key][self._row])
        if math.isnan(value):
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name, column in self._columns.items() if not math.isnan(column[self._row]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type[Extras], tuple[dict[str, tuple[float]]]]:
        return Extras, ({name: (value,) for name, value in self.items()},)


class Tabulated(Benchmark):
    """One task of a table: row = the space's `index` of the architecture.

    table: holds ``task/valid_accuracy`` and, if there is a test split, ``task/test_accuracy``, both
        fractions of shape (rows, repeats) with NaN for a missing repeat, and ``task/train_seconds``, (rows,)
        or (rows, repeats). What was trained for fewer epochs stands in columns ``task/name@epochs``;
        where there are no seconds for them, the full training's are charged in proportion.
    extras: name -> values (rows,) that every result carries; NaN where an architecture has none.
    test_source: what the user can do about a missing test split.
    epochs_source: what the user can do about missing epochs.

    Where one value stands for all repeats (a column with one repeat, after fewer epochs), it answers under every
    noise policy. `InvalidQuery` if ``noise`` asks for a repeat of the full training that not every architecture has.
    `CorruptData` if columns do not fit each other and the space, or, when asked for, hold no accuracies and seconds.
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
        epochs_source: str = "",
    ) -> None:
        header = table.header
        self.name = f"{space.name}/{task}"
        self.space = space
        self.epochs = max(header.epochs)
        self.noise = noise
        self.about = about
        self.test_source = test_source
        self.epochs_source = epochs_source
        self._table = table
        self._columns = task_columns(table, task)
        check_rows(table, self._rows, self._columns, extras)
        if ("valid_accuracy", self.epochs) not in self._columns:
            raise wrong(table, f"there is no valid_accuracy of {task} after {self.epochs} epochs")
        self.fidelities = tuple(e for e in sorted(header.epochs) if ("valid_accuracy", e) in self._columns)
        self._extras = extras
        self._means: dict[tuple[str, int], NDArray[np.float64]] = {}
        # By the query's epochs and the choices: what has been asked before.
        self._results: dict[int | None, dict[tuple[int, ...], tuple[Result, ...]]] = {
            epochs: {} for epochs in (None, *self.fidelities)
        }
        if noise.kind == "repeat":
            self._check_repeat(noise.repeat)

    def query(self, query: Query, rng: random.Random) -> Result:
        """Answer from the table; ``rng`` is used by the noise policy ``draw`` only."""
        arch, epochs, metric = query
        results = self._results.get(epochs, _NOTHING).get(arch.choices)
        if results is None or metric != "valid_accuracy" or arch.space != self.space.name:
            trained = self.epochs_of(query)
            results = self._results[epochs][arch.choices] = self._look_up(self.space.check(arch), trained)
        return results[int(rng.random() * len(results))] if len(results) > 1 else results[0]

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy", epochs: int | None = None) -> float:
        """Mean over the repeats after ``epochs`` (None: a full training), as a fraction."""
        return float(self.mean_accuracies(metric, epochs)[self._row(self.space.check(arch))])

    def mean_accuracies(self, metric: str = "valid_accuracy", epochs: int | None = None) -> NDArray[np.float64]:
        """Mean over the existing repeats of every row (fractions), shape (rows,), read-only; NaN without any."""
        key = metric, epochs or self.epochs
        if key not in self._means:
            if key not in self._columns:
                raise self._no_column(*key)
            check_accuracy(self._table, metric, self._columns[key])
            self._means[key] = mean_of_repeats(self._columns[key])
        return self._means[key]

    def optimum(self, metric: str = "valid_accuracy") -> float:
        """The best mean accuracy of the space, from the table."""
        best = float(np.fmax.reduce(self.mean_accuracies(metric)))
        if math.isnan(best):
            raise wrong(self._table, f"there is no {metric} in it")
        return best

    @property
    def has_test(self) -> bool:
        return ("test_accuracy", self.epochs) in self._columns

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of a training over all architectures, for the epochs of a query that names none."""
        seconds = self._seconds(self.search_epochs or self.epochs)
        there = seconds[~np.isnan(seconds)]
        mean = float(there.sum() / there.size) if there.size else math.nan
        if not 0 < mean < math.inf:
            raise self._no_seconds()
        return mean

    def _seconds(self, epochs: int) -> NDArray[np.float64]:
        key = SECONDS, epochs
        if key not in self._columns:
            if (SECONDS, self.epochs) not in self._columns:
                raise self._no_seconds()
            self._columns[key] = self._columns[SECONDS, self.epochs] * (epochs / self.epochs)
        return self._columns[key]

    def _no_seconds(self) -> CorruptData:
        return wrong(self._table, f"{self.name} has no {SECONDS} that are finite and positive")

    @property
    def _rows(self) -> int:
        """Rows that the table must have."""
        return self.space.size

    def _row(self, arch: Architecture) -> int:
        """The row of an architecture of the space."""
        return self.space.index(arch)

    def _look_up(self, arch: Architecture, epochs: int) -> tuple[Result, ...]:
        """The results that the noise policy chooses among; made once for an architecture."""
        row = self._row(arch)
        recorded = self._columns["valid_accuracy", epochs][row]
        there = [i for i, value in enumerate(recorded.tolist()) if not math.isnan(value)]
        if not there:
            here = int((~np.isnan(self._columns["valid_accuracy", epochs])).any(axis=1).sum())
            raise InvalidQuery(
                f"{self.name} has no training of {arch} for {epochs} epochs: "
                f"the table has {here:,} of {self.space.size:,} architectures."
            )
        seconds = self._seconds(epochs)[row]
        pairs = [(recorded[i], seconds[i] if seconds.ndim else seconds) for i in there]
        if self.noise.kind == "mean":
            pairs = [(self.mean_accuracy(arch, epochs=epochs), sum(cost for _, cost in pairs) / len(pairs))]
        elif self.noise.kind == "repeat" and len(recorded) > 1:
            if self.noise.repeat > len(pairs):
                raise InvalidQuery(f"{self.name} has {len(pairs)} repeats of {arch} for {epochs} epochs, not more.")
            pairs = [pairs[self.noise.repeat - 1]]
        if not all(0 <= value <= 1 and 0 < cost < math.inf for value, cost in pairs):
            raise wrong(self._table, f"{arch} has {pairs[0][0]} as accuracy, and costs {pairs[0][1]} seconds")
        extras = Extras(self._extras, row)
        return tuple([Result(float(value), epochs, float(cost), extras) for value, cost in pairs])

    def _check_repeat(self, repeat: int) -> None:
        valid = self._columns["valid_accuracy", self.epochs]
        trained = ~np.isnan(valid).all(axis=1)
        valid = valid if trained.all() else valid[trained]  # a part of a release
        rows, most = valid.shape
        missing = int(np.isnan(valid[:, repeat - 1]).sum()) if repeat <= most else rows
        if missing:
            everywhere = int((~np.isnan(valid)).all(axis=0).sum())
            raise InvalidQuery(
                f"{self.name} has no repeat={repeat} for {missing:,} of {rows:,} architectures: "
                f"use repeat=1 to {everywhere}, draw or mean."
            )

    def _no_column(self, metric: str, epochs: int) -> Unsupported | InvalidQuery:
        if (metric, self.epochs) in self._columns:
            return InvalidQuery(f"{self.name} has no {metric} after {epochs} epochs. {self.epochs_source}".rstrip())
        if metric == "test_accuracy":
            return Unsupported(f"{self.name} has no test split. {self.test_source}".rstrip())
        known = dict.fromkeys(name for name, _ in self._columns if name != SECONDS)
        return InvalidQuery(f"{self.name} has the metrics {', '.join(known)}, not {metric!r:.40}.")


def mean_of_repeats(column: NDArray[Any]) -> NDArray[np.float64]:
    """Mean over the repeats that are there, (rows, repeats) -> (rows,), read-only; NaN without any."""
    there = ~np.isnan(column)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is wanted
        means: NDArray[np.float64] = np.where(there, column, 0.0).sum(axis=1) / there.sum(axis=1)
    means.setflags(write=False)
    return means


_NOTHING: dict[tuple[int, ...], tuple[Result, ...]] = {}
