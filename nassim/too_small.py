"""Budgets that allow not one training: said before anything is run, with the smallest budget that works."""

from __future__ import annotations

import math

from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.errors import InvalidSetting


def refuse_too_small(budget: Budget, benchmark: Benchmark) -> None:
    """Raise `InvalidSetting` if no training of a benchmark ends within a budget, whichever architecture is trained.

    Silent where a strategy could ask for fewer epochs, or where the cheapest training is not known: what comes of those
    is seen when a run has ended (`no_answer`).
    """
    epochs = min(benchmark.fidelities)
    cheapest = benchmark.cheapest_cost(epochs) if budget.seconds < math.inf else None
    if (budget.epochs or math.inf) < epochs or budget.seconds < (cheapest or 0.0):
        raise InvalidSetting(f"the budget of {budget} is below one training of {benchmark.name}: {_advice(benchmark)}")


def no_answer(budget: Budget, benchmark: Benchmark) -> str:
    """What to say of runs in which no training ended within the budget."""
    return f"no training on {benchmark.name} ended within the budget of {budget}: {_advice(benchmark)}"


def _advice(benchmark: Benchmark) -> str:
    """The smallest budgets that allow one training."""
    epochs = benchmark.search_epochs or benchmark.epochs
    cheapest, unit = benchmark.cheapest_cost(), benchmark.cost_unit
    if unit != "seconds":
        return f"a training takes {epochs} epochs: give at least --budget {epochs}ep, or --budget 1q."
    if cheapest is None:
        return f"a training takes {epochs} epochs: give at least --budget {epochs}ep, --budget 1q or more seconds."
    return (
        f"a training takes {epochs} epochs, the cheapest training {cheapest:.4g} s, a typical one "
        f"{benchmark.typical_cost:.4g} s: give at least --budget {_up(cheapest)}s, --budget {epochs}ep or --budget 1q."
    )


def _up(seconds: float) -> str:
    """At least so many seconds, in four digits."""
    size = 10.0 ** (math.floor(math.log10(seconds)) - 3)
    steps = math.ceil(seconds / size)
    return f"{steps * size:.10g}" if steps * size >= seconds else f"{(steps + 1) * size:.10g}"
