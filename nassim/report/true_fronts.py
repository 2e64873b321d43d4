"""The exact front of a table: what no architecture of the whole space dominates, for any objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nassim.benchmark import MOST_LISTED, Benchmark
from nassim.errors import InvalidSetting, Unsupported
from nassim.objectives import is_rate
from nassim.pareto import Floats, Scale, non_dominated, scale_of
from nassim.report.fronts import values_of, wrong_objectives
from nassim.summary import SPLITS


class TrueFront(NamedTuple):
    """A front in order of its first objective: architectures, and points (points, objectives), all to be minimized.

    ``guessing`` networks of the table were left out, and ``missing`` lack a value.
    """

    objectives: tuple[str, ...]
    units: tuple[str, ...]
    architectures: tuple[str, ...]
    points: Floats
    scale: Scale
    guessing: int
    missing: int


def table_points(benchmark: Benchmark, objectives: Sequence[str]) -> tuple[list[str], Floats, list[str], int]:
    """All architectures of a table but those that guess, with their points, units, and how many those are.

    `Unsupported` where it is too large to list or its answers are trainings, `InvalidSetting` for unknown objectives.
    """
    metric = benchmark.metric
    known = [metric.on(split) for split in SPLITS if split == "valid" or benchmark.has_test]
    if why := wrong_objectives(benchmark.name, objectives[:2], [*known, *benchmark.about.extras]):
        raise InvalidSetting(why)
    if benchmark.trains or benchmark.about.surrogate or benchmark.space.size > MOST_LISTED:
        raise Unsupported(
            f"{benchmark.name} has no true front: that takes a table of up to {MOST_LISTED:,} architectures."
        )
    values = values_of(benchmark, [], list(objectives))
    return values.names, values.listed, values.units, values.number_guessing


def true_fronts(benchmark: Benchmark, choices: Sequence[Sequence[str]]) -> list[TrueFront]:
    """The exact front for each choice of objectives; the table is read once."""
    every = list(dict.fromkeys(name for choice in choices for name in choice))
    names, points, units, guessing = table_points(benchmark, every)
    found = []
    for choice in choices:
        columns = [every.index(name) for name in choice]
        there = np.flatnonzero(~np.isnan(points[:, columns]).any(axis=1))
        of = points[there][:, columns]
        front = np.flatnonzero(non_dominated(of))
        front = front[np.lexsort(of[front].T[::-1])]
        found.append(
            TrueFront(
                tuple(choice),
                tuple(units[column] for column in columns),
                tuple(names[there[i]] for i in front),
                of[front],
                scale_of(of[front]),
                guessing,
                len(points) - len(there),
            )
        )
    return found


def against_everything(benchmark: Benchmark) -> list[tuple[str, str]]:
    """Validation against each of what is measured."""
    return [(benchmark.metric.on("valid"), name) for name in benchmark.about.extras]


def as_measured(front: TrueFront, benchmark: Benchmark) -> list[dict[str, object]]:
    """A record for each architecture of a front: costs and rates as they were measured, accuracies in percent."""
    extras, metric = benchmark.about.extras, benchmark.metric
    columns: dict[str, Floats] = {}
    for i, name in enumerate(front.objectives):
        column = front.points[:, i]
        if name in extras:
            columns[name] = -column if is_rate(extras[name]) else column
        elif metric.reading == "percent":
            columns[f"{name}_percent"] = 100.0 - column
        else:
            columns[name] = -column if metric.more_is_better else column
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        {"architecture": arch, **dict(zip(columns, row, strict=True))}
        for arch, row in zip(front.architectures, rows, strict=True)
    ]
