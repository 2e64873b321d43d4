"""Writing a report: the page, the text, the tables and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nassim.collecting import no_collection
from nassim.files import file_name, put_in_place
from nassim.report.changes import Changes, changes_table
from nassim.report.content import Content, content_of
from nassim.report.hypervolumes import front_records
from nassim.report.markdown import markdown
from nassim.report.page import page
from nassim.report.table import Table, to_latex
from nassim.study import Study
from nassim.summary import write_csv

PAGE, TEXT = "report.html", "report.md"


def write_report(
    study: Study,
    folder: Path,
    *,
    objectives: Sequence[str] | None = None,
    changes: Changes | None = None,
    figures: bool = True,
) -> list[Path]:
    """Write report.html, report.md, tables/*.tex and, if wanted, figures for papers; return all paths.

    ``objectives`` are drawn against each other instead of the metric against latency, parameters, FLOPs and energy;
    ``changes`` are those since an older study (`nassim.report.changes.changes_since`). What cannot be computed is said
    in the report.
    """
    with no_collection():
        content = content_of(study, folder, objectives, changes)
    return write_content(content, folder, figures=figures)


def write_content(content: Content, folder: Path, *, figures: bool) -> list[Path]:
    """Write a report whose content has been computed."""
    drawn: list[Path] = []
    if figures and content.parts:
        from nassim.report.figures import write_figures

        drawn = write_figures(content, folder / "figures")
    shown = [path for path in sorted((folder / "figures").glob("*")) if path.suffix in (".png", ".svg")]
    pictures = {path.stem: path for path in sorted(shown, key=lambda path: path.suffix)}  # an SVG before a PNG
    links = [path.relative_to(folder).as_posix() for path in pictures.values()]
    tables = [_write(folder / "tables" / f"{file_name(table.name)}.tex", to_latex(table)) for table in _tables(content)]
    with no_collection():
        page_path = _write(folder / PAGE, page(content))
    fronts = [
        write_csv(folder / "fronts" / f"{file_name('-'.join((name, *found.objectives)))}.csv", front_records(found))
        for name, part in content.parts.items()
        for found in ([] if isinstance(part.fronts, str) else part.fronts)
    ]
    return [page_path, _write(folder / TEXT, markdown(content, links)), *tables, *drawn, *fronts]


def _tables(content: Content) -> list[Table]:
    found = [*content.overall, *([] if content.ranks is None else [content.ranks])]
    for part in content.parts.values():
        found += part.tables
    if content.changes is not None:
        found.append(changes_table(content.changes))
    return [*found, content.hyperparameters]


def _write(path: Path, text: str) -> Path:
    with put_in_place(path) as file:
        file.write(text.encode())
    return path
