"""report.md: the report as plain text, for readers without a browser and for version control."""

from __future__ import annotations

from urllib.parse import quote

from nassim.files import file_name
from nassim.report.changes import changes_table
from nassim.report.content import Content
from nassim.report.escape import markdown_text
from nassim.report.table import to_markdown


def markdown(content: Content, figures: list[str]) -> str:
    """The report; ``figures`` are paths from its folder."""
    analysis = content.analysis
    lines = [f"# {markdown_text(content.title)}", "", *_paragraphs(analysis.sentences)]
    if analysis.limits:
        lines += [
            "## What this study cannot tell",
            "",
            *(f"- {markdown_text(text, begins=True)}" for text in analysis.limits),
            "",
        ]
    if content.pitfalls:
        said = (markdown_text(each.sentence, begins=True) for each in content.pitfalls)
        lines += ["## Methodological warnings", "", *(f"- {text}" for text in said), ""]
    if content.changes is not None:
        lines += ["## What changed", "", *_paragraphs((content.changes.sentence,))]
        lines += [to_markdown(changes_table(content.changes))]
    for table in content.overall:
        lines += [to_markdown(table)]
    if content.ranks is not None and content.ranks.rows:
        lines += ["## Ranks", "", to_markdown(content.ranks)]
    for name, found in content.parts.items():
        lines += [f"## {markdown_text(name)}", ""]
        shown = [path for path in figures if f"-{file_name(name)}." in path]
        lines += [f"![{markdown_text(path.rpartition('/')[2])}]({quote(path)})" for path in shown]
        lines += ["", *(to_markdown(table) for table in (found.results, found.wins, found.pairs))]
        lines += [to_markdown(found.running_times["seconds"])]
        if isinstance(found.fronts, str):
            lines += [f"**Several objectives.** {markdown_text(found.fronts)}", ""]
        lines += [to_markdown(table) for table in [*found.hypervolumes, found.cells_table]]
        if not isinstance(found.courses, str):
            lines += [to_markdown(found.courses_table)]
        lines += [to_markdown(table) for table in found.retrained]
        notes = [f"{strategy}: {note}" for strategy, note in found.notes.items()]
        lines += [f"- {markdown_text(note, begins=True)}" for note in notes]
    lines += ["## How it was made", "", to_markdown(content.settings), to_markdown(content.hyperparameters)]
    lines += ["## Checklist (Lindauer and Hutter, JMLR 21(243), 2020)", ""]
    for item in content.checklist:
        lines += [f"- {item.group}: {item.question} **{item.answer}.** {markdown_text(item.because)}"]
    return "\n".join(lines) + "\n"


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    return [line for text in texts for line in (markdown_text(text, begins=True), "")]
