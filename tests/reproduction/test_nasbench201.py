"""NAS-Bench-201's Table 5 again: 500 runs of each search under the paper's protocol, on the genuine tables."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from nassim.errors import InvalidSetting
from nassim.reproduction import DARTS, METHODS, OPTIMAL, SPLITS, TASKS, Figure, judgment, nasbench201

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("genuine_data")]


@pytest.fixture(scope="module")
def figures(complete_data: Path) -> list[Figure]:
    """All figures, from 500 runs of each search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(complete_data))
        return nasbench201(500)


def test_the_published_table(figures: list[Figure]) -> None:
    searched = [figure for figure in figures if figure.published_spread]
    assert len(searched) == 4 * 6
    for figure in searched:
        what = f"{figure.method}, {figure.task} {figure.split}: {figure.mean:.2f}, published {figure.published}"
        assert figure.z is not None and abs(figure.z) < (9 if figure.method.endswith("10") else 4.5), what
        # The spread of single runs is the published one too: not a mean of luckier runs.
        assert 0.7 < figure.spread / figure.published_spread < 1.35, what
    queries = {figure.method: figure.queries for figure in searched}
    for method, published in {"random search": 107, "regularized evolution, sample 3": 103, "REINFORCE": 99}.items():
        assert abs(queries[method] - published) < 5
    better = {
        figure.method: figure.mean for figure in searched if (figure.task, figure.split) == ("cifar10", SPLITS[1])
    }
    assert min(better, key=lambda method: better[method]) == "random search"

    cells = [figure for figure in figures if not figure.published_spread]
    assert [round(figure.mean, 2) for figure in cells[:6]] == list(DARTS)
    assert [round(figure.mean, 3) for figure in cells[6:]] == [91.607, 94.373, 73.493, 73.513, 46.733, 47.311]
    assert [f for f in cells if not f.agrees] == [cells[10]]  # the optimum 46.77 of an older release
    off = {method: [f.agrees for f in searched if f.method == method] for method in queries}
    # One row of the paper stands for either sample size: on this signal, without a second run's noise, it is that of 3.
    assert all(off["regularized evolution, sample 3"]) and all(off["REINFORCE"])
    assert sum(off["regularized evolution, sample 10"]) <= 2 and sum(off["random search"]) <= 4


def test_a_single_runs_noise_explains_the_offset(complete_data: Path) -> None:
    """0.4 points, chosen by random search's rows, bring the others to the published ones too: evolution's with 10."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(complete_data))
        found = nasbench201(500, signal_noise=0.4, validation_share=0.02)
    off = {f.method: [g.agrees for g in found if g.method == f.method] for f in found[:24]}
    assert all(sum(off[method]) == 6 for method in off if not method.endswith("3"))
    assert sum(off["regularized evolution, sample 3"]) <= 3
    assert abs(found[0].queries - 107) < 1


def test_the_documented_table(figures: list[Figure]) -> None:
    """docs/data.md shows what the command prints."""
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    for method, row in groupby(figures[:24], key=lambda figure: figure.method):
        found = list(row)
        cells = [f"{f.mean:.2f} ± {f.spread:.2f} ({f.difference:+.2f}, {f.z:+.1f})" for f in found]
        line = " | ".join([f"| {method.removeprefix('regularized ')}, {found[0].queries:.0f}", *cells])
        assert f"\n{line} |\n" in text, line
    assert f"| DARTS' cell (all skips) | {' | '.join(f'{figure:.2f} (0)' for figure in DARTS)} |" in text


def test_figures_say_what_they_are() -> None:
    figures = nasbench201(2)
    assert [(f.task, f.split) for f in figures[:6]] == [(task, split) for task in TASKS for split in SPLITS]
    assert [f.method for f in figures[::6]] == [m.label for m in METHODS] + [
        "DARTS (the all-skip cell)",
        "the best cell",
    ]
    assert [f.published for f in figures[-6:]] == list(OPTIMAL)
    assert {f.runs for f in figures[:24]} == {2}


def figure(mean: float, spread: float = 0.3, published_spread: float = 0.4, runs: int = 500) -> Figure:
    return Figure("a", "cifar10", "test_accuracy", runs, 100.0, mean, spread, 90.0, published_spread)


def test_when_a_figure_agrees() -> None:
    """Within three standard errors of the difference of two means: sqrt(0.3^2 / 500 + 0.4^2 / 500) = 0.02236 points."""
    assert figure(90.05).z == pytest.approx(0.05 / 0.0223607, rel=1e-5)
    assert figure(90.067).agrees and not figure(90.0671).agrees and not figure(89.93).agrees
    assert not figure(90.15).agrees and figure(90.15, runs=10).agrees  # ten runs tell less
    assert figure(90.15, runs=1).z is None and not figure(90.15, runs=1).agrees
    assert figure(90.004, 0.0, 0.0).agrees and not figure(90.006, 0.0, 0.0).agrees  # a cell, to the last digit
    assert figure(90.004, 0.0, 0.0).z is None


def test_the_judgment_is_that_of_the_numbers() -> None:
    """Two sample sizes cannot both be the paper's: what lies many standard errors off is said to."""
    rows = [figure(90.01)._replace(method="near"), figure(90.16)._replace(method="far"), figure(90.2, 0, 0)]
    near, far = judgment(rows)
    assert near == "near: 1 of 1 figures within 3 standard errors (z +0.4)."
    assert far == "far: 0 of 1 figures within 3 standard errors (z +7.2)."


def test_the_two_known_differences_can_be_simulated() -> None:
    """Noise on the signal and a validation pass that is charged: fewer queries, other answers, the same rows."""
    plain, noisy = nasbench201(20), nasbench201(20, signal_noise=2.0, validation_share=0.5)
    assert [f[:4] for f in plain] == [f[:4] for f in noisy]
    assert all(b.queries < 0.8 * a.queries for a, b in zip(plain[:24], noisy[:24], strict=True))
    assert plain[0].mean - noisy[0].mean > 0.2
    assert [f.mean for f in plain[24:]] == [f.mean for f in noisy[24:]]
    with pytest.raises(InvalidSetting, match="not negative"):
        nasbench201(1, signal_noise=-1.0)
