"""Thin and odd studies: the report says what cannot be computed and why, and shows the rest."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import InvalidSetting
from nassim.plots import plot_study
from nassim.report.content import content_of
from nassim.report.figures import distribution_figure, ranks_figure
from nassim.report.write import write_report
from nassim.study import Study

TWO = ("random_search", "regularized_evolution")


def report(study: Study, root: Path, *, figures: bool = False) -> str:
    """The page of a study without its library and data, as a reader sees it; all files are written."""
    folder = root / "report"
    written = write_report(study, folder, figures=figures)
    assert [path.name for path in written[:2]] == ["report.html", "report.md"]
    assert all(path.stat().st_size for path in written)
    assert "nan" not in re.sub(r"\w*nan\w+|\w+nan\w*", "", (folder / "report.md").read_text(encoding="utf-8"))
    page = written[0].read_text(encoding="utf-8")
    body = page[page.index("<body>") : page.index('<script type="application/json"')]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_one_seed(hand: Any, tmp_path: Path) -> None:
    text = report(hand.study([hand.steady(name, 0, 0.8 + 0.02 * i) for i, name in enumerate(TWO)]), tmp_path)
    assert "One seed of each strategy: there are no intervals" in text
    assert "no difference could be significant" in text
    assert "Final results" in text and "8.000" in text and "10.000" in text


def test_that_runs_are_too_few_is_said_once_for_all_pairs(hand: Any, tmp_path: Path) -> None:
    names = (*TWO, "local_search", "evolution", "smbo")
    study = hand.study([hand.steady(name, seed, 0.8 + 0.01 * i) for i, name in enumerate(names) for seed in range(2)])
    report(study, tmp_path)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert text.count("With so few runs no difference could be significant between any two.") == 1
    assert text.count("could be significant between") == 1


def test_normal_intervals_are_said_where_runs_are_many(
    hand: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = hand.study([hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(4)])
    said = "the interval is the normal one"
    report(study, tmp_path / "few")
    monkeypatch.setattr("nassim.report.results.MANY", 4)
    report(study, tmp_path / "many")
    few, many = ((tmp_path / name / "report" / "report.md").read_text(encoding="utf-8") for name in ("few", "many"))
    assert said not in few and many.count(said) == 1


@pytest.mark.slow
def test_one_strategy(hand: Any, tmp_path: Path) -> None:
    study = hand.study([hand.steady("random_search", seed, 0.8 + 0.01 * seed) for seed in range(5)])
    text = report(study, tmp_path, figures=True)
    assert "One strategy: there are no pairs, tests or ranks to show." in text
    assert "There is one strategy only." in text and "nothing is compared with it" in text
    assert "Expected running time" in text


def test_one_benchmark(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(5)]
    text = report(hand.study(runs), tmp_path)
    assert "One benchmark: ranks and tests are over its seeds, and speak of it alone." in text
    assert "Mean ranks over 5 seeds" in text


def test_no_finished_run(hand: Any, tmp_path: Path) -> None:
    text = report(hand.study([], planned=40), tmp_path)
    assert "None of this study's 40 runs has finished yet." in text
    assert "No run has finished: there are no curves, tables, tests or diagrams." in text
    assert "How this study was made" in text and "0 of 40" in text and "Checklist" in text
    assert "Anytime performance" not in text


@pytest.mark.slow
def test_runs_without_an_answer(hand: Any, tmp_path: Path) -> None:
    runs = [hand.run(name, seed, [], trials=0, seconds=0.0) for name in TWO for seed in range(3)]
    text = report(hand.study(runs, budget="1s"), tmp_path, figures=True)
    assert "No run of this study has an answer" in text
    assert "Nothing can be computed: toy/additive: no run has an answer." in text
    assert "No run reached any target." in text or "No strategy can be shown on this axis." in text


def test_some_runs_without_an_answer(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(4)]
    runs.append(hand.run(TWO[1], 4, [], trials=0, seconds=0.0))
    text = report(hand.study(runs), tmp_path)
    assert "4 of 5" in text and "without an answer counted as worst" in text


@pytest.mark.slow
def test_answers_in_half_of_the_runs_only(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(3)]
    runs += [hand.run(name, seed, [], trials=0, seconds=0.0) for name in TWO for seed in range(3, 6)]
    study = hand.study(runs)
    assert "6 runs without an answer counted as worst" in report(study, tmp_path, figures=True)
    assert all(path.stat().st_size for path in plot_study(study, tmp_path))


def test_strategies_with_different_budgets(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(TWO[0], seed, 0.8 + 0.01 * seed) for seed in range(4)]
    runs += [hand.steady(TWO[1], seed, 0.82 + 0.01 * seed, stopped="finished", seconds=600.0) for seed in range(4)]
    text = report(hand.study(runs), tmp_path)
    assert "Budgets differ: final regrets compare unequal efforts." in text
    assert "IQM at 600 s" in text
    assert "600 simulated seconds (its own end)" in text


def test_a_missing_test_column(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(4)]
    text = report(hand.study(runs), tmp_path)
    assert "No test results on toy/additive: no test split in this source." in text
    assert "validation regret" in text and "test %" not in text


@pytest.mark.slow
def test_ties_everywhere(hand: Any, tmp_path: Path) -> None:
    text = report(
        hand.study([hand.steady(name, seed, 0.8) for name in TWO for seed in range(6)]), tmp_path, figures=True
    )
    assert "all runs of all strategies end with the same validation regret" in text
    assert "no test, all runs are equal." in text
    assert "10.000 [10.000, 10.000]" in text


def test_regret_of_exactly_zero(hand: Any, tmp_path: Path) -> None:
    runs = [hand.run(name, seed, [(100.0, 1, 0.9, None)]) for name in TWO for seed in range(4)]
    text = report(hand.study(runs), tmp_path)
    assert "0.000 [0.000, 0.000]" in text
    assert "no regret is above 0.01, so every target would be hit at once" in (
        tmp_path / "report" / "report.html"
    ).read_text(encoding="utf-8")


def test_an_unknown_optimum(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(4)]
    text = report(hand.study(runs, about=[hand.facts(best=None)]), tmp_path)
    assert "The best validation accuracy on toy/additive is not known" in text
    assert "the best that this study found (83.00 %)" in text
    assert "0.000" in text


def test_a_benchmark_that_is_not_here(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed, benchmark="gone/away") for name in TWO for seed in range(4)]
    text = report(hand.study(runs, about=[hand.facts("gone/away")]), tmp_path)
    assert "gone/away cannot be opened here" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "Other epochs are not shown: gone/away cannot be opened here" in text
    assert "Final results on gone/away" in text


def test_a_table_that_has_changed(hand: Any, tmp_path: Path) -> None:
    about = hand.facts()._replace(sha256="0" * 64)
    runs = [hand.steady(name, seed, 0.8) for name in TWO for seed in range(2)]
    text = report(hand.study(runs, about=[about]), tmp_path)
    assert "is not the one that the study was made with" in text


def test_one_shot_runs_are_labeled_and_shown_on_the_clock_only(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady("random_search", seed, 0.8 + 0.01 * seed) for seed in range(4)]
    for seed in range(4):
        points = [(float(at), 0, 0.7 + 0.01 * at / 100, None) for at in range(100, 900, 100)]
        runs.append(hand.run("darts", seed, points, trials=0, mode="recorded", stopped="finished"))
    note = "recorded: the supernet learned digits"
    source = {"darts on toy/additive": {"configuration": "0" * 64, "note": note}}
    left = {"gdas on toy/additive": "gdas needs a benchmark with a supernet."}
    study = hand.study(runs, one_shot=source, left_out=left)
    text = report(study, tmp_path)
    assert "darts recorded" in text
    (found,) = content_of(study, tmp_path, None, None).parts.values()
    for figure in (ranks_figure(found, study.strategies), distribution_figure(found, study.strategies)):
        legend = figure.axes[0].get_legend() if figure is not None else None
        assert legend is not None
        assert [line.get_text() for line in legend.get_texts()] == ["random_search", "darts (recorded)"]
    assert note in text
    assert "gdas on toy/additive was left out: gdas needs a benchmark with a supernet." in text
    assert "darts made no queries: it can be shown against simulated time only." in text
    assert "the runs of darts are recordings" in text


@pytest.mark.slow
def test_costs_that_are_no_seconds(hand: Any, tmp_path: Path) -> None:
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in TWO for seed in range(4)]
    text = report(hand.study(runs, about=[hand.facts()._replace(cost_unit="trainings")]), tmp_path, figures=True)
    assert "Expected running time on toy/additive in trainings to a validation regret" in text
    for path in ("report.md", "report.html"):
        whole = (tmp_path / "report" / path).read_text(encoding="utf-8")
        assert "trainings, regret 10 to 0.01" in whole and "0 s " not in whole.partition("<svg")[0]
    assert '"title":"declared cost [trainings]"' in whole


def test_several_benchmarks_that_not_every_strategy_ran_on(hand: Any, tmp_path: Path) -> None:
    about = [hand.facts("toy/additive"), hand.facts("toy/deceptive")]
    runs = [hand.steady("random_search", seed, 0.8, benchmark=a.name) for a in about for seed in range(3)]
    runs += [hand.steady("local_search", seed, 0.85, benchmark="toy/deceptive") for seed in range(3)]
    text = report(hand.study(runs, about=about), tmp_path)
    assert "Final results on toy/additive" in text and "Final results on toy/deceptive" in text
    assert "Win rates over 1 of 2 benchmarks" in text


def test_names_cannot_break_the_page(hand: Any, tmp_path: Path) -> None:
    bad = '</script><script>alert("x")</script>&|_%'
    runs = [hand.steady(name, seed, 0.8 + 0.01 * seed) for name in ("random_search", bad) for seed in range(3)]
    text = report(hand.study(runs), tmp_path)
    assert bad.replace("|", "|") in text
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    table = next((tmp_path / "report" / "tables").glob("results-*.tex")).read_text(encoding="utf-8")
    assert r"\&$|$\_\%" in table


def test_objectives_that_no_benchmark_has(hand: Any, tmp_path: Path) -> None:
    study = hand.study([hand.steady(name, seed, 0.8) for name in TWO for seed in range(2)])
    for wanted in (["valid_accuracy", "weight"], ["parameters"], ["parameters", "parameters"]):
        with pytest.raises(InvalidSetting, match=r"toy/additive .* It has valid_accuracy, test_accuracy, parameters\."):
            write_report(study, tmp_path / "other", objectives=wanted)
    assert not (tmp_path / "other").exists()
