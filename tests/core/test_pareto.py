"""Several objectives: sorting, hypervolume and attainment surfaces against their definitions."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.pareto import (
    attainment_surface,
    fronts,
    hypervolume,
    hypervolume_steps,
    non_dominated,
    normalized_hypervolume,
    scale_of,
)


def clouds(objectives: int, most: int = 9) -> st.SearchStrategy[np.ndarray]:
    """Points on a coarse grid: equal points and equal coordinates are common."""
    point = st.lists(st.integers(0, 5), min_size=objectives, max_size=objectives)
    return st.lists(point, max_size=most).map(lambda x: np.array(x, float).reshape(-1, objectives))


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


any_cloud = st.integers(1, 4).flatmap(clouds)


@given(any_cloud)
def test_fronts_by_definition(points: np.ndarray) -> None:
    left, expected, level = list(range(len(points))), [0] * len(points), 0
    while left:
        front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        for i in front:
            expected[i] = level
        left, level = [i for i in left if i not in front], level + 1
    assert fronts(points).tolist() == expected
    assert non_dominated(points).tolist() == [number == 0 for number in expected]


def volume_by_counting(points: np.ndarray, reference: np.ndarray) -> int:
    """The unit cells of the integer grid below the reference that some point dominates."""
    cells = itertools.product(*(range(int(r)) for r in reference))
    return sum(any((p <= c).all() for p in points) for c in cells)


def volume_by_inclusion_and_exclusion(points: np.ndarray, reference: np.ndarray) -> float:
    total = 0.0
    for size in range(1, len(points) + 1):
        for group in itertools.combinations(points, size):
            total -= (-1) ** size * np.prod(np.maximum(reference - np.max(group, axis=0), 0))
    return total


@given(any_cloud, st.integers(1, 6))
def test_hypervolume_counts_the_dominated_cells(points: np.ndarray, corner: int) -> None:
    reference = np.full(points.shape[1], float(corner))
    assert hypervolume(points, reference) == pytest.approx(volume_by_counting(points, reference))


@given(
    st.integers(2, 3).flatmap(
        lambda m: st.lists(st.lists(st.floats(0, 1), min_size=m, max_size=m), min_size=1, max_size=7)
    )
)
def test_hypervolume_equals_inclusion_and_exclusion(rows: list[list[float]]) -> None:
    points = np.array(rows)
    reference = np.linspace(0.7, 1.1, points.shape[1])
    assert hypervolume(points, reference) == pytest.approx(
        volume_by_inclusion_and_exclusion(points, reference), abs=1e-12
    )


def test_hypervolume_by_hand() -> None:
    # three steps: 3 x 1 + 2 x 1 + 1 x 1 below (4, 4)
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]) == 6.0
    # two boxes 1 x 2 x 3 and 3 x 1 x 1 from (3, 3, 3), which share 1 x 1 x 1
    assert hypervolume([[2, 1, 0], [0, 2, 2]], [3, 3, 3]) == 6 + 3 - 1
    assert hypervolume([[4, 0], [0, 4]], [4, 4]) == 0.0  # on the border
    assert hypervolume(np.empty((0, 2)), [1, 1]) == 0.0
    with pytest.raises(ValueError, match="2 objectives, the reference point has 3"):
        hypervolume([[1, 2]], [1, 2, 3])
    with pytest.raises(ValueError, match="not of shape"):
        hypervolume([1, 2], [3, 3])


@pytest.mark.parametrize("objectives", [2, 3])
def test_hypervolume_of_a_known_surface(objectives: int) -> None:
    """Below a dense simplex sum(x) = 1 lies 1/m! of the unit cube."""
    grid = np.array([p for p in itertools.product(range(41), repeat=objectives) if sum(p) == 40]) / 40
    assert hypervolume(grid, np.ones(objectives)) == pytest.approx(1 - 1 / math.factorial(objectives), abs=0.03)


def test_fixed_points_of_a_table() -> None:
    table = np.array([[0.06, 9.0], [0.10, 3.0], [0.50, 1.0], [0.60, 2.0], [0.07, 40.0]])  # error, milliseconds
    scale = scale_of(table)
    assert scale.ideal.tolist() == [0.06, 1.0]
    assert scale.nadir.tolist() == [0.50, 9.0]
    assert scale.reference.tolist() == pytest.approx([0.544, 9.8])
    front = table[:3]
    assert scale.hypervolume == hypervolume(front, scale.reference) == scale_of(front).hypervolume
    assert normalized_hypervolume(table, scale) == normalized_hypervolume(front, scale) == 1.0
    assert 0 < normalized_hypervolume(front[:1], scale) < normalized_hypervolume(front[:2], scale) < 1
    assert normalized_hypervolume(front[2:] * [1, 20], scale) == 0.0


@given(st.integers(2, 3).flatmap(clouds), st.floats(0.001, 1000))
def test_normalized_hypervolume_does_not_depend_on_units(points: np.ndarray, unit: float) -> None:
    table = np.vstack([points, np.zeros(points.shape[1]) + np.arange(points.shape[1]), np.eye(points.shape[1]) * 4])
    units = np.ones(points.shape[1])
    units[0] = unit
    if (scale_of(table).nadir > scale_of(table).ideal).all():
        found = normalized_hypervolume(points * units, scale_of(table * units))
        assert found == pytest.approx(normalized_hypervolume(points, scale_of(table)))


def test_a_table_with_one_best_point_has_a_scale() -> None:
    scale = scale_of([[1.0, 2.0], [3.0, 4.0]])
    assert scale.reference.tolist() == [1.1, 2.1]
    assert normalized_hypervolume([[1.0, 2.0]], scale) == 1.0
    with pytest.raises(ValueError, match="without points"):
        scale_of(np.empty((0, 2)))


@given(st.integers(2, 3).flatmap(clouds))
def test_steps_are_the_hypervolumes_of_what_was_visited(points: np.ndarray) -> None:
    scale = scale_of(np.vstack([points, np.ones(points.shape[1])]))
    expected = [normalized_hypervolume(points[: i + 1], scale) for i in range(len(points))]
    assert hypervolume_steps(points, scale).tolist() == pytest.approx(expected)


@given(st.lists(clouds(2, most=5), min_size=1, max_size=5), st.floats(0, 1))
def test_attainment_surface_by_definition(sets: list[np.ndarray], level: float) -> None:
    surface = attainment_surface(sets, level)
    needed = max(1, math.ceil(level * len(sets) - 1e-9))
    for goal in itertools.product(np.arange(-0.5, 6.0, 0.5), repeat=2):
        runs = sum(any((p <= goal).all() for p in points) for points in sets)
        assert (runs >= needed) == any((corner <= goal).all() for corner in surface)
    assert non_dominated(surface).all()
    assert (np.diff(surface[:, 0]) > 0).all()


def test_attainment_surfaces_by_hand() -> None:
    sets = [[[1.0, 3.0], [3.0, 1.0]], [[2.0, 2.0]], [[1.0, 4.0], [4.0, 0.0]]]
    assert attainment_surface(sets, 1 / 3).tolist() == [[1, 3], [2, 2], [3, 1], [4, 0]]
    assert attainment_surface(sets).tolist() == [[1, 4], [2, 3], [3, 2], [4, 1]]
    assert attainment_surface(sets, 1.0).tolist() == [[2, 4], [4, 2]]
    assert attainment_surface([]).shape == (0, 2)
    with pytest.raises(ValueError, match="two objectives"):
        attainment_surface([[[1.0, 2.0, 3.0]]])
    with pytest.raises(ValueError, match="fraction"):
        attainment_surface(sets, 50)


def test_a_whole_table_is_sorted_quickly() -> None:
    rng = np.random.default_rng(0)
    table = rng.random((15_625, 3))
    began = time.process_time()
    scale = scale_of(table)
    hypervolume_steps(table[:150], scale)
    assert time.process_time() - began < 5.0
