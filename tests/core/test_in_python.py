"""A comparison from Python, as in a notebook: what a study and a run say of themselves, and their tables and pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.errors import InvalidSetting
from nassim.registry import get_benchmark

TOYS = ["toy/additive", "toy/deceptive"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def study() -> Any:
    return nassim.compare(["re", "ls"], TOYS, "20q", seeds=3)


def test_a_study_says_what_it_is_in_a_few_lines(study: Any) -> None:
    lines = repr(study).splitlines()
    assert len(lines) == 4 and max(map(len, lines)) <= 120
    head, strategies, additive, deceptive = lines
    for said in ("3 strategies", "2 benchmarks", "3 seeds", "20q", "18 of 18 runs"):
        assert said in head
    assert all(name in strategies for name in ("random_search", "regularized_evolution", "local_search"))
    assert "toy/additive" in additive and "toy/deceptive" in deceptive
    for line, name in zip((additive, deceptive), TOYS, strict=True):
        means = {s: sum(100 * r.curve[-1].valid for r in study.of(name, s)) / 3 for s in study.strategies}
        best = max(means, key=lambda strategy: means[strategy])
        assert "validation accuracy" in line and "synthetic" in line
        assert best in line and f"{means[best]:.2f} %" in line
        assert [s for s in means if s in line] == [s for s in means if means[s] == means[best]]


def test_a_study_of_many_benchmarks_and_strategies_stays_short() -> None:
    many = [f"ls[n_init={size}]" for size in range(2, 22)]
    study = nassim.compare(many, TOYS, "12q", seeds=1)
    text = repr(study)
    assert len(text.splitlines()) <= 4 and max(map(len, text.splitlines())) <= 120
    assert "21 strategies" in text and "more" in text


def test_names_from_a_file_cannot_write_on_a_terminal() -> None:
    odd = nassim.get_algorithm("re").configured(sample_size=3)
    object.__setattr__(odd, "label", "re\x1b[2J\n" + 500 * "x")
    text = repr(nassim.compare([odd], "toy/additive", "9q", seeds=1))
    assert "\x1b" not in text and len(text.splitlines()) == 3 and max(map(len, text.splitlines())) < 200


def test_a_study_without_an_answer_says_so() -> None:
    study = nassim.compare(["re"], ["toy/additive"], "5ep", seeds=2)
    assert "no answer" in repr(study)
    assert list(study.curves().columns) and study.curves().empty
    assert "4 of 4 runs" in repr(study)


def test_the_summary_is_a_data_frame(study: Any) -> None:
    table = study.summary()
    assert len(table) == 6
    best = get_benchmark("toy/additive").optimum()
    [row] = table[(table.benchmark == "toy/additive") & (table.strategy == "local_search")].to_dict("records")
    ends = [run.curve[-1].valid for run in study.of("toy/additive", "local_search")]
    assert row["final_valid_accuracy_mean_percent"] == pytest.approx(100 * sum(ends) / 3)
    assert row["final_valid_regret_mean_pp"] == pytest.approx(100 * (best - sum(ends) / 3))


def test_the_curves_are_a_long_data_frame(study: Any) -> None:
    table = study.curves()
    assert list(table.columns) == [
        *("benchmark", "strategy", "mode", "seed", "queries", "epochs_spent", "cost_unit", "simulated_seconds"),
        *("until_simulated_seconds", "architecture", "valid_accuracy_observed_percent"),
        *("valid_accuracy_mean_of_repeats_percent", "test_accuracy_mean_of_repeats_percent", "source"),
        *("valid_regret_pp", "test_regret_pp"),
    ]
    runs = [(run, list(group.to_dict("records"))) for run, (_, group) in _runs_beside(study, table)]
    assert len(runs) == 18
    for run, rows in runs:
        facts = study.facts[run.benchmark]
        assert len(rows) == len(run.curve)
        for row, point in zip(rows, run.curve, strict=True):
            assert (row["queries"], row["simulated_seconds"]) == (point.queries, point.seconds)
            assert row["architecture"] == point.architecture
            assert row["valid_accuracy_observed_percent"] == pytest.approx(100 * point.observed)
            assert row["valid_regret_pp"] == pytest.approx(100 * (facts.best_valid - point.valid))
            assert row["test_regret_pp"] == pytest.approx(100 * (facts.best_test - point.test))
        ends = [row["until_simulated_seconds"] for row in rows]
        assert ends == [*(row["simulated_seconds"] for row in rows[1:]), run.seconds]


def _runs_beside(study: Any, table: Any) -> Any:
    groups = table.groupby(["benchmark", "strategy", "seed"], sort=False)
    return zip(study.runs, groups, strict=True)


@pytest.mark.slow
def test_the_figure_shows_itself_in_a_notebook(study: Any) -> None:
    both, one = study.plot(), study.plot("toy/deceptive")
    assert len(both.axes) >= 2 and len(one.axes) < len(both.axes)
    assert one._repr_png_().startswith(PNG)
    with pytest.raises(InvalidSetting, match="toy/additive, toy/deceptive"):
        study.plot("toy/none")


def test_the_report_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    made = nassim.compare(["re"], ["toy/additive"], "9q", seeds=2, out=tmp_path / "made")
    page = made.report(figures=False)
    assert page == tmp_path / "made" / "report.html" and "regularized_evolution" in page.read_text(encoding="utf-8")
    elsewhere = made.report(tmp_path / "elsewhere", figures=False)
    assert elsewhere == tmp_path / "elsewhere" / "report.html" and elsewhere.is_file()
    held = nassim.compare(["re"], ["toy/additive"], "9q", seeds=2)
    with pytest.raises(InvalidSetting, match="in memory"):
        held.report()
    assert held.report(tmp_path / "held", figures=False).is_file()


def test_a_study_is_read_from_its_folder(tmp_path: Path) -> None:
    made = nassim.compare(["re"], ["toy/additive"], "9q", seeds=2, out=tmp_path / "made")
    read = nassim.Study.open(tmp_path / "made")
    assert str(tmp_path / "made") in repr(read) and repr(read) == repr(made)
    assert read.curves().equals(made.curves())


def test_one_name_is_as_good_as_a_list_of_one() -> None:
    study = nassim.compare("re", "toy/additive", "9q", seeds=1)
    assert study.strategies == ["random_search", "regularized_evolution"] and study.benchmarks == ["toy/additive"]


def test_a_run_prints_as_one_line() -> None:
    run = nassim.run("re", "toy/additive", "20q", seed=3)
    line = repr(run)
    assert "\n" not in line and str(run) == line and len(line) < 200
    said = ("regularized_evolution", "toy/additive", "seed 3", "20 trials", str(run.best.arch))
    assert all(part in line for part in said)
    assert f"validation accuracy {100 * run.best.valid:.2f} %" in line
    shared = nassim.run("darts", "nasbench201/digits", "30q")
    assert "0 trials" in repr(shared) and "recorded" in repr(shared) and "%" in repr(shared)


def test_a_stored_run_prints_as_one_line_without_its_curve(study: Any) -> None:
    line = repr(study.runs[0])
    assert len(line) < 160 and "random_search on toy/additive, seed 0" in line


@pytest.mark.slow
def test_tables_and_figures_are_imported_when_they_are_wanted() -> None:
    code = (
        "import nassim, sys; study = nassim.compare('re', 'toy/additive', '9q', seeds=1); repr(study); "
        "print([name for name in ('pandas', 'matplotlib') if name in sys.modules]); study.summary(); study.plot(); "
        "print('pandas' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True False"]
