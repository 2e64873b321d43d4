"""What is typed for a figure of a paper, and the tables beside it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nassim.cli.main import app
from nassim.errors import InvalidSetting
from nassim.paper import choose
from nassim.paper.choice import inches_of
from nassim.paper.finals import finals_of
from nassim.paper.looks import check_font, paper_style, renderer_of
from nassim.paper.targets import LEVELS, reached, target_records, target_table
from nassim.paper.write import captions_of, figures_of
from nassim.report.runs import AXES, Part
from nassim.report.table import to_latex
from nassim.stats import performance_profile, profile_band, running_time_quantiles
from nassim.study import Study, compare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("paper") / "study"
    compare(["re", "re[sample_size=2]", "ls"], ["toy/additive"], "25q", seeds=5, out=out).close()
    return out


@pytest.fixture
def study(folder: Path) -> Iterator[Study]:
    with closing(Study.open(folder)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "inches"), [("3.3in", 3.3), ("84mm", 84 / 25.4), ("8.4 cm", 8.4 / 2.54), ("240pt", 240 / 72.27)]
)
def test_widths(typed: str, inches: float) -> None:
    assert inches_of(typed) == pytest.approx(inches)


@pytest.mark.parametrize(
    "typed", ["", "3.3", "in", "-3in", "3,3in", "1e2in", "nanin", "0in", "1in", "100in", "9" * 400 + "mm", "٣in"]
)
def test_what_is_no_width(typed: str) -> None:
    with pytest.raises(InvalidSetting, match="--width"):
        inches_of(typed)


def test_strategies_and_names(study: Study) -> None:
    label = next(s for s in study.strategies if "[" in s)
    chosen = choose(
        study, algos=f"ls,re,{label}", names=["re=Regularized evolution (Real, 2019),ls=LS", f"{label}=a = b"]
    )
    assert dict(chosen.names) == {
        "local_search": "LS",
        "regularized_evolution": "Regularized evolution (Real, 2019)",
        label: "a = b",
    }
    assert list(choose(study).names) == study.strategies
    assert list(choose(study, algos="local-search").names) == ["local_search"]


@pytest.mark.parametrize(
    ("algos", "names", "said"),
    [
        ("bo", [], "not a strategy of this study"),
        ("regularized_evolutoin", [], "Did you mean regularized_evolution"),
        ("", ["nobody=X"], "'nobody' is not a strategy of this study"),
        ("ls", ["re=X"], "not among --algos"),
        ("", ["re"], "write STRATEGY=NAME"),
        ("", ["re="], "write STRATEGY=NAME"),
        ("", ["=X"], "write STRATEGY=NAME"),
        ("", [""], "--names is empty"),
        ("", ["re=X", "ls=X"], "two strategies would be called 'X'"),
        ("", ["re=" + "x" * 61], "at most 60"),
        ("", ["re[=X"], "bracket"),
    ],
)
def test_what_cannot_be_chosen(study: Study, algos: str, names: list[str], said: str) -> None:
    with pytest.raises(InvalidSetting) as found:
        choose(study, algos=algos, names=names)
    assert said in str(found.value) and "\n" not in str(found.value)


def test_what_the_font_cannot_draw() -> None:
    check_font(["Évolution ≤ ∞ α"])
    with pytest.raises(InvalidSetting, match="cannot draw"):
        check_font(["进化"])


def test_more_than_eight_are_refused() -> None:
    many = compare([f"re[sample_size={'|'.join(map(str, range(1, 9)))}]"], ["toy/additive"], "3q", seeds=1)
    assert len(many.strategies) == 9
    with pytest.raises(InvalidSetting, match="9 strategies"):
        choose(many)
    assert len(choose(many, algos="rs").names) == 1


def test_targets_by_their_definition(study: Study) -> None:
    part, choice = Part(study, "toy/additive"), choose(study)
    for axis in AXES:
        rows = reached(part, choice, axis)
        assert rows and {x.strategy for x in rows} == set(study.strategies)
        for x in rows:
            curves = part.curves(axis, part.split)[x.strategy]
            hits = [next((t for t, v in zip(c.at, c.value, strict=True) if v <= x.target), math.inf) for c in curves]
            solved = [t for t in hits if t < math.inf]
            assert (x.runs, x.successes) == (5, len(solved))
            spent = sum(t if t < math.inf else c.spent for t, c in zip(hits, curves, strict=True))
            assert x.ert == pytest.approx(spent / len(solved) if solved else math.inf)
            ordered = sorted(hits)  # of five runs, the quartiles and the median are order statistics
            assert x.quantiles[1:4] == pytest.approx((ordered[1], ordered[2], ordered[3]))


def test_the_tables_say_what_the_file_does(study: Study) -> None:
    part, choice = Part(study, "toy/additive"), choose(study, names=["re=R & E_1"])
    records = [r for r in target_records([part], choice) if r["axis"] == "queries"]
    table = target_table(part, choice, "queries")
    assert len(table.rows) == len(records)
    assert [row[2].text for row in table.rows] == [f"{r['successes']}/{r['runs']}" for r in records]
    best: dict[object, float] = {}
    for r in records:
        best[r["target_regret"]] = min(best.get(r["target_regret"], math.inf), float(str(r["expected_running_time"])))
    for row, r in zip(table.rows, records, strict=True):
        assert row[3].strong == (r["expected_running_time"] == best[r["target_regret"]] < math.inf)
    assert r"R \& E\_1" in to_latex(table)
    assert len(table.columns) == 4 + len(LEVELS)


def test_quantiles_of_running_times() -> None:
    hits = np.array([[1.0, np.inf], [2.0, 5.0], [4.0, np.inf]])
    assert running_time_quantiles(hits, (0.0, 0.5, 1.0)).tolist() == [[1.0, 5.0], [2.0, np.inf], [4.0, np.inf]]
    assert np.isnan(running_time_quantiles(np.empty((0, 2)), (0.5,))).all()


def test_profiles_with_limits() -> None:
    rng = np.random.default_rng(3)
    strata, targets = [rng.random(20), rng.random(10) ** 2], np.array([0.1, 0.5, 2.0])
    found = profile_band(strata, targets).value
    assert found is not None
    mean = np.mean([performance_profile(x, targets) for x in strata], axis=0)
    assert found.value == pytest.approx(mean)
    assert (found.low <= found.value).all() and (found.value <= found.high).all()
    spread = np.sqrt(sum(p * (1 - p) / len(x) for x in strata for p in [(x <= 0.5).mean()])) / 2
    assert found.high[1] - found.low[1] == pytest.approx(2 * 1.96 * spread, rel=0.15)  # the normal approximation
    assert (found.low[2], found.high[2]) == (1, 1)
    single = profile_band([[0.3]], [0.5]).value
    assert single is not None and single.value.tolist() == [1.0] and np.isnan(single.low).all()
    assert profile_band([], [0.5]).value is None and profile_band([[0.3], []], [0.5]).value is None


def test_the_command(folder: Path, tmp_path: Path) -> None:
    typed = "--style paper --width 3.3in --algos rs,re --names re=RE --json --to"
    done = CliRunner().invoke(app, ["plot", str(folder), *typed.split(), str(tmp_path)])
    assert done.exit_code == 0, done.output
    files = {Path(name).name for name in json.loads(done.stdout)["files"]}
    assert {
        "anytime.pdf",
        "profiles.svg",
        "intervals.png",
        "targets.csv",
        "captions.txt",
        "targets-toy-additive.tex",
    } <= files
    rows = list(csv.DictReader((tmp_path / "paper" / "targets.csv").read_text().splitlines()))
    assert {row["name"] for row in rows} == {"random_search", "RE"} and {row["axis"] for row in rows} == set(AXES)
    captions = (tmp_path / "paper" / "captions.txt").read_text()
    assert "over 5 seeds" in captions and "Synthetic: toy/additive" in captions


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--width", "3in"], "add --style paper"),
        (["--names", "re=X"], "add --style paper"),
        (["--style", "poster"], "there are screen and paper"),
        (["--style", "paper", "--width", "wide"], "is not a width"),
        (["--style", "paper", "--names", "xyz=X"], "not a strategy of this study"),
    ],
)
def test_mistakes_on_the_command_line(folder: Path, options: list[str], said: str) -> None:
    from nassim.errors import NassimError

    done = CliRunner().invoke(app, ["plot", str(folder), *options])
    assert isinstance(done.exception, NassimError) and said in str(done.exception)
    assert "\n" not in str(done.exception)


@pytest.mark.parametrize(("budget", "seeds"), [("5ep", 2), ("1q", 1), ("30q", 1)])
def test_thin_studies_are_drawn(budget: str, seeds: int) -> None:
    thin = compare(["re"], ["toy/additive"], budget, seeds=seeds)
    parts, choice = [Part(thin, "toy/additive")], choose(thin)
    finals = finals_of(parts, choice)
    with paper_style():
        figures = figures_of(parts, choice, finals.value)
        for figure in figures.values():
            figure.draw(renderer_of(figure))
    assert list(figures) == (["anytime"] if budget == "5ep" else ["anytime", "intervals", "profiles"])
    assert ("not drawn" in str(captions_of(parts, finals.value, finals.reason))) == (budget == "5ep")
