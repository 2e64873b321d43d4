"""BibTeX entries of what a strategy, a benchmark or a space is cited by, from the line Paper of its page.

A paper stands there as ``AUTHORS, "TITLE", VENUE YEAR, arXiv:NUMBER``; where only the number is said, the rest is taken
from whatever registered page says it all. A table of somebody's own is cited by what its owner wrote.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from nassim.errors import UnknownName, Unsupported
from nassim.page import page
from nassim.registry import (
    algorithm_names,
    benchmark_names,
    family_pages,
    find,
    get_algorithm,
    get_benchmark,
    get_space,
    image_names,
    mask_names,
    space_names,
    text_names,
)
from nassim.version import __version__

OWN_NAME = "nassim"
OWN = "\n".join(
    [
        "@misc{nassim2026,",
        "  author = {{the nassim authors}},",
        "  title = {{nassim: benchmark-driven simulation of neural architecture search}},",
        "  year = {2026},",
        f"  version = {{{__version__}}},",
        f"  note = {{Python package, version {__version__}}},",
        "}\n",
    ]
)
_PAPER = re.compile(
    r'(?P<authors>[^";:()]+), "(?P<title>[^"]+)",(?: (?P<venue>[^,;()"0-9]+?)(?: (?P<volume>\d{1,3}))?,?)?'
    r" (?P<year>(?:19|20)\d\d)\b(?:, arXiv:(?P<eprint>\d{4}\.\d{4,5}))?"
)
_EPRINT = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_JOURNALS = ("TPAMI", "JMLR", "TMLR")  # the others have a volume
_SKIPPED = {"a", "an", "on", "the"}  # at the beginning of a title, for the key
_ESCAPES = {"{": "", "}": "", "\\": "", "@": "(at)", "~": "-", "^": "", **{c: f"\\{c}" for c in "&%$#_"}}


class Paper(NamedTuple):
    """A paper as it is cited; ``eprint`` is its number at arXiv, what is not known is empty."""

    authors: tuple[str, ...]
    title: str
    venue: str
    volume: str
    year: str
    eprint: str

    @property
    def key(self) -> str:
        """Family name, year, and the first word of the title that says something: ``real2019regularized``."""
        words = [re.sub(r"[^a-z0-9]", "", word) for word in self.title.lower().split()]
        told = [word for word in words if word and word not in _SKIPPED] or ["untitled"]
        family = re.sub(r"[^a-z]", "", self.authors[0].lower().rpartition(" ")[2]) or "anonymous"
        return f"{family}{self.year}{told[0]}"

    def entry(self) -> str:
        """The BibTeX entry."""
        journal = bool(self.volume) or self.venue in _JOURNALS
        kind = "article" if journal else "inproceedings" if self.venue else "misc"
        fields = {
            "author": " and ".join(map(_plain, self.authors)),
            "title": f"{{{_plain(self.title)}}}",
            "journal" if journal else "booktitle": _plain(self.venue),
            "volume": self.volume,
            "year": self.year,
            "eprint": self.eprint,
            "archiveprefix": "arXiv" if self.eprint else "",
        }
        return _entry(kind, self.key, fields)


def of_name(name: str) -> str:
    """The entries of an algorithm, a benchmark, a search space (of all that have the name), or of nassim itself.

    `UnknownName` as `nassim show`; `Unsupported` where there is nothing to cite, as for synthetic benchmarks.
    """
    if name.strip().lower() == OWN_NAME:
        return OWN
    space, colon, _ = name.partition(":")
    name = space if colon and "/" not in space else name  # an architecture is cited by its space
    texts = list(_texts(name))
    if not texts:
        find(name)  # says what is near
    entries = "\n".join(dict.fromkeys(entry for text in texts for entry in _entries(text, name)))
    if not entries:
        raise Unsupported(
            f"{name} has nothing to cite: no paper is named there. `nassim show {OWN_NAME} --bibtex` cites nassim."
        )
    return entries


def of_text(text: str, title: str) -> str:
    """The entries of the papers in a text; of one that names none as papers are named, a note under the title."""
    return "\n".join(_entries(text, title))


def _entries(text: str, title: str) -> list[str]:
    line = " ".join(text.split())
    found = [_completed(paper) for paper in papers(line)]
    told = {paper.eprint for paper in found}
    found += [_known()[number] for number in _EPRINT.findall(line) if number not in told and number in _known()]
    if found:
        return [paper.entry() for paper in dict.fromkeys(found)]
    if not line or re.match(r"none\b|the table's own\.?$|not given\b", line, re.IGNORECASE):
        return []
    key = re.sub(r"[^a-z0-9]", "", title.lower()) or "untitled"
    return [_entry("misc", key, {"title": f"{{{_plain(title)}}}", "note": _plain(line)})]


def _texts(name: str) -> Iterator[str]:
    """What is said of papers by all that have a name; opens a table only where the page of its family names none."""
    with suppress(UnknownName):
        yield page(get_algorithm(name)).sections.get("Paper", "")
    plain = _spelled(name)
    first, _, rest = plain.partition("/")
    family = next((text for each, text in family_pages().items() if _spelled(each) == first), "")
    if plain in map(_spelled, benchmark_names()) and any(papers(_section(family))):
        yield _section(family)
    elif rest.endswith(":training") and rest.removesuffix(":training") in map(
        _spelled, [*image_names(), *mask_names(), *text_names()]
    ):
        yield _section(_space_page(first))
    elif "/" in plain:
        with suppress(UnknownName):
            about = get_benchmark(name).about
            said = (about.citation, about.paper)
            yield next((text for text in said if any(papers(text))), about.citation)
    with suppress(UnknownName):
        yield _section(_space_page(name))


def _spelled(name: str) -> str:
    """A name as it is compared: ``-`` and ``_`` are the same."""
    return name.strip().replace("_", "-")


def _space_page(name: str) -> str:
    return sys.modules[type(get_space(name)).__module__].__doc__ or ""


def _section(text: str) -> str:
    """What a page says after ``Paper:``, as one line."""
    _, _, rest = inspect.cleandoc(text).partition("\nPaper: ")
    return " ".join(rest.partition("\n\n")[0].split())


def papers(line: str) -> Iterator[Paper]:
    """The papers in a line that are named as papers are (``AUTHORS, "TITLE", VENUE YEAR``), in their order."""
    for match in _PAPER.finditer(line):
        fields = {name: value or "" for name, value in match.groupdict().items()}
        others = fields["authors"].strip().endswith(" et al.")
        names = re.split(r", (?:and )?| & | and ", re.sub(r" et al\.$", "", fields.pop("authors").strip()))
        yield Paper(tuple(name.strip() for name in names if name.strip()) + ("others",) * others, **fields)


def _completed(paper: Paper) -> Paper:
    """The fullest form of a paper in all pages: some name it by a short title, or without initials."""
    return _known().get(paper.eprint, paper)


@cache
def _known() -> dict[str, Paper]:
    """The papers with a number at arXiv that registered pages name, each in its fullest form."""
    texts = [page(get_algorithm(name)).sections.get("Paper", "") for name in algorithm_names()]
    texts += [_section(text) for text in family_pages().values()]
    texts += [_section(_space_page(name)) for name in space_names()]
    found: dict[str, Paper] = {}
    for paper in _every(texts):
        if paper.eprint and _fullness(paper) > _fullness(found.get(paper.eprint)):
            found[paper.eprint] = paper
    return found


def _every(texts: Iterable[str]) -> Iterator[Paper]:
    for text in texts:
        yield from papers(" ".join(text.split()))


def _fullness(paper: Paper | None) -> tuple[int, int]:
    return (0, 0) if paper is None else (len(paper.title), len(" ".join(paper.authors)))


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}\n"])


def _plain(text: str) -> str:
    """Text in which nothing has a meaning for BibTeX or TeX."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text if letter.isprintable())
