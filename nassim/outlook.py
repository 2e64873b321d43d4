"""What a strategy is told before it begins: how far its budget goes, what is searched for, which epochs there are."""

from __future__ import annotations

import math

from nassim.benchmark import Benchmark
from nassim.clock import Budget
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
