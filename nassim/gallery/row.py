"""A row of the gallery: a published result beside ours, and the group that it is judged in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PASS, FAIL, CANNOT_TELL, NOT_RUN, REFUSED, NEEDS = "pass", "fail", "cannot tell", "not run", "refused", "needs data"
VERDICTS = (PASS, FAIL, CANNOT_TELL, REFUSED, NOT_RUN, NEEDS)
WIDTH = 2 * 1.96  # of a 95 % interval, in standard errors


class Group(NamedTuple):
    """Results of one page that were judged by one rule; ``name`` is what `nassim reproduce` calls them."""

    name: str
    title: str
    paper: str
    protocol: str  # space, budget, seeds, split, and the rule of the verdict
    unit: str  # of ``here`` and ``error``
    page: str
    command: str  # what measured it


class Row(NamedTuple):
    """A published result beside ours.

    ``published`` is what the paper says, or the threshold that its claim was given; ``here`` is our number, ``error``
    its standard error (of a 95 % interval its width over 3.92) and ``z`` how many of those it lies from the published
    number or threshold. What there is none of is None.
    """

    group: str
    name: str
    published: str
    here: float | None
    error: float | None
    z: float | None
    verdict: str
    note: str = ""


def counted(rows: Iterable[Row]) -> str:
    """How many rows there are of each verdict, in words."""
    verdicts = [row.verdict for row in rows]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in verdicts)
