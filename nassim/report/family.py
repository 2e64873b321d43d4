"""The family of an incumbent: the trainings whose weights it began with, one behind the other, back to the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from nassim.errors import NassimError
from nassim.inheritance import Inheritance, inherited
from nassim.metric import Metric
from nassim.network import measure
from nassim.packing import TrialRow
from nassim.report.cells import Drawer
from nassim.report.runs import Part
from nassim.report.visits import Visits, typical_runs
from nassim.space import SearchSpace
from nassim.stats.words import counted
from nassim.trace import FROM_SCRATCH

MOST = 60  # generations that are shown
STARTS = {
    "copy": "took over their parent's weights",
    "identity": "began by passing on what they are given",
    "zero": "began with zeros",
    "random": "began at random",
    "depth": "began as half of a convolution of the parent's",
    "point": "began as half of a convolution of the parent's",
}


class Ancestor(NamedTuple):
    """A training of the family: the query that it answered, and how its weights began."""

    query: int  # from 1
    architecture: str
    value: float
    began: str


class Family(NamedTuple):
    """An incumbent's ancestors, the oldest first and itself the last; ``left_out`` older ones are not shown."""

    strategy: str
    seed: int
    members: list[Ancestor]
    left_out: int


def families(part: Part, visits: Visits, draw: Drawer) -> list[Family]:
    """Of the final incumbent of each strategy's typical run, where it inherited."""
    found = []
    for strategy, run in typical_runs(part).items():
        rows = visits.rows.get((part.name, strategy), [])
        if run.mode == FROM_SCRATCH or not run.curve or not 0 < run.curve[-1].queries <= len(rows):
            continue
        line = ancestry(rows, run.curve[-1].queries - 1)
        if len(line) > 1:
            shown = line[-MOST:]
            members = [_ancestor(rows, i, before, draw.space) for i, before in zip(shown, [-1, *shown], strict=False)]
            found.append(Family(strategy, run.seed, members, len(line) - len(shown)))
    return found


def ancestry(rows: Sequence[TrialRow], last: int) -> list[int]:
    """The places of the trainings whose weights a training began with, the oldest first and itself the last."""
    known: dict[str, int] = {}
    origin: list[int] = []
    for i, row in enumerate(rows[: last + 1]):
        origin.append(known.get(row.origin, -1) if row.inherit else -1)
        if row.training:
            known[row.training] = i
    line = [last]
    while origin[line[-1]] >= 0:  # an origin lies before: there is no circle
        line.append(origin[line[-1]])
    return line[::-1]


def _ancestor(rows: Sequence[TrialRow], i: int, before: int, space: SearchSpace | None) -> Ancestor:
    row = rows[i]
    if not row.inherit:
        return Ancestor(i + 1, row.architecture, row.value, "Trained from scratch.")
    began = f"Inherits ({row.inherit}) from query {before + 1}." if before >= 0 else f"Inherits ({row.inherit})."
    if before >= 0 and space is not None and space.frame is not None:
        try:
            parent, child = (space.network(space.parse(rows[j].architecture), space.frame) for j in (before, i))
            began += f" {said(inherited(parent, child, row.inherit))}"
        except NassimError as error:
            began += f" What it took over cannot be said: {error}"
    return Ancestor(i + 1, row.architecture, row.value, began)


def said(found: Inheritance) -> str:
    """What a child took over, in words."""
    counts = Counter(STARTS[begun.start] for begun in found.layers.values())
    text = "; ".join(f"{counted(count, 'layer')} {how}" for how, count in counts.most_common())
    exact = "It computed what its parent did before it was trained" if found.exact else "It computed something else"
    return f"Of the layers with weights {text}. {exact}."


def family_html(family: Family, draw: Drawer, metric: Metric) -> str:
    """The family as a list to open: each training with its network and where its weights came from."""
    items = []
    for member in family.members:
        value = metric.read(member.value)
        title = f"query {member.query}: {value} {metric.beside('valid')}{_size(draw.space, member.architecture)}"
        code = f'<p class="table"><code>{escape(member.architecture)}</code></p>'
        body = f'<p>{escape(member.began)}</p><div class="table" tabindex="0">{draw(member.architecture)}</div>{code}'
        items.append(f"<li><details><summary>{escape(title)}</summary>{body}</details></li>")
    older = f"<p>{counted(family.left_out, 'older generation')} left out.</p>" if family.left_out else ""
    head = f"<h3>{escape(family.strategy)}, seed {family.seed}</h3>"
    return f"<article>{head}{older}<ol>{''.join(items)}</ol></article>"


def _size(space: SearchSpace | None, architecture: str) -> str:
    if space is None or space.frame is None:
        return ""
    try:
        network = space.network(space.parse(architecture), space.frame)
        return f"; {counted(len(network.layers), 'layer')}, {measure(network).parameters:,} parameters as published"
    except NassimError:
        return ""
