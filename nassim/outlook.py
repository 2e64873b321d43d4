"""What a strategy is told before it begins: how far its budget goes, what is searched for, which epochs there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective, parse_constraint, parse_objectives


def searched_for(
    benchmark: Benchmark, objectives: str, constraint: str
) -> tuple[tuple[Objective, ...], Constraint | None]:
    """What a user types, held against what a benchmark has; `InvalidSetting` where it does not fit."""
    extras, name = benchmark.about.extras, benchmark.name
    return (
        parse_objectives(objectives, metric=benchmark.search_metric, extras=extras, benchmark=name),
        parse_constraint(constraint, extras=extras, benchmark=name),
    )


def able(
    benchmarks: Sequence[Benchmark], objectives: str, constraint: str
) -> tuple[list[Benchmark], dict[str, Constraint | None], dict[str, str]]:
    """The benchmarks that have what is searched for, their constraints by name, and why others are left out.

    `InvalidSetting` where none has.
    """
    found: list[Benchmark] = []
    bounds: dict[str, Constraint | None] = {}
    lacking: dict[str, str] = {}
    for benchmark in benchmarks:
        try:
            _, bound = searched_for(benchmark, objectives, constraint)
            refuse_unmet(benchmark, bound)
        except InvalidSetting as error:
            if len(lacking) == len(benchmarks) - 1:
                raise
            lacking[benchmark.name] = str(error)
            continue
        found.append(benchmark)
        bounds[benchmark.name] = bound
    return found, bounds, lacking


class Within(NamedTuple):
    """What of a space keeps to a constraint: how many architectures of how many, with the best values by metric.

    ``least`` and ``most`` of what is bounded; ``missing`` architectures have no value.
    """

    kept: int
    of: int
    missing: int
    least: float
    most: float
    best: Mapping[str, float]


def within(benchmark: Benchmark, constraint: Constraint, metrics: Sequence[str] = ()) -> Within | None:
    """Exact, from all architectures of a table; None where there is none to look all up.

    The best are those of `Benchmark.mean_accuracy` for each of ``metrics``; NaN where nothing is kept.
    """
    if benchmark.trains or benchmark.about.surrogate:
        return None
    columns = benchmark.columns(constraint.name, metrics)
    if columns is None:
        return None
    bounded, values = columns
    there = bounded[~np.isnan(bounded)]
    kept = bounded <= constraint.limit if constraint.sign == "<=" else bounded >= constraint.limit
    best = {name: float(np.fmax.reduce(column[kept], initial=np.nan)) for name, column in values.items()}
    ends = (float(there.min()), float(there.max())) if there.size else (math.nan, math.nan)
    return Within(int(kept.sum()), len(bounded), len(bounded) - there.size, *ends, best)


def refuse_unmet(benchmark: Benchmark, constraint: Constraint | None) -> None:
    """`InvalidSetting` where no architecture of a table keeps to a constraint."""
    found = None if constraint is None else within(benchmark, constraint)
    if constraint is None or found is None or found.kept:
        return
    what, least = constraint.name.replace("_", " "), constraint.sign == "<="
    end = f"the {'smallest' if least else 'largest'} {what} is {found.least if least else found.most:.4g}"
    missing = f", and {found.missing:,} have none" if found.missing else ""
    raise InvalidSetting(
        f"none of the {found.of:,} architectures of {benchmark.name} keeps to {constraint}: {end} "
        f"{constraint.unit}".rstrip()
        + f"{missing}. Give a {'higher' if least else 'lower'} limit."
    )


def horizon(budget: Budget, benchmark: Benchmark, workers: int = 1) -> int | None:
    """About how many queries that name no epochs a budget allows, for strategies that plan ahead.

    None where that is not known: a budget of seconds where nothing has been trained yet.
    """
    limits = [budget.queries or math.inf]
    if budget.epochs is not None:
        limits.append(budget.epochs / (benchmark.search_epochs or benchmark.epochs))
    if budget.seconds < math.inf and not math.isnan(typical := benchmark.typical_cost):
        limits.append(workers * budget.seconds / typical)
    least = min(limits)
    return None if least == math.inf else max(1, int(least))


def fidelities(benchmark: Benchmark) -> tuple[int, ...]:
    """The epochs that a strategy may ask for, rising, up to those of a query that names none.

    Under a protocol in which searches see the accuracy after 12 epochs that is the most that they can ask for.
    """
    most = benchmark.search_epochs or benchmark.epochs
    return tuple(sorted(epochs for epochs in benchmark.fidelities if epochs <= most)) or (most,)
