"""Several objectives: what the strategies visited, against the true front of the table.

Accuracies, losses, ... are means over the repeats after a full training, looked up when the study has ended; a strategy
saw one of them only. All objectives are minimized: of an accuracy the error, in percent, of a loss the loss, of what
should be large and is no percentage its negative.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.benchmark import MOST_LISTED, Benchmark
from nassim.errors import InvalidQuery, InvalidSetting, NassimError
from nassim.metric import Metric
from nassim.objectives import is_rate
from nassim.pareto import Scale, attainment_surface, non_dominated, normalized_hypervolume, scale_of
from nassim.query import Query
from nassim.report.analysis import Analysis
from nassim.report.pack import Block
from nassim.report.runs import SPLIT_NAMES, Part
from nassim.report.visits import Visits
from nassim.space import Architecture, Graph
from nassim.stats import Finding, Interval, bootstrap_interval
from nassim.stats.samples import Floats
from nassim.summary import SPLITS

KINDS = ("latency", "parameters", "flops", "energy")  # shown against accuracy where a benchmark has them
LEVELS = (0.25, 0.5, 0.75)  # of the runs, whose attainment surfaces are kept
NOTHING = ("none", "zero", "zeroize")  # operations that pass nothing on


class Found(NamedTuple):
    """What one strategy found: the front of all its runs, the surfaces that parts of them attain, its hypervolume.

    ``answers``: the last incumbents of the runs, one a seed.
    """

    front: Floats
    surfaces: dict[float, Floats]
    answers: Floats
    hypervolume: Finding[Interval]

    @property
    def attained(self) -> Floats:
        """What half of the runs attain."""
        return self.surfaces[0.5]


class Fronts(NamedTuple):
    """The fronts of a benchmark for some objectives; ``true_front`` is empty where the table was not listed."""

    benchmark: str
    objectives: tuple[str, ...]
    units: tuple[str, ...]
    labels: tuple[str, ...]  # of axes
    scale: Scale
    true_front: Floats
    strategies: dict[str, Found]
    visited: Floats  # by any strategy, each architecture once
    without: int  # architectures that lack a value
    guessing: int  # networks that guess, left out: see `_guesses`
    constraint: str = ""  # that answers keep to
    read: str = ""  # how many runs of a strategy of how many, where trials were read of some only


def all_fronts(analysis: Analysis, visits: Visits, wanted: Sequence[str] | None) -> dict[str, list[Fronts] | str]:
    """benchmark -> its fronts, one for each choice of objectives; or why there are none.

    ``wanted`` names the objectives (`InvalidSetting` if no benchmark has them); by default the metric on the split of
    the regret against latency, parameters, FLOPs and energy, as far as a benchmark has them.
    """
    found = {part.name: _fronts_of(analysis, part, visits, wanted) for part in analysis.parts}
    reasons = [value for value in found.values() if isinstance(value, str)]
    if wanted is not None and reasons and len(reasons) == len(found):
        raise InvalidSetting(f"--objectives {','.join(wanted)}: {reasons[0]}")
    return found


def _fronts_of(analysis: Analysis, part: Part, visits: Visits, wanted: Sequence[str] | None) -> list[Fronts] | str:
    benchmark = analysis.benchmark(part.name)
    if isinstance(benchmark, str):
        return benchmark
    names = visits.architectures[part.name]
    if not names:
        kept = analysis.study.settings.get("trials", True)
        return (
            "no architecture was trained: the runs made no queries." if kept else "the study was made without trials."
        )
    metric = benchmark.metric
    extras = list(_extras(benchmark, benchmark.space.parse(names[0])))
    if wanted is None:
        against = [next((name for name in extras if name.startswith(kind)), None) for kind in KINDS]
        choices: list[tuple[str, ...]] = [(metric.on(part.split), name) for name in against if name is not None]
        if not choices:
            return f"{part.name} gives nothing beside {metric.name}."
    else:
        choices = [tuple(wanted)]
        known = [metric.on(split) for split in SPLITS if split == "valid" or benchmark.has_test]
        if why := wrong_objectives(
            part.name, wanted, [*known, *(extras if benchmark.trains else benchmark.about.extras)]
        ):
            return why
    values = values_of(benchmark, names, list(dict.fromkeys(name for choice in choices for name in choice)))
    found = [_fronts(part, visits, values, choice) for choice in choices]
    there = [fronts for fronts in found if not isinstance(fronts, str)]
    return there or str(found[0])


def wrong_objectives(benchmark: str, wanted: Sequence[str], known: Sequence[str]) -> str:
    """What is to be said of names that are no objectives; empty if they are."""
    unknown = [name for name in wanted if name not in known]
    if not unknown and 2 <= len(set(wanted)) == len(wanted) <= 4:
        return ""
    said = f"has no {', '.join(unknown)}" if unknown else "takes two to four different objectives"
    return f"{benchmark} {said}. It has {', '.join(known)}."


def _extras(benchmark: Benchmark, arch: Architecture) -> Mapping[str, float]:
    """What is known of an architecture beside its value; nothing is trained to know it."""
    if benchmark.trains:
        return benchmark.measure(arch)
    return benchmark.query(Query(arch), random.Random(0)).extras  # asked for means, it draws nothing


class Values(NamedTuple):
    """Objectives, to be minimized: of the visited architectures, in their order, and of the whole space if listed."""

    objectives: list[str]
    units: list[str]
    labels: list[str]
    most: list[float]  # beyond which no reference point lies: 100 % error
    visited: Floats
    names: list[str]  # of the listed
    listed: Floats
    guessing: NDArray[np.bool_]  # of the visited; those of the listed are left out
    number_guessing: int  # of the listed, else of the visited


def values_of(benchmark: Benchmark, names: Sequence[str], objectives: list[str]) -> Values:
    """The objectives of the architectures that are named, and of the whole space where that can be listed."""
    space, about = benchmark.space, benchmark.about.extras
    metric = benchmark.metric
    measured = {metric.on(split): split for split in SPLITS}
    whole = space.size <= MOST_LISTED
    archs = space.architectures() if whole else map(space.parse, names)
    rows: dict[str, list[float]] = {}
    for arch in archs:
        try:
            extras = _extras(benchmark, arch)
        except InvalidQuery:  # a table may lack architectures
            rows[str(arch)] = [float("nan")] * len(objectives)
            continue
        rows[str(arch)] = [
            _minimized(metric, benchmark.mean_accuracy(arch, name))
            if name in measured
            else (-1 if is_rate(about[name]) else 1) * extras.get(name, math.nan)
            for name in objectives
        ]
    visited = np.array([rows[name] for name in names], dtype=np.float64).reshape(len(names), len(objectives))
    every = np.array(list(rows.values()), dtype=np.float64).reshape(len(rows), len(objectives))
    guessing = _guesses(benchmark, list(rows))
    listed = every[~guessing] if whole else np.empty((0, len(objectives)))
    of_listed = [name for name, guesses in zip(rows, guessing, strict=True) if whole and not guesses]
    guesses = dict(zip(rows, guessing.tolist(), strict=True))
    of_visited = np.array([guesses[name] for name in names], dtype=np.bool_)
    unit = "error, percent" if metric.reading == "percent" else metric.shown_unit
    units = [unit if name in measured else about.get(name, "") for name in objectives]
    labels = [
        _measured_label(metric, measured[name]) if name in measured else _label(name, unit)
        for name, unit in zip(objectives, units, strict=True)
    ]
    most = [100.0 if name in measured and metric.reading == "percent" else math.inf for name in objectives]
    return Values(objectives, units, labels, most, visited, of_listed, listed, of_visited, int(guessing.sum()))


def _minimized(metric: Metric, value: float) -> float:
    """What is minimized of a value: the error in percent, the loss as it is printed, else the negative."""
    if metric.reading == "percent":
        return 100 * (1 - value)
    return -metric.shown(value) if metric.more_is_better else metric.shown(value)


def _measured_label(metric: Metric, split: str) -> str:
    if metric.reading == "percent":
        return f"{metric.beside(SPLIT_NAMES[split])} error [%]"
    return f"minus {metric.titled(split)}" if metric.more_is_better else metric.titled(split)


def _label(name: str, described: str) -> str:
    unit = described.partition(",")[0]
    shown = f"{'minus ' * is_rate(described)}{name.replace('_', ' ')}"
    return f"{shown} [{unit}]" if unit else shown


def _guesses(benchmark: Benchmark, names: Sequence[str]) -> NDArray[np.bool_]:
    """Which networks guess: no operation leads from input to output, or they are no better than the best of those.

    They are cheap and answer nothing, so they would fix the reference point of every hypervolume. None, where a space
    draws no graphs or all of its networks have a way.
    """
    space, accuracy = benchmark.space, np.full(len(names), np.nan)
    cut = np.zeros(len(names), dtype=np.bool_)
    try:
        for i, name in enumerate(names):
            cut[i] = not _has_a_way(space.graph(space.parse(name)))
        if not cut.any():
            return cut
        for i, name in enumerate(names):
            accuracy[i] = benchmark.mean_accuracy(space.parse(name))
    except NassimError:
        return np.zeros(len(names), dtype=np.bool_)
    there = cut & ~np.isnan(accuracy)
    return cut | (accuracy <= accuracy[there].max()) if there.any() else cut


def _has_a_way(graph: Graph) -> bool:
    reached = {0}
    for source, target, operation in sorted(graph.edges):  # sources come before their targets
        if source in reached and operation not in NOTHING:
            reached.add(target)
    return len(graph.nodes) - 1 in reached


def _fronts(part: Part, visits: Visits, values: Values, objectives: tuple[str, ...]) -> Fronts | str:
    columns = [values.objectives.index(name) for name in objectives]
    visited, listed = values.visited[:, columns], _there(values.listed[:, columns])
    useful = np.where(values.guessing[:, None], np.nan, visited)  # what is not there counts nowhere
    true_front = listed[non_dominated(listed)]
    most = [values.most[i] for i in columns]
    fixing = next((x for x in (true_front, _there(useful), _there(visited)) if len(x)), None)
    if fixing is None:
        return f"{part.name} has no architecture with {' and '.join(objectives)}."
    scale = scale_of(fixing, most)
    known = {name: place for place, name in enumerate(visits.architectures[part.name])}
    strategies = {}
    for strategy in part.strategies:
        runs = visits.of.get((part.name, strategy))
        if runs is None:  # a strategy that made no queries
            continue
        sets = [_there(useful[sorted(set(places))]) for places in runs.values()]
        union = np.unique(np.concatenate(sets), axis=0)
        volumes = [normalized_hypervolume(points, scale) for points in sets]
        none = np.empty((0, 2))
        surfaces = {level: attainment_surface(sets, level) if len(objectives) == 2 else none for level in LEVELS}
        ends = [known.get(run.curve[-1].architecture) for run in part.runs[strategy] if run.curve]
        answers = _there(visited[[place for place in ends if place is not None]])
        strategies[strategy] = Found(union[non_dominated(union)], surfaces, answers, _interval(volumes))
    units = tuple(values.units[i] for i in columns)
    without = int(np.isnan(visited).any(axis=1).sum())
    labels = tuple(values.labels[i] for i in columns)
    return Fronts(
        part.name,
        objectives,
        units,
        labels,
        scale,
        true_front,
        strategies,
        _there(useful),
        without,
        values.number_guessing,
        part.facts.constraint,
        visits.read,
    )


def _interval(volumes: Sequence[float]) -> Finding[Interval]:
    found = bootstrap_interval([volumes])
    if found.value is None and volumes:  # one run: the value without limits
        return Finding(Interval(volumes[0], float("nan"), float("nan")))
    return found


def _there(points: Floats) -> Floats:
    return points[~np.isnan(points).any(axis=1)]


def fronts_data(fronts: Fronts, block: Block) -> dict[str, Any]:
    """The first two objectives, for the page: columns of the true front, of each strategy's, and what half attain."""

    def columns(points: Floats) -> list[Any]:
        order = np.lexsort(points.T[::-1]) if len(points) else np.empty(0, dtype=np.intp)
        return [block.add(points[order, i] if len(points) else np.empty(0)) for i in (0, 1)]

    return {
        "objectives": fronts.objectives,
        "labels": fronts.labels[:2],
        "true": columns(fronts.true_front),
        "strategies": {
            name: {"front": columns(found.front), "attained": columns(found.attained)}
            for name, found in fronts.strategies.items()
        },
    }
