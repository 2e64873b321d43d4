"""How recorded searches went whose strategies share weights: the weights of options, what the answers hold, losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from statistics import fmean
from typing import NamedTuple

from nassim.errors import NassimError
from nassim.layout import Layout
from nassim.record import option_share
from nassim.report.analysis import Analysis
from nassim.report.runs import Part
from nassim.report.table import Table, named, no_table, row
from nassim.report.training_curves import HEIGHT, LEFT, LINE, WIDTH, Line, panel
from nassim.space import SearchSpace
from nassim.supernet import Moment, Recording

MOST = 8  # options that have a color of their own
NOTES = (
    "Means over the recorded searches. skip, none: the share of the answer's decisions that offer it and chose it.",
    "gap (of discretization): the weight of the options that the answer leaves out, mean over decisions; 0: nothing.",
    "shared: accuracy of the answer with the shared weights, on the images that train the architecture.",
)


class Course(NamedTuple):
    """What the searches of one recording did, epoch by epoch: means over seeds, NaN where nothing was recorded.

    weights: option -> its mean weight over the decisions on operations; empty for a strategy without.
    seen: what else was looked at, by name.
    """

    strategy: str
    seeds: int
    seconds: float  # of an epoch
    skip: tuple[float, ...]
    none: tuple[float, ...]
    loss: tuple[float, ...]
    shared: tuple[float, ...]
    gap: tuple[float, ...]
    weights: dict[str, tuple[float, ...]]
    seen: dict[str, tuple[float, ...]]


def courses(analysis: Analysis, part: Part) -> list[Course] | str:
    """Of every strategy of a part whose runs replay a recording that is here; or why there is none to show."""
    sources: dict[str, dict[str, str]] = analysis.study.settings.get("one_shot", {})
    asked = {strategy: sources.get(f"{strategy} on {part.name}") for strategy in part.strategies}
    if not any(asked.values()):
        return "No strategy of this study shares weights."
    benchmark = analysis.benchmark(part.name)
    if isinstance(benchmark, str):
        return benchmark
    names: dict[str, str] = analysis.study.settings.get("algorithms", {})
    found, missing = [], []
    for strategy, source in asked.items():
        if source is None:
            continue
        places = [] if benchmark.supernets is None else [benchmark.supernets, benchmark.supernets.stand_in]
        try:
            recorded = [r for p in places if p is not None for r in p.recordings(names.get(strategy, strategy), None)]
        except NassimError as error:
            return str(error)
        fitting = [r for r in recorded if r.configuration == source["configuration"]]
        if fitting:
            found.append(course(strategy, fitting[0], benchmark.space))
        else:
            missing.append(strategy)
    if found:
        return found
    return f"Nothing is kept of how {', '.join(missing)} went: only searches that `nassim record` made are."


def course(strategy: str, recording: Recording, space: SearchSpace) -> Course:
    """The means of a recording's searches at each epoch that all of them reached."""
    runs = list(recording.runs.values())
    epochs = [list(moments) for moments in zip(*runs, strict=False)]

    def mean(measured: Callable[[Moment], float]) -> tuple[float, ...]:
        return tuple([_mean([measured(moment) for moment in moments]) for moments in epochs])

    layout = space.layout
    weighed = [i for i, group in enumerate(layout.groups) if group.kind == "operation"]
    words = tuple(dict.fromkeys(word for i in weighed for word in layout.groups[i].options))
    scored = all(moment.scores for run in runs for moment in run)
    looked = sorted({name for run in runs for moment in run for name, _ in getattr(moment, "seen", ())})
    return Course(
        strategy,
        len(runs),
        _mean([moment.seconds for run in runs for moment in run]),
        mean(lambda moment: option_share(space, moment.arch, "skip")),
        mean(lambda moment: option_share(space, moment.arch, "none")),
        mean(lambda moment: moment.loss),
        mean(lambda moment: moment.shared),
        mean(lambda moment: gap(layout, moment)),
        {word: mean(partial(_weight, layout, weighed, word)) for word in words if scored},
        {name: mean(partial(_seen, name)) for name in looked},
    )


def gap(layout: Layout, moment: Moment) -> float:
    """The weight of what an answer leaves out, mean over the decisions that it uses; NaN without weights."""
    if not moment.scores:
        return math.nan
    rows = zip(moment.scores, layout.path(moment.arch), strict=True)
    return _mean([1.0 - sum(scores[i] for i in active) / (sum(scores) or 1.0) for scores, active in rows if active])


def _seen(name: str, moment: Moment) -> float:
    return float(dict(getattr(moment, "seen", ())).get(name, math.nan))


def _weight(layout: Layout, groups: Sequence[int], word: str, moment: Moment) -> float:
    options = [(layout.groups[i].options, moment.scores[i]) for i in groups]
    return _mean([scores[names.index(word)] for names, scores in options if word in names])


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return fmean(known) if known else math.nan


def courses_table(part: Part, found: list[Course] | str) -> Table:
    """One row a strategy: what its answers hold at some epochs, and at the end."""
    name, caption = f"supernets-{part.name}", f"Recorded searches with shared weights on {part.name}."
    if isinstance(found, str):
        return no_table(name, caption, found)
    looked = list(dict.fromkeys(name for one in found for name in one.seen))
    rows = []
    for one in found:
        last = len(one.skip) - 1
        at = sorted({0, last // 2, last})
        rows.append(
            row(
                named(one.strategy),
                one.seeds,
                last + 1,
                f"{one.seconds:.2f}",
                " → ".join(_percent(one.skip[i]) for i in at),
                _percent(one.none[last]),
                _percent(one.gap[last]),
                _percent(one.shared[last]),
                *(f"{one.seen[name][last]:.3g}" if name in one.seen else "–" for name in looked),
            )
        )
    columns = ("strategy", "searches", "epochs", "s an epoch", "skip %", "none %", "gap %", "shared %", *looked)
    return Table(name, caption, columns, rows, notes=NOTES)


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f}"


def course_svg(one: Course) -> str:
    """Weights of options (or none), shares and gap, loss and accuracy, and what else was looked at: a panel each."""
    panels: list[tuple[str, dict[str, tuple[float, ...]]]] = [
        ("weight of an operation", one.weights),
        ("in the answers", {"skip": one.skip, "none": one.none, "gap": one.gap}),
        ("accuracy, shared weights", {"shared": one.shared}),
        ("training loss", {"loss": one.loss}),
        *((name, {name: values}) for name, values in one.seen.items()),
    ]
    parts, top = [], 0
    for title, drawn in panels:
        shown = {name: values for name, values in list(drawn.items())[:MOST] if any(map(math.isfinite, values))}
        lines: list[Line] = []
        for position, values in enumerate(shown.values()):
            points = [(epoch + 1, max(0.0, value)) for epoch, value in enumerate(values) if math.isfinite(value)]
            lines.append((position, (tuple(e for e, _ in points), tuple(v for _, v in points)), False))
        if not lines:
            continue
        parts.append(panel(lines, top, title))
        top += HEIGHT
        for position, name in enumerate(shown if len(shown) > 1 else ()):
            parts.append(
                f'<path class="edge o{position}" d="M{LEFT} {top + 4}h22"/>'
                f'<text x="{LEFT + 30}" y="{top + 8}" style="text-anchor:start">{escape(name)}</text>'
            )
            top += LINE
        top += LINE
    if not parts:
        return ""
    said = (
        f"{one.strategy}: skip {_percent(one.skip[0])} % after the first and {_percent(one.skip[-1])} % after the last "
        f"epoch, none {_percent(one.none[-1])} %, gap {_percent(one.gap[-1])} %"
    )
    size = f'viewBox="0 0 {WIDTH} {top}" style="max-width:{WIDTH}px"'
    return f'<svg class="cell" {size} role="img" aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'
