"""What a strategy that plans ahead is told of its budget."""

from __future__ import annotations

import pytest

from nassim.clock import Budget
from nassim.outlook import horizon
from nassim.registry import get_benchmark
from nassim.run import run


@pytest.mark.parametrize(
    ("budget", "workers", "expected"),
    [("150q", 1, 150), ("150q", 4, 150), ("90ep", 1, 10), ("90ep,7q", 1, 7), ("1s", 1, 1)],
)
def test_counted_budgets(budget: str, workers: int, expected: int) -> None:
    assert horizon(Budget.parse(budget), get_benchmark("toy/additive"), workers) == expected


def test_seconds_are_counted_for_every_worker() -> None:
    benchmark = get_benchmark("toy/additive")
    budget = Budget(seconds=12 * benchmark.typical_cost + 1)
    assert [horizon(budget, benchmark, workers) for workers in (1, 2, 4)] == [12, 24, 48]


def test_progressive_search_uses_a_budget_of_several_workers() -> None:
    benchmark = get_benchmark("nasbench201/cifar10")
    result = run("pnas", benchmark, Budget(seconds=40 * benchmark.typical_cost), workers=4)
    assert len(result.trials) > 120
