"""Figures for a paper, by what is on the sheet: boxes of all text, widths, sizes, greys, one legend."""

from __future__ import annotations

import re
import struct
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from nassim.paper import Choice, choose, write_paper
from nassim.paper.anytime import anytime_paper
from nassim.paper.finals import aggregates, finals_of, intervals_paper, profiles_paper
from nassim.paper.looks import LOOKS, TEXT, paper_style, renderer_of, width_of, wrapped
from nassim.paper.scales import Bottom, log_ticks, number
from nassim.report.runs import Part
from nassim.study import Study, compare

LONG = ("re=Regularized evolution", "ls=Local search", "re[sample_size=2]=Regularized evolution, two of them $a_b$")
MANY = ["re", "ls", "re[sample_size=2]", "re[sample_size=3]", "re[sample_size=5]", "re[population_size=4]", "evolution"]


@pytest.fixture(scope="module")
def study() -> Study:
    return compare(MANY, ["toy/additive", "toy/deceptive"], "25q", seeds=4)


def _figures(study: Study, strategies: int, benchmarks: int, width: str) -> dict[str, Figure]:
    names = study.strategies[:strategies]
    choice = choose(study, width=width, algos=",".join(names), names=LONG if strategies >= 4 else LONG[:1])
    parts = ([Part(study, name) for name in study.benchmarks] * 2)[:benchmarks]
    finals = finals_of(parts, choice).value
    assert finals is not None
    with paper_style():
        figures = {
            "anytime": anytime_paper(parts, choice),
            "intervals": intervals_paper(finals, choice),
            "profiles": profiles_paper(finals, choice),
        }
        for figure in figures.values():
            figure.draw(renderer_of(figure))
    return figures


def _texts(figure: Figure) -> list[Text]:
    """All text that is on the sheet."""
    found = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    found += [t for t in (figure._supxlabel, figure._supylabel) if t is not None and t not in found]  # type: ignore[attr-defined]
    for axes in figure.axes:
        if axes.axison:
            ticks = [t for axis in (axes.xaxis, axes.yaxis) for t in axis.get_ticklabels()]
            labels = [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title]  # type: ignore[attr-defined]
            found += [*axes.texts, *labels, *ticks]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _box(text: Text, figure: Figure) -> Bbox:
    return text.get_window_extent(renderer_of(figure))


SHEETS = [
    (2, 1, "3.3in"),
    (4, 2, "3.3in"),
    pytest.param(8, 4, "3.3in", marks=pytest.mark.slow),
    pytest.param(8, 2, "3.3in", marks=pytest.mark.slow),
    pytest.param(8, 1, "3.3in", marks=pytest.mark.slow),
    pytest.param(3, 4, "6.75in", marks=pytest.mark.slow),
    pytest.param(8, 2, "2in", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize(("strategies", "benchmarks", "width"), SHEETS)
def test_no_text_lies_on_another_or_beyond_the_sheet(
    study: Study, strategies: int, benchmarks: int, width: str
) -> None:
    for name, figure in _figures(study, strategies, benchmarks, width).items():
        boxes = [(text.get_text(), _box(text, figure)) for text in _texts(figure)]
        assert len(boxes) > 6
        for (one, a), (other, b) in combinations(boxes, 2):
            apart = a.x1 <= b.x0 + 0.5 or b.x1 <= a.x0 + 0.5 or a.y1 <= b.y0 + 0.5 or b.y1 <= a.y0 + 0.5
            assert apart, f"{name}: {one!r} lies on {other!r}"
        sheet = figure.bbox
        for text, box in boxes:
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= sheet.x1 + 1 and box.y1 <= sheet.y1 + 1
            assert inside, f"{name}: {text!r} at {box} of {sheet}"
        assert min(text.get_fontsize() for text in _texts(figure)) >= 7
        for axes in figure.axes:  # an axis without numbers says nothing
            if axes.axison:
                assert len([t for t in axes.get_xticklabels() if t.get_text()]) >= 2


@pytest.mark.parametrize(("strategies", "benchmarks"), [(2, 1), pytest.param(8, 4, marks=pytest.mark.slow)])
def test_one_legend_that_names_everyone_outside_the_panels(study: Study, strategies: int, benchmarks: int) -> None:
    figures = _figures(study, strategies, benchmarks, "3.3in")
    for name in ("anytime", "profiles"):
        (legend,) = figures[name].legends
        assert all(axes.get_legend() is None for axes in figures[name].axes)
        assert len(legend.get_texts()) == strategies
        low = legend.get_window_extent(renderer_of(figures[name])).y0
        assert all(axes.get_window_extent(renderer_of(figures[name])).y1 <= low for axes in figures[name].axes)
    assert figures["intervals"].legends == []  # its rows are labeled


@pytest.mark.slow
def test_panels_are_aligned(study: Study) -> None:
    boxes = [axes.get_position() for axes in _figures(study, 3, 4, "3.3in")["anytime"].axes]
    assert boxes[0].y0 == pytest.approx(boxes[1].y0) and boxes[2].y0 == pytest.approx(boxes[3].y0)
    assert boxes[0].x0 == pytest.approx(boxes[2].x0) and boxes[1].x0 == pytest.approx(boxes[3].x0)
    assert len({round(box.width, 6) for box in boxes}) == 1


def _lightness(color: str) -> float:
    """CIE L* by its definition."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def test_strategies_are_told_apart_in_grey() -> None:
    greys = [_lightness(look.color) for look in LOOKS]
    assert min(abs(a - b) for a, b in combinations(greys, 2)) >= 8
    assert max(greys) <= 80  # and from the paper
    assert len({look.marker for look in LOOKS}) == len({look.dashes for look in LOOKS}) == len(LOOKS) == 8


def _bars(axes: Axes) -> list[ErrorbarContainer]:
    return [container for container in axes.containers if isinstance(container, ErrorbarContainer)]


@pytest.mark.slow
@pytest.mark.parametrize("strategies", [2, 8])
def test_bars_stay_apart(study: Study, strategies: int) -> None:
    for name in ("anytime", "profiles"):
        for axes in _figures(study, strategies, 2, "3.3in")[name].axes:
            places = [np.asarray(bar[0].get_xdata(), dtype=float) for bar in _bars(axes)]
            assert len(places) == strategies and sum(map(len, places)) > strategies
            x = axes.transData.transform([(t, 1.0) for at in places for t in at])[:, 0]
            assert np.diff(np.sort(x)).min() * 72 / axes.figure.dpi >= 2.0  # points


def test_lines_and_bars_are_the_quartiles_of_the_runs(study: Study) -> None:
    axes = _figures(study, 3, 1, "3.3in")["anytime"].axes[0]
    part = Part(study, "toy/additive")
    lines = [line for line in axes.get_lines() if line.get_drawstyle() == "steps-post"]
    for strategy, line, bar in zip(study.strategies, lines, _bars(axes), strict=False):
        curves = part.curves("seconds", "test")[strategy]

        def quantile(t: float, q: float, curves: list = curves) -> float:  # type: ignore[type-arg]
            values = [
                next((v for a, v in zip(c.at[::-1], c.value[::-1], strict=True) if a <= t), np.inf) for c in curves
            ]
            return float(np.quantile(values, q)) if np.isfinite(values).all() else np.nan

        seen = [v for c in curves for v in c.value if v > part.floor]
        for x, y in [*zip(*line.get_data(), strict=True)][3:]:
            expected = quantile(float(x), 0.5)
            assert np.isnan(expected) or float(y) == pytest.approx(expected) or expected <= part.floor < min(seen)
        _, _, (stems,) = bar
        for (x, _), (_, high) in stems.get_segments():
            if part.floor < quantile(x, 0.75) < np.inf:
                assert high == pytest.approx(quantile(x, 0.75))


@pytest.mark.slow
def test_axes_end_where_the_curves_do(study: Study) -> None:
    for axes in _figures(study, 8, 2, "3.3in")["anytime"].axes:
        lines = [line for line in axes.get_lines() if line.get_drawstyle() == "steps-post"]
        x = np.concatenate([line.get_xdata() for line in lines]).astype(float)
        segments = [s for bar in _bars(axes) for s in bar[2][0].get_segments()]
        y = np.concatenate([*(line.get_ydata() for line in lines), np.concatenate(segments)[:, 1]]).astype(float)
        for (low, high), values in ((axes.get_xlim(), x), (axes.get_ylim(), y)):
            margin = (values.max() / values.min()) ** 0.06
            assert values.min() / margin <= low <= values.min() * 1.001
            assert values.max() <= high <= values.max() * margin


def test_no_regret_is_drawn_just_below_the_least() -> None:
    bottom = Bottom(np.array([0.0, 3.0, 20.0, np.inf]), 0.01)
    assert bottom(np.array([0.0, 0.01, 3.0])).tolist() == [bottom.at, bottom.at, 3.0]
    assert 1.5 <= bottom.at < 3 and bottom.label == "≤0.01"
    unused = Bottom(np.array([3.0, 20.0]), 0.01)
    assert not unused.used and unused(np.array([3.0]))[0] == 3.0


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0.9, 25, 5, [1, 2, 5, 10, 20]),
        (0.9, 25, 3, [1, 3, 10]),
        (90, 2e6, 3, [100, 1e4, 1e6]),
        (2.6, 3.6, 3, [3, 3.5]),
        (1.0, 1.0, 3, []),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert log_ticks(low, high, most) == ticks


def test_ticks_of_any_range() -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        low = 10.0 ** rng.uniform(-6, 8)
        high = low * 10.0 ** rng.uniform(0.02, 9)
        for most in (3, 5):
            found = log_ticks(low, high, most)
            assert 1 <= len(found) <= most and all(low * 0.999 <= tick <= high * 1.001 for tick in found)


def test_one_kind_of_label() -> None:
    assert [number(x) for x in (0.02, 5, 300, 2e4, 1e6, 3e9, 999.9)] == ["0.02", "5", "300", "20k", "1M", "3G", "999.9"]


def test_names_are_wrapped_at_signs() -> None:
    lines = wrapped("re[population_size=50,sample_size=10]", 70).split("\n")
    assert "".join(lines) == "re[population_size=50,sample_size=10]" and max(map(width_of, lines)) <= 70
    assert all(line[-1] in "_=,]0" for line in lines)
    assert wrapped("a b", 500) == "a b" and wrapped("w" * 40, 70).replace("\n", "") == "w" * 40


@pytest.mark.slow
def test_files_are_as_wide_as_was_asked(study: Study, tmp_path: Path) -> None:
    choice = choose(study, width="84mm", algos="rs,re", names=["re=cost in $ or $$"])
    written = write_paper(study, tmp_path, choice)
    folder = tmp_path / "paper"
    assert {path.name for path in written} >= {
        f"{n}.{s}" for n in ("anytime", "intervals", "profiles") for s in ("pdf", "png", "svg")
    }
    points = 84 / 25.4 * 72
    for name in ("anytime", "intervals", "profiles"):
        box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", (folder / f"{name}.pdf").read_bytes())
        assert box is not None and float(box[1]) == pytest.approx(points, abs=0.1)
        assert struct.unpack(">I", (folder / f"{name}.png").read_bytes()[16:20])[0] == pytest.approx(
            points / 72 * 300, abs=1
        )
        svg = re.search(r'<svg [^>]*?width="([\d.]+)pt"', (folder / f"{name}.svg").read_text())
        assert svg is not None and float(svg[1]) == pytest.approx(points, abs=0.1)
    assert b"/Type3" not in (folder / "anytime.pdf").read_bytes()


def test_dollars_are_dollars(study: Study) -> None:
    choice = choose(study, algos="rs,re", names=["re=cost $x^2$"])
    with paper_style():
        figure = anytime_paper([Part(study, "toy/additive")], choice)
        text = figure.legends[0].get_texts()[1]
        assert text.get_text() == "cost $x^2$" and not text.get_parse_math()


def test_intervals_are_the_statistics_of_the_final_regrets(study: Study) -> None:
    part = Part(study, "toy/additive")
    choice = Choice(3.3, {s: s for s in study.strategies[:3]})
    finals = finals_of([part], choice).value
    assert finals is not None
    found = aggregates(finals)
    target = np.mean([*part.final_regrets()["random_search"].values()]) / 2
    for strategy in choice.names:
        x = np.array([*part.final_regrets()[strategy].values()])
        expected = {
            "mean": x.mean(),
            "median": np.median(x),
            "IQM": np.sort(x)[1:3].mean(),  # of four seeds
            "optimality gap": np.mean([max(0.0, v - target) for v in x]),
        }
        for name, value in expected.items():
            interval = found[name][strategy].value
            assert interval is not None and interval.value == pytest.approx(value)
            assert x.min() - target <= interval.low <= interval.value <= interval.high <= x.max()


def test_several_benchmarks_are_on_the_scale_of_random_search(study: Study) -> None:
    parts = [Part(study, name) for name in study.benchmarks]
    finals = finals_of(parts, Choice(3.3, {"random_search": "RS", "local_search": "LS"})).value
    assert finals is not None and finals.benchmarks == ("toy/additive", "toy/deceptive")
    assert [runs.mean() for runs in finals.runs["random_search"]] == pytest.approx([1.0, 1.0])


def test_runs_without_an_answer_are_infinite_and_drawn_so() -> None:
    from nassim.stats import Finding, Interval

    with paper_style():
        figure = Figure()
        axes = figure.subplots()
        from nassim.paper.finals import _rows

        _rows(axes, [Finding(Interval(1.0, 0.5, np.inf)), Finding(Interval(np.inf, 2.0, np.inf))], 80, 0.01)
    assert [text.get_text() for text in axes.texts] == ["∞"]
    assert TEXT == 7
