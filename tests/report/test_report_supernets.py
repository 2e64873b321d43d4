"""The report's section on searches that share weights: means over seeds, shares, the gap, figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.darts import SPACE as DARTS
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.registry import get_supernets
from nassim.report.content import content_of
from nassim.report.markdown import markdown
from nassim.report.page import page
from nassim.report.supernets import course, course_svg, courses_table, gap
from nassim.study import Study, compare
from nassim.supernet import Moment, Recording

FLAT = ((0.2,) * 5,) * 6


def sharp(weight: float, option: int = 1) -> tuple[tuple[float, ...], ...]:
    """Six decisions with one option of a weight and the others equal."""
    rest = (1.0 - weight) / 4
    return (tuple(weight if i == option else rest for i in range(5)),) * 6


RUNS = {
    0: (Moment(SPACE.parse("111110"), 2.0, 1.5, 0.4, FLAT), Moment(SPACE.parse("111111"), 4.0, 1.0, 0.5, sharp(0.6))),
    1: (Moment(SPACE.parse("222222"), 2.0, 2.5, 0.2, FLAT), Moment(SPACE.parse("011111"), 4.0, 2.0, 0.7, sharp(0.8))),
}


def recording(algorithm: str = "darts", runs: Any = None) -> Recording:
    settings = nassim.get_algorithm(algorithm).hyperparameters(SPACE, "nasbench201/digits")
    supernet = get_supernets("nasbench201/digits").settings
    return Recording(algorithm, "nasbench201/digits", settings, supernet, "an abacus", RUNS if runs is None else runs)


def test_a_course_is_the_mean_over_seeds() -> None:
    one = course("darts", recording(), SPACE)
    assert (one.seeds, one.seconds) == (2, 3.0)
    assert one.skip == pytest.approx((5 / 12, 11 / 12)) and one.none == pytest.approx((1 / 12, 1 / 12))
    assert one.loss == (2.0, 1.5) and one.shared == pytest.approx((0.3, 0.6))
    # Of the first search the answer's weights are 0.6; of the second 0.8 five times and 0.05 once.
    assert one.gap == pytest.approx((0.8, (0.4 + (5 * 0.2 + 0.95) / 6) / 2))
    assert one.weights["skip_connect"] == pytest.approx((0.2, 0.7)) and len(one.weights) == 5


def test_edges_that_a_path_does_not_use_have_no_gap() -> None:
    arch = DARTS.parse("DARTS_V1")
    layout = DARTS.layout
    rows = tuple(tuple(float(i in options) for i in range(8)) for options in layout.path(arch))
    assert gap(layout, Moment(arch, 1.0, scores=rows)) == 0.0
    assert math.isnan(gap(layout, Moment(arch, 1.0)))


def test_searches_without_weights_have_shares_alone() -> None:
    bare = {0: tuple(Moment(m.arch, m.seconds) for m in RUNS[0])}
    one = course("enas", recording("enas", bare), SPACE)
    assert one.weights == {} and all(map(math.isnan, one.gap + one.loss + one.shared))
    drawing = course_svg(one)
    assert "in the answers" in drawing and "weight of an operation" not in drawing and "training loss" not in drawing
    assert course_svg(course("darts", recording(), SPACE)).count("<polyline") == 5 + 3 + 1 + 1


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A recorded search beside random search."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    get_supernets("nasbench201/digits").write(recording(), tmp_path / "recorded")
    return compare(["random_search", "darts"], ["nasbench201/digits"], "5q", seeds=2, jobs=1, out=tmp_path / "study.db")


@pytest.mark.slow
def test_the_page_and_the_text_show_it(study: Study, tmp_path: Path) -> None:
    found = content_of(study, tmp_path, None, None)
    (part,) = found.parts.values()
    assert not isinstance(part.courses, str) and [one.strategy for one in part.courses] == ["darts"]
    assert [entry.text for entry in part.courses_table.rows[0][:4]] == ["darts", "2", "2", "3.00"]
    shown = page(found)
    assert 'id="supernets"' in shown and "weight of an operation" in shown
    assert "Recorded searches with shared weights on nasbench201/digits." in markdown(found, [])
    assert part.courses_table in part.tables
    study.close()


def test_without_such_strategies_there_is_no_section(hand: Any, tmp_path: Path) -> None:
    study = hand.study([hand.steady("random_search", seed, 0.8) for seed in range(3)])
    found = content_of(study, tmp_path, None, None)
    (part,) = found.parts.values()
    assert part.courses == "No strategy of this study shares weights."
    assert courses_table(part.part, part.courses).why == part.courses
    assert 'id="supernets"' not in page(found)
    study.close()
