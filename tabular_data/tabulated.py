"""A benchmark whose answers are looked up in a table."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import About, Benchmark, Columns, Noise
from nassim.errors import CorruptData, InvalidQuery, Unsupported
from nassim.metric import Metric
from nassim.query import Query, Result
from nassim.space import Architecture, SearchSpace
from nassim.tabular_data.table import Table
from nassim.tabular_data.task_columns import SECONDS, check_rows, check_values, task_columns, values_of, wrong


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
        or (rows, repeats). With another metric in its header ``task/valid_loss`` and its like, as they were
        measured; a benchmark answers with values, more of which is better. What was trained for fewer epochs
        stands in columns ``task/name@epochs``; where there are no seconds for them, the full training's are
        charged in proportion.
    extras: name -> values (rows,) that every result carries; NaN where an architecture has none.
    test_source, epochs_source: what the user can do about a missing test split, and missing epochs.

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
        self.metric = Metric.of(header.metric)
        self.search_metric = self._valid = self.metric.on("valid")
        self.metrics = (self._valid,)
        self.name = f"{space.name}/{task}"
        self.space = space
        self.epochs = max(header.epochs)
        self.noise = noise
        self.about = about
        self.test_source = test_source
        self.epochs_source = epochs_source
        self._table, self._columns = table, values_of(task_columns(table, task), self.metric)
        check_rows(table, self._rows, self._columns, extras)
        if (self._valid, self.epochs) not in self._columns:
            raise wrong(table, f"there is no {self._valid} of {task} after {self.epochs} epochs")
        self.fidelities = tuple(e for e in sorted(header.epochs) if (self._valid, e) in self._columns)
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
        arch, epochs, metric, origin, inherit = query
        results = self._results.get(epochs, _NOTHING).get(arch.choices)
        if results is None or metric is not None or origin or inherit or arch.space != self.space.name:
            if origin or inherit:
                return self._continued(query, rng)
            trained = self.epochs_of(query)
            results = self._results[epochs][arch.choices] = self._look_up(self.space.check(arch), trained)
        return results[int(rng.random() * len(results))] if len(results) > 1 else results[0]

    def _continued(self, query: Query, rng: random.Random) -> Result:
        """The repeat of the origin after more epochs, for the difference; where there is none, a whole training."""
        begun = self.begins_from(query)
        if begun is not None:
            repeat, epochs = begun
            there = {result.training: result for result in self._look_up(self.space.check(query.arch), epochs)}
            wanted = self.epochs_of(query)
            for result in self._look_up(query.arch, wanted):
                if result.training == f"{query.arch}/{repeat}/{wanted}" and query.origin in there:
                    cost = result.cost - there[query.origin].cost
                    return result._replace(cost=cost, paid_epochs=wanted - epochs)
        return self.query(query._replace(origin="", inherit=""), rng)

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        """What every result of the architecture carries beside its value."""
        return Extras(self._extras, self._row(self.space.check(arch)))

    def mean_accuracy(self, arch: Architecture, metric: str = "", epochs: int | None = None) -> float:
        """Mean value of ``metric`` (empty: the table's on validation) over the repeats after ``epochs`` (None: all)."""
        return float(self.mean_accuracies(metric, epochs)[self._row(self.space.check(arch))])

    def mean_accuracies(self, metric: str = "", epochs: int | None = None) -> NDArray[np.float64]:
        """Mean value over the existing repeats of every row, shape (rows,), read-only; NaN without any."""
        key = metric or self._valid, epochs or self.epochs
        if key not in self._means:
            if key not in self._columns:
                raise self._no_column(*key)
            check_values(self._table, key[0], self._columns[key], self.metric)
            self._means[key] = mean_of_repeats(self._columns[key])
        return self._means[key]

    def columns(self, name: str, metrics: Sequence[str]) -> Columns:
        """As in `Benchmark.columns`; what was not trained counts as not measured."""
        measured = np.where(np.isnan(self.mean_accuracies()), np.nan, np.asarray(self._extras[name], dtype=np.float64))
        return measured, {metric: self.mean_accuracies(metric) for metric in metrics}

    def repeats(self) -> NDArray[np.float64]:
        """The values on validation after a full training, (rows, repeats), NaN for a missing repeat."""
        return self._columns[self._valid, self.epochs]

    def optimum(self, metric: str = "") -> float:
        """The best mean value of the space, from the table."""
        best = float(np.fmax.reduce(self.mean_accuracies(metric)))
        if math.isnan(best):
            raise wrong(self._table, f"there is no {metric or self._valid} in it")
        return best

    @property
    def has_test(self) -> bool:
        return (self.metric.on("test"), self.epochs) in self._columns

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds of a training over all architectures, for the epochs of a query that names none."""
        seconds = self._seconds(self.search_epochs or self.epochs)
        there = seconds[~np.isnan(seconds)]
        mean = float(there.sum() / there.size) if there.size else math.nan
        if not 0 < mean < math.inf:
            raise self._no_seconds()
        return mean

    def cheapest_cost(self, epochs: int | None = None) -> float | None:
        """The least seconds of a training that the noise policy can answer with."""
        trained = epochs or self.search_epochs or self.epochs
        seconds, valid = self._seconds(trained), self._columns[self._valid, trained]
        if seconds.ndim == 1 or seconds.shape != valid.shape:
            there = ~np.isnan(valid).all(axis=1)
            return least_cost(seconds[there].reshape(int(there.sum()), -1), self.noise)
        return least_cost(np.where(np.isnan(valid), np.nan, seconds), self.noise)

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
        recorded = self._columns[self._valid, epochs][row]
        there = [i for i, value in enumerate(recorded.tolist()) if not math.isnan(value)]
        if not there:
            here = int((~np.isnan(self._columns[self._valid, epochs])).any(axis=1).sum())
            raise InvalidQuery(
                f"{self.name} has no training of {arch} for {epochs} epochs: "
                f"the table has {here:,} of {self.space.size:,} architectures."
            )
        seconds = self._seconds(epochs)[row]
        pairs = [(recorded[i], seconds[i] if seconds.ndim else seconds, str(i + 1)) for i in there]
        if self.noise.kind == "mean":
            mean = self.mean_accuracy(arch, epochs=epochs)
            pairs = [(mean, sum(cost for _, cost, _ in pairs) / len(pairs), "mean")]
        elif self.noise.kind == "repeat" and len(recorded) > 1:
            if self.noise.repeat > len(pairs):
                raise InvalidQuery(f"{self.name} has {len(pairs)} repeats of {arch} for {epochs} epochs, not more.")
            pairs = [pairs[self.noise.repeat - 1]]
        if not all(self.metric.fits(value) and 0 < cost < math.inf for value, cost, _ in pairs):
            raise wrong(self._table, f"{arch} has {pairs[0][0]} as {self.metric.name}, and costs {pairs[0][1]} seconds")
        extras = Extras(self._extras, row)
        return tuple(
            [Result(float(value), epochs, float(cost), extras, f"{arch}/{i}/{epochs}") for value, cost, i in pairs]
        )

    def _check_repeat(self, repeat: int) -> None:
        valid = self._columns[self._valid, self.epochs]
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
        if metric == self.metric.on("test"):
            return Unsupported(f"{self.name} has no test split. {self.test_source}".rstrip())
        known = dict.fromkeys(name for name, _ in self._columns if name != SECONDS)
        return InvalidQuery(f"{self.name} has the metrics {', '.join(known)}, not {metric!r:.40}.")


def least_cost(seconds: NDArray[Any], noise: Noise) -> float:
    """The least cost that a noise policy can answer with, of seconds (rows, repeats) with NaN for a missing repeat."""
    if noise.kind == "mean":
        return float(np.nanmin(mean_of_repeats(seconds)))
    if noise.kind == "repeat" and seconds.shape[1] > 1:
        return float(np.nanmin(seconds[:, noise.repeat - 1]))
    return float(np.nanmin(seconds))


def mean_of_repeats(column: NDArray[Any]) -> NDArray[np.float64]:
    """Mean over the repeats that are there, (rows, repeats) -> (rows,), read-only; NaN without any.

    Equal means are equal numbers, whatever their repeats: where accuracies are counts of images, the hits are added up
    as whole numbers and divided once; else means of several repeats are rounded to 12 decimals.
    """
    there = ~np.isnan(column)
    values = np.where(there, column, 0.0).astype(np.float64)
    images = _images(values) if column.shape[1] > 1 else None
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is wanted
        if images is not None:
            means: NDArray[np.float64] = np.rint(values * images).sum(axis=1) / (there.sum(axis=1) * images)
        else:
            means = values.sum(axis=1) / there.sum(axis=1)
    if images is None and column.shape[1] > 1:
        means = np.round(means, 12)
    means.setflags(write=False)
    return means


def _images(values: NDArray[np.float64]) -> int | None:
    """The number of images of which all fractions are a count, told from the fractions; None if there is none."""
    images = 1
    every = values.reshape(-1)
    for value in every[:: max(1, every.size // 64)].tolist():
        images = math.lcm(images, Fraction(value).limit_denominator(_MOST_IMAGES).denominator)
        if images > _MOST_IMAGES:
            return None
    counts = values * images
    return images if np.abs(counts - np.rint(counts)).max(initial=0.0) < 1e-5 else None


_MOST_IMAGES = 100_000
_NOTHING: dict[tuple[int, ...], tuple[Result, ...]] = {}
