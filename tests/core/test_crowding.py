"""The crowding distance against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.pareto import crowding

rows = st.integers(1, 4).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 60), min_size=m, max_size=m), min_size=1, max_size=9)
)


def by_definition(points: np.ndarray) -> list[float]:
    """Point by point: the next one below and above in each objective, equal ones in their order."""
    found = []
    for i, point in enumerate(points):
        total = 0.0
        for m, own in enumerate(point):
            column = [(value, j) for j, value in enumerate(points[:, m].tolist())]
            low, high = min(column)[0], max(column)[0]
            if low == high:
                continue
            below = [value for value, j in column if (value, j) < (own, i)]
            above = [value for value, j in column if (value, j) > (own, i)]
            total += (min(above) - max(below)) / (high - low) if below and above else math.inf
        found.append(total)
    return found


@given(rows)
def test_crowding_by_definition(rows: list[list[int]]) -> None:
    points = np.array(rows, float)
    assert crowding(points).tolist() == pytest.approx(by_definition(points))


def test_crowding_of_a_front_worked_out_by_hand() -> None:
    front = [[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [10.0, 0.0]]
    assert crowding(front).tolist() == [math.inf, 0.4 + 0.5, 0.9 + 0.6, math.inf]
    assert crowding(np.array(front) * [1000.0, 0.001] + [7.0, -3.0]) == pytest.approx(crowding(front))  # units, places


def test_an_objective_that_is_equal_everywhere_says_nothing() -> None:
    assert crowding([[1.0, 2.0]] * 3).tolist() == [0.0] * 3
    assert crowding([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]).tolist() == [math.inf, 1.0, math.inf]
    assert crowding(np.empty((0, 2))).tolist() == []


def test_points_without_a_value_are_ends_and_no_range() -> None:
    points = [[0.0], [1.0], [4.0], [math.inf], [math.inf], [math.inf]]
    assert crowding(points).tolist() == [math.inf, 1.0, math.inf, math.inf, 0.0, math.inf]
    assert not np.isnan(crowding([[math.inf], [math.inf], [0.0]])).any()
