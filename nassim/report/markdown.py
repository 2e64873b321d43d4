"""report.md: the report as plain text, for readers without a browser and for version control."""

from __future__ import annotations

from nassim.report.changes import changes_table
from nassim.report.content import Content
from nassim.report.table import to_markdown


def markdown(content: Content, figures: list[str]) -> str:
    """The report; ``figures`` are paths from its folder."""
    analysis = content.analysis
    lines = [f"# {content.title}", "", *_paragraphs(analysis.sentences)]
    if analysis.limits:
        lines += ["## What this study cannot tell", "", *(f"- {text}" for text in analysis.limits), ""]
    if content.changes is not None:
        lines += ["## What changed", "", content.changes.sentence, "", to_markdown(changes_table(content.changes))]
    for table in content.overall:
        lines += [to_markdown(table)]
    if content.ranks is not None and content.ranks.rows:
        lines += ["## Ranks", "", to_markdown(content.ranks)]
    for name, found in content.parts.items():
        lines += [f"## {name}", ""]
        slug = name.replace("/", "-").replace(":", "-")
        lines += [f"![{path.rpartition('/')[2]}]({path})" for path in figures if f"-{slug}." in path]
        lines += ["", *(to_markdown(table) for table in (found.results, found.wins, found.pairs))]
        lines += [to_markdown(found.running_times["seconds"])]
        if isinstance(found.fronts, str):
            lines += [f"**Several objectives.** {found.fronts}", ""]
        lines += [to_markdown(table) for table in [*found.hypervolumes, found.cells_table, *found.retrained]]
        lines += [f"- {strategy}: {note}" for strategy, note in found.notes.items()]
    lines += ["## How it was made", "", to_markdown(content.settings), to_markdown(content.hyperparameters)]
    lines += ["## Checklist (Lindauer and Hutter, JMLR 21(243), 2020)", ""]
    for item in content.checklist:
        lines += [f"- {item.group}: {item.question} **{item.answer}.** {item.because}"]
    return "\n".join(lines) + "\n"


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    return [line for text in texts for line in (text, "")]
