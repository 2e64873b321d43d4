"""Names and units that somebody chose to be awkward: in report.md they are text, in file names they are harmless."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from nassim.report.write import write_report

ODD = [
    "a|b",
    "back`tick` and `more`",
    "<img src=x onerror=alert(1)>",
    "two\nlines\n\n# and a heading",
    "![picture](http://example.org/x.png) [link](http://example.org) [ref][x]",
    "**bold** *it* _it_ __b__ ~~s~~",
    "&lt;script&gt; &amp; \\| \\",
    "../../outside/x",
    "# heading",
    "<!-- comment",
    "x" * 400,
]
ALLOWED = {"code", "p", "h1", "h2", "strong", "img", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "br"}


class Seen(HTMLParser):
    """The elements of a page, the addresses in it and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.text: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open == "code":
            assert re.fullmatch("nassim [a-zA-Z ]+", data)  # a command that the report itself names
            self._open = ""
        if self._open in ("h1", "h2") and data.strip():
            self.headings.append(data)


def report_on(hand: Any, name: str, odd: str, strategy: str, *, figures: bool = False) -> tuple[Path, Seen]:
    facts = hand.facts(f"toy/{name}")._replace(cost_unit=odd)
    runs = [
        hand.steady(named, seed, 0.7 + 0.01 * seed, benchmark=f"toy/{name}")
        for named in ("random_search", strategy)
        for seed in range(3)
    ]
    number = len(list(hand.root.iterdir()))
    study = hand.study(runs, about=(facts,), folder=f"study{number}")
    folder = hand.root / f"report{number}"
    write_report(study, folder, figures=figures)
    seen = Seen()
    text = (folder / "report.md").read_text(encoding="utf-8")
    seen.feed(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text))  # as GitHub shows it
    return folder, seen


@pytest.mark.slow
def test_odd_names_are_text_in_the_report(hand: Any) -> None:
    _, plain = report_on(hand, "plain", "units", "another")
    for odd in ODD:
        _, seen = report_on(hand, odd, odd, odd)
        assert seen.tags <= ALLOWED, odd
        assert seen.addresses == [], odd
        assert len(seen.headings) == len(plain.headings), odd
        shown, wanted = (" ".join(text.split()) for text in ("".join(seen.text), odd))
        assert shown.count(wanted) >= 10


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:constrained_layout")  # nothing is left of a figure beside such a title
@pytest.mark.parametrize("odd", ["../../out|side/x", "two\nlines) [x](y) <b>", "x" * 400])
def test_odd_names_stay_below_the_folder(hand: Any, odd: str) -> None:
    before = set(hand.root.parent.rglob("*"))
    folder, seen = report_on(hand, odd, odd[:40], odd[:40], figures=True)
    for path in set(hand.root.parent.rglob("*")) - before:
        assert hand.root in path.parents
        assert re.fullmatch(r"[A-Za-z0-9_.=+-]{1,220}", path.name), path.name
        assert path.parent in (hand.root, hand.root / "study0", folder, folder / "tables", folder / "figures")
    figures = {path.relative_to(folder).as_posix() for path in folder.glob("figures/*.svg")}
    assert seen.addresses and set(seen.addresses) <= figures
