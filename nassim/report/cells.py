"""The best architectures that a study found: drawn, with what they reach at every known epoch."""

from __future__ import annotations

import random
from typing import NamedTuple

from nassim.benchmark import Benchmark
from nassim.errors import NassimError
from nassim.metric import Metric
from nassim.query import Query
from nassim.registry import get_space
from nassim.report.analysis import Analysis
from nassim.report.drawing import graph_svg, operations
from nassim.report.runs import Part
from nassim.report.table import Entry, Table, no_table, row
from nassim.space import SearchSpace
from nassim.summary import accuracy

MOST = 8


class BestCell(NamedTuple):
    """A final incumbent: how many runs of each strategy ended with it, and its mean values (of accuracy fractions).

    ``valid`` is None where the source has no validation split. ``by_epochs`` holds the validation value after each
    number of epochs that the benchmark knows; it is empty where the search saw another split.
    """

    architecture: str
    string: str
    found_by: dict[str, int]
    valid: float | None
    test: float | None
    by_epochs: dict[int, float]
    svg: str


class Drawer:
    """Draws the architectures of a space, each once; says why where it cannot."""

    def __init__(self, name: str) -> None:
        self._drawn: dict[str, str] = {}
        self.why = ""
        self.space: SearchSpace | None = None
        try:
            self.space = get_space(name)
        except (NassimError, ImportError) as error:
            self.why = f"no drawing: {error}"

    def __call__(self, architecture: str) -> str:
        """The SVG of an architecture, empty where it cannot be drawn."""
        if architecture not in self._drawn:
            self._drawn[architecture] = self._draw(architecture)
        return self._drawn[architecture]

    def _draw(self, architecture: str) -> str:
        if self.space is None:
            return ""
        try:
            graph = self.space.graph(self.space.parse(architecture))
        except NassimError as error:
            self.why = f"no drawing: {error}"
            return ""
        edges = ", ".join(f"{graph.nodes[s]} to {graph.nodes[t]} {o}".strip() for s, t, o in graph.edges)
        return graph_svg(graph, operations(self.space), f"{architecture}: {edges}")

    def string(self, architecture: str) -> str:
        """The space's published form of an architecture."""
        return architecture if self.space is None else self.space.format(self.space.parse(architecture))


def drawer_of(part: Part) -> Drawer:
    """What draws a benchmark's architectures."""
    named = (p.architecture for runs in part.runs.values() for run in runs for p in run.curve)
    return Drawer(next(named, "").partition(":")[0])


def best_cells(analysis: Analysis, part: Part, draw: Drawer) -> list[BestCell]:
    """The best final incumbent of each strategy and the best of all, at most MOST; best first."""
    ends: dict[str, dict[str, int]] = {}
    value: dict[str, float] = {}
    points = {}
    best_of: dict[str, str] = {}
    for strategy, runs in part.runs.items():
        for run in runs:
            found = accuracy(run.curve[-1], part.split) if run.curve else None
            if found is None:
                continue
            name = run.curve[-1].architecture
            ends.setdefault(name, {}).setdefault(strategy, 0)
            ends[name][strategy] += 1
            value[name], points[name] = found, run.curve[-1]
            if strategy not in best_of or found > value[best_of[strategy]]:
                best_of[strategy] = name
    ranked = sorted(value, key=lambda name: (-value[name], name))
    chosen = list(dict.fromkeys([*ranked[:3], *best_of.values()]))
    benchmark = analysis.benchmark(part.name)
    return [
        BestCell(
            name,
            draw.string(name),
            ends[name],
            points[name].valid,
            points[name].test,
            _by_epochs(benchmark, name),
            draw(name),
        )
        for name in sorted(chosen, key=lambda name: (-value[name], name))[:MOST]
    ]


def _by_epochs(benchmark: Benchmark | str, architecture: str) -> dict[int, float]:
    if isinstance(benchmark, str) or benchmark.trains:  # nothing is trained because somebody looks
        return {}
    if benchmark.search_metric != benchmark.metric.on("valid"):
        return {}
    arch = benchmark.space.parse(architecture)
    found = {}
    for epochs in benchmark.fidelities:
        try:
            found[epochs] = benchmark.query(Query(arch, epochs), random.Random(0)).value
        except NassimError:  # a release may lack single trainings
            continue
    return found


def cells_table(analysis: Analysis, part: Part, cells: list[BestCell]) -> Table:
    """The best cells in numbers: what they reach at every known epoch, and who found them."""
    metric = part.metric
    name, caption = f"cells-{part.name}", f"Best architectures on {part.name}, by mean {metric.title(part.split)}."
    if not cells:
        return no_table(name, caption, "No run has an answer.")
    epochs = sorted({e for cell in cells for e in cell.by_epochs})
    valid, test = any(cell.valid is not None for cell in cells), any(cell.test is not None for cell in cells)
    columns = [
        "architecture",
        *(f"{metric.head('valid')}, {e} epochs" for e in epochs),
        *([metric.head("test")] if test else []),
        "final answer of",
    ]
    if valid and not epochs:
        columns.insert(1, f"{metric.head('valid')}, {part.facts.epochs} epochs")
    rows = []
    for cell in cells:
        values = [_shown(metric, cell.by_epochs.get(e)) for e in epochs] or [_shown(metric, cell.valid)] * valid
        tests = [_shown(metric, cell.test)] * test
        rows.append(
            row(Entry(cell.architecture, by=tuple(cell.found_by)), *values, *tests, found_by_in_words(part, cell))
        )
    notes = ["Means over the table's repeats."]
    benchmark = analysis.benchmark(part.name)
    if isinstance(benchmark, str):
        notes.append(f"Other epochs are not shown: {benchmark}")
    elif benchmark.epochs_source:
        notes.append(benchmark.epochs_source)
    return Table(name, caption, tuple(columns), rows, tuple(notes))


def _shown(metric: Metric, value: float | None) -> str:
    return metric.text(None if value is None else metric.shown(value))


def found_by_in_words(part: Part, cell: BestCell) -> str:
    """How many runs of each strategy ended with a cell."""
    return ", ".join(f"{s} {n} of {len(part.runs[s])}" for s, n in cell.found_by.items())
