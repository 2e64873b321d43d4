"""Everything that a report shows, in whatever form: the analysis with its tables, fronts, cells and answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nassim.report.analysis import Analysis
from nassim.report.cells import BestCell, Drawer, best_cells, cells_table, drawer_of
from nassim.report.changes import Changes
from nassim.report.checklist import Item, checklist
from nassim.report.diagram import Diagram, diagram_of
from nassim.report.family import Family, families
from nassim.report.fronts import Fronts, all_fronts
from nassim.report.hypervolumes import hypervolume_table
from nassim.report.pairs import pairs_table, ranks_table, wins_table
from nassim.report.pitfalls import Pitfall, pitfalls
from nassim.report.results import results_table
from nassim.report.running_time import running_time_tables
from nassim.report.runs import Part
from nassim.report.settings import hyperparameters_table, settings_table
from nassim.report.supernets import Course, courses, courses_table
from nassim.report.table import Table
from nassim.report.validation import Validation, read_validations, validation_table
from nassim.report.visits import Visits
from nassim.stats import Finding
from nassim.study import Study


class PartContent(NamedTuple):
    """What is shown of one benchmark; ``notes`` says where a one-shot strategy's runs come from."""

    part: Part
    results: Table
    wins: Table
    pairs: Table
    running_times: dict[str, Table]
    fronts: list[Fronts] | str
    hypervolumes: list[Table]
    cells: list[BestCell]
    cells_table: Table
    draw: Drawer
    notes: dict[str, str]
    validation: Validation | None
    courses: list[Course] | str
    courses_table: Table
    families: list[Family]

    @property
    def retrained(self) -> list[Table]:
        """The table of what was trained again; empty if nothing was."""
        return [] if self.validation is None else [validation_table(self.validation)]

    @property
    def tables(self) -> list[Table]:
        """All tables of the benchmark."""
        times = self.running_times.values()
        shared = [] if isinstance(self.courses, str) else [self.courses_table]
        shown = [self.results, self.wins, self.pairs, *times, *self.hypervolumes, self.cells_table]
        return [*shown, *shared, *self.retrained]


class Content(NamedTuple):
    """What is shown of a study; ``overall`` holds the tables over all benchmarks, where there are several."""

    title: str
    analysis: Analysis
    visits: Visits
    parts: dict[str, PartContent]
    overall: list[Table]
    ranks: Table | None
    diagram: Finding[Diagram]
    hyperparameters: Table
    settings: Table
    checklist: list[Item]
    pitfalls: list[Pitfall]
    changes: Changes | None


def content_of(study: Study, folder: Path, objectives: Sequence[str] | None, changes: Changes | None) -> Content:
    """Compute everything; ``objectives`` as in `nassim.report.fronts.all_fronts`."""
    analysis = Analysis(study)
    visits = Visits(analysis)
    fronts = all_fronts(analysis, visits, objectives)
    validations = read_validations(folder)
    parts = {
        part.name: _part_content(analysis, part, visits, fronts[part.name], validations.get(part.name))
        for part in analysis.parts
    }
    several = len(analysis.parts) > 1
    there = bool(analysis.parts)
    return Content(
        title=f"{folder.resolve().name}: {', '.join(analysis.study.facts)}",
        analysis=analysis,
        visits=visits,
        parts=parts,
        overall=[wins_table(analysis, None), pairs_table(analysis, None)] if several else [],
        ranks=ranks_table(analysis) if there else None,
        diagram=diagram_of(analysis.comparison) if there else Finding(None, "no run has finished."),
        hyperparameters=hyperparameters_table(analysis),
        settings=settings_table(analysis),
        checklist=checklist(analysis),
        pitfalls=pitfalls(analysis),
        changes=changes,
    )


def _part_content(
    analysis: Analysis, part: Part, visits: Visits, fronts: list[Fronts] | str, validation: Validation | None
) -> PartContent:
    draw = drawer_of(part)
    cells = best_cells(analysis, part, draw)
    sources: dict[str, dict[str, str]] = analysis.study.settings.get("one_shot", {})
    named = {strategy: f"{strategy} on {part.name}" for strategy in part.strategies}
    shared = courses(analysis, part)
    return PartContent(
        part=part,
        results=results_table(analysis, part),
        wins=wins_table(analysis, part),
        pairs=pairs_table(analysis, part),
        running_times=running_time_tables(part),
        fronts=fronts,
        hypervolumes=[] if isinstance(fronts, str) else [hypervolume_table(found) for found in fronts],
        cells=cells,
        cells_table=cells_table(analysis, part, cells),
        draw=draw,
        notes={strategy: sources[key]["note"] for strategy, key in named.items() if key in sources},
        validation=validation,
        courses=shared,
        courses_table=courses_table(part, shared),
        families=families(part, visits, draw),
    )
