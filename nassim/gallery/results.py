"""The rows of the gallery: a published result, its protocol, both numbers, and what is to be said of them.

Most were measured once, by the command that stands with them, and say what the docs page says that holds the numbers
(`tools/gallery.py` reads them there, and a test compares). The rows of ``published-rows`` are computed when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from nassim.errors import NassimError
from nassim.gallery.family import Claim
from nassim.gallery.identities import ROWS, identities
from nassim.gallery.row import NEEDS, Group, Row

LIVE = "published-rows"
_FILE = Path(__file__).with_name("results.json")


@cache
def _content() -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return content


def groups() -> list[Group]:
    """All groups, in the order in which they are shown."""
    return [Group(**group) for group in _content()["groups"]]  # type: ignore[arg-type]


def group_names() -> list[str]:
    """What `nassim reproduce` takes."""
    return [group.name for group in groups()]


def recorded() -> list[Row]:
    """The rows that were measured once."""
    return [Row(**row) for row in _content()["rows"]]  # type: ignore[arg-type]


def family_claims() -> list[Claim]:
    """The claims of docs/claims.md as they were written down."""
    return [Claim(**{**claim, "places": tuple(claim["places"])}) for claim in _content()["claims"]]  # type: ignore


def gallery(names: Iterable[str] = ()) -> list[tuple[Group, list[Row]]]:
    """The groups of these names (none: all) with their rows; those of `LIVE` are computed now."""
    wanted = list(names) or group_names()
    rows = recorded()
    return [
        (group, published_rows() if group.name == LIVE else [row for row in rows if row.group == group.name])
        for group in groups()
        if group.name in wanted
    ]


def published_rows() -> list[Row]:
    """The identities of published rows; where the table is not here, that it is needed."""
    try:
        found = identities()
    except NassimError:
        needs = "needs: nassim data get nasbench201"
        return [Row(LIVE, row.name, _printed(row.figures), None, None, None, NEEDS, needs) for row in ROWS]
    return [
        Row(LIVE, each.row.name, _printed(each.row.figures), None, None, None, each.verdict, each.sentence)
        for each in found
    ]


def _printed(figures: Iterable[tuple[str, str, float]]) -> str:
    return "/".join(f"{value:.2f}" for _, _, value in figures)
