"""Several objectives: non-dominated sorting, crowding, hypervolume and attainment surfaces.

Points are rows of an array (points, objectives), and every objective is to be minimized: give the error
for an accuracy, seconds, parameters, FLOPs or joules as they are. Written here, not taken from moocore or pymoo: it is
little, it adds no compiled dependency to every installation, and attainment surfaces come with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other point dominates (is nowhere worse and somewhere better), shape (points,).

    Equal points do not dominate each other: all of them are kept.
    """
    x = _points(points)
    front = np.zeros(len(x), dtype=np.bool_)
    # in lexicographic order nothing is dominated by what comes after it: each first one left is in the front
    left = np.lexsort(x.T[::-1])
    while left.size:
        front[left[0]] = True
        first = x[left[0]]
        same = (x[left] == first).all(axis=1)
        front[left[same]] = True
        left = left[~same & (x[left] < first).any(axis=1)]
    return front


def fronts(points: ArrayLike) -> NDArray[np.intp]:
    """The front of each point, shape (points,): 0 if non-dominated, 1 if so once front 0 is gone, and so on.

    Deb, Pratap, Agarwal & Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
    Transactions on Evolutionary Computation 6(2), 2002.
    """
    x = _points(points)
    number = np.zeros(len(x), dtype=np.intp)
    left = np.arange(len(x))
    level = 0
    while left.size:
        best = non_dominated(x[left])
        number[left[best]] = level
        left = left[~best]
        level += 1
    return number


def crowding(points: ArrayLike) -> Floats:
    """The crowding distance of each point of one front, shape (points,): how far apart its neighbors are.

    The sum over the objectives of the distance between the next lower and the next higher point, as a part of the
    front's range; infinite for the two ends of an objective. Of equal coordinates the first point counts as the lower,
    and an objective in which all points are equal says nothing. Infinite coordinates are ends and no part of a range.
    Deb et al. 2002 (see `fronts`), section III-B.
    """
    x = _points(points)
    distance = np.zeros(len(x))
    for column in x.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        if not len(x) or ordered[0] == ordered[-1]:
            continue
        finite = ordered[np.isfinite(ordered)]
        distance[order[[0, -1]]] = np.inf
        with np.errstate(invalid="ignore"):  # inf - inf between points without a value
            gaps = ordered[2:] - ordered[:-2]
        gaps[np.isnan(gaps)] = 0.0
        spread = finite[-1] - finite[0] if len(finite) else 0.0
        distance[order[1:-1]] += gaps / spread if spread > 0 else gaps
    return distance


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume that is dominated by the points and lies below the reference point; exact.

    Its unit is the product of the objectives' units. Points that are not below the reference in every
    objective add nothing. Zitzler & Thiele, PPSN 1998; computed by slicing along the last objective (While,
    Hingston, Barone & Huband, IEEE Transactions on Evolutionary Computation 10(1), 2006): n log n for two
    objectives, n^2 log n for three; for more the time grows with each by a factor n.
    """
    corner = np.asarray(reference, dtype=np.float64)
    x = _points(points)
    if x.shape[1] != corner.size:
        raise ValueError(f"points have {x.shape[1]} objectives, the reference point has {corner.size}.")
    x = x[(x < corner).all(axis=1)]
    return _volume(x[non_dominated(x)], corner)


def _volume(x: Floats, corner: Floats) -> float:
    if not len(x):
        return 0.0
    x = x[np.argsort(x[:, -1], kind="stable")]
    if x.shape[1] == 1:
        return float(corner[0] - x[0, 0])
    heights = np.diff(np.append(x[:, -1], corner[-1]))
    if x.shape[1] == 2:
        return float(heights @ (corner[0] - np.minimum.accumulate(x[:, 0])))
    slices = (h and h * _volume(x[: i + 1, :-1], corner[:-1]) for i, h in enumerate(heights.tolist()))
    return float(sum(slices))


class Scale(NamedTuple):
    """Fixed points for the objectives of one table: record them with every hypervolume.

    ``ideal`` and ``nadir`` are the best and the worst value of each objective in the table's true front;
    ``reference`` lies a tenth of their distance beyond the nadir, so that the ends of a front count too
    (Ishibuchi, Imada, Setoguchi & Nojima, Evolutionary Computation 26(3), 2018). Fixed points of a table
    are what makes hypervolumes comparable between papers (EvoXBench: Lu et al. 2023).
    """

    ideal: Floats
    nadir: Floats
    reference: Floats
    hypervolume: float  # of the true front, below the reference


def scale_of(table: ArrayLike, most: ArrayLike | None = None) -> Scale:
    """The scale from all points of a table, or from its true front, which gives the same.

    Give it without points that are of no use, such as networks that guess: the cheapest of them would fix the
    reference, and whatever learns anything would lie close together far below it. An objective that is constant on the
    front gets the reference value + 0.1 (in its unit). ``most`` (objectives,) is the largest value that each objective
    can take (100 for an error in percent, else infinity): no reference lies beyond.
    """
    x = _points(table)
    if not len(x):
        raise ValueError("a table without points has no scale.")
    front = x[non_dominated(x)]
    ideal, nadir = front.min(axis=0), front.max(axis=0)
    reference = nadir + 0.1 * np.where(nadir > ideal, nadir - ideal, 1.0)
    if most is not None:
        reference = np.minimum(reference, np.asarray(most, dtype=np.float64))
    return Scale(ideal, nadir, reference, hypervolume(front, reference))


def normalized_hypervolume(points: ArrayLike, scale: Scale) -> float:
    """Hypervolume as a fraction of that of the true front: 1 if the whole front was found.

    A fraction of volumes below one reference point does not depend on the objectives' units.
    """
    return hypervolume(points, scale.reference) / scale.hypervolume


def hypervolume_steps(points: ArrayLike, scale: Scale) -> Floats:
    """`normalized_hypervolume` of the first, first two, ... points in the order visited, shape (points,)."""
    x = _points(points)
    values = np.zeros(len(x))
    front = np.empty((0, x.shape[1]))
    current = 0.0
    for i, point in enumerate(x):
        if (point < scale.reference).all() and not (front <= point).all(axis=1).any():
            front = np.vstack([front[~(front >= point).all(axis=1)], point])
            current = normalized_hypervolume(front, scale)
        values[i] = current
    return values


def attainment_surface(sets: Sequence[ArrayLike], level: float = 0.5) -> Floats:
    """The points (points, 2) that just ``level`` of the runs attain: 0.5 gives the median surface.

    A run attains a point if one of its own points is nowhere worse. The corners of the surface come back in
    order of the first objective; the surface goes right and down between them, never straight. Empty if
    fewer runs have points. Two objectives only. Grunert da Fonseca, Fonseca & Hall, EMO 2001; Lopez-Ibanez,
    Paquete & Stuetzle 2010. ``level`` of n runs means the smallest whole number that is at least level * n,
    and at least 1.
    """
    if not 0 <= level <= 1:
        raise ValueError(f"a level is a fraction, not {level}.")
    runs = [_points(points) for points in sets]
    if any(run.shape[1] != 2 for run in runs):
        raise ValueError("attainment surfaces are computed for two objectives.")
    if not runs:
        return np.empty((0, 2))
    needed = max(1, int(np.ceil(level * len(runs) - 1e-9)))
    return _swept([_staircase(run) for run in runs], needed)


def _staircase(run: Floats) -> Floats:
    """The corners of what one run attains, in order of the first objective."""
    ordered = run[np.lexsort((run[:, 1], run[:, 0]))]
    lowest = np.minimum.accumulate(ordered[:, 1])
    return ordered[ordered[:, 1] < np.concatenate([[np.inf], lowest[:-1]])]


def _swept(runs: Sequence[Floats], needed: int) -> Floats:
    """The corners of what ``needed`` of the staircases attain: one sweep over all of their corners.

    How many runs stand on each level of the second objective is counted, so that memory does not grow with the number
    of runs times that of corners; the level that enough of them have reached only falls.
    """
    owners = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    corners = np.concatenate([*runs, np.empty((0, 2))])
    levels, places = np.unique(corners[:, 1], return_inverse=True)
    nowhere = level = len(levels)  # where a run stands that has no point yet
    standing, there, enough = [nowhere] * len(runs), [0] * nowhere + [len(runs)], len(runs)
    order = np.lexsort((places, corners[:, 0]))
    first = corners[order, 0]
    last_of_its_place = np.append(first[1:] != first[:-1], True)[: len(first)]
    found: list[tuple[float, float]] = []
    for x, owner, place, last in zip(
        first.tolist(),
        owners[order].tolist(),
        places.reshape(-1)[order].tolist(),
        last_of_its_place.tolist(),
        strict=True,
    ):
        before = standing[owner]
        if place < before:
            there[before] -= 1
            there[place] += 1
            standing[owner] = place
            enough += before > level >= place  # runs at this level or below
        if last:
            fallen = level
            while level and enough - there[level] >= needed:
                enough -= there[level]
                level -= 1
            if level < fallen:
                found.append((x, float(levels[level])))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _points(points: ArrayLike) -> Floats:
    x = np.asarray(points, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"points are an array (points, objectives), not of shape {x.shape}.")
    return x
