"""A table, written once and shown as HTML, Markdown or LaTeX (booktabs)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from nassim.report.escape import markdown_text

NO_BREAK = "\N{NO-BREAK SPACE}"
LONG = 28  # characters of a first column


class Entry(NamedTuple):
    """One entry: ``strong`` entries stand out; ``share`` (a fraction) colors it, in the page only.

    ``label`` is a badge after the text: where the runs of a one-shot strategy come from. In the first column ``of``
    says which strategies the row is about: the page hides it with any of them; ``by`` who found what it is about: it
    is hidden with the last of them.
    """

    text: str
    strong: bool = False
    share: float | None = None
    label: str = ""
    of: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class Table(NamedTuple):
    """A table with what its numbers are (``caption``) and what to know of them (``notes``).

    The first column names the row. ``why`` says why there is nothing to show, and then there are no rows.
    ``strategies``: the one that each column is about, where columns are; empty for a column of all.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Entry]]
    notes: tuple[str, ...] = ()
    why: str = ""
    strategies: tuple[str, ...] = ()


def row(*entries: object) -> list[Entry]:
    """A row of plain texts and entries."""
    return [entry if isinstance(entry, Entry) else Entry(str(entry)) for entry in entries]


def named(strategy: str, label: str = "") -> Entry:
    """The first entry of a strategy's row."""
    return Entry(strategy, label=label, of=(strategy,))


def no_table(name: str, caption: str, why: str) -> Table:
    """A table that cannot be computed."""
    return Table(name, caption, (), (), why=why)


def is_text(table: Table, column: int) -> bool:
    """Whether a column holds words: those are aligned left, numbers right."""
    texts = [line[column].text for line in table.rows]
    return column == 0 or any(text[:1].isalpha() or text[:1] in "/|" for text in texts if text)


# -- HTML -------------------------------------------------------------------------------------------------


def to_html(table: Table) -> str:
    """A table that scrolls by itself where the page is narrow; reachable by keyboard."""
    if not table.rows:
        return f'<p class="why"><strong>{escape(table.caption)}</strong> {escape(table.why)}</p>'
    words = [is_text(table, i) for i in range(len(table.columns))]
    about = [whose((name,) if name else ()) for name in table.strategies or [""] * len(table.columns)]
    head = "".join(
        f'<th scope="col"{_left(left)}{of}>{escape(unbroken(name))}</th>'
        for name, left, of in zip(table.columns, words, about, strict=True)
    )
    body = "".join(
        f"<tr{whose(line[0].of)}{whose(line[0].by, 'found')}>"
        f"{''.join(_html_entry(i, entry, words[i], about[i]) for i, entry in enumerate(line))}</tr>"
        for line in table.rows
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
    return (
        f'<div class="table{_long(table)}" role="region" tabindex="0" aria-label="{escape(table.caption, quote=True)}">'
        f"<table><caption><span>{escape(table.caption)}</span></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'</div>{f"""<div class="notes">{notes}</div>""" if notes else ""}'
    )


def _left(wanted: bool) -> str:
    return ' class="text"' if wanted else ""


def whose(strategies: Sequence[str], what: str = "about") -> str:
    """An attribute that names strategies, in JSON as a name may hold anything; none without them."""
    return f' data-{what}="{escape(json.dumps(strategies), quote=True)}"' if strategies else ""


def _long(table: Table) -> str:
    """Names that would fill a phone do not stay there while the rest is scrolled."""
    return " long" if max(len(line[0].text) for line in table.rows) > LONG else ""


def unbroken(text: str) -> str:
    """Text in which a number and its unit stay on one line."""
    return re.sub(r"(?<=\d) (?=%|s\b)", NO_BREAK, text)


def _html_entry(column: int, entry: Entry, left: bool, of: str) -> str:
    # numbers break before their interval only, so that a table fits a narrow page
    numbers = entry.text.replace(" ", NO_BREAK).replace(f"{NO_BREAK}[", " [")
    text = escape(entry.text if left else numbers)
    text = f"<strong>{text}</strong>" if entry.strong else text
    text += f' <span class="badge">{escape(entry.label)}</span>' if entry.label else ""
    if column == 0:
        return f'<th scope="row" class="text">{text}</th>'
    if entry.share is None:
        return f'<td class="text"{of}><span class="fit">{text}</span></td>' if left else f"<td{of}>{text}</td>"
    side = "win" if entry.share >= 0.5 else "loss"
    return f'<td class="{side}" style="--strength:{abs(entry.share - 0.5) * 2:.2f}"{of}>{text}</td>'


# -- Markdown ---------------------------------------------------------------------------------------------


def to_markdown(table: Table) -> str:
    """A table of GitHub's Markdown, with its caption above and its notes below."""
    if not table.rows:
        return f"**{markdown_text(table.caption)}** {markdown_text(table.why)}\n"
    rules = ["---" if is_text(table, i) else "---:" for i in range(len(table.columns))]
    lines = [
        f"**{markdown_text(table.caption)}**",
        "",
        _bars([markdown_text(name) for name in table.columns]),
        _bars(rules),
    ]
    lines += [_bars([_markdown_entry(entry) for entry in line]) for line in table.rows]
    return "\n".join([*lines, "", *(f"{markdown_text(note, begins=True)}  " for note in table.notes)]) + "\n"


def _bars(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |"


def _markdown_entry(entry: Entry) -> str:
    text = markdown_text(entry.text)
    text = f"**{text}**" if entry.strong and text else text
    return f"{text} ({markdown_text(entry.label)})" if entry.label else text


# -- LaTeX ------------------------------------------------------------------------------------------------

_LATEX = {c: rf"\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"$|$",
    "<": r"$<$",
    ">": r"$>$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "–": "--",
    "…": r"\dots{}",
}


def to_latex(table: Table) -> str:
    r"""A ``table`` environment; needs booktabs; amssymb for triangles; graphicx where it is wide."""
    if not table.rows:
        return f"% {latex_text(table.caption)} {latex_text(table.why)}\n"
    columns = "".join("l" if is_text(table, i) else "r" for i in range(len(table.columns)))
    wide = len(table.columns) > 5
    lines = [
        r"% \usepackage{booktabs,amssymb,graphicx}",
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{latex_text(' '.join((table.caption, *table.notes)))}}}",
        rf"\label{{tab:{re.sub(r'[^a-z0-9]+', '-', table.name.lower())}}}",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _ampersands([latex_text(name) for name in table.columns]),
        r"\midrule",
        *(_ampersands([_latex_entry(entry) for entry in line]) for line in table.rows),
        r"\bottomrule",
        r"\end{tabular}" + "}" * wide,
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(_LATEX.get(character, character) for character in " ".join(text.splitlines()))


def _ampersands(texts: Sequence[str]) -> str:
    return " & ".join(texts) + r" \\"


def _latex_entry(entry: Entry) -> str:
    text = latex_text(entry.text)
    text = rf"\textbf{{{text}}}" if entry.strong and text else text
    return f"{text} ({latex_text(entry.label)})" if entry.label else text
