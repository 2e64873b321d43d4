"""Figures: what is drawn is what the study says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nassim.errors import InvalidSetting, OutputFailed
from nassim.plots import anytime_figure, cell_figure, panels_figure, save, save_as
from nassim.registry import get_space
from nassim.study import Study, compare
from nassim.summary import regret_curves


@pytest.fixture(scope="module")
def study() -> Study:
    return compare(["re", "ls"], ["toy/additive", "toy/deceptive"], "30q", seeds=7)


def test_the_lines_are_the_medians_of_the_runs(study: Study) -> None:
    axes = anytime_figure(study, "toy/additive").axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for strategy in study.strategies:
        line = lines[f"{strategy} (7 seeds)"]
        assert line.get_drawstyle() == "steps-post"
        curves = regret_curves(study.facts["toy/additive"], study.of("toy/additive", strategy), "test")
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):  # by the definition, run by run
            reached = [max((i for i, t in enumerate(times) if t <= x), default=None) for times, _ in curves]
            values = [np.inf if i is None else curve[1][i] for i, curve in zip(reached, curves, strict=True)]
            assert y == pytest.approx(max(np.sort(values)[3], 0.01))


def test_the_axes_name_split_and_unit(study: Study) -> None:
    axes = anytime_figure(study, "toy/additive").axes[0]
    assert axes.get_xlabel() == "simulated time [s], 1 worker"
    assert axes.get_ylabel().startswith("test regret [percentage points]")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_strategies_differ_without_color(study: Study) -> None:
    lines = [line for line in anytime_figure(study, "toy/additive").axes[0].get_lines() if "seeds" in line.get_label()]
    assert len({line.get_marker() for line in lines}) == len(lines) == 3


@pytest.mark.slow
def test_thirteen_strategies_look_different_and_their_legend_covers_no_curve() -> None:
    names = [f"re[population_size={k}]" for k in range(3, 15)]
    many = compare(names, ["toy/additive", "toy/deceptive"], "12q", seeds=2)
    for figure, panels in ((anytime_figure(many, "toy/additive"), 1), (panels_figure(many), 2)):
        figure.draw_without_rendering()
        assert len(figure.axes) == panels
        for axes in figure.axes:
            lines = [line for line in axes.get_lines() if "seeds" in str(line.get_label())]
            looks = {(line.get_color(), line.get_marker()) for line in lines}
            assert len(looks) == len(lines) == 13
            assert len({(line.get_color(), str(line._dash_pattern)) for line in lines}) == 13  # type: ignore[attr-defined]
            legend = axes.get_legend()
            assert legend is not None and legend.get_window_extent().x0 >= axes.get_window_extent().x1
            assert legend.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes(study: Study, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(anytime_figure(study, "toy/deceptive"), tmp_path / name, ("png", "pdf", "svg"))
    for suffix in ("png", "pdf", "svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_study_without_any_answer_is_drawn_empty() -> None:
    nothing = compare(["re"], ["toy/additive"], "5ep", seeds=2)
    axes = anytime_figure(nothing, "toy/additive").axes[0]
    assert [line for line in axes.get_lines() if "seeds" in line.get_label()] == []


def test_a_cell_shows_all_its_operations() -> None:
    space = get_space("nasbench201")
    arch = space.parse("320143")
    texts = [text.get_text() for text in cell_figure(space, arch).axes[0].texts]
    assert sum(t in texts for t in ("nor_conv_3x3", "nor_conv_1x1", "skip_connect", "avg_pool_3x3")) == 4


def test_bad_figure_files(study: Study, tmp_path: Path) -> None:
    figure = anytime_figure(study, "toy/additive")
    with pytest.raises(InvalidSetting, match=r"\.gif"):
        save_as(figure, tmp_path / "a.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed):
        save_as(figure, tmp_path / "file" / "a.png")
